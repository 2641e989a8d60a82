package handlers

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// maxRequestBody is the most a portal may send; the seed-sized request has 3 KB.
const maxRequestBody = 1 << 20

const answerFormatKey = "answer_format"

var errBodyTooLarge = errors.New("the body is too large")

// canonicalWirePath folds the case of the portals' addresses, which ServiceStack
// ignores in every segment (wire.md 1.1), to the one that the router knows.
func canonicalWirePath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		lower := strings.ToLower(strings.TrimSuffix(u.Path, "/"))
		switch {
		case lower == "/chargestripecustomercard" || strings.HasPrefix(lower, "/chargestripecustomercard."):
			u.Path = "/ChargeStripeCustomerCard"
			if _, suffix, ok := strings.Cut(lower, "."); ok {
				format, known := wire.ParseFormat(suffix)
				if !known || format == wire.Form {
					return echo.ErrNotFound
				}
				c.Set(answerFormatKey, format)
			}
			u.RawPath = ""
		case strings.HasSuffix(lower, "/reply/stripepaymentrequest"), strings.HasSuffix(lower, "/oneway/stripepaymentrequest"):
			parts := strings.Split(lower, "/")
			if len(parts) == 4 {
				u.Path, u.RawPath = "/"+parts[1]+"/"+parts[2]+"/StripePaymentRequest", ""
			}
		}
		return next(c)
	}
}

// pathFormat is the format that a pre-defined route names.
func pathFormat(c echo.Context) (wire.Format, error) {
	format, ok := wire.ParseFormat(c.Param("format"))
	if !ok || format == wire.Form {
		return 0, echo.ErrNotFound
	}
	return format, nil
}

// answerFormat chooses the format of the answer (wire.md 1.3): ?format= first,
// then the path's, then Accept, then the body's own.
func answerFormat(c echo.Context, path, body wire.Format) wire.Format {
	if suffix, ok := c.Get(answerFormatKey).(wire.Format); ok {
		return suffix
	}
	for name, values := range c.QueryParams() {
		if strings.EqualFold(name, "format") && len(values) > 0 {
			if f, ok := wire.ParseFormat(values[0]); ok && f != wire.Form {
				return f
			}
		}
	}
	if path != 0 {
		return path
	}
	if body == wire.Form || body == 0 {
		body = wire.JSON
	}
	best, bestQ := wire.Format(0), -1.0
	for part := range strings.SplitSeq(c.Request().Header.Get("Accept"), ",") {
		media, params, _ := strings.Cut(part, ";")
		f, ok := wire.FormatOfContentType(media)
		if strings.TrimSpace(media) == "*/*" {
			f, ok = body, true
		}
		if q := quality(params); ok && f != wire.Form && q > bestQ {
			best, bestQ = f, q
		}
	}
	if best == 0 || bestQ == 0 {
		return wire.JSON
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
		return nil, echo.NewHTTPError(http.StatusUnsupportedMediaType)
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, maxRequestBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return nil, errBodyTooLarge
	}
	if err != nil {
		return nil, pay.Errorf("SerializationException", "", "The body did not arrive whole.")
	}
	return body, nil
}

// answerBytes writes an encoded DTO.
func answerBytes(c echo.Context, status int, format wire.Format, body []byte) error {
	c.Response().Header().Add("Vary", "Accept")
	if format == wire.CSV {
		c.Response().Header().Set("Content-Disposition", "attachment;filename=StripePaymentRequest.csv")
	}
	return c.Blob(status, format.ContentType(), body)
}
