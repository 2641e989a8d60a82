package views_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/portatill/portatill/views"
)

func html(t testing.TB, page templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Render(context.Background(), &b); err != nil {
		t.Fatalf("render: %v", err)
	}
	return b.String()
}

func parse(t testing.TB, page templ.Component) *goquery.Document {
	t.Helper()
	d, err := goquery.NewDocumentFromReader(strings.NewReader(html(t, page)))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return d
}

func testid(d *goquery.Document, id string) *goquery.Selection {
	return d.Find(`[data-testid="` + id + `"]`)
}

func text(s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") }

// TestEveryPage holds what must be true of each page in each state.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	for name, page := range pages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := html(t, page)
			d := parse(t, page)

			t.Run("ObeysTheContentSecurityPolicy", func(t *testing.T) {
				if n := d.Find("script, style, [style], iframe, object, embed, base").Length(); n != 0 {
					t.Errorf("%d elements that the policy forbids", n)
				}
				d.Find("*").Each(func(_ int, s *goquery.Selection) {
					for _, a := range s.Get(0).Attr {
						if strings.HasPrefix(a.Key, "on") {
							t.Errorf("<%s> has an event handler %q", goquery.NodeName(s), a.Key)
						}
					}
				})
				d.Find("img, link").Each(func(_ int, s *goquery.Selection) {
					for _, attr := range []string{"src", "href"} {
						if u, ok := s.Attr(attr); ok && (!strings.HasPrefix(u, "/") || strings.HasPrefix(u, "//")) {
							t.Errorf("<%s> loads %q from elsewhere", goquery.NodeName(s), u)
						}
					}
				})
			})
			t.Run("DoesNotRefreshItself", func(t *testing.T) {
				if d.Find(`meta[http-equiv]`).Length() != 0 {
					t.Error("a meta refresh: the handler's header does that")
				}
			})
			t.Run("IsADocumentInALanguage", func(t *testing.T) {
				if !strings.HasPrefix(strings.ToLower(src), "<!doctype html>") {
					t.Error("no doctype: browsers would fall into quirks mode")
				}
				for _, attr := range []string{"lang", "dir"} {
					if d.Find("html").AttrOr(attr, "") == "" {
						t.Errorf("<html> without %s", attr)
					}
				}
				for selector, want := range map[string]int{
					"h1": 1, "main#main": 1, "title": 1, `a.skip[href="#main"]`: 1, `meta[name="robots"][content^="noindex"]`: 1,
					`meta[name="viewport"]`: 1, `meta[name="color-scheme"][content="light dark"]`: 1, `[data-testid="tenant"]`: 1,
				} {
					if got := d.Find(selector).Length(); got != want {
						t.Errorf("%s: %d, want %d", selector, got, want)
					}
				}
				if text(d.Find("title")) == "" || text(d.Find("h1")) == "" {
					t.Error("an empty title or heading")
				}
			})
			t.Run("LabelsEveryControl", func(t *testing.T) {
				d.Find("input:not([type=hidden]), select, textarea").Each(func(_ int, s *goquery.Selection) {
					if text(s.Closest("label")) == "" {
						t.Errorf("unlabelled control %q", s.AttrOr("value", ""))
					}
				})
				d.Find("a, button").Each(func(_ int, s *goquery.Selection) {
					if text(s) == "" {
						t.Errorf("a link or button without a name: %v", s.Get(0).Attr)
					}
				})
				d.Find("img").Each(func(_ int, s *goquery.Selection) {
					for _, attr := range []string{"alt", "width", "height"} {
						if _, ok := s.Attr(attr); !ok {
							t.Errorf("image without %s", attr)
						}
					}
				})
			})
			t.Run("HasEachIdOnce", func(t *testing.T) {
				seen := map[string]bool{}
				d.Find("[id]").Each(func(_ int, s *goquery.Selection) {
					if id := s.AttrOr("id", ""); seen[id] {
						t.Errorf("id %q twice", id)
					} else {
						seen[id] = true
					}
				})
			})
			t.Run("ShowsNoTemplateCode", func(t *testing.T) {
				for _, bad := range []string{"@words(", "@money(", "%!", "{ v.", "FailedSanitization"} {
					if strings.Contains(src, bad) {
						t.Errorf("the page says %q", bad)
					}
				}
			})
		})
	}
}

