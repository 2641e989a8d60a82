package mail

import (
	"bytes"
	"embed"
	"fmt"
	html "html/template"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	text "text/template"
	"time"
	"unicode/utf8"

	"github.com/portatill/portatill/internal/i18n"
	"github.com/portatill/portatill/pay"
)

//go:embed templates
var files embed.FS

var (
	htmlMail = html.Must(html.ParseFS(files, "templates/mail.html.tmpl"))
	textMail = text.Must(text.ParseFS(files, "templates/mail.txt.tmpl"))
)

// Letter is a mail's words in its two forms.
type Letter struct {
	Subject string
	HTML    string
	Text    string
	// Style is the stylesheet within HTML, whose digest a page that shows the letter puts
	// into its content security policy.
	Style string
	// Lang and Dir are of both forms: a BCP 47 tag, and ltr or rtl.
	Lang, Dir string
}

// content is what both forms are written from. Everything in it is ready to be shown.
type content struct {
	Lang, Dir, Subject, Shop, Heading, Rule string
	Start, End                              string // left and right, or right and left
	Style                                   html.CSS
	Paragraphs                              []string
	Action                                  *action
	Findings                                []finding
	LinesTitle                              string
	Lines, Sums, Facts                      []entry
	Foot                                    []string
}

type action struct{ Label, URL string }

type entry struct {
	Label, Note, Value string
	Strong             bool
}

type finding struct{ Tenant, What, Do, URL string }

// write makes the two forms. What comes from outside is plain already; here no text can
// begin a line or a header any more.
func (c content) write(accent string) (Letter, error) {
	for _, s := range []*string{&c.Subject, &c.Shop, &c.Heading} {
		*s = oneLine(*s)
	}
	for _, list := range [][]string{c.Paragraphs, c.Foot} {
		for i := range list {
			list[i] = oneLine(list[i])
		}
	}
	for _, list := range [][]entry{c.Lines, c.Sums, c.Facts} {
		for i := range list {
			list[i].Label, list[i].Note, list[i].Value = oneLine(list[i].Label), oneLine(list[i].Note), oneLine(list[i].Value)
		}
	}
	for i := range c.Findings {
		f := &c.Findings[i]
		f.Tenant, f.What, f.Do = plain(f.Tenant), plain(f.What), plain(f.Do)
	}
	c.Start, c.End = "left", "right"
	if c.Dir == "rtl" {
		c.Start, c.End = c.End, c.Start
	}
	c.Style, c.Rule = style(accent, c.Start, c.End), strings.Repeat("=", min(utf8.RuneCountInString(c.Heading), 60))
	var page, twin bytes.Buffer
	if err := htmlMail.Execute(&page, c); err != nil {
		return Letter{}, fmt.Errorf("write the mail: %w", err)
	}
	if err := textMail.Execute(&twin, c); err != nil {
		return Letter{}, fmt.Errorf("write the mail's text: %w", err)
	}
	return Letter{Subject: c.Subject, HTML: page.String(), Text: twin.String(), Style: string(c.Style), Lang: c.Lang, Dir: c.Dir}, nil
}

// Sale is what a mail about an order is written from. Payment is nil where there is none.
type Sale struct {
	Tenant   *pay.Tenant
	Order    *pay.Order
	Payment  *pay.Payment
	Customer *pay.Customer
	// Language is the one that the customer asked for, a BCP 47 tag; "" when they did not.
	Language string
	// PageURL and ReceiptURL are the customer's own pages.
	PageURL, ReceiptURL string
}

