package pay_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// fourteen is a cart of 14 items, as spec/performance has it.
func fourteen() []pay.CartItem {
	var items []pay.CartItem
	for i := range 14 {
		items = append(items, pay.CartItem{Title: fmt.Sprintf("SIP trunk %d", i), Quantity: int64(1 + i%3), SetupFee: "10.00", MonthlyFee: "12.35",
			AdvancePeriod: int64(i % 4), TransactionCharge: "0.50", VoucherCredit: "1.25", Key: fmt.Sprintf("key-%d", i), PartID: int64(i),
			AdditionalInformation: []string{"4 channels", "London numbers"}, VATApplicable: i%2 == 0, DisplayIndex: int64(14 - i)})
	}
	return items
}

func BenchmarkPriceCart(b *testing.B) {
	tenant, items := shop(), fourteen()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pay.PriceCart(tenant, items); err != nil {
			b.Fatal(err)
		}
	}
}

// counted counts calls of Stripe's and commits.
type counted struct {
	pay.Store
	commits atomic.Int64
}

func (c *counted) InTx(ctx context.Context, fn func(pay.Tx) error) error {
	err := c.Store.InTx(ctx, fn)
	if err == nil {
		c.commits.Add(1)
	}
	return err
}

// instant is a Stripe that answers at once, from memory: what is left is ours.
type instant struct {
	pay.Gateway
	calls    atomic.Int64
	serial   atomic.Int64
	sessions map[string]*pay.StripeSession // written before they are read
}

func (s *instant) CreateSession(_ context.Context, _ *pay.Tenant, in pay.SessionInput, _ string) (*pay.StripeSession, error) {
	s.calls.Add(1)
	n := s.serial.Add(1)
	return &pay.StripeSession{ID: fmt.Sprintf("cs_test_%d", n), URL: "https://checkout.stripe.com/c/pay", Mode: "payment", Status: "open", PaymentStatus: "unpaid",
		AmountTotal: in.Order.Cart.Total(), ClientReferenceID: in.Order.ID, Metadata: in.Metadata, ExpiresAt: in.ExpiresAt}, nil
}

func (s *instant) Session(_ context.Context, _ *pay.Tenant, id string) (*pay.StripeSession, error) {
	s.calls.Add(1)
	return s.sessions[id], nil
}

func onEach(b *testing.B, bench func(b *testing.B, w *paytest.World)) {
	b.Run("SQLite", func(b *testing.B) { bench(b, benchWorld(b, storetest.OpenSQLite(b))) })
	b.Run("PostgreSQL", func(b *testing.B) {
		storetest.NeedPostgres(b)
		bench(b, benchWorld(b, storetest.OpenPostgres(b)))
	})
}

// benchWorld knows its Stripe account and its customer already.
func benchWorld(b *testing.B, store *sqlstore.Store) *paytest.World {
	b.Helper()
	w := paytest.Setup(b, store)
	w.Open()
	return w
}

func report(b *testing.B, calls, commits *atomic.Int64) {
	b.Helper()
	b.ReportMetric(float64(calls.Load())/float64(b.N), "stripe-calls/op")
	b.ReportMetric(float64(commits.Load())/float64(b.N), "commits/op")
}

