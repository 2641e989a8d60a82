package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/config"
	"github.com/portatill/portatill/internal/doctor"
	"github.com/portatill/portatill/internal/i18n"
	"github.com/portatill/portatill/internal/mail"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/pay"
)

// newPost wires the mails. Without an address nothing is sent, and what waits from before
// is closed as not sent.
func newPost(store *sqlstore.Store, c config.Mail, baseURL string, clock func() time.Time) *mail.Post {
	return &mail.Post{Rows: store, People: store, BaseURL: baseURL, Now: clock,
		Sender: mail.NewSender(mail.Settings{Address: c.Address, User: c.User, Password: pay.Secret(c.Password), TLS: c.TLS, From: c.From})}
}

// lettersAt is when the daily letters are written; never, when nothing can be sent.
func lettersAt(c config.Mail) time.Duration {
	if c.Address == "" {
		return -1
	}
	return c.LetterAt
}

// findings are the doctor's, as the daily letter tells them.
func (a *app) findings(ctx context.Context, c config.Config, o *opened) []mail.Finding {
	tenants, err := o.store.ListTenants(ctx)
	if err != nil {
		return nil // the doctor's own finding
	}
	ids := map[string]string{}
	for _, t := range tenants {
		ids[t.Slug] = t.ID
	}
	var all []mail.Finding
	for _, check := range doctor.Examine(ctx, a.doctorOptions(c, o)) {
		if check.State == doctor.OK {
			continue
		}
		f := mail.Finding{TenantID: ids[check.Tenant], What: check.Name + ": " + check.What, Path: "/admin"}
		if check.Do != "" {
			f.Do = "To do: " + check.Do + "."
		}
		all = append(all, f)
	}
	return all
}

// examineSMTP is doctor.Options.SMTP.
func (o *opened) examineSMTP(ctx context.Context) (string, error) {
	if o.mail.Sender == nil {
		return "", nil
	}
	f, err := o.mail.Sender.Check(ctx)
	if err != nil {
		return "", errors.New(tellRefusal(err))
	}
	return describeSMTP(f), nil
}

func describeSMTP(f mail.Found) string {
	how := map[string]string{"starttls": "with STARTTLS", "tls": "with TLS", "none": "in the clear"}[f.TLS]
	if f.SignedIn {
		return f.Address + " answers " + how + " and lets us in"
	}
	return f.Address + " answers " + how + "; nobody signs in"
}

// tellRefusal is what an SMTP server said, for a person.
func tellRefusal(err error) string {
	if r, ok := errors.AsType[*mail.Refusal](err); ok {
		return r.Tell()
	}
	return err.Error()
}

func (a *app) mailCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "mail", Short: "Try the mails", Long: "Try the mails. They are sent when PORTATILL_SMTP_ADDRESS is set; see docs/mail.md.",
		Example: "  portatill mail test --to ada@example.com", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.mailTestCommand())
	return cmd
}

// mailTest is what `mail test` prints.
type mailTest struct {
	Kind   pay.MailKind `json:"kind"`
	Sent   bool         `json:"sent"`
	Answer string       `json:"answer"` // the server's
}

func (a *app) mailTestCommand() *cobra.Command {
	var to, kind, tenant, lang string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "test", Short: "Send an example of a mail and print what the SMTP server answers",
		Example: "  portatill mail test --to ada@example.com\n  portatill mail test --to ada@example.com --kind daily --tenant acme --json", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return usagef("--to is required: whom the example is sent to")
			}
			if !slices.Contains(pay.MailKinds, pay.MailKind(kind)) {
				return usagef("--kind must be one of %s", strings.ReplaceAll(fmt.Sprint(pay.MailKinds), " ", ", "))
			}
			if lang != "" && !slices.Contains(pay.Languages, lang) {
				return usagef("--lang must be one of %s", strings.Join(pay.Languages, ", "))
			}
			return a.withStore(cmd.Context(), func(o *opened) error {
				var t *pay.Tenant
				if tenant != "" {
					var err error
					if t, err = findTenant(cmd.Context(), o, tenant); err != nil {
						return err
					}
				}
				answer, err := o.mail.SendTest(cmd.Context(), t, pay.MailKind(kind), i18n.ByTag(lang), to)
				if e, ok := errors.AsType[*pay.Error](err); ok {
					return usagef("%s", e.Message)
				}
				if err != nil {
					return errors.New(tellRefusal(err))
				}
				return a.print(asJSON, mailTest{Kind: pay.MailKind(kind), Sent: true, Answer: answer}, func(w io.Writer) {
					line(w, "The server took it: %s", cmp.Or(answer, "it said no more"))
				})
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "whom the example is sent to, such as ada@example.com")
	cmd.Flags().StringVar(&kind, "kind", string(pay.MailReceipt), "receipt, payment_failed, authentication or daily")
	cmd.Flags().StringVar(&tenant, "tenant", "", "the slug of the tenant whose branding it has; without it, an example's")
	cmd.Flags().StringVar(&lang, "lang", "", "the example's language, such as de; without it, the tenant's. The daily letter is English")
	jsonFlag(cmd, &asJSON)
	return cmd
}
