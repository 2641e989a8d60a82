package doctor

import "context"

// openID looks whether the staff's provider answers. Without it their passwords still work,
// so it is a warning.
func (e *examination) openID(ctx context.Context) {
	const name = "openid"
	if e.OpenID == nil {
		return
	}
	what, err := e.OpenID(ctx)
	switch {
	case err != nil:
		e.warn(name, err.Error(), "see the settings PORTATILL_OIDC_… and docs/oidc.md; meanwhile the staff sign in with their passwords")
	case what == "":
		e.ok(name, "passwords alone sign in: PORTATILL_OIDC_ISSUER is not set")
	default:
		e.ok(name, "%s", what)
	}
}
