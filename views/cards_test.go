package views_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/views"
)

func checked(d *goquery.Document) string {
	return d.Find(`input[name="`+views.CardField+`"][checked]`).AttrOr("value", "")
}

func TestSavingACard(t *testing.T) {
	t.Parallel()
	offered := func(change func(*views.OrderView)) *goquery.Document {
		return parse(t, views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) {
			v.OfferSave = true
			change(v)
		})))
	}
	box := `form input[type=checkbox][name="save"][value="1"]`

	t.Run("IsAskedBesideTheNewCardWithOneSentenceOnWhoKeepsIt", func(t *testing.T) {
		t.Parallel()
		d := offered(func(*views.OrderView) {})
		if n := d.Find(box).Length(); n != 1 {
			t.Fatalf("%d boxes, want 1", n)
		}
		label := d.Find(box).Closest("label")
		if got := text(label); got != "Save this card for next time Stripe keeps it, for payments to Acme Telecom. You can have it removed at any time." {
			t.Errorf("it says %q", got)
		}
		if got := label.Prev().Find("input").AttrOr("value", ""); got != views.CardNew {
			t.Errorf("it follows the choice %q, want %q", got, views.CardNew)
		}
		if _, ticked := d.Find(box).Attr("checked"); ticked {
			t.Error("it is ticked for the customer")
		}
	})

	t.Run("IsAskedOfWhoHasNoSavedCardToo", func(t *testing.T) {
		t.Parallel()
		d := offered(func(v *views.OrderView) { v.SavedCards = nil })
		if n := d.Find(box).Length(); n != 1 {
			t.Errorf("%d boxes, want 1", n)
		}
		if n := d.Find("input[type=radio]").Length(); n != 0 {
			t.Errorf("%d choices between nothing", n)
		}
	})

	t.Run("IsNotAskedWhereNothingIsPaidWithANewCard", func(t *testing.T) {
		t.Parallel()
		for name, change := range map[string]func(*views.OrderView){
			"not offered":        func(v *views.OrderView) { v.OfferSave = false },
			"setup":              func(v *views.OrderView) { v.Setup = true },
			"free":               func(v *views.OrderView) { v.Free = true },
			"paid":               func(v *views.OrderView) { v.State = views.StatePaid },
			"nowhere to post":    func(v *views.OrderView) { v.PayURL = "" },
			"the bank wants you": func(v *views.OrderView) { v.NeedsCustomer = true },
		} {
			if n := offered(change).Find("input[type=checkbox]").Length(); n != 0 {
				t.Errorf("%s: %d boxes", name, n)
			}
		}
	})
}

func TestPayingWithASavedCard(t *testing.T) {
	t.Parallel()

	t.Run("SaysBesideTheButtonWhichCardItCharges", func(t *testing.T) {
		t.Parallel()
		d := parse(t, views.OrderPage(order(views.StateOpen)))
		var told []string
		d.Find(".pays-as").Each(func(_ int, s *goquery.Selection) { told = append(told, text(s)) })
		want := []string{"With Visa •••• 4242", "With Mastercard •••• 4444", "With American Express •••• 0005", "On Stripe's page"}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Error(diff)
		}
		if got := d.Find(".pays-with a").AttrOr("href", ""); got == "" || d.Find(got).Find("input[type=radio]").Length() != 4 {
			t.Errorf("%q does not lead to the choice", got)
		}
		if got := text(d.Find(".assurance")); !strings.Contains(got, "A saved card is charged when you press the button.") {
			t.Errorf("it says %q", got)
		}
	})

	t.Run("HasARuleInTheStylesheetForEveryChoiceItTells", func(t *testing.T) {
		t.Parallel()
		css, err := os.ReadFile("../static/css/app.css")
		if err != nil {
			t.Fatal(err)
		}
		rules := len(regexp.MustCompile(`\.pays-as:(?:nth-child\(\d+\)|first-child)`).FindAll(css, -1))
		for cards, want := range map[int]bool{1: true, rules - 1: true, rules: false} {
			d := parse(t, views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) {
				v.SavedCards = make([]views.SavedCard, cards)
			})))
			if got := d.Find(".pays-with").Length() == 1; got != want {
				t.Errorf("%d cards, %d rules: told %v, want %v", cards, rules, got, want)
			}
			if got := d.Find(".paybar.charges:not(.told)").Length() == 1; got == want {
				t.Errorf("%d cards: the bar may stay where nobody sees the cards", cards)
			}
		}
	})

	t.Run("TellsARefusalBesideTheCardsAndOnceOnly", func(t *testing.T) {
		t.Parallel()
		d := parse(t, pages()["order-refused"])
		notice := d.Find("fieldset [role=status]")
		if got := text(notice); !strings.Contains(got, "The payment did not go through") || !strings.Contains(got, "not enough money on this card") {
			t.Errorf("beside the cards it says %q", got)
		}
		if n := strings.Count(text(d.Find("main")), "not enough money"); n != 1 {
			t.Errorf("the reason is told %d times", n)
		}
		if got := d.Find(".summary a").AttrOr("href", ""); got == "" || d.Find(got).Find("[role=status]").Length() != 1 {
			t.Errorf("%q does not lead to the reason", got)
		}
	})

	t.Run("DoesNotChooseTheRefusedCardAgain", func(t *testing.T) {
		t.Parallel()
		d := parse(t, pages()["order-refused"])
		if got := checked(d); got != "pm_2" {
			t.Errorf("chosen is %q, want the other card", got)
		}
		if got := text(testid(d, "saved-card").First()); !strings.HasSuffix(got, "refused") {
			t.Errorf("the refused card reads %q", got)
		}
		if _, off := testid(d, "saved-card").First().Find("input").Attr("disabled"); off {
			t.Error("it cannot be tried again")
		}
	})

	t.Run("TellsARefusalOnTopWhereThereIsNoChoice", func(t *testing.T) {
		t.Parallel()
		d := parse(t, views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) { v.SavedCards, v.DeclineHint = nil, "Use another card." })))
		if got := text(d.Find(".summary [role=status]")); !strings.Contains(got, "Use another card.") {
			t.Errorf("it says %q", got)
		}
	})
}