// Write writes a mail about an order in a language.
func Write(kind pay.MailKind, s Sale, l *i18n.Language) (Letter, error) {
	shop, amount := plain(s.Tenant.Branding.DisplayName), l.Money(s.Order.Cart.Total())
	say := func(key string) string { return l.Say(key, "Seller", shop, "Amount", amount) }
	c := content{Lang: l.Tag, Dir: l.Dir, Shop: shop, Facts: []entry{{Label: say("order.order"), Value: l.Isolate(s.Order.ID)}}}
	if s.Order.ContentID != 0 {
		c.Facts = append(c.Facts, entry{Label: say("order.reference"), Value: strconv.FormatInt(s.Order.ContentID, 10)})
	}
	switch kind {
	case pay.MailReceipt:
		c.Subject, c.Heading = say("mail.receipt.subject"), say("mail.receipt.heading")
		c.Paragraphs = []string{say("return.paid.text")}
		if s.Order.Cart.TotalMinor == 0 {
			c.Paragraphs = append(c.Paragraphs, say("mail.receipt.nothing"))
		}
		c.Action = &action{say("order.view_receipt"), s.ReceiptURL}
		c.addCart(l, s, say("mail.receipt.lines"))
		c.addReceipt(l, s)
	case pay.MailFailed:
		c.Subject, c.Heading = say("mail.failed.subject"), say("order.declined.title")
		c.Paragraphs = []string{say("mail.failed.text"), say("order.debit_failed")}
		c.Action = &action{say("mail.failed.action"), s.PageURL}
	case pay.MailAuthentication:
		c.Subject, c.Heading = say("mail.confirm.subject"), say("order.confirm.title")
		c.Paragraphs = []string{say("mail.confirm.text")}
		if u, err := url.Parse(s.PageURL); err == nil {
			c.Paragraphs = append(c.Paragraphs, l.Say("mail.confirm.safe", "Host", u.Host))
		}
		c.Action = &action{say("order.button.confirm"), s.PageURL}
		c.addCart(l, s, say("order.lines"))
	default:
		return Letter{}, fmt.Errorf("write a mail: %q is not about an order", kind)
	}
	if at := replyTo(s.Tenant); at != "" {
		c.Foot = append(c.Foot, l.Say("layout.questions", "Email", plain(at)))
	}
	c.Foot = append(c.Foot, say("mail.why"))
	return c.write(s.Tenant.Branding.AccentColour)
}

// addReceipt adds what makes a mail a receipt: when, with what, and to whom.
func (c *content) addReceipt(l *i18n.Language, s Sale) {
	c.Facts = append(c.Facts, entry{Label: l.Say("receipt.date"), Value: l.Date(s.Order.PaidAt)})
	if s.Payment != nil && s.Payment.Method != "" {
		c.Facts = append(c.Facts, entry{Label: l.Say("mail.receipt.paid_with"), Value: l.Isolate(plain(s.Payment.Method))})
	}
	var seller []string
	for _, line := range s.Tenant.Branding.SellerLines {
		seller = append(seller, plain(line))
	}
	if len(seller) > 0 {
		c.Facts = append(c.Facts, entry{Label: l.Say("receipt.paid_to"), Value: l.Isolate(strings.Join(seller, ", "))})
	}
}

func (c *content) addCart(l *i18n.Language, s Sale, title string) {
	cart := &s.Order.Cart
	c.LinesTitle = title
	money := func(minor int64) string { return l.Money(pay.Money{Minor: minor, Currency: cart.Currency}) }
	for i := range cart.Lines {
		priced := &cart.Lines[i]
		label := l.Isolate(plain(priced.Title))
		if priced.Quantity != 1 {
			label = l.Integer(priced.Quantity) + " × " + label
		}
		c.Lines = append(c.Lines, entry{Label: label, Note: l.Explain(cart, priced, c.Shop), Value: money(priced.SubtotalMinor)})
	}
	if cart.VATMinor != 0 {
		rate := l.Percent(cart.VATBasisPoints)
		label := l.Say("order.vat_rate", "Rate", rate)
		if cart.VATMode == pay.VATInclusive {
			label = l.Say("order.vat_included", "Rate", rate)
		}
		c.Sums = append(c.Sums, entry{Label: label, Value: money(cart.VATMinor)})
	}
	c.Sums = append(c.Sums, entry{Label: l.Say("order.total.plain"), Value: money(cart.TotalMinor), Strong: true})
}

// replyTo is where answers to a tenant's mails go, "" when it did not say.
func replyTo(t *pay.Tenant) string {
	if t.Branding.MailReplyTo != "" {
		return t.Branding.MailReplyTo
	}
	return t.Branding.SupportEmail
}

