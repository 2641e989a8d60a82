package doctor

import "context"

// smtp looks whether mails can be handed over; none is sent.
func (e *examination) smtp(ctx context.Context) {
	const name = "mail"
	if e.SMTP == nil {
		return
	}
	what, err := e.SMTP(ctx)
	switch {
	case err != nil:
		e.fail(name, err.Error(), "see the settings PORTATILL_SMTP_… and docs/mail.md; mails wait for a day until it is mended")
	case what == "":
		e.ok(name, "none is sent: PORTATILL_SMTP_ADDRESS is not set")
	default:
		e.ok(name, "%s", what)
	}
}