func TestABankThatWantsTheCustomer(t *testing.T) {
	t.Parallel()

	t.Run("IsSaidOnTopWithWhatWillHappen", func(t *testing.T) {
		t.Parallel()
		d := parse(t, pages()["order-confirm"])
		got := text(d.Find(".summary [role=status]"))
		for _, want := range []string{"Your bank wants you to confirm this payment", "Nothing has been taken yet.", "£28.80", "Stripe's page"} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q in %q", want, got)
			}
		}
		if got := text(testid(d, "pay")); got != "Continue to confirm" {
			t.Errorf("button %q", got)
		}
		if n := testid(d, "saved-card").Length(); n != 0 {
			t.Errorf("%d cards to choose from beside it", n)
		}
	})

	t.Run("IsNotMentionedOnceItIsOver", func(t *testing.T) {
		t.Parallel()
		for _, s := range []views.OrderState{views.StatePaid, views.StateProcessing, views.StateExpired, views.StateCancelled, views.StateFailed, views.StateMismatch} {
			d := parse(t, views.OrderPage(with(order(s), func(v *views.OrderView) { v.NeedsCustomer = true })))
			if got := text(d.Find("main")); strings.Contains(got, "confirm") {
				t.Errorf("%s: %q", s, got)
			}
			if n := testid(d, "saved-card").Length(); (n > 0) != (testid(d, "pay").Length() == 1) {
				t.Errorf("%s: %d cards", s, n)
			}
		}
	})

	t.Run("SaysWhatWentWrongTheFirstTime", func(t *testing.T) {
		t.Parallel()
		got := text(parse(t, views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) {
			v.NeedsCustomer, v.DeclineHint = true, "It was not confirmed in time."
		}))).Find(".summary [role=status]"))
		if !strings.Contains(got, "It was not confirmed in time. Nothing has been taken yet.") {
			t.Errorf("it says %q", got)
		}
	})
}

func TestARequestThatNamedNowhereToGo(t *testing.T) {
	t.Parallel()
	for name, closes := range map[string]bool{
		"order-no-way-back-open": false, "order-no-way-back-paid": true, "order-no-way-back-processing": true, "order-no-way-back-cancelled": true,
		"return-no-way-back-open": false, "return-no-way-back-paid": true, "return-no-way-back-processing": true, "return-no-way-back-cancelled": true,
		"receipt-no-way-back": true,
		// And with a way to go, nobody is told to close the page.
		"order-paid": false, "order-cancelled": false, "return-paid": false, "return-failed": false, "return-checking": false, "receipt": false,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := parse(t, pages()[name])
			if got := strings.Contains(text(d.Find("main")), "You can close this page."); got != closes {
				t.Errorf("it says that the page may be closed: %v, want %v", got, closes)
			}
			d.Find("main a, main form").Each(func(_ int, s *goquery.Selection) {
				if s.AttrOr("href", s.AttrOr("action", "")) == "" {
					t.Errorf("%q leads nowhere", text(s))
				}
			})
			if strings.Contains(name, "no-way-back") && testid(d, "continue").Length()+testid(d, "cancel").Length() != 0 {
				t.Error("it offers a way back")
			}
		})
	}
}

func TestReturnFromSavingACard(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{
		"saved": "Your card is saved", "on-its-way": "Your card is being saved", "needs-you": "Your bank needs you to confirm",
		"left": "No card was saved", "cancelled": "No card was saved", "expired": "No card was saved", "failed": "The card was not saved",
		"checking": "Your card is being checked", "mismatch": "Your card is being checked",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := parse(t, pages()["return-setup-"+name])
			if got := text(d.Find("h1")); got != says {
				t.Errorf("it says %q, want %q", got, says)
			}
			main := text(d.Find("main"))
			for _, money := range []string{"payment is", "paid", "pay again", "£", "receipt"} {
				if strings.Contains(main, money) {
					t.Errorf("it speaks of money: %q", main)
				}
			}
			if got := strings.Contains(main, "Saved cardVisa •••• 4242"); got != (name == "saved") {
				t.Errorf("it names a saved card: %v", got)
			}
		})
	}
}

func TestADebitOnItsWay(t *testing.T) {
	t.Parallel()

	t.Run("SaysWhenItIsDueAndThatNothingIsLeftToDo", func(t *testing.T) {
		t.Parallel()
		r := returned(views.StateProcessing, "")
		r.ExpectedBy = "27 November 2026"
		o := order(views.StateProcessing)
		o.ExpectedBy = r.ExpectedBy
		for _, d := range []*goquery.Document{parse(t, views.ReturnPage(r)), parse(t, views.OrderPage(o))} {
			got := text(d.Find("[role=status]"))
			for _, want := range []string{"it is expected by 27 November 2026", "There is nothing more to do", "do not pay again"} {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in %q", want, got)
				}
			}
		}
	})

	t.Run("OffersNoSecondPayment", func(t *testing.T) {
		t.Parallel()
		r := returned(views.StateProcessing, "")
		d := parse(t, views.ReturnPage(r))
		if n := d.Find(`a[href="`+r.RetryURL+`"]`).Length() + testid(d, "cancel").Length(); n != 0 {
			t.Errorf("%d ways to pay or leave", n)
		}
	})
}
