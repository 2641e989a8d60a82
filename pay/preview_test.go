package pay_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/paytest"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// gatewayReads are the calls that change nothing at Stripe.
var gatewayReads = []string{"Account", "Customer", "Session", "Intent", "IntentOf", "SessionOf", "Cards", "Card", "IntentMade", "List", "ListBalance", "ListPayouts"}

// preview looks at what a settle would do, and fails the test when it did anything.
func preview(t *testing.T, w *paytest.World, id string) pay.Preview {
	t.Helper()
	before, jobs := w.Dump(true), len(w.Jobs())
	g := w.Wrap()
	defer func() { w.Pay.Gateway = w.Gate }()
	p, err := w.Pay.Preview(context.Background(), w.Tenant.ID, id)
	if err != nil {
		t.Fatalf("preview %s: %v", id, err)
	}
	for _, call := range g.Calls() {
		if !slices.Contains(gatewayReads, call) {
			t.Errorf("the preview called Stripe's %s", call)
		}
	}
	if diff := cmp.Diff(before, w.Dump(true)); diff != "" || len(w.Jobs()) != jobs {
		t.Errorf("the preview of %s changed something (%d jobs before, %d now): %s", id, jobs, len(w.Jobs()), diff)
	}
	return p
}

// changesHave checks that each part is in a line.
func changesHave(t *testing.T, p pay.Preview, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !slices.ContainsFunc(p.Changes, func(line string) bool { return strings.Contains(line, part) }) {
			t.Errorf("no %q in\n%s", part, strings.Join(p.Changes, "\n"))
		}
	}
}

func TestAPreviewTellsWhatASettleWouldChange(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		first := paytest.Setup(t, open(t))
		for _, c := range []struct {
			name string
			play func(t *testing.T, w *paytest.World) string
			want []string
		}{
			{"OfAPayment", func(t *testing.T, w *paytest.World) string { return bought(w).ID },
				[]string{"open → paid (pi_", "open → succeeded", "payment of 408.60 GBP", ":captured: stripe_balance +408.60 GBP, customer −408.60 GBP", "PortaBilling is to be told: payment of 408.60 GBP", "the portal is to be told: order.paid", ":fee: stripe_balance −"}},
			{"OfNothingYet", func(t *testing.T, w *paytest.World) string { return w.Open().Order.ID }, nil},
			{"OfWhatIsBooked", func(t *testing.T, w *paytest.World) string { return settled(w).ID }, nil},
			{"OfARefundAtStripe", func(t *testing.T, w *paytest.World) string {
				o := settled(w)
				w.ActWith("refund", map[string]any{"id": w.Order(o.ID).Evidence, "amount": 500})
				return o.ID
			}, []string{"refund re_", ":refunded: customer +5.00 GBP, refunds −5.00 GBP, refunds +5.00 GBP, stripe_balance −5.00 GBP", "PortaBilling is to be told: refund of 5.00 GBP", "the portal is to be told: refund."}},
			{"OfADispute", func(t *testing.T, w *paytest.World) string {
				o := settled(w)
				w.ActWith("dispute", map[string]any{"id": w.Order(o.ID).Evidence})
				return o.ID
			}, []string{"dispute d", ":withdrawn: disputes +408.60 GBP, stripe_balance −408.60 GBP", "the portal is to be told: dispute.created"}},
			{"OfMoneyWithoutAnOrder", func(t *testing.T, w *paytest.World) string { return w.PayDirectly("700", nil) },
				[]string{":captured: stripe_balance +7.00 GBP, suspense −7.00 GBP", "to Unclaimed: pi_"}},
			{"OfMoneyThatIsShownAlready", func(t *testing.T, w *paytest.World) string {
				id := w.PayDirectly("700", nil)
				if _, err := w.Settle(id, pay.CauseCLI); err != nil {
					t.Fatal(err)
				}
				return id
			}, nil},
			{"OfAnExpiry", func(t *testing.T, w *paytest.World) string {
				o := w.Open().Order
				w.ActWith("expire", map[string]any{"id": w.Attempts(o.ID)[0].SessionID})
				return o.ID
			}, []string{"open → expired", "order ord_", "the portal is to be told: order.expired"}},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				w := first.Another()
				w.T = t
				id := c.play(t, w)
				p := preview(t, w, id)
				if len(c.want) == 0 && len(p.Changes) > 0 {
					t.Errorf("something would change:\n%s", strings.Join(p.Changes, "\n"))
				}
				changesHave(t, p, c.want...)
				// And it was right: after a settle there is nothing left to change.
				if _, err := w.Settle(id, pay.CauseCLI); err != nil {
					t.Fatal(err)
				}
				if again := preview(t, w, id); len(again.Changes) > 0 {
					t.Errorf("after a settle something would still change:\n%s", strings.Join(again.Changes, "\n"))
				}
			})
		}
	})
}

