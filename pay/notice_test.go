package pay_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

func TestAPortalIsToldTheAmountOfTheFact(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		w := paytest.Setup(t, open(t))
		o := settled(w)
		w.Act("refund", w.Attempts(o.ID)[0].SessionID, 300)
		w.DeliverAll()
		deliveries, err := w.Store.ListDeliveries(context.Background(), w.Tenant.ID, o.ID)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, d := range deliveries {
			var n struct{ Type, Object, Amount, Order string }
			if err := json.Unmarshal([]byte(d.Payload), &n); err != nil || n.Order != o.ID {
				t.Fatalf("%v in %s", err, d.Payload)
			}
			got[n.Type] = n.Amount
			if strings.HasPrefix(n.Type, "refund.") && !strings.HasPrefix(n.Object, "re_") {
				t.Errorf("a refund's notice names no refund: %s", d.Payload)
			}
		}
		if got["order.paid"] != o.Cart.Total().Text() || got["refund.created"] != "3.00" {
			t.Errorf("told %v", got)
		}
	})
}

func TestADaysBooksAreWhatThatDayMoved(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		w := paytest.Setup(t, open(t))
		first := settled(w)
		paidOn := w.Clock.Now()
		w.Clock.Add(24 * time.Hour)
		w.Act("refund", w.Attempts(first.ID)[0].SessionID, 300)
		w.Return(first)
		if _, err := w.Pay.Settle(context.Background(), w.Tenant.ID, first.ID, pay.Cause{Kind: pay.CauseCLI, ID: first.ID}); err != nil {
			t.Fatal(err)
		}
		for _, day := range []struct {
			at     time.Time
			credit string
		}{{paidOn, first.Cart.Total().Text()}, {w.Clock.Now(), "-3.00"}} {
			books, err := w.Pay.DayBooks(context.Background(), w.Tenant.ID, day.at)
			if err != nil || len(books.Tenants) != 1 || !books.Square() || books.Tenants[0].Sum != "0.00" || books.Day != day.at.UTC().Format(time.DateOnly) {
				t.Fatalf("%+v, %v", books, err)
			}
			if c := books.Tenants[0].Customers; len(c) != 1 || c[0].Credit != day.credit {
				t.Errorf("on %s the customers' credit moved by %+v, want %s", books.Day, c, day.credit)
			}
		}
		books, err := w.Pay.DayBooks(context.Background(), "", w.Clock.Now().AddDate(0, 0, 7))
		if err != nil || len(books.Tenants) != 0 {
			t.Errorf("a day without movements has %+v, %v", books, err)
		}
	})
}

func TestAnUnknownObjectIsSomebodysSlipUnlessItWasSigned(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		w := paytest.Setup(t, open(t))
		_, err := w.Pay.Settle(context.Background(), w.Tenant.ID, "pi_nobody", pay.Cause{Kind: pay.CauseCLI, ID: "x"})
		if !pay.IsNotFound(err) {
			t.Errorf("a person's slip: %v", err)
		}
		unclaimed, err := w.Store.ListUnclaimed(context.Background(), w.Tenant.ID)
		if err != nil || len(unclaimed) != 0 {
			t.Errorf("unclaimed %+v, %v", unclaimed, err)
		}
	})
}

func TestACartThatCostsNothingNeedsAVoucher(t *testing.T) {
	t.Parallel()
	tenant := pay.NewTenant("acme", "Acme", "GBP", time.Now())
	free := pay.CartItem{Title: "x", Quantity: 1, SetupFee: "0.00"}
	if _, err := pay.PriceCart(tenant, []pay.CartItem{free}); pay.CodeOf(err) != pay.CodeAmountTooSmall {
		t.Errorf("without a voucher: %v", err)
	}
	covered := pay.CartItem{Title: "y", Quantity: 1, SetupFee: "5.00", VoucherCredit: "5.00"}
	if cart, err := pay.PriceCart(tenant, []pay.CartItem{covered, free}); err != nil || cart.TotalMinor != 0 {
		t.Errorf("with one: %+v, %v", cart, err)
	}
}

func TestTextsAreNoLongerThanWeKeep(t *testing.T) {
	t.Parallel()
	tenant := pay.NewTenant("acme", "Acme", "GBP", time.Now())
	for field, item := range map[string]pay.CartItem{
		"ShoppingInformation[0].Title":                 {Title: strings.Repeat("ü", 501), Quantity: 1, SetupFee: "5"},
		"ShoppingInformation[0].Key":                   {Title: "x", Key: strings.Repeat("k", 256), Quantity: 1, SetupFee: "5"},
		"ShoppingInformation[0].AdditionalInformation": {Title: "x", AdditionalInformation: []string{strings.Repeat("a", 4_000), strings.Repeat("b", 4_000)}, Quantity: 1, SetupFee: "5"},
	} {
		_, err := pay.PriceCart(tenant, []pay.CartItem{item})
		if e, ok := err.(*pay.Error); !ok || e.Code != pay.CodeTooLong || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestNobodyIsLedBackToTheTillUnderAnotherName(t *testing.T) {
	t.Parallel()
	tenant := pay.NewTenant("demo", "Demo", "GBP", time.Now())
	tenant.LoopbackReturns = true
	own := pay.CanonicalOrigin("http://127.0.0.1:8080")
	for _, address := range []string{"http://localhost:8080/", "http://[::1]:8080/x", "http://127.0.0.2:8080/", "http://127.0.0.1:8080/", "http://localhost:99999/", "http://localhost:0/"} {
		if err := tenant.CheckReturnURL("SuccessUrl", address, own); pay.CodeOf(err) != pay.CodeOriginNotAllowed {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := tenant.CheckReturnURL("SuccessUrl", "http://localhost:3000/paid", own); err != nil {
		t.Errorf("another port: %v", err)
	}
}