func TestOrderPage(t *testing.T) {
	t.Parallel()

	t.Run("ShowsWhatIsPaidAndWhy", func(t *testing.T) {
		t.Parallel()
		v := order(views.StateOpen)
		d := parse(t, views.OrderPage(v))
		if got := testid(d, "line").Length(); got != len(v.Lines) {
			t.Errorf("%d lines, want %d", got, len(v.Lines))
		}
		for i, l := range v.Lines {
			line := testid(d, "line").Eq(i)
			for _, want := range append([]string{l.Title, l.Quantity, l.Amount, l.Explanation}, l.Information...) {
				if !strings.Contains(text(line), want) {
					t.Errorf("line %d does not say %q", i, want)
				}
			}
			if got := text(line.Find(`[data-testid="line-explanation"]`)); got != l.Explanation {
				t.Errorf("line %d explains %q, want %q", i, got, l.Explanation)
			}
		}
		if got := text(testid(d, "order-total")); got != v.Totals.Total {
			t.Errorf("total %q, want %q", got, v.Totals.Total)
		}
		if got := text(testid(d, "tenant")); got != v.Tenant.Name {
			t.Errorf("tenant %q, want %q", got, v.Tenant.Name)
		}
		for _, want := range []string{v.FeatureName, v.ContentID, v.OrderID, v.CustomerName, v.CustomerEmail,
			v.AfterToday[0], v.Totals.Subtotal, v.Totals.VATLabel, v.Totals.VAT,
			"This page is good until " + v.ExpiresAt, "Paid securely on Stripe's page; your card details never reach us."} {
			if !strings.Contains(text(d.Find("main")), want) {
				t.Errorf("the page does not say %q", want)
			}
		}
	})

	t.Run("PaysByOneFormPostThatSaysTheAmount", func(t *testing.T) {
		t.Parallel()
		d := parse(t, views.OrderPage(order(views.StateOpen)))
		pay := testid(d, "pay")
		form := pay.Closest("form")
		got := []string{form.AttrOr("method", ""), form.AttrOr("action", ""), text(pay), testid(d, "cancel").AttrOr("href", "")}
		if diff := cmp.Diff([]string{"post", "/pay/tok", "Pay £28.80", "/pay/tok/cancel"}, got); diff != "" {
			t.Error(diff)
		}
		if n := d.Find("form").Length() + d.Find("button").Length(); n != 2 {
			t.Errorf("%d forms and buttons, want one of each", n)
		}
	})

	t.Run("OffersSavedCardsAndAnotherOne", func(t *testing.T) {
		t.Parallel()
		d := parse(t, views.OrderPage(order(views.StateOpen)))
		if n := testid(d, "saved-card").Length(); n != 3 {
			t.Errorf("%d saved cards, want 3", n)
		}
		var values []string
		d.Find(`form input[type=radio][name="` + views.CardField + `"]`).Each(func(_ int, s *goquery.Selection) {
			v := s.AttrOr("value", "")
			if _, ok := s.Attr("checked"); ok {
				v += " checked"
			}
			if _, ok := s.Attr("disabled"); ok {
				v += " disabled"
			}
			values = append(values, v)
		})
		if diff := cmp.Diff([]string{"pm_1 checked", "pm_2", "pm_3 disabled", "new"}, values); diff != "" {
			t.Error(diff)
		}
		if got := text(testid(d, "saved-card").First()); !strings.Contains(got, "Visa •••• 4242") {
			t.Errorf("the first card reads %q", got)
		}
	})

	t.Run("ChoosesAnotherCardWhenEverySavedOneHasExpired", func(t *testing.T) {
		t.Parallel()
		d := parse(t, views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) {
			for i := range v.SavedCards {
				v.SavedCards[i].Expired = true
			}
		})))
		if got := d.Find("input[checked]").AttrOr("value", ""); got != views.CardNew {
			t.Errorf("chosen is %q, want %q", got, views.CardNew)
		}
	})

	t.Run("InvitesToPayOnlyWhenNothingWasTaken", func(t *testing.T) {
		t.Parallel()
		for state, want := range map[views.OrderState]string{
			views.StateDraft: "Pay £28.80", views.StateOpen: "Pay £28.80", views.StateExpired: "Start again",
			views.StateCancelled: "Start again", views.StateFailed: "Try again",
			views.StatePaid: "", views.StateProcessing: "", views.StateMismatch: "", "": "", "new-state": "",
		} {
			d := parse(t, views.OrderPage(order(state)))
			if got := text(testid(d, "pay")); got != want {
				t.Errorf("%q: button %q, want %q", state, got, want)
			}
			if got := d.Find("form").Length() == 1; got != (want != "") {
				t.Errorf("%q: has a form: %v", state, got)
			}
			if got := testid(d, "cancel").Length() == 1; got != (want != "") {
				t.Errorf("%q: offers to leave unpaid: %v", state, got)
			}
		}
	})

	t.Run("HasNoButtonWithoutAnAddressToPostTo", func(t *testing.T) {
		t.Parallel()
		d := parse(t, views.OrderPage(with(order(views.StateFailed), func(v *views.OrderView) { v.PayURL = "" })))
		if d.Find("form, button, input").Length() != 0 {
			t.Error("there is something to press")
		}
	})

	t.Run("LeadsOnAndToTheReceiptOncePaid", func(t *testing.T) {
		t.Parallel()
		v := order(views.StatePaid)
		d := parse(t, views.OrderPage(v))
		if got := testid(d, "continue").AttrOr("href", ""); got != v.ContinueURL {
			t.Errorf("leads to %q, want %q", got, v.ContinueURL)
		}
		if d.Find(`a[href="`+v.ReceiptURL+`"]`).Length() != 1 {
			t.Error("no link to the receipt")
		}
		if !strings.Contains(text(d.Find("[role=status]")), "This order is paid") {
			t.Error("it does not say that it is paid")
		}
	})

	t.Run("SaysWhyAPaymentFailedAndWhatToDo", func(t *testing.T) {
		t.Parallel()
		for _, state := range []views.OrderState{views.StateOpen, views.StateFailed} {
			d := parse(t, views.OrderPage(with(order(state), func(v *views.OrderView) { v.DeclineHint = "Use another card." })))
			if got := text(d.Find("[role=status]")); !strings.Contains(got, "Use another card.") {
				t.Errorf("%s says %q", state, got)
			}
		}
	})

	t.Run("SavesACardWithoutSpeakingOfMoney", func(t *testing.T) {
		t.Parallel()
		d := parse(t, pages()["order-setup"])
		if testid(d, "order-total").Length()+testid(d, "line").Length()+testid(d, "saved-card").Length() != 0 {
			t.Error("amounts or cards are shown")
		}
		if got := text(testid(d, "pay")); got != "Continue to save a card" {
			t.Errorf("button %q", got)
		}
	})

	t.Run("ConfirmsAnOrderThatCostsNothing", func(t *testing.T) {
		t.Parallel()
		d := parse(t, pages()["order-free"])
		if got := text(testid(d, "pay")); got != "Confirm order" {
			t.Errorf("button %q", got)
		}
		if strings.Contains(text(d.Find("form")), "Stripe") {
			t.Error("it announces Stripe, which is not asked")
		}
	})

	t.Run("ShowsAHundredLines", func(t *testing.T) {
		t.Parallel()
		if n := testid(parse(t, pages()["order-hundred"]), "line").Length(); n != 100 {
			t.Errorf("%d lines", n)
		}
	})
}