// fromName is whom a tenant's mails come from.
func fromName(t *pay.Tenant) string {
	if t.Branding.MailName != "" {
		return t.Branding.MailName
	}
	return t.Branding.DisplayName
}

// writeLetter writes the daily letter; accent is "" for the operators'.
func writeLetter(l Daily, day time.Time, base, accent string) (Letter, error) {
	place := plain(l.Place)
	if place == "" {
		place = everything
	}
	c := content{Lang: "en", Dir: "ltr", Shop: "Portatill · " + place, Subject: letterSubject(len(l.Findings), place, day), Heading: letterSquare,
		Paragraphs: []string{letterLead}, Action: &action{letterOpen, base + "/admin"}, Foot: []string{letterWhy}}
	if len(l.Findings) > 0 {
		c.Heading, _, _ = strings.Cut(c.Subject, ":")
		c.Paragraphs = []string{letterWaiting}
	}
	for _, f := range l.Findings {
		c.Findings = append(c.Findings, finding{Tenant: f.Tenant, What: f.What, Do: f.Do, URL: base + f.Path})
	}
	return c.write(accent)
}

var colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// ours is the accent colour of a tenant that chose none.
const ours = "#3b4fd8"

// style is the stylesheet. It stands in the head, not in style attributes, so that the
// page that shows the mail needs no unsafe policy; readers that drop it show the same
// words in the same order. Text never has the accent's colour, whose contrast nobody knows.
func style(accent, start, end string) html.CSS {
	if !colour.MatchString(accent) {
		accent = ours
	}
	return html.CSS(strings.NewReplacer("ACCENT", accent, "CONTENT", contentColour(accent), "START", start, "END", end).Replace(sheet)) //nolint:gosec // a colour and nothing else
}

const sheet = `body{margin:0;background:#f6f7f9;color:#14181f;font:16px/1.5 -apple-system,BlinkMacSystemFont,"Segoe UI",Roboto,"Noto Sans",Arial,sans-serif}` +
	`.page{max-width:35rem;margin:0 auto;padding:24px 12px}` +
	`.mail{background:#fff;border:1px solid #e3e6eb;border-top:4px solid ACCENT;border-radius:12px;padding:24px}` +
	`.shop{margin:0 0 16px;font-weight:600}` +
	`h1{margin:0 0 12px;font-size:24px;line-height:1.3}h2{margin:24px 0 8px;font-size:16px}p{margin:0 0 12px}` +
	`.do{margin:20px 0}.button{display:inline-block;padding:12px 20px;border-radius:10px;background:ACCENT;color:CONTENT;font-weight:600;text-decoration:none}` +
	`table{border-collapse:collapse}td{padding:8px 0;vertical-align:top;border-top:1px solid #e3e6eb}` +
	`td{text-align:START}.amount{padding-START:16px;white-space:nowrap;text-align:END;font-variant-numeric:tabular-nums}` +
	`.total td{font-weight:700}.note,.foot{color:#545c69;font-size:14px}.facts{margin-top:20px}.facts td{border:0;padding:2px 0;padding-END:16px;overflow-wrap:anywhere}.facts .note{white-space:nowrap}` +
	`.findings{margin:20px 0;padding:0;padding-START:20px}.findings li{margin:0 0 12px}.findings a{color:#14181f}.tenant{font-weight:600}` +
	`.foot{padding:16px 24px}.foot p{margin:0 0 4px}` +
	`@media (prefers-color-scheme:dark){body{background:#0e1117;color:#edf0f4}.mail{background:#171b22;border-color:#2b323d;border-top-color:ACCENT}` +
	`td{border-color:#2b323d}.note,.foot{color:#a4adba}.findings a{color:#edf0f4}}`

// contentColour is black or white, whichever is more readable on the accent (WCAG 2.2,
// relative luminance).
func contentColour(accent string) string {
	rgb, err := strconv.ParseUint(accent[1:], 16, 32)
	if err != nil {
		return "#ffffff"
	}
	channel := func(shift uint) float64 {
		c := float64(rgb>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	luminance := 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0)
	if (luminance+0.05)*(luminance+0.05) > 0.05*1.05 {
		return "#000000"
	}
	return "#ffffff"
}
