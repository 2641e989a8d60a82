package views_test

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/portatill/portatill/views"
)

func TestAccountPage(t *testing.T) {
	t.Parallel()

	t.Run("ListsTheCards", func(t *testing.T) {
		t.Parallel()
		d := parse(t, pages()["account"])
		var got []string
		testid(d, "account-card").Each(func(_ int, s *goquery.Selection) {
			got = append(got, text(s.Find(".account-card")))
		})
		want := []string{
			"Visa •••• 4242 Expires 12/2030 Default Manage",
			"Mastercard •••• 4444 Company card Expires 03/2028 Manage",
			"American Express •••• 0005 Expired 01/2024 Expired Manage",
			"Bacs Direct Debit •••• 2345",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("LabelsACardByAPlainForm", func(t *testing.T) {
		t.Parallel()
		v := account()
		d := parse(t, views.AccountPage(v))
		fields := testid(d, "label")
		if n := fields.Length(); n != 3 {
			t.Fatalf("%d fields, want one for each card that may be labelled", n)
		}
		fields.Each(func(i int, s *goquery.Selection) {
			form := s.Closest("form")
			got := []string{form.AttrOr("method", ""), form.AttrOr("action", ""), s.AttrOr("name", ""), s.AttrOr("value", "none"), s.AttrOr("maxlength", "")}
			want := []string{"post", v.Cards[i].LabelURL, views.LabelField, v.Cards[i].Label, strconv.Itoa(views.LabelMax)}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if n := form.Find("button[type=submit]").Length(); n != 1 {
				t.Errorf("%d buttons", n)
			}
			if hint := s.AttrOr("aria-describedby", ""); d.Find("#"+hint).Length() != 1 {
				t.Errorf("no hint %q", hint)
			}
		})
	})

	t.Run("AsksBeforeItRemovesACard", func(t *testing.T) {
		t.Parallel()
		v := account()
		d := parse(t, views.AccountPage(v))
		buttons := testid(d, "delete-card")
		if n := buttons.Length(); n != 3 {
			t.Fatalf("%d buttons, want one for each card that may be removed", n)
		}
		buttons.Each(func(i int, s *goquery.Selection) {
			form, ask := s.Closest("form"), s.Closest("details")
			if diff := cmp.Diff([]string{"post", v.Cards[i].DeleteURL}, []string{form.AttrOr("method", ""), form.AttrOr("action", "")}); diff != "" {
				t.Error(diff)
			}
			if _, open := ask.Attr("open"); open {
				t.Error("the question is open from the start, so one press removes the card")
			}
			if form.Find("input").Length() != 0 || ask.Find("form").Length() != 1 {
				t.Error("the question is not by itself")
			}
			if !strings.HasPrefix(text(ask.Find("summary")), "Remove this card") {
				t.Errorf("it opens with %q", text(ask.Find("summary")))
			}
		})
		if got := text(buttons.First().Closest("form").Find("p")); got != "Remove Visa •••• 4242? After that it cannot be used for payments to Acme Telecom." {
			t.Errorf("it asks %q", got)
		}
	})

	t.Run("TellsCardsApartForWhoOnlyListens", func(t *testing.T) {
		t.Parallel()
		v := account()
		v.Cards[1].Brand, v.Cards[1].Last4, v.Cards[1].Label = "visa", "4242", ""
		d := parse(t, views.AccountPage(v))
		seen := map[string]bool{}
		d.Find("main summary, main button, main label, main a").Each(func(_ int, s *goquery.Selection) {
			if name := text(s); seen[name] {
				t.Errorf("two controls are called %q", name)
			} else {
				seen[name] = true
			}
		})
		if !seen["Remove card: Visa ending in 4242, expires 12/2030"] {
			t.Errorf("the names are %v", seen)
		}
	})

	t.Run("OffersOnlyWhatTheHandlerCanDo", func(t *testing.T) {
		t.Parallel()
		d := parse(t, views.AccountPage(with(account(), func(v *views.AccountView) {
			v.Cards[0].DeleteURL, v.Cards[1].LabelURL = "", ""
		})))
		for i, want := range [][2]int{{1, 0}, {0, 1}, {1, 1}, {0, 0}} {
			card := testid(d, "account-card").Eq(i)
			got := [2]int{card.Find(`[data-testid="label"]`).Length(), card.Find(`[data-testid="delete-card"]`).Length()}
			if got != want {
				t.Errorf("card %d: %v, want %v", i, got, want)
			}
			if n := card.Find("details").Length(); (n == 0) != (want == [2]int{}) {
				t.Errorf("card %d opens: %d", i, n)
			}
		}
	})

	t.Run("ListsThePayments", func(t *testing.T) {
		t.Parallel()
		v := account()
		d := parse(t, views.AccountPage(v))
		var got [][]string
		testid(d, "account-payment").Each(func(_ int, s *goquery.Selection) {
			got = append(got, []string{text(s.Find("h3")), text(s.ChildrenFiltered(".money")), text(s.Find(".line-meta")), text(s.Find(".badge")), s.Find("a").AttrOr("href", "")})
		})
		want := [][]string{
			{"Broadband and a second number", "£28.80", "22 November 2026 Visa •••• 4242", "Paid", "/pay/t5/receipt"},
			{"Top-up", "£50.00", "20 November 2026 Bacs Direct Debit •••• 2345", "On its way", ""},
			{"Router", "£60.00", "3 October 2026 Mastercard •••• 4444 £12.50 given back", "Partly refunded", "/pay/t3/receipt"},
			{"Order ord_2", "£14.40", "9 September 2026 Visa •••• 4242", "Disputed", "/pay/t2/receipt"},
			{"Number porting", "£1,204.00", "2 August 2026 £1,204.00 given back", "Refunded", "/pay/t1/receipt"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if got := d.Find(`a[href="` + v.MorePaymentsURL + `"]`); got.Length() != 1 || text(got) != "Older payments" {
			t.Error("no way to older payments")
		}
	})

	t.Run("CallsNothingPaidThatItDoesNotKnow", func(t *testing.T) {
		t.Parallel()
		for status, want := range map[views.PaymentStatus]string{
			views.PaymentFailed: "Not paid", views.PaymentChecking: "Being checked", "": "Being checked", "Paid": "Being checked", "won": "Being checked",
		} {
			d := parse(t, views.AccountPage(views.AccountView{Payments: []views.AccountPayment{{Status: status}}}))
			if got := text(testid(d, "account-payment").Find(".badge")); got != want {
				t.Errorf("%q is called %q, want %q", status, got, want)
			}
		}
	})

	t.Run("LeadsBackToThePortal", func(t *testing.T) {
		t.Parallel()
		d := parse(t, pages()["account"])
		back := testid(d, "back")
		if got := back.AttrOr("href", ""); got != account().BackURL || text(back) != "Back to Acme Telecom" {
			t.Errorf("%q leads to %q", text(back), got)
		}
		if n := testid(parse(t, pages()["account-bare"]), "back").Length(); n != 0 {
			t.Error("it leads back to nowhere")
		}
	})

	t.Run("HasWordsForEmptyLists", func(t *testing.T) {
		t.Parallel()
		d := parse(t, pages()["account-empty"])
		got := text(d.Find("main"))
		for _, want := range []string{"No saved cards", "No payments yet", "This page is good until 20:15 GMT. After that, open it again from Acme Telecom."} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q in %q", want, got)
			}
		}
		if n := d.Find("main ul, main form").Length(); n != 0 {
			t.Errorf("%d lists and forms with nothing in them", n)
		}
	})

	t.Run("HasAHeadingForEachPart", func(t *testing.T) {
		t.Parallel()
		d := parse(t, pages()["account"])
		var got []string
		d.Find("main h1, main h2").Each(func(_ int, s *goquery.Selection) { got = append(got, goquery.NodeName(s)+" "+text(s)) })
		if diff := cmp.Diff([]string{"h1 Your cards and payments", "h2 Saved cards", "h2 Payments"}, got); diff != "" {
			t.Error(diff)
		}
		d.Find("section").Each(func(_ int, s *goquery.Selection) {
			if id := s.AttrOr("aria-labelledby", ""); d.Find("h2#"+id).Length() != 1 {
				t.Errorf("a part is named by %q", id)
			}
		})
	})

	t.Run("SaysFirstHowTheFormWent", func(t *testing.T) {
		t.Parallel()
		seen := map[string]bool{}
		for _, n := range notices() {
			d := parse(t, pages()["account-"+string(n)])
			title := text(d.Find("main [role=status] h2"))
			if title == "" || seen[title] {
				t.Errorf("%s: it says %q", n, title)
			}
			seen[title] = true
			if !strings.HasPrefix(text(d.Find("title")), title+" · ") {
				t.Errorf("%s: the title is %q", n, text(d.Find("title")))
			}
		}
		if n := parse(t, views.AccountPage(views.AccountView{Notice: "whatever the address said"})).Find("[role=status]").Length(); n != 0 {
			t.Error("it repeats what the address says")
		}
	})

	t.Run("StaysTextWhateverItIs", func(t *testing.T) {
		t.Parallel()
		bare := parse(t, views.AccountPage(account())).Find("*").Length()
		rapid.Check(t, func(r *rapid.T) {
			v := account()
			s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[<>"'&/a-z=\x{202a}-\x{202e}]{0,30}`)).Draw(r, "text")
			v.CustomerName, v.ExpiresAt, v.BackURL = "n"+s, "e"+s, "/b"+s
			v.Cards[1].Label, v.Cards[1].Brand, v.Cards[1].DeleteURL = "l"+s, "b"+s, "/d"+s
			v.Payments[0].What, v.Payments[0].PaidWith = "w"+s, "p"+s
			var b bytes.Buffer
			if err := views.AccountPage(v).Render(context.Background(), &b); err != nil {
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

	t.Run("SubmitsNoCodeAsAnAddress", func(t *testing.T) {
		t.Parallel()
		src := html(t, views.AccountPage(with(account(), func(v *views.AccountView) {
			v.BackURL, v.Cards[0].DeleteURL, v.Cards[0].LabelURL, v.Payments[0].ReceiptURL = "javascript:a()", "javascript:b()", "javascript:c()", "data:text/html,x"
		})))
		if strings.Contains(src, "javascript:") || strings.Contains(src, "data:text") {
			t.Error("an address with code in it")
		}
	})
}

func TestAccountExpiredPage(t *testing.T) {
	t.Parallel()

	t.Run("SaysWhereAFreshLinkIs", func(t *testing.T) {
		t.Parallel()
		d := parse(t, pages()["account-expired"])
		got := text(d.Find("main"))
		for _, want := range []string{"This link is no longer good", "Open it again from Acme Telecom."} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q in %q", want, got)
			}
		}
		if got := testid(d, "back").AttrOr("href", ""); got != "https://portal.example/" {
			t.Errorf("it leads to %q", got)
		}
	})

	t.Run("KnowsNoShopWhereTheLinkIsNobodys", func(t *testing.T) {
		t.Parallel()
		d := parse(t, pages()["account-expired-bare"])
		if got := text(d.Find("main")); !strings.Contains(got, "Open it again from the shop.") || d.Find("main a").Length() != 0 {
			t.Errorf("it says %q", got)
		}
	})
}