func TestReturnPage(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		state   views.OrderState
		outcome views.Outcome
		says    string
		links   []string
	}{
		{"Paid", views.StatePaid, "", "Payment received", []string{"continue", "receipt"}},
		{"OnItsWay", views.StateProcessing, "", "on its way", []string{"continue", "receipt"}},
		{"NeedsYou", views.StateOpen, views.OutcomeNeedsYou, "needs you", []string{"retry", "cancel"}},
		{"LeftUnpaid", views.StateOpen, "", "Not paid yet", []string{"retry", "cancel"}},
		{"Expired", views.StateExpired, "", "ran out", []string{"retry", "cancel"}},
		{"Cancelled", views.StateCancelled, "", "cancelled", []string{"retry", "cancel"}},
		{"Failed", views.StateFailed, "", "did not go through", []string{"retry", "cancel"}},
		{"BeingChecked", views.StateOpen, views.OutcomeChecking, "being checked", []string{"check"}},
		{"Mismatch", views.StateMismatch, "", "being checked", []string{"check"}},
		{"AStateNobodyKnows", "new-state", "", "being checked", []string{"check"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := returned(c.state, c.outcome)
			d := parse(t, views.ReturnPage(v))
			status := testid(d, "status")
			if got := status.AttrOr("data-status", "none"); got != string(c.state) {
				t.Errorf("data-status %q, want %q", got, c.state)
			}
			if !strings.Contains(text(status), c.says) {
				t.Errorf("it says %q, want %q", text(status), c.says)
			}
			var links []string
			for name, url := range map[string]string{"continue": v.ContinueURL, "receipt": v.ReceiptURL, "retry": v.RetryURL, "cancel": v.CancelURL, "check": v.CheckURL} {
				d.Find("main a").Each(func(_ int, s *goquery.Selection) {
					if s.AttrOr("href", "") == url {
						links = append(links, name)
					}
				})
			}
			if diff := cmp.Diff(slices.Sorted(slices.Values(c.links)), slices.Sorted(slices.Values(links))); diff != "" {
				t.Error(diff)
			}
			if got := testid(d, "continue").Length() == 1; got != strings.Contains(strings.Join(c.links, " "), "continue") {
				t.Errorf("has a way on: %v", got)
			}
			if got := strings.Contains(text(d.Find("main")), "4242"); got != (c.state == views.StatePaid || c.state == views.StateProcessing) {
				t.Errorf("says what it was paid with: %v", got)
			}
		})
	}

	t.Run("SaysThatItLeadsOn", func(t *testing.T) {
		t.Parallel()
		if got := text(parse(t, pages()["return-paid"]).Find("main")); !strings.Contains(got, "You are taken there in 5 seconds.") {
			t.Errorf("it says %q", got)
		}
	})
}

