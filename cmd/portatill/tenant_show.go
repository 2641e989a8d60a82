package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/tenantset"
	"github.com/portatill/portatill/pay"
)

// shownTenant is a tenant as the command line shows it: every property by the name
// of its flag (without -file), and of secrets only whether they are set.
type shownTenant struct {
	Slug            string   `json:"slug"`
	ID              string   `json:"id"`
	Name            string   `json:"name"`
	State           string   `json:"state"`
	Ready           bool     `json:"ready"`
	NotReady        string   `json:"not-ready"`
	IParent         int64    `json:"i-parent"`
	Currency        string   `json:"currency"`
	Currencies      []string `json:"currencies"`
	VATRate         string   `json:"vat-rate"`
	VATMode         string   `json:"vat-mode"`
	ReturnOrigins   []string `json:"return-origins"`
	LoopbackReturns bool     `json:"loopback-returns"`
	DisplayName     string   `json:"display-name"`
	Logo            string   `json:"logo"`
	Accent          string   `json:"accent"`
	SupportEmail    string   `json:"support-email"`
	Language        string   `json:"language"`
	SellerLines     []string `json:"seller-lines"`
	MailName        string   `json:"mail-name"`
	MailReplyTo     string   `json:"mail-reply-to"`
	Mails           string   `json:"mails"`
	Review          string   `json:"review"`
	FirstMonth      string   `json:"first-month"`
	Subtotal        string   `json:"subtotal"`
	SaveCard        string   `json:"save-card"`
	DuplicateWindow string   `json:"duplicate-window"`
	StripeMode      string   `json:"stripe-mode"`
	StripeAccount   string   `json:"stripe-account"`
	StripeKey       string   `json:"stripe-key"`
	WebhookSecrets  []string `json:"stripe-webhook-secret"` // newest first
	OutboundURL     string   `json:"outbound-url"`
	OutboundSecret  string   `json:"outbound-secret"`
	PortaURL        string   `json:"porta-url"`
	PortaLogin      string   `json:"porta-login"`
	PortaToken      string   `json:"porta-token"`
	SigningSecret   string   `json:"signing-secret"`
	Licenses        []string `json:"licenses"` // the last four characters of each good one
	CreatedAt       string   `json:"created-at"`
	UpdatedAt       string   `json:"updated-at"`
}

func showTenant(ctx context.Context, o *opened, t *pay.Tenant) (shownTenant, error) {
	s := shownTenant{Slug: t.Slug, ID: t.ID, Name: t.Name, State: string(t.State), NotReady: t.ReadyFault(), IParent: t.IParent,
		Currency: string(t.DefaultCurrency), Currencies: []string{}, VATRate: pay.Percent(t.VATBasisPoints), VATMode: string(t.VATMode),
		ReturnOrigins: append([]string{}, t.ReturnOrigins...), LoopbackReturns: t.LoopbackReturns,
		DisplayName: t.Branding.DisplayName, Logo: cmp.Or(t.Branding.LogoType, tenantset.NotSet), Accent: t.Branding.AccentColour, SupportEmail: t.Branding.SupportEmail,
		Language: t.Branding.Language, SellerLines: append([]string{}, t.Branding.SellerLines...),
		MailName: t.Branding.MailName, MailReplyTo: t.Branding.MailReplyTo, Mails: cmp.Or(t.Policies.Mails, "all"),
		Review: t.Policies.Review, FirstMonth: t.Policies.FirstMonth, Subtotal: t.Policies.Subtotal, SaveCard: t.Policies.SaveCard,
		DuplicateWindow: tenantset.ShortDuration(t.Policies.DuplicateWindow), StripeMode: tenantset.Mode(t), StripeAccount: t.StripeAccount, StripeKey: tenantset.Masked(t.StripeKey),
		WebhookSecrets: []string{}, OutboundURL: t.OutboundURL, OutboundSecret: tenantset.Masked(t.OutboundSecret),
		PortaURL: t.PortaBilling.URL, PortaLogin: t.PortaBilling.Login, PortaToken: tenantset.Masked(t.PortaBilling.Token), SigningSecret: tenantset.Masked(t.SigningSecret),
		Licenses: []string{}, CreatedAt: moment(t.CreatedAt), UpdatedAt: moment(t.UpdatedAt)}
	s.Ready = s.NotReady == ""
	for _, c := range t.Currencies {
		s.Currencies = append(s.Currencies, string(c))
	}
	for _, secret := range t.StripeWebhookSecrets {
		s.WebhookSecrets = append(s.WebhookSecrets, tenantset.Masked(secret))
	}
	licenses, err := o.store.ListLicenses(ctx, t.ID)
	for _, l := range licenses {
		if l.RevokedAt.IsZero() {
			s.Licenses = append(s.Licenses, "…"+l.Hint)
		}
	}
	return s, err
}

// moment is a time for people and machines; "" when there is none yet.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// write prints every property, by the names of the JSON.
func (s shownTenant) write(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	value := reflect.ValueOf(s)
	for i := range value.NumField() {
		text := fmt.Sprint(value.Field(i).Interface())
		if list, ok := value.Field(i).Interface().([]string); ok {
			text = strings.Join(list, ", ")
		}
		line(table, "%s\t%s", value.Type().Field(i).Tag.Get("json"), cmp.Or(text, "-"))
	}
	table.Flush() //nolint:errcheck // nothing to be done about a closed terminal
}

func (a *app) tenantListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the tenants", Example: "  portatill tenant list --json", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				tenants, err := o.store.ListTenants(cmd.Context())
				if err != nil {
					return err
				}
				shown := []shownTenant{}
				for _, t := range tenants {
					s, err := showTenant(cmd.Context(), o, t)
					if err != nil {
						return err
					}
					shown = append(shown, s)
				}
				return a.print(asJSON, shown, func(w io.Writer) {
					if len(shown) == 0 {
						line(w, "There are no tenants yet; add one with portatill tenant add.")
						return
					}
					table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
					line(table, "SLUG\tNAME\tSTATE\tCURRENCY\tSTRIPE\tREADY")
					for _, s := range shown {
						line(table, "%s\t%s\t%s\t%s\t%s\t%s", s.Slug, s.Name, s.State, s.Currency, s.StripeMode, cmp.Or(s.NotReady, "yes"))
					}
					table.Flush() //nolint:errcheck // nothing to be done about a closed terminal
				})
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) tenantShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show SLUG", Short: "Show a tenant's properties, secrets masked",
		Long:    "Show every property of a tenant by the name of its flag. Of secrets it says whether they are set, and their last four characters.",
		Example: "  portatill tenant show demo", Args: oneArg("slug"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				t, err := findTenant(cmd.Context(), o, args[0])
				if err != nil {
					return err
				}
				s, err := showTenant(cmd.Context(), o, t)
				if err != nil {
					return err
				}
				return a.print(asJSON, s, s.write)
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
