package handlers

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// maxRequestBody is the most a portal may send; the seed-sized request has 3 KB.
const maxRequestBody = 1 << 20

const (
	answerFormatKey = "answer_format"
	jsonpKey        = "jsonp"
)

var callbackPattern = regexp.MustCompile(`^[A-Za-z_$][\w$.]{0,63}$`)

// chooseAnswer decides the format of the answer before anything can fail (wire.md
// 1.3): the user route's suffix, ?callback= for JSONP, ?format=, the path's
// format, then Accept, then the body's own.
func chooseAnswer(c echo.Context, call *wireCall, body wire.Format) error {
	if call.user && call.format != 0 {
		c.Set(answerFormatKey, call.format)
		return nil
	}
	chosen := call.format
	if call.user {
		chosen = acceptedFormat(c.Request().Header.Get("Accept"), body)
	}
	if f, ok := wire.ParseFormat(queryValue(c, "format")); ok && f != wire.Form {
		chosen = f
	}
	c.Set(answerFormatKey, chosen)
	callback := queryValue(c, "callback")
	if callback == "" {
		return nil
	}
	if !callbackPattern.MatchString(callback) {
		return pay.Errorf(pay.CodeBadRequest, "callback", "is not the name of a function")
	}
	c.Set(answerFormatKey, wire.JSON)
	c.Set(jsonpKey, callback)
	return nil
}

// queryValue finds a query parameter in any case.
func queryValue(c echo.Context, name string) string {
	for n, values := range c.QueryParams() {
		if strings.EqualFold(n, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// acceptedFormat honours q-values, ties by listed order; */* is the body's own
// format; what names none of ours, or HTML, is answered in JSON.
func acceptedFormat(accept string, body wire.Format) wire.Format {
	if body == wire.Form || body == 0 {
		body = wire.JSON
	}
	best, bestQ := wire.JSON, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		media, params, _ := strings.Cut(part, ";")
		f, ok := wire.FormatOfContentType(media)
		switch strings.ToLower(strings.TrimSpace(media)) {
		case "*/*":
			f, ok = body, true
		case "text/html":
			f, ok = wire.JSON, true
		}
		if q := quality(params); ok && f != wire.Form && q > bestQ {
			best, bestQ = f, q
		}
	}
	return best
}

// quality is the q of a media range: 1 without one, 0 for one that is no number.
func quality(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
			q, err := strconv.ParseFloat(v, 64)
			if err != nil || q < 0 || q > 1 {
				return 0
			}
			return q
		}
	}
	return 1
}

// readBody reads a portal's body within the limit.
func readBody(c echo.Context) ([]byte, error) {
	r := c.Request()
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, &wire.Error{ErrorCode: string(codeMediaType), Message: "The body must be sent as it is, without Content-Encoding."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, maxRequestBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return nil, &wire.Error{ErrorCode: string(codeTooLarge), Message: "The body is larger than 1 MiB."}
	}
	if err != nil {
		return nil, &wire.Error{ErrorCode: wire.CodeSerialization, Message: "The body did not arrive whole."}
	}
	return body, nil
}

// bound notes that the request was understood. ServiceStack names CSV answers as
// files from then on, errors of the service and empty ones included (wire.md 1.3).
func bound(c echo.Context) {
	if format, ok := c.Get(answerFormatKey).(wire.Format); ok && format == wire.CSV {
		c.Response().Header().Set("Content-Disposition", "attachment;filename="+operationName+".csv")
	}
}

// answerBytes writes an encoded DTO, wrapped in its callback for JSONP.
func answerBytes(c echo.Context, status int, format wire.Format, body []byte) error {
	c.Response().Header().Add("Vary", "Accept")
	if callback, ok := c.Get(jsonpKey).(string); ok && format == wire.JSON {
		wrapped := append([]byte(callback+"("), body...)
		return c.Blob(status, "text/javascript; charset=utf-8", append(wrapped, ')'))
	}
	return c.Blob(status, format.ContentType(), body)
}