func TestReceiptPage(t *testing.T) {
	t.Parallel()

	t.Run("ShowsEverythingToTheCustomer", func(t *testing.T) {
		t.Parallel()
		v := receipt()
		got := text(parse(t, views.ReceiptPage(v)).Find("main"))
		for _, want := range []string{v.OrderID, v.Reference, v.PaidAt, v.CustomerName, v.CustomerEmail, "Visa •••• 4242",
			v.Lines[1].Title, v.Totals.VAT, v.Totals.Total, v.SellerLines[1], "Acme Telecom", "Paid"} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q", want)
			}
		}
	})

	t.Run("ListsRefunds", func(t *testing.T) {
		t.Parallel()
		got := text(parse(t, pages()["receipt-refunded"]).Find("main"))
		for _, want := range []string{"−£5.00", "−£3.00", "on its way to your card", "Refunded−£8.00", "Remains paid£20.80", "Paid, with refunds"} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q in %q", want, got)
			}
		}
	})

	t.Run("TellsAStrangerNothingPersonal", func(t *testing.T) {
		t.Parallel()
		v := receipt()
		v.Minimal = true
		src := html(t, views.ReceiptPage(v))
		for _, secret := range []string{v.CustomerName, v.CustomerEmail, "4242", v.Reference, v.Lines[0].Title, "VAT"} {
			if strings.Contains(src, secret) {
				t.Errorf("the minimal receipt shows %q", secret)
			}
		}
		if !strings.Contains(src, v.Totals.Total) || !strings.Contains(src, v.OrderID) {
			t.Error("it does not show order and amount")
		}
	})
}

