package sqlstore_test

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// BenchmarkEvent stores 3.4 KB events, each in a transaction of its own, from as
// many goroutines as the name says; ns/op is per durable event.
func BenchmarkEvent(b *testing.B) {
	payload := bytes.Repeat([]byte(`{"id":"evt_1","object":"event"} `), 106)
	for dialect, open := range map[string]func(testing.TB) *sqlstore.Store{"SQLite": storetest.OpenSQLite, "PostgreSQL": storetest.OpenPostgres} {
		for _, clients := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/%d", dialect, clients), func(b *testing.B) {
				s := open(b)
				tenant := storetest.Tenant(b, s)
				var n atomic.Int64
				parallel(b, clients, func(ctx context.Context) error {
					i := n.Add(1)
					e := &pay.Event{ID: pay.NewID("evn", storetest.Now), TenantID: tenant.ID, StripeID: fmt.Sprintf("evt_%d", i), Type: "checkout.session.completed",
						ObjectID: "cs_1", APIVersion: "2023-10-16", Payload: payload, State: pay.EventReceived, ReceivedAt: storetest.Now}
					return s.InTx(ctx, func(tx pay.Tx) error {
						_, err := tx.InsertEvent(ctx, e)
						return err
					})
				})
			})
		}
	}
}

// BenchmarkSettle pays orders: order, attempt, payment, entry with two lines,
// balance, posting and delivery in one transaction.
func BenchmarkSettle(b *testing.B) {
	for dialect, open := range map[string]func(testing.TB) *sqlstore.Store{"SQLite": storetest.OpenSQLite, "PostgreSQL": storetest.OpenPostgres} {
		for _, clients := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/%d", dialect, clients), func(b *testing.B) {
				s := open(b)
				tenant := storetest.Tenant(b, s)
				customers := make([]*pay.Customer, 100)
				for i := range customers {
					customers[i] = storetest.Customer(b, s, tenant.ID)
				}
				sales := make(chan *storetest.Sale, b.N)
				storetest.Write(b, s, func(ctx context.Context, tx pay.Tx) error {
					for i := range b.N {
						o := storetest.NewOrder(customers[i%len(customers)])
						a := storetest.NewAttempt(o)
						if err := tx.InsertOrder(ctx, o); err != nil {
							return err
						}
						if err := tx.InsertAttempt(ctx, a); err != nil {
							return err
						}
						sales <- &storetest.Sale{Order: o, Attempt: a}
					}
					return nil
				})
				parallel(b, clients, func(ctx context.Context) error {
					sale := <-sales
					return s.InTx(ctx, func(tx pay.Tx) error { return sale.Settle(ctx, tx) })
				})
			})
		}
	}
}

// parallel runs b.N operations from some goroutines.
func parallel(b *testing.B, clients int, op func(ctx context.Context) error) {
	b.Helper()
	ctx := context.Background()
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	done := make(chan error, clients)
	for range clients {
		go func() {
			for left.Add(-1) >= 0 {
				if err := op(ctx); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range clients {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}
