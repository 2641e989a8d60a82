package year_test

import (
	"context"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/internal/paytest/year"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/pay"
)

// BenchmarkLists reads pages of the staff's lists as an operator does, who sees all tenants:
// the first page and one in the middle, what is rare, what is not there, and searches. A page
// may take 200 ms on the server with a million orders (spec/performance.md).
func BenchmarkLists(b *testing.B) {
	ctx := context.Background()
	eachYear(b, func(b *testing.B, s *sqlstore.Store) {
		names, err := s.TenantNames(ctx)
		if err != nil || len(names) == 0 {
			b.Fatalf("%d tenants: %v", len(names), err)
		}
		var tenants []string
		for _, t := range names {
			tenants = append(tenants, t.ID)
		}
		all := func(f backoffice.Filter) backoffice.Filter { f.Tenants = tenants; return f }
		middle := pay.NewID("ord", year.Start.AddDate(0, 6, 0))
		orders := func(f backoffice.OrderFilter) func() error {
			f.Tenants = tenants
			return func() error { _, err := s.PageOrders(ctx, f); return err }
		}
		payments := func(f backoffice.PaymentFilter) func() error {
			f.Tenants = tenants
			return func() error { _, err := s.PagePayments(ctx, f); return err }
		}
		for _, page := range []struct {
			name string
			read func() error
		}{
			{"Orders", orders(backoffice.OrderFilter{})},
			{"OrdersInTheMiddle", orders(backoffice.OrderFilter{Filter: backoffice.Filter{Paging: backoffice.Paging{After: middle}}})},
			{"OrdersOfAMonth", orders(backoffice.OrderFilter{Filter: backoffice.Filter{From: year.Start.AddDate(0, 3, 0), Until: year.Start.AddDate(0, 4, 0)}})},
			{"OrdersOfAStateThatNoneHas", orders(backoffice.OrderFilter{State: pay.OrderMismatch})},
			{"OrdersOfACurrencyThatNoneHas", orders(backoffice.OrderFilter{Filter: backoffice.Filter{Currency: "JPY"}})},
			{"OrdersPaidInACurrencyThatNoneHas", orders(backoffice.OrderFilter{State: pay.OrderPaid, Filter: backoffice.Filter{Currency: "JPY"}})},
			{"OrdersForNoFeature", orders(backoffice.OrderFilter{FeatureName: "none", State: pay.OrderPaid})},
			{"OrdersSearchedByNumber", orders(backoffice.OrderFilter{Filter: backoffice.Filter{Search: "77"}})},
			{"OrdersSearchedByAName", orders(backoffice.OrderFilter{Filter: backoffice.Filter{Search: "customer 77"}})},
			{"OrdersSearchedInVain", orders(backoffice.OrderFilter{Filter: backoffice.Filter{Search: "nobody at all"}})},
			{"OrdersSearchedByIntent", orders(backoffice.OrderFilter{Filter: backoffice.Filter{Search: "pi_none"}})},
			{"OrdersSearchedByCharge", orders(backoffice.OrderFilter{Filter: backoffice.Filter{Search: "ch_none"}})},
			{"Payments", payments(backoffice.PaymentFilter{})},
			{"PaymentsRefunded", payments(backoffice.PaymentFilter{State: backoffice.PaymentRefunded})},
			{"PaymentsDisputed", payments(backoffice.PaymentFilter{State: backoffice.PaymentDisputed})},
			{"PaymentsOfACurrencyThatNoneHas", payments(backoffice.PaymentFilter{Filter: backoffice.Filter{Currency: "JPY"}})},
			{"PaymentsSearchedInVain", payments(backoffice.PaymentFilter{Filter: backoffice.Filter{Search: "nobody at all"}})},
			{"Customers", func() error { _, err := s.PageCustomers(ctx, all(backoffice.Filter{})); return err }},
			{"CustomersSearchedInVain", func() error { _, err := s.PageCustomers(ctx, all(backoffice.Filter{Search: "nobody"})); return err }},
			{"CustomersOfACurrencyThatNoneHas", func() error { _, err := s.PageCustomers(ctx, all(backoffice.Filter{Currency: "JPY"})); return err }},
			{"Refunds", func() error {
				_, err := s.PageRefunds(ctx, backoffice.RefundFilter{Filter: all(backoffice.Filter{})})
				return err
			}},
			{"RefundsThatFailed", func() error {
				_, err := s.PageRefunds(ctx, backoffice.RefundFilter{Filter: all(backoffice.Filter{}), State: pay.RefundFailed})
				return err
			}},
			{"DisputesOpen", func() error {
				_, err := s.PageDisputes(ctx, backoffice.DisputeFilter{Filter: all(backoffice.Filter{}), Open: true})
				return err
			}},
		} {
			b.Run(page.name, func(b *testing.B) {
				slowest := time.Duration(0)
				for b.Loop() {
					began := time.Now()
					if err := page.read(); err != nil {
						b.Fatal(err)
					}
					slowest = max(slowest, time.Since(began))
				}
				b.ReportMetric(float64(slowest.Microseconds()), "slowest-µs")
			})
		}
	})
}