func TestErrorPage(t *testing.T) {
	t.Parallel()

	t.Run("HasWordsForEveryStatus", func(t *testing.T) {
		t.Parallel()
		seen := map[string]int{}
		for _, status := range []int{400, 403, 404, 405, 409, 413, 422, 429, 500, 502, 503} {
			d := parse(t, views.ErrorPage(views.ErrorView{Status: status, RequestID: "req_9"}))
			if other, ok := seen[text(d.Find("h1"))]; ok {
				t.Errorf("%d says the same as %d", status, other)
			}
			seen[text(d.Find("h1"))] = status
			if got := text(d.Find("main")); !strings.Contains(got, fmt.Sprint("Error ", status)) || !strings.Contains(got, "quote req_9") {
				t.Errorf("%d: %q", status, got)
			}
			if n := d.Find("p.lead").Length(); n != 2 {
				t.Errorf("%d: %d sentences, want what happened and what to do", status, n)
			}
		}
	})

	t.Run("SaysWhatTheHandlerSays", func(t *testing.T) {
		t.Parallel()
		got := text(parse(t, views.ErrorPage(views.ErrorView{Status: 403, Title: "T1", Message: "M1", Hint: "H1", BackURL: "/back"})).Find("main"))
		for _, want := range []string{"T1", "M1", "H1", "Back to the shop"} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q in %q", want, got)
			}
		}
	})
}

func TestHomePage(t *testing.T) {
	t.Parallel()

	t.Run("GivesTheCommandInSandboxMode", func(t *testing.T) {
		t.Parallel()
		v := home()
		d := parse(t, views.HomePage(v))
		if got := d.Find("pre code").Text(); got != v.Curl {
			t.Errorf("the command reads %q, want %q", got, v.Curl)
		}
		if d.Find(`a[href="`+v.SandboxURL+`"]`).Length() != 1 {
			t.Error("no way to the sandbox")
		}
	})

	t.Run("IsAClosedDoorOtherwise", func(t *testing.T) {
		t.Parallel()
		v := home()
		v.Sandbox = false
		src := html(t, views.HomePage(v))
		for _, secret := range []string{"lic_demo", v.SandboxURL, v.AdminURL + `"`} {
			if strings.Contains(src, secret) {
				t.Errorf("it shows %q", secret)
			}
		}
	})
}

