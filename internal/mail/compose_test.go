package mail

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/i18n"
	"github.com/portatill/portatill/pay"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s: golden − got + (go test ./internal/mail -update, then look at it)\n%s", name, d)
	}
}

func examples() *Post {
	return &Post{BaseURL: "https://pay.example.com", Now: func() time.Time { return noon }}
}

func acme() *pay.Tenant {
	t := pay.NewTenant("acme", "Acme Ltd", "GBP", noon)
	t.VATBasisPoints = 2000
	t.Branding = pay.Branding{DisplayName: "Acme Telecom", AccentColour: "#0f766e", SupportEmail: "help@acme.example"}
	return t
}

func TestTheMailsAreTheseInBothForms(t *testing.T) {
	t.Parallel()
	for _, kind := range pay.MailKinds {
		l, err := examples().Example(acme(), kind, nil)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, string(kind)+".html", l.HTML)
		golden(t, string(kind)+".txt", "Subject: "+l.Subject+"\n\n"+l.Text)
		if !strings.Contains(l.HTML, "<style>"+l.Style+"</style>") || strings.Contains(l.HTML, "style=") || strings.Contains(l.HTML, "<script") || strings.Contains(l.HTML, "<img") {
			t.Errorf("%s: the stylesheet is not what the policy is told, or there are style attributes, scripts or pictures", kind)
		}
	}
	square, err := writeLetter(Daily{}, noon, "https://pay.example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "square.txt", "Subject: "+square.Subject+"\n\n"+square.Text)
}

// aKey is a message that was not found.
var aKey = regexp.MustCompile(`\b(mail|order|return|receipt|layout)\.[a-z]`)

// TestTheMailsAreTheseInEveryLanguage also shows each as a page in Arabic, which is written
// from right to left.
func TestTheMailsAreTheseInEveryLanguage(t *testing.T) {
	t.Parallel()
	english := map[pay.MailKind]string{}
	for _, l := range i18n.Languages() {
		var all strings.Builder
		for _, kind := range []pay.MailKind{pay.MailReceipt, pay.MailFailed, pay.MailAuthentication} {
			got, err := examples().Example(acme(), kind, l)
			if err != nil {
				t.Fatal(err)
			}
			if l == i18n.English() {
				english[kind] = got.Subject
				continue
			}
			if got.Subject == english[kind] || aKey.MatchString(got.Text) || got.Lang != l.Tag || got.Dir != l.Dir ||
				!strings.Contains(got.HTML, `<html lang="`+l.Tag+`" dir="`+l.Dir+`">`) {
				t.Errorf("%s in %s is not in it: %q", kind, l.Name, got.Subject)
			}
			all.WriteString("Subject: " + got.Subject + "\n\n" + got.Text + "\n")
			if l.Tag == "ar" && kind == pay.MailReceipt {
				golden(t, "receipt.ar.html", got.HTML)
			}
		}
		if l != i18n.English() {
			golden(t, l.Tag+".txt", all.String())
		}
	}
}

func TestANameFromOutsideCannotTurnWhatStandsAroundItInAnyLanguage(t *testing.T) { // safety.md XS-05
	t.Parallel()
	tenant := acme()
	tenant.Branding.DisplayName = "\u2067Evil\u202e\u2069\u061c"
	for _, l := range i18n.Languages() {
		got, err := examples().Example(tenant, pay.MailReceipt, l)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{got.Subject, got.Text, got.HTML} {
			if strings.ContainsAny(text, "\u2067\u202e\u061c") || strings.Count(text, "\u2068") != strings.Count(text, "\u2069") {
				t.Errorf("%s: %q", l.Tag, got.Subject)
			}
		}
	}
}

func TestEveryCurrencyAndNoTenantHaveExamples(t *testing.T) {
	t.Parallel()
	for _, c := range pay.Currencies() {
		tenant := pay.NewTenant("x", "X", c, noon)
		for _, kind := range pay.MailKinds {
			if l, err := examples().Example(tenant, kind, nil); err != nil || l.Subject == "" || l.Text == "" {
				t.Errorf("%s in %s: %v", kind, c, err)
			}
		}
	}
	for _, kind := range pay.MailKinds {
		if _, err := examples().Example(nil, kind, nil); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestHostileNamesStayText(t *testing.T) { // safety.md XS-01, XS-05, HH-05
	t.Parallel()
	tenant := acme()
	tenant.Branding.DisplayName = "Evil\r\nBcc: eve@example.com <script>alert(1)</script>\u202e{{7*7}}"
	tenant.Branding.AccentColour = "#000000}</style><script>"
	cart, err := pay.PriceCart(tenant, []pay.CartItem{{Title: "</td><img src=x onerror=alert(1)>\nTotal: 0.00\u202e", Quantity: 1, SetupFee: "10"}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Write(pay.MailReceipt, Sale{Tenant: tenant, Order: &pay.Order{ID: "ord_1", Cart: cart, PaidAt: noon}, Customer: &pay.Customer{}, PageURL: "https://pay.example.com/pay/t",
		ReceiptURL: "https://pay.example.com/pay/t/receipt", Payment: &pay.Payment{Method: "visa <b>\r\nx"}}, i18n.English())
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "<img", "<b>", "49", "\u202e", "\r"} {
		if strings.Contains(strings.ReplaceAll(l.HTML, l.Style, ""), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if !strings.Contains(l.HTML, "&lt;script&gt;") || !strings.Contains(l.Style, ours) {
		t.Error("the name is not shown as it is, or the colour was taken")
	}
	if strings.Contains(l.Text, "\nTotal: 0.00") || strings.Contains(l.Text, "\nBcc:") || strings.ContainsAny(l.Subject, "\r\n\u202e") {
		t.Errorf("a line of the text, or the subject, is somebody else's: %q\n%s", l.Subject, l.Text)
	}
}

func TestAnAddressIsOneAddressAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"ada@example.com", " ada@example.com ", "a+b.c@sub.example", "ü@example.com"} {
		if _, ok := address(good); !ok {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{"", "ada", "ada@", "@example.com", "Ada <ada@example.com>", "<ada@example.com>", "a@example.com,b@example.com", "ada@example.com\r\nBcc: eve@example.com",
		"ada@example.com\x00", "a b@example.com", "\"a b\"@example.com", strings.Repeat("a", 250) + "@example.com", "ada@exa\u202emple.com\n"} {
		if a, ok := address(bad); ok {
			t.Errorf("%q is taken as %v", bad, a)
		}
	}
}

func TestAServersWordsLoseTheirAddresses(t *testing.T) {
	t.Parallel()
	got := masked("550 5.1.1 <ada@example.com>: no user ada@example.com (hunter2)\r\nX: y"+strings.Repeat(" x", 300), "hunter2")
	if strings.Contains(got, "ada") || strings.Contains(got, "hunter2") || strings.ContainsAny(got, "\r\n") || len([]rune(got)) > maxWords+1 || !strings.HasPrefix(got, "550 5.1.1 <address>") {
		t.Errorf("%q", got)
	}
}

func TestTextOnAButtonReads(t *testing.T) {
	t.Parallel()
	for accent, want := range map[string]string{"#000000": "#ffffff", "#ffffff": "#000000", "#0f766e": "#ffffff", "#ffd400": "#000000", "#3b4fd8": "#ffffff"} {
		if got := contentColour(accent); got != want {
			t.Errorf("on %s: %s", accent, got)
		}
	}
}
