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
}

// content is what both forms are written from. Everything in it is ready to be shown.
type content struct {
	Lang, Dir, Subject, Shop, Heading, Rule string
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

// write makes the two forms. Names in a text from outside are made plain here, once.
func (c content) write(accent string) (Letter, error) {
	for _, s := range []*string{&c.Subject, &c.Shop, &c.Heading} {
		*s = plain(*s)
	}
	for _, list := range [][]string{c.Paragraphs, c.Foot} {
		for i := range list {
			list[i] = plain(list[i])
		}
	}
	for _, list := range [][]entry{c.Lines, c.Sums, c.Facts} {
		for i := range list {
			list[i].Label, list[i].Note, list[i].Value = plain(list[i].Label), plain(list[i].Note), plain(list[i].Value)
		}
	}
	for i := range c.Findings {
		f := &c.Findings[i]
		f.Tenant, f.What, f.Do = plain(f.Tenant), plain(f.What), plain(f.Do)
	}
	c.Style, c.Rule = style(accent), strings.Repeat("=", min(utf8.RuneCountInString(c.Heading), 60))
	var page, twin bytes.Buffer
	if err := htmlMail.Execute(&page, c); err != nil {
		return Letter{}, fmt.Errorf("write the mail: %w", err)
	}
	if err := textMail.Execute(&twin, c); err != nil {
		return Letter{}, fmt.Errorf("write the mail's text: %w", err)
	}
	return Letter{Subject: c.Subject, HTML: page.String(), Text: twin.String(), Style: string(c.Style)}, nil
}

// Sale is what a mail about an order is written from. Payment is nil where there is none.
type Sale struct {
	Tenant   *pay.Tenant
	Order    *pay.Order
	Payment  *pay.Payment
	Customer *pay.Customer
	// PageURL and ReceiptURL are the customer's own pages.
	PageURL, ReceiptURL string
}

// Write writes a mail about an order in a language, English where it has no words.
func Write(kind pay.MailKind, s Sale, lang string) (Letter, error) {
	w, shop, amount := wordsOf(lang), s.Tenant.Branding.DisplayName, s.Order.Cart.Total().Display()
	c := content{Lang: w.lang, Dir: w.dir, Shop: shop, Facts: []entry{{Label: w.order, Value: s.Order.ID}}}
	if s.Order.ContentID != 0 {
		c.Facts = append(c.Facts, entry{Label: w.reference, Value: strconv.FormatInt(s.Order.ContentID, 10)})
	}
	switch kind {
	case pay.MailReceipt:
		c.Subject, c.Heading = w.receiptSubject(shop, amount), w.receiptHeading(shop, amount)
		c.Paragraphs = []string{w.receiptLead(shop, amount)}
		if s.Order.Cart.TotalMinor == 0 {
			c.Paragraphs = append(c.Paragraphs, w.receiptNothing)
		}
		c.Action = &action{w.seeReceipt, s.ReceiptURL}
		c.addCart(w, &s.Order.Cart)
		c.Facts = append(c.Facts, entry{Label: w.paidOn, Value: w.day(s.Order.PaidAt)})
		if s.Payment != nil && s.Payment.Method != "" {
			c.Facts = append(c.Facts, entry{Label: w.by, Value: s.Payment.Method})
		}
	case pay.MailFailed:
		c.Subject, c.Heading = w.failedSubject(shop), w.failedHeading(shop)
		c.Paragraphs = []string{w.failedLead(shop, amount), w.failedAgain}
		c.Action = &action{w.seeOrder, s.PageURL}
	case pay.MailAuthentication:
		c.Subject, c.Heading = w.confirmSubject(shop, amount), w.confirmHeading
		c.Paragraphs = []string{w.confirmLead(shop, amount)}
		if u, err := url.Parse(s.PageURL); err == nil {
			c.Paragraphs = append(c.Paragraphs, w.confirmSafe(u.Host))
		}
		c.Action = &action{w.toConfirm, s.PageURL}
		c.addCart(w, &s.Order.Cart)
	default:
		return Letter{}, fmt.Errorf("write a mail: %q is not about an order", kind)
	}
	if at := replyTo(s.Tenant); at != "" {
		c.Foot = append(c.Foot, w.questions(at))
	}
	c.Foot = append(c.Foot, w.why(shop))
	return c.write(s.Tenant.Branding.AccentColour)
}

func (c *content) addCart(w words, cart *pay.Cart) {
	c.LinesTitle = w.lines
	money := func(minor int64) string { return pay.Money{Minor: minor, Currency: cart.Currency}.Display() }
	for _, l := range cart.Lines {
		c.Lines = append(c.Lines, entry{Label: w.quantity(l.Quantity, l.Title), Note: l.Explanation, Value: money(l.SubtotalMinor)})
	}
	if cart.VATMinor != 0 {
		label := w.vatAdded
		if cart.VATMode == pay.VATInclusive {
			label = w.vatIn
		}
		c.Sums = append(c.Sums, entry{Label: label, Value: money(cart.VATMinor)})
	}
	c.Sums = append(c.Sums, entry{Label: w.total, Value: money(cart.TotalMinor), Strong: true})
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
	place := l.Place
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
func style(accent string) html.CSS {
	if !colour.MatchString(accent) {
		accent = ours
	}
	return html.CSS(strings.NewReplacer("ACCENT", accent, "CONTENT", contentColour(accent)).Replace(sheet)) //nolint:gosec // a colour and nothing else
}

const sheet = `body{margin:0;background:#f6f7f9;color:#14181f;font:16px/1.5 -apple-system,BlinkMacSystemFont,"Segoe UI",Roboto,"Noto Sans",Arial,sans-serif}` +
	`.page{max-width:35rem;margin:0 auto;padding:24px 12px}` +
	`.mail{background:#fff;border:1px solid #e3e6eb;border-top:4px solid ACCENT;border-radius:12px;padding:24px}` +
	`.shop{margin:0 0 16px;font-weight:600}` +
	`h1{margin:0 0 12px;font-size:24px;line-height:1.3}h2{margin:24px 0 8px;font-size:16px}p{margin:0 0 12px}` +
	`.do{margin:20px 0}.button{display:inline-block;padding:12px 20px;border-radius:10px;background:ACCENT;color:CONTENT;font-weight:600;text-decoration:none}` +
	`table{border-collapse:collapse}td{padding:8px 0;vertical-align:top;border-top:1px solid #e3e6eb}` +
	`.amount{padding-left:16px;white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums}` +
	`.total td{font-weight:700}.note,.foot{color:#545c69;font-size:14px}.facts{margin-top:20px}.facts td{border:0;padding:2px 16px 2px 0;overflow-wrap:anywhere}.facts .note{white-space:nowrap}` +
	`.findings{margin:20px 0;padding:0 0 0 20px}.findings li{margin:0 0 12px}.findings a{color:#14181f}.tenant{font-weight:600}` +
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
