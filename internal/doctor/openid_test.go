package doctor

import (
	"context"
	"errors"
	"testing"
)

func TestTheProviderOfTheStaff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		what  string
		err   error
		state State
		says  string
	}{
		"NoneIsFine":              {"", nil, OK, "passwords alone sign in: PORTATILL_OIDC_ISSUER is not set"},
		"OneThatAnswersIsTold":    {"https://login.example answers", nil, OK, "https://login.example answers"},
		"OneThatIsAwayIsAWarning": {"", errors.New("login.example does not answer in time"), Warn, "login.example does not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &examination{Options: Options{OpenID: func(context.Context) (string, error) { return c.what, c.err }}}
			e.openID(t.Context())
			if len(e.checks) != 1 || e.checks[0].State != c.state || e.checks[0].What != c.says || (e.checks[0].Do == "") != (c.state == OK) {
				t.Errorf("%+v", e.checks)
			}
		})
	}
}