// BenchmarkOpenCheckout is a portal's request with 14 items for a known customer:
// everything besides the Stripe call, that call over HTTP to the double, and a
// bare session creation beside it.
func BenchmarkOpenCheckout(b *testing.B) {
	request := func(w *paytest.World, n int) pay.CheckoutInput {
		return w.Request(func(in *pay.CheckoutInput) { in.Items, in.Digest = fourteen(), fmt.Sprintf("%064d", n) })
	}
	onEach(b, func(b *testing.B, w *paytest.World) {
		store := &counted{Store: w.Store}
		w.Pay.Store = store
		b.Run("StripeAtOnce", func(b *testing.B) {
			store.commits.Store(0)
			stripe := &instant{Gateway: w.Gate}
			stripe.serial.Store(time.Now().UnixNano())
			w.Pay.Gateway = stripe
			base := request(w, 0)
			n := time.Now().UnixNano()
			b.ReportAllocs()
			for b.Loop() {
				n++
				in := base
				in.Digest = fmt.Sprintf("%064d", n)
				if _, err := w.Pay.OpenCheckout(context.Background(), in); err != nil {
					b.Fatal(err)
				}
			}
			report(b, &stripe.calls, &store.commits)
		})
		b.Run("StripeDouble", func(b *testing.B) {
			store.commits.Store(0)
			g := w.Wrap()
			base := request(w, 0)
			n := time.Now().UnixNano()
			g.Calls()
			for b.Loop() {
				n++
				in := base
				in.Digest = fmt.Sprintf("%064d", n)
				if _, err := w.Pay.OpenCheckout(context.Background(), in); err != nil {
					b.Fatal(err)
				}
			}
			var calls atomic.Int64
			calls.Store(int64(len(g.Calls())))
			report(b, &calls, &store.commits)
		})
		b.Run("BareSession", func(b *testing.B) {
			in := request(w, 0)
			cart, err := pay.PriceCart(in.Tenant, in.Items)
			if err != nil {
				b.Fatal(err)
			}
			lines := cart.StripeLines()
			n := time.Now().UnixNano()
			for b.Loop() {
				n++
				o := &pay.Order{ID: fmt.Sprintf("ord_%d", n), Kind: pay.OrderPayment, Cart: cart}
				_, err := w.Gate.CreateSession(context.Background(), in.Tenant, pay.SessionInput{Order: o, Lines: lines, ReturnURL: "https://till.example/r",
					CancelURL: "https://till.example/c", ExpiresAt: w.Clock.Now().Add(23 * time.Hour)}, fmt.Sprintf("bench-%d", n))
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

// BenchmarkSettle settles a paid session, Stripe answering at once.
func BenchmarkSettle(b *testing.B) {
	onEach(b, func(b *testing.B, w *paytest.World) {
		store := &counted{Store: w.Store}
		w.Pay.Store = store
		stripe := &instant{Gateway: w.Gate, sessions: map[string]*pay.StripeSession{}}
		stripe.serial.Store(time.Now().UnixNano())
		w.Pay.Gateway = stripe
		base := w.Request()
		n := time.Now().UnixNano()
		var asked, commits atomic.Int64
		settle := func() error {
			n++
			in := base
			in.Digest = fmt.Sprintf("%064d", n)
			b.StopTimer()
			c, err := w.Pay.OpenCheckout(context.Background(), in)
			if err != nil {
				return err
			}
			amount := c.Order.Cart.Total()
			intent := &pay.StripeIntent{ID: fmt.Sprintf("pi_%d", n), Status: "succeeded", Amount: amount, AmountReceived: amount,
				Charge: &pay.StripeCharge{ID: fmt.Sprintf("ch_%d", n), Paid: true, Captured: true, Amount: amount, Method: "visa •••• 4242", CreatedAt: w.Clock.Now(),
					Balance: &pay.StripeBalanceTransaction{ID: fmt.Sprintf("txn_%d", n), Amount: amount, Fee: pay.Money{Minor: 70, Currency: amount.Currency}}}}
			id := c.Attempt.SessionID
			stripe.sessions[id] = &pay.StripeSession{ID: id, Mode: "payment", Status: "complete", PaymentStatus: "paid", AmountTotal: amount,
				ClientReferenceID: c.Order.ID, Metadata: map[string]string{pay.MetaOrder: c.Order.ID, pay.MetaAttempt: c.Attempt.ID, pay.MetaTenant: w.Tenant.ID},
				IntentID: intent.ID, Intent: intent}
			before, calls := store.commits.Load(), stripe.calls.Load()
			b.StartTimer()
			done, err := w.Settle(id, pay.CauseWebhook)
			if err == nil && done.Order.State != pay.OrderPaid {
				return fmt.Errorf("settled to %s", done.Order.State)
			}
			b.StopTimer()
			commits.Add(store.commits.Load() - before)
			asked.Add(stripe.calls.Load() - calls)
			b.StartTimer()
			return err
		}
		b.ResetTimer()
		for range b.N {
			if err := settle(); err != nil {
				b.Fatal(err)
			}
		}
		report(b, &asked, &commits)
	})
}
