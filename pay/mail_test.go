package pay_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// mails are the kinds of the mails of an order, by name; each has its job.
func mails(w *paytest.World, orderID string) (kinds []pay.MailKind) {
	w.T.Helper()
	all, err := w.Store.PageMails(context.Background(), backoffice.MailFilter{Filter: backoffice.Filter{Tenants: []string{w.Tenant.ID}}})
	if err != nil {
		w.T.Fatal(err)
	}
	jobs := storetest.Jobs[pay.MailJob](w.T, w.Store)
	for _, m := range all.Rows {
		if m.OrderID != orderID {
			continue
		}
		kinds = append(kinds, m.Kind)
		n := 0
		for _, j := range jobs {
			if j.MailID == m.ID {
				n++
				if wait := j.At.Sub(m.CreatedAt); m.Kind == pay.MailAuthentication && wait <= 0 {
					w.T.Errorf("whoever is on the way to the page is written to at once: %s", wait)
				}
			}
		}
		if n != 1 || m.State != pay.MailPending || m.Content != "" {
			w.T.Errorf("mail %+v has %d jobs", m, n)
		}
	}
	slices.Sort(kinds)
	return kinds
}

func TestAFactHasOneMail(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		first := paytest.Setup(t, open(t))
		world := func(changes ...func(*pay.Tenant)) *paytest.World {
			w := first.Another(changes...)
			w.Pay.Mails = true
			return w
		}
		want := func(w *paytest.World, o *pay.Order, kinds ...pay.MailKind) {
			t.Helper()
			if got := mails(w, o.ID); !slices.Equal(got, kinds) {
				t.Errorf("the order's mails are %v, want %v", got, kinds)
			}
		}
		t.Run("PaidIsAReceiptHoweverOftenItIsSettled", func(t *testing.T) {
			w := world()
			o := settled(w)
			w.DeliverAll()
			w.Return(o)
			want(w, o, pay.MailReceipt)
		})
		t.Run("AVoucherThatCoversAllIsAReceiptToo", func(t *testing.T) {
			w := world()
			c := w.Open(func(in *pay.CheckoutInput) {
				in.Items = []pay.CartItem{{Title: "x", Quantity: 1, SetupFee: "5.00", VoucherCredit: "5.00"}}
			})
			want(w, c.Order, pay.MailReceipt)
		})
		t.Run("ADebitThatTheBankRefusesDaysLaterIsToldOnce", func(t *testing.T) {
			w := world()
			c, err := w.Charge(debit(w, "pm_bacsDebit_success"))
			if err != nil {
				t.Fatal(err)
			}
			want(w, c.Order)
			w.Clock.Add(3 * 24 * time.Hour)
			w.Act("fail_debits", w.Attempts(c.Order.ID)[0].IntentID, 0)
			w.DeliverAll()
			w.Sweep()
			want(w, w.Order(c.Order.ID), pay.MailFailed)
		})
		t.Run("ACardThatIsRefusedAtOnceIsThePortalsToTell", func(t *testing.T) {
			w := world()
			want(w, w.Order(refusedCharge(t, w, w.Card("pm_card_chargeCustomerFail").ID, "generic_decline")))
		})
		t.Run("ABankThatWantsTheCustomerIsToldOnceAndThenThePayment", func(t *testing.T) {
			w := world()
			c := charged(t, w, "pm_card_authenticationRequired")
			w.DeliverAll()
			want(w, c.Order, pay.MailAuthentication)
			w.MustPay(w.PressPay(c.Order))
			w.DeliverAll()
			want(w, c.Order, pay.MailAuthentication, pay.MailReceipt)
		})
		t.Run("WhoeverChoseTheCardOnOurPageIsThereAlready", func(t *testing.T) {
			w := world()
			card := w.Card("pm_card_authenticationRequired").ID
			o := w.Open().Order
			w.Choose(o, pay.Choice{CardID: card})
			want(w, o)
		})
		t.Run("WithoutAServerThereIsNone", func(t *testing.T) {
			w := first.Another()
			want(w, settled(w))
		})
		t.Run("ATenantSendsWhatItWants", func(t *testing.T) {
			w := world(func(t *pay.Tenant) { t.Policies.Mails = "payment_failed,daily" })
			want(w, settled(w))
			w = world(func(t *pay.Tenant) { t.Policies.Mails = "none" })
			want(w, settled(w))
		})
	})
}

func TestWhichMailsATenantMayName(t *testing.T) {
	t.Parallel()
	for mails, good := range map[string]bool{"": true, "none": true, "receipt": true, "receipt,daily": true, "receipt, daily": false, "all": false, "receipt,": false, "none,daily": false} {
		tenant := pay.NewTenant("acme", "Acme", "GBP", paytest.Start)
		tenant.Policies.Mails = mails
		if faults := tenant.Validate(); (len(faults) == 0) != good {
			t.Errorf("%q: %v", mails, faults)
		}
	}
	tenant := pay.NewTenant("acme", "Acme", "GBP", paytest.Start)
	tenant.Branding.MailName, tenant.Branding.MailReplyTo = "Acme\r\nBcc: eve@example.com", "help@acme.example\r\nBcc: eve@example.com"
	if faults := tenant.Validate(); len(faults) != 2 {
		t.Errorf("two hostile headers have the faults %v", faults)
	}
}