func TestTextFromOutside(t *testing.T) {
	t.Parallel()

	t.Run("IsNeverMarkup", func(t *testing.T) {
		t.Parallel()
		d := parse(t, pages()["order-hostile"])
		if n := d.Find("script, img").Length(); n != 0 {
			t.Errorf("%d elements came from text", n)
		}
		if !strings.Contains(text(d.Find("h3").First()), "<script>alert(1)</script>") {
			t.Error("the text is not shown as it was typed")
		}
	})

	t.Run("CannotReorderOrHideWhatStandsBesideIt", func(t *testing.T) {
		t.Parallel()
		src := html(t, pages()["order-hostile"])
		if i := strings.IndexAny(src, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u2060\ufeff"); i >= 0 {
			t.Errorf("a control character stands at %d: %q", i, src[i-20:i+20])
		}
		parse(t, pages()["order-hostile"]).Find(".line-title").Each(func(_ int, s *goquery.Selection) {
			if s.Find("bdi").Length() != 1 {
				t.Errorf("title %q is not isolated", text(s))
			}
		})
	})

	t.Run("KeepsItsJoinersAndAccents", func(t *testing.T) {
		t.Parallel()
		for _, s := range []string{"می\u200cخواهم", "क्\u200dष", "👩\u200d💻", "Café", "שָׁלוֹם"} {
			d := parse(t, views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) { v.FeatureName = s })))
			if got := d.Find(".purpose").Text(); !strings.Contains(got, s) {
				t.Errorf("%q became %q", s, got)
			}
		}
	})

	t.Run("IsolatesARightToLeftNameInOurSentences", func(t *testing.T) {
		t.Parallel()
		got := parse(t, pages()["order-rtl"]).Find("h1").Text()
		if got != "Pay \u2068אקמה טלקום\u2069" {
			t.Errorf("heading %q", got)
		}
	})

	t.Run("CannotMakeALinkRunCode", func(t *testing.T) {
		t.Parallel()
		src := html(t, views.ReturnPage(with(returned(views.StatePaid, ""), func(v *views.ReturnView) {
			v.ContinueURL, v.ReceiptURL = "javascript:alert(1)", "data:text/html,x"
		})))
		if strings.Contains(src, "javascript:") || strings.Contains(src, "data:text") {
			t.Error("a link with code in it")
		}
	})

	t.Run("CannotAddRecipientsToTheSupportAddress", func(t *testing.T) {
		t.Parallel()
		got := parse(t, pages()["order-hostile"]).Find(`a[href^="mailto:"]`).AttrOr("href", "")
		if got != "mailto:help@acme.example%3Fbcc=evil@example.com" {
			t.Errorf("mailto %q", got)
		}
	})

	t.Run("StaysTextWhateverItIs", func(t *testing.T) {
		t.Parallel()
		bare := parse(t, views.OrderPage(order(views.StateOpen))).Find("*").Length()
		rapid.Check(t, func(r *rapid.T) {
			v := order(views.StateOpen)
			s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[<>"'&/a-z=\x{202a}-\x{202e}]{0,30}`)).Draw(r, "text")
			v.Lines[0].Title, v.CustomerName, v.OrderID, v.Tenant.SupportEmail = s, "n"+s, "o"+s, "e"+s
			v.SavedCards[0].ID, v.PayURL = "pm"+s, "/pay/"+s
			var b bytes.Buffer
			if err := views.OrderPage(v).Render(context.Background(), &b); err != nil {
				r.Fatalf("render: %v", err)
			}
			d, err := goquery.NewDocumentFromReader(&b)
			if err != nil {
				r.Fatalf("parse: %v", err)
			}
			if n := d.Find("*").Length(); n != bare {
				r.Fatalf("the page has %d elements instead of %d", n, bare)
			}
		})
	})
}

// TestBudget holds the order page and its stylesheet to what a slow phone loads in a blink.
func TestBudget(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("../static/css/app.css")
	if err != nil {
		t.Fatal(err)
	}
	for name, limit := range map[string]int{"order-open": 12 << 10, "order-refused": 13 << 10, "order-hundred": 30 << 10, "account": 13 << 10} {
		if got := zipped(t, css) + zipped(t, []byte(html(t, pages()[name]))); got > limit {
			t.Errorf("%s with its stylesheet is %d bytes compressed, more than %d", name, got, limit)
		}
	}
}

func zipped(t testing.TB, b []byte) int {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

func BenchmarkOrderPage(b *testing.B) {
	v := order(views.StateOpen)
	b.ReportAllocs()
	for b.Loop() {
		var out bytes.Buffer
		if err := views.OrderPage(v).Render(context.Background(), &out); err != nil {
			b.Fatal(err)
		}
	}
}
