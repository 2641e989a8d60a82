package openid

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Kind is what a person can do about a Fault.
type Kind string

// The kinds.
const (
	// Unavailable: the provider does not answer, or not now. Try again.
	Unavailable Kind = "unavailable"
	// Misset: the provider and the settings do not fit together. An operator must look.
	Misset Kind = "misset"
	// Refused: the code was used before, or it is too old. Begin again.
	Refused Kind = "refused"
	// Unproven: what came back is not what it must be, and nothing of it is believed.
	Unproven Kind = "unproven"
	// ClockOff: the provider's time and ours are too far apart.
	ClockOff Kind = "clock_off"
)

// Fault is why a round with the provider came to nothing. What is for operators; it
// quotes neither codes nor tokens nor what is said of a person.
type Fault struct {
	Kind Kind
	What string
}

func (f *Fault) Error() string { return f.What }

func fault(k Kind, format string, args ...any) error {
	return &Fault{Kind: k, What: fmt.Sprintf(format, args...)}
}

func unavailable(format string, args ...any) error { return fault(Unavailable, format, args...) }
func misset(format string, args ...any) error      { return fault(Misset, format, args...) }
func unproven(format string, args ...any) error    { return fault(Unproven, format, args...) }

// statusError is an answer that is none.
type statusError struct {
	path   string
	status int
}

func (e *statusError) Error() string { return fmt.Sprintf("%s answers %d", e.path, e.status) }

// maxAnswer is how much of an answer is read; the largest, a set of keys with their
// certificates, has some ten thousand bytes.
const maxAnswer = 1 << 20

// guarded bounds what is read, and turns an answer that cannot be a good one into an
// error without its body, which the libraries would quote. What the token endpoint says in
// a 400 or 401 is needed (RFC 6749, section 5.2).
type guarded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	told := r.Method == http.MethodPost && (response.StatusCode == http.StatusBadRequest || response.StatusCode == http.StatusUnauthorized)
	if response.StatusCode != http.StatusOK && !told {
		response.Body.Close()
		return nil, &statusError{r.URL.Path, response.StatusCode}
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, maxAnswer), response.Body}
	return response, nil
}

// networkFault tells what kept a request from its answer, or nil when err is none of that.
func networkFault(err error) error {
	if s, ok := errors.AsType[*statusError](err); ok {
		if s.status >= http.StatusInternalServerError || s.status == http.StatusTooManyRequests || s.status == http.StatusRequestTimeout {
			return unavailable("%v", s)
		}
		return misset("%v", s)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		host := "the provider"
		if parsed, err := url.Parse(u.URL); err == nil {
			host = parsed.Host
		}
		if u.Timeout() {
			return unavailable("%s does not answer in time", host)
		}
		return unavailable("%s cannot be reached: %v", host, u.Err)
	}
	return nil
}

func discoveryFault(err error) error {
	if f := networkFault(err); f != nil {
		return f
	}
	if m, ok := errors.AsType[*oidc.IssuerMismatchError](err); ok {
		return misset("the provider calls itself %.200q, and PORTATILL_OIDC_ISSUER must be that to the letter", m.Discovered)
	}
	return misset("what is at .well-known/openid-configuration is not an OpenID provider's")
}

// oauthCode is what an error code may look like; anything else is not repeated.
var oauthCode = regexp.MustCompile(`^[a-z_]{1,40}$`)

// exchangeFault is what came of handing in the code.
func exchangeFault(err error) error {
	if f := networkFault(err); f != nil {
		return f
	}
	if r, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		switch {
		case r.ErrorCode == "invalid_grant":
			return fault(Refused, "the token endpoint says invalid_grant: the code was used before, is too old, or is not ours")
		case oauthCode.MatchString(r.ErrorCode):
			return misset("the token endpoint says %s", r.ErrorCode)
		}
		return misset("the token endpoint refuses, without saying why")
	}
	return unproven("the token endpoint's answer cannot be read")
}

// ReturnFault is what an error in the address that a browser came back to means (RFC 6749,
// section 4.1.2.1; Core, section 3.1.2.6); cancelled when the person turned back there.
func ReturnFault(code string) (cancelled bool, err error) {
	switch {
	case code == "access_denied":
		return true, fault(Refused, "the person turned back at the provider")
	case code == "temporarily_unavailable" || code == "server_error":
		return false, unavailable("the provider says %s", code)
	case oauthCode.MatchString(code):
		return false, misset("the provider says %s", code)
	}
	return false, misset("the provider sends an error that is none")
}