func TestAPreviewSaysWhatASettleWouldDoAtStripe(t *testing.T) {
	t.Parallel()
	w := paytest.Setup(t, storetest.OpenSQLite(t))
	// A charge of which Stripe says now that it waits for its customer.
	c, err := w.Charge(w.Card("pm_card_visa").ID)
	if err != nil {
		t.Fatal(err)
	}
	g := w.Wrap()
	g.Intent = func(i *pay.StripeIntent) error { i.Status = "requires_action"; return nil }
	p, err := w.Pay.Preview(context.Background(), w.Tenant.ID, c.Order.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.AtStripe) != 1 || !strings.HasPrefix(p.AtStripe[0], "cancel pi_") {
		t.Errorf("at Stripe: %q", p.AtStripe)
	}
	for _, call := range g.Calls() {
		if call == "CancelIntent" || call == "LabelCard" {
			t.Errorf("the preview called %s", call)
		}
	}
}

func TestAPreviewThatFailsSaysSoAndTellsNothing(t *testing.T) {
	t.Parallel()
	w := paytest.Setup(t, storetest.OpenSQLite(t))
	o := bought(w)
	before := w.Dump(true)
	s := w.WrapStore()
	failed := 0
	for n := 1; ; n++ {
		s.Arm(n, paytest.DatabaseGone())
		p, err := w.Pay.Preview(context.Background(), w.Tenant.ID, o.ID)
		call := s.Disarm()
		if call == "" {
			break
		}
		failed++
		if err == nil || len(p.Changes) > 0 {
			t.Errorf("%s failed, and the preview is %v, %v", call, p.Changes, err)
		}
	}
	if diff := cmp.Diff(before, w.Dump(true)); diff != "" || failed < 10 {
		t.Errorf("%d failing previews changed something: %s", failed, diff)
	}
	g := w.Wrap()
	g.Before.Arm(1, paytest.StripeSilent())
	_, err := w.Pay.Preview(context.Background(), w.Tenant.ID, o.ID)
	if f, ok := errors.AsType[*pay.StripeFault](err); !ok || f.Kind != pay.FaultUnavailable {
		t.Errorf("when Stripe is silent: %v", err)
	}
}

// TestEveryCallOfTheGatewayIsKnownToPreviews: a new call must be sorted, because what is
// no read must not get through a preview.
func TestEveryCallOfTheGatewayIsKnownToPreviews(t *testing.T) {
	t.Parallel()
	refused := []string{"CreateCustomer", "CreateSession", "ExpireSession", "SaveCard", "DeleteCard", "ChargeCard", "CreateRefund", "CancelIntent", "LabelCard"}
	kind := reflect.TypeFor[pay.Gateway]()
	for i := range kind.NumMethod() {
		name := kind.Method(i).Name
		if !slices.Contains(gatewayReads, name) && !slices.Contains(refused, name) {
			t.Errorf("%s is neither a read nor held back by previewGateway (preview.go)", name)
		}
	}
}
