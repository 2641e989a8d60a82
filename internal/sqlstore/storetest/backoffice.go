package storetest

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portatill/portatill/internal/backoffice"
	"github.com/portatill/portatill/pay"
)

// minute is so many minutes after Now, and what is made then has an id of then.
func minute(n int) time.Time { return Now.Add(time.Duration(n) * time.Minute) }

// orderAt makes an order of a minute.
func (b *bench) orderAt(c *pay.Customer, n int, changes ...func(*pay.Order)) *pay.Order {
	return Order(b, b.s, c, append([]func(*pay.Order){func(o *pay.Order) {
		o.ID, o.CreatedAt, o.UpdatedAt = pay.NewID("ord", minute(n)), minute(n), minute(n)
	}}, changes...)...)
}

func orderIDs(p backoffice.Page[backoffice.OrderRow]) []string {
	ids := []string{}
	for _, o := range p.Rows {
		ids = append(ids, o.ID)
	}
	return ids
}

// found are the ids that a filter finds, newest first.
func (b *bench) found(f backoffice.OrderFilter) []string {
	b.Helper()
	page, err := b.s.PageOrders(b.ctx, f)
	if err != nil {
		b.Fatalf("%+v: %v", f, err)
	}
	return orderIDs(page)
}

var backofficeCases = map[string]func(b *bench){
	"OrdersOfAllTenantsAreOneListThatIsPagedBothWays": func(b *bench) {
		other := Customer(b, b.s, Tenant(b, b.s).ID)
		var all []string
		for n := range 10 {
			c := b.customer
			if n%3 == 0 {
				c = other
			}
			all = append([]string{b.orderAt(c, n).ID}, all...)
		}
		f := backoffice.OrderFilter{Filter: backoffice.Filter{Tenants: []string{b.tenant.ID, other.TenantID}}}
		b.same("all of them", all, b.found(f))
		f.Limit = 4
		var walked []string
		for range 4 {
			page := must(b.s.PageOrders(b.ctx, f))
			walked = append(walked, orderIDs(page)...)
			b.same("newer ones", f.After != "", page.Newer)
			b.same("older ones", len(walked) < 10, page.Older)
			if !page.Older {
				break
			}
			f.After = walked[len(walked)-1]
		}
		b.same("page by page", all, walked)
		f.After, f.Before = "", all[8]
		page := must(b.s.PageOrders(b.ctx, f))
		b.same("the page before", all[4:8], orderIDs(page))
		b.same("between others", []bool{true, true}, []bool{page.Newer, page.Older})
		f.Before = all[2]
		page = must(b.s.PageOrders(b.ctx, f))
		b.same("the way back ends in a whole first page", all[:4], orderIDs(page))
		b.same("the first page", []bool{false, true}, []bool{page.Newer, page.Older})
		b.same("nobody's", []string{}, b.found(backoffice.OrderFilter{}))
	},
	"EveryFilterAndSearchFindsItsOrdersAndNoOthers": func(b *bench) {
		ann := b.customer
		bob := Customer(b, b.s, b.tenant.ID, func(c *pay.Customer) { c.Name, c.Company, c.Email = "Bob 100% O'Neill", "Zoë_Ltd", "Bob@Example.com" })
		_, license := pay.NewLicense(b.tenant.ID, Now)
		b.write(func(tx pay.Tx) error { return tx.InsertLicense(b.ctx, license) })
		paid := b.orderAt(ann, 1, func(o *pay.Order) { o.ContentID = 900_001 })
		attempt := Attempt(b, b.s, paid)
		sale := Pay(b, b.s, paid, attempt)
		open := b.orderAt(bob, 2, func(o *pay.Order) { o.FeatureName, o.LicenseID, o.ContentID = "Broad band", license.ID, ann.ICustomer })
		euros := b.orderAt(bob, 3, func(o *pay.Order) { o.Cart.Currency, o.State = "EUR", pay.OrderExpired })
		late := b.orderAt(ann, 24*60, func(o *pay.Order) { o.State, o.FeatureName = pay.OrderExpired, "Broad band" })
		b.write(func(tx pay.Tx) error {
			_, err := tx.BindStripeCustomer(b.ctx, b.tenant.ID, bob.ID, b.tenant.StripeAccount, b.tenant.StripeLivemode, "cus_bob", Now)
			return err
		})
		refund := &pay.Refund{ID: pay.NewID("ref", Now), TenantID: b.tenant.ID, PaymentID: sale.Payment.ID, OrderID: paid.ID, StripeRefundID: "re_77", State: pay.RefundSucceeded,
			Amount: pay.Money{Minor: 100, Currency: "GBP"}, Cause: sale.Payment.Cause, CreatedAt: Now, UpdatedAt: Now}
		b.write(func(tx pay.Tx) error { return tx.InsertRefund(b.ctx, refund) })
		search := func(s string) backoffice.OrderFilter {
			return backoffice.OrderFilter{Filter: backoffice.Filter{Search: s}}
		}
		elsewhere := Tenant(b, b.s)
		for _, c := range []struct {
			name string
			f    backoffice.OrderFilter
			want []*pay.Order
		}{
			{"state", backoffice.OrderFilter{State: pay.OrderExpired}, []*pay.Order{late, euros}},
			{"currency", backoffice.OrderFilter{Filter: backoffice.Filter{Currency: "EUR"}}, []*pay.Order{euros}},
			{"state and currency", backoffice.OrderFilter{State: pay.OrderExpired, Filter: backoffice.Filter{Currency: "GBP"}}, []*pay.Order{late}},
			{"feature", backoffice.OrderFilter{FeatureName: "Broad band"}, []*pay.Order{late, open}},
			{"feature and state", backoffice.OrderFilter{FeatureName: "Broad band", State: pay.OrderOpen}, []*pay.Order{open}},
			{"feature and paid", backoffice.OrderFilter{FeatureName: "top-up", State: pay.OrderPaid}, []*pay.Order{paid}},
			{"content", backoffice.OrderFilter{ContentID: 900_001}, []*pay.Order{paid}},
			{"customer", backoffice.OrderFilter{CustomerID: bob.ID, State: pay.OrderOpen}, []*pay.Order{open}},
			{"from", backoffice.OrderFilter{Filter: backoffice.Filter{From: minute(3)}}, []*pay.Order{late, euros}},
			{"until", backoffice.OrderFilter{Filter: backoffice.Filter{Until: minute(3)}}, []*pay.Order{open, paid}},
			{"the year 2", backoffice.OrderFilter{Filter: backoffice.Filter{Until: time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC)}}, nil},
			{"order", search(open.ID), []*pay.Order{open}},
			{"attempt", search(attempt.ID), []*pay.Order{paid}},
			{"session", search(attempt.SessionID), []*pay.Order{paid}},
			{"intent", search(sale.Payment.IntentID), []*pay.Order{paid}},
			{"charge", search(sale.Payment.ChargeID), []*pay.Order{paid}},
			{"refund", search("re_77"), []*pay.Order{paid}},
			{"payment", search(sale.Payment.ID), []*pay.Order{paid}},
			{"Stripe's customer", search("cus_bob"), []*pay.Order{euros, open}},
			{"our customer", search(bob.ID), []*pay.Order{euros, open}},
			{"licence", search(license.ID), []*pay.Order{open}},
			{"licence's end", search("…" + license.Hint), []*pay.Order{open}},
			{"ContentId", search("900001"), []*pay.Order{paid}},
			{"e-mail", search("bob@EXAMPLE.com"), []*pay.Order{euros, open}},
			{"part of a name", search("o'neill"), []*pay.Order{euros, open}},
			{"part of a company", search("ë_lt"), []*pay.Order{euros, open}},
			{"a percent sign", search("100%"), []*pay.Order{euros, open}},
			{"feature by search", search("Broad band"), []*pay.Order{late, open}},
			{"search and state", backoffice.OrderFilter{Filter: backoffice.Filter{Search: bob.ID}, State: pay.OrderOpen}, []*pay.Order{open}},
			{"nothing", search("%"), []*pay.Order{euros, open}},
			{"none", search("po_1"), nil}, {"no session", search("cs_none"), nil}, {"quotes", search(`'"\`), nil}, {"9s", search("999999999999999999999999"), nil},
		} {
			c.f.Tenants = []string{b.tenant.ID}
			want := []string{}
			for _, o := range c.want {
				want = append(want, o.ID)
			}
			b.same(c.name, want, b.found(c.f))
			c.f.Tenants = []string{elsewhere.ID}
			b.same(c.name+" of another tenant", []string{}, b.found(c.f))
		}
		// An ICustomer is a ContentId as well: both are found, each once.
		b.same("number", []string{late.ID, open.ID, paid.ID}, b.found(backoffice.OrderFilter{Filter: backoffice.Filter{Tenants: []string{b.tenant.ID}, Search: strconv.FormatInt(ann.ICustomer, 10)}}))
		page := must(b.s.PageOrders(b.ctx, backoffice.OrderFilter{Filter: backoffice.Filter{Tenants: []string{b.tenant.ID}, Search: paid.ID}}))
		b.same("the row", backoffice.OrderRow{ID: paid.ID, TenantID: b.tenant.ID, CustomerID: ann.ID, ICustomer: ann.ICustomer, CustomerName: ann.Name, Company: ann.Company, CustomerEmail: ann.Email,
			Kind: pay.OrderPayment, State: pay.OrderPaid, Total: paid.Cart.Total(), ContentID: 900_001, FeatureName: "top-up", CreatedAt: minute(1), PaidAt: Now, PaymentID: sale.Payment.ID}, *page.Rows[0])
	},
	"PaymentsHaveTheirCustomerFeeAndPayout": func(b *bench) {
		o := Order(b, b.s, b.customer)
		sale := Pay(b, b.s, o, Attempt(b, b.s, o))
		p := *sale.Payment
		p.Fee, p.BalanceTransaction = pay.Money{Minor: 41, Currency: "GBP"}, "txn_1"
		b.write(func(tx pay.Tx) error {
			payout := &pay.Payout{StripePayout: pay.StripePayout{ID: "po_1", Status: "paid", Amount: p.Amount, CreatedAt: Now, ArrivalAt: minute(60)}, TenantID: b.tenant.ID, UpdatedAt: Now}
			bt := &pay.BalanceTransaction{StripeBalanceTransaction: pay.StripeBalanceTransaction{ID: "txn_1", Type: "charge", Amount: p.Amount, Fee: p.Fee, SourceID: p.ChargeID, CreatedAt: Now},
				TenantID: b.tenant.ID, Fact: p.IntentID + ":captured", Source: p.Amount, LearntAt: Now}
			if err := tx.SetPaymentFee(b.ctx, &p); err != nil {
				return err
			}
			if _, err := tx.InsertBalanceTransaction(b.ctx, bt); err != nil {
				return err
			}
			if err := tx.SavePayout(b.ctx, payout); err != nil {
				return err
			}
			return tx.SetPayoutOf(b.ctx, b.tenant.ID, "po_1", []string{"txn_1"})
		})
		mine := backoffice.Filter{Tenants: []string{b.tenant.ID}}
		for name, f := range map[string]backoffice.PaymentFilter{"all": {}, "order": {OrderID: o.ID}, "customer": {CustomerID: b.customer.ID}, "payout": {Filter: backoffice.Filter{Search: "po_1"}},
			"currency": {Filter: backoffice.Filter{Currency: "GBP"}}, "name": {Filter: backoffice.Filter{Search: "ann"}}, "intent": {Filter: backoffice.Filter{Search: p.IntentID, Currency: "GBP"}}} {
			f.Tenants = mine.Tenants
			page := must(b.s.PagePayments(b.ctx, f))
			if len(page.Rows) != 1 {
				b.Fatalf("%s: %d rows", name, len(page.Rows))
			}
			row := page.Rows[0]
			b.same(name, p, row.Payment)
			b.same(name+": beside it", []any{b.customer.Name, b.customer.ICustomer, "po_1", "paid", minute(60), int64(0)}, []any{row.CustomerName, row.ICustomer, row.PayoutID, row.PayoutStatus, row.PayoutAt, row.Disputes})
		}
		for name, f := range map[string]backoffice.PaymentFilter{"refunded": {State: backoffice.PaymentRefunded}, "disputed": {State: backoffice.PaymentDisputed}, "currency": {Filter: backoffice.Filter{Currency: "EUR"}},
			"search": {Filter: backoffice.Filter{Search: "lic_1"}}, "order": {OrderID: "ord_none"}} {
			f.Tenants = mine.Tenants
			b.same("none "+name, 0, len(must(b.s.PagePayments(b.ctx, f)).Rows))
		}
		b.write(func(tx pay.Tx) error { return tx.SetRefunded(b.ctx, b.tenant.ID, p.ID, 100, Now) })
		refunded := backoffice.PaymentFilter{Filter: mine, State: backoffice.PaymentRefunded}
		b.same("refunded", 1, len(must(b.s.PagePayments(b.ctx, refunded)).Rows))
		refunded.Tenants = []string{Tenant(b, b.s).ID}
		b.same("another tenant's", 0, len(must(b.s.PagePayments(b.ctx, refunded)).Rows))
	},
	"RefundsAndDisputesAreListedWithTheirCustomer": func(b *bench) {
		o := Order(b, b.s, b.customer)
		sale := Pay(b, b.s, o, Attempt(b, b.s, o))
		refund := &pay.Refund{ID: pay.NewID("ref", Now), TenantID: b.tenant.ID, PaymentID: sale.Payment.ID, OrderID: o.ID, StripeRefundID: "re_1", State: pay.RefundPending,
			Amount: pay.Money{Minor: 100, Currency: "GBP"}, Reason: "duplicate", Cause: sale.Payment.Cause, CreatedAt: Now, UpdatedAt: Now}
		dispute := func(id string, state pay.DisputeState, due time.Time) *pay.Dispute {
			return &pay.Dispute{ID: pay.NewID("dsp", Now), TenantID: b.tenant.ID, PaymentID: sale.Payment.ID, OrderID: o.ID, StripeDisputeID: id, State: state,
				Amount: pay.Money{Minor: 1440, Currency: "GBP"}, Reason: "fraudulent", DueBy: due, Cause: sale.Payment.Cause, CreatedAt: Now, UpdatedAt: Now}
		}
		disputes := []*pay.Dispute{dispute("dp_late", pay.DisputeNeedsResponse, minute(900)), dispute("dp_soon", pay.DisputeWarningNeedsResponse, minute(90)),
			dispute("dp_lost", pay.DisputeLost, minute(1)), dispute("dp_never", pay.DisputeUnderReview, time.Time{})}
		request := &pay.RefundRequest{ID: pay.NewID("rfr", Now), TenantID: b.tenant.ID, PaymentID: sale.Payment.ID, OrderID: o.ID, Amount: refund.Amount, IdempotencyKey: "k-1", State: pay.RefundRequested,
			Cause: refund.Cause, CreatedAt: Now, UpdatedAt: Now}
		b.write(func(tx pay.Tx) error {
			for _, d := range disputes {
				if err := tx.InsertDispute(b.ctx, d); err != nil {
					return err
				}
			}
			if err := tx.InsertRefundRequest(b.ctx, request); err != nil {
				return err
			}
			return tx.InsertRefund(b.ctx, refund)
		})
		mine, theirs := []string{b.tenant.ID}, []string{Tenant(b, b.s).ID}
		for _, search := range []string{"", "re_1", refund.ID, o.ID, sale.Payment.ID, "bell", "ann@example.com"} {
			for _, state := range []pay.RefundState{"", pay.RefundPending} {
				page := must(b.s.PageRefunds(b.ctx, backoffice.RefundFilter{Filter: backoffice.Filter{Tenants: mine, Search: search, Currency: "GBP"}, State: state}))
				if len(page.Rows) != 1 {
					b.Fatalf("search %q, state %q: %d refunds", search, state, len(page.Rows))
				}
				b.same("refund", backoffice.RefundRow{Refund: *refund, ICustomer: b.customer.ICustomer, CustomerName: b.customer.Name, CustomerID: b.customer.ID, Method: sale.Payment.Method}, *page.Rows[0])
			}
			b.same("another tenant's", 0, len(must(b.s.PageRefunds(b.ctx, backoffice.RefundFilter{Filter: backoffice.Filter{Tenants: theirs, Search: search}})).Rows))
		}
		b.same("succeeded", 0, len(must(b.s.PageRefunds(b.ctx, backoffice.RefundFilter{Filter: backoffice.Filter{Tenants: mine}, State: pay.RefundSucceeded})).Rows))
		names := func(f backoffice.DisputeFilter) string {
			var ids []string
			for _, d := range must(b.s.PageDisputes(b.ctx, f)).Rows {
				ids = append(ids, d.StripeDisputeID)
			}
			return strings.Join(ids, " ")
		}
		b.same("open ones", "dp_soon dp_late dp_never", names(backoffice.DisputeFilter{Filter: backoffice.Filter{Tenants: append(slices.Clone(theirs), mine...)}, Open: true}))
		all := strings.Fields(names(backoffice.DisputeFilter{Filter: backoffice.Filter{Tenants: mine}}))
		slices.Sort(all)
		b.same("all", []string{"dp_late", "dp_lost", "dp_never", "dp_soon"}, all)
		b.same("one", "dp_lost", names(backoffice.DisputeFilter{Filter: backoffice.Filter{Tenants: mine, Search: "dp_lost"}}))
		b.same("another tenant's", "", names(backoffice.DisputeFilter{Filter: backoffice.Filter{Tenants: theirs}, Open: true}))
		b.same("nobody's", "", names(backoffice.DisputeFilter{Open: true}))
		b.same("waiting", []*pay.RefundRequest{request}, must(b.s.RefundsWaiting(b.ctx, mine, 10)))
		b.same("waiting elsewhere", 0, len(must(b.s.RefundsWaiting(b.ctx, theirs, 10))))
		b.same("nobody's waiting", 0, len(must(b.s.RefundsWaiting(b.ctx, nil, 10))))
		b.same("disputed", 1, len(must(b.s.PagePayments(b.ctx, backoffice.PaymentFilter{Filter: backoffice.Filter{Tenants: mine}, State: backoffice.PaymentDisputed})).Rows))
		b.same("disputes of it", int64(4), must(b.s.PagePayments(b.ctx, backoffice.PaymentFilter{Filter: backoffice.Filter{Tenants: mine}})).Rows[0].Disputes)
	},
	"CustomersHaveTheirCreditAndLastOrder": func(b *bench) {
		o := Order(b, b.s, b.customer)
		Pay(b, b.s, o, Attempt(b, b.s, o))
		late := b.orderAt(b.customer, 5)
		idle := Customer(b, b.s, b.tenant.ID, func(c *pay.Customer) {
			c.ID, c.Name, c.Email, c.Company = pay.NewID("cus", minute(1)), "Zed", "", ""
			c.CreatedAt = minute(1)
		})
		want := []backoffice.CustomerRow{
			{ID: idle.ID, TenantID: b.tenant.ID, ICustomer: idle.ICustomer, Name: "Zed", CreatedAt: minute(1)},
			{ID: b.customer.ID, TenantID: b.tenant.ID, ICustomer: b.customer.ICustomer, Name: b.customer.Name, Company: b.customer.Company, Email: b.customer.Email,
				Credits: []pay.Money{{Minor: 1440, Currency: "GBP"}}, CreatedAt: Now, OrderedAt: late.CreatedAt}}
		read := func(f backoffice.Filter) []backoffice.CustomerRow {
			f.Tenants = []string{b.tenant.ID}
			out := []backoffice.CustomerRow{}
			for _, c := range must(b.s.PageCustomers(b.ctx, f)).Rows {
				out = append(out, *c)
			}
			return out
		}
		b.same("all", want, read(backoffice.Filter{}))
		for _, search := range []string{"bell", "ANN@example.COM", o.ID, strconv.FormatInt(b.customer.ICustomer, 10), b.customer.ID, "pi_" + must(b.s.ListAttempts(b.ctx, b.tenant.ID, o.ID))[0].SessionID} {
			b.same("search "+search, want[1:], read(backoffice.Filter{Search: search}))
		}
		b.same("credited in pounds", want[1:], read(backoffice.Filter{Currency: "GBP"}))
		for _, search := range []string{"nobody", "dp_1", "po_1", "cus_none", "7777777"} {
			b.same("search "+search, 0, len(read(backoffice.Filter{Search: search})))
		}
	},
	"AnIdIsFoundInItsTenantOnly": func(b *bench) {
		o, other := Order(b, b.s, b.customer), Tenant(b, b.s)
		for _, look := range []struct {
			of func(context.Context, string, string) (string, error)
			id string
		}{{b.s.OrderTenant, o.ID}, {b.s.CustomerTenant, b.customer.ID}} {
			for _, scope := range []string{"", b.tenant.ID} {
				b.same("of scope "+scope, b.tenant.ID, must(look.of(b.ctx, scope, look.id)))
			}
			_, err := look.of(b.ctx, other.ID, look.id)
			b.code(pay.CodeNotFound, err)
			_, err = look.of(b.ctx, "", "none")
			b.code(pay.CodeNotFound, err)
		}
		if names := must(b.s.TenantNames(b.ctx)); len(names) != 2 || names[0].Name > names[1].Name {
			b.Errorf("tenants: %+v", names)
		}
	},
	"EventsAreFoundByWhatTheyAreAbout": func(b *bench) {
		event := func(id, object string, n int) {
			b.write(func(tx pay.Tx) error {
				_, err := tx.InsertEvent(b.ctx, &pay.Event{ID: pay.NewID("evn", minute(n)), TenantID: b.tenant.ID, StripeID: id, Type: "charge.refunded", ObjectID: object,
					Payload: []byte(`{"secret":1}`), State: pay.EventReceived, ReceivedAt: minute(n)})
				return err
			})
		}
		event("evt_2", "pi_1", 2)
		event("evt_1", "cs_1", 1)
		event("evt_3", "pi_2", 3)
		event("evt_4", "", 4)
		got := must(b.s.EventsAbout(b.ctx, b.tenant.ID, []string{"pi_1", "cs_1", ""}, 10))
		if len(got) != 2 || got[0].StripeID != "evt_1" || got[1].StripeID != "evt_2" || got[0].Payload != nil {
			b.Errorf("events: %+v", got)
		}
		b.same("another tenant's", 0, len(must(b.s.EventsAbout(b.ctx, Tenant(b, b.s).ID, []string{"pi_1"}, 10))))
		b.same("about nothing", 0, len(must(b.s.EventsAbout(b.ctx, b.tenant.ID, nil, 10))))
	},
}
