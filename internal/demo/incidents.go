package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

// planPayouts lets Stripe pay the shop's balance out twice a week, and charge for its plan each month.
func (s *shop) planPayouts(start time.Time) {
	w := s.w
	for at := start.Truncate(day).Add(3*time.Hour + 30*time.Minute); at.Before(w.Until); at = at.Add(day) {
		if at.Weekday() == time.Tuesday || at.Weekday() == time.Friday {
			w.at(at, s.payOut)
		}
		if at.Day() == 1 && s.Slug == Shops[0].Slug {
			w.at(at.Add(time.Minute), func(ctx context.Context) error {
				account, err := s.account(ctx)
				if account == "" || err != nil {
					return err
				}
				_, err = w.dashboard(ctx, "fee", map[string]any{"id": account, "amount": 1500, "currency": s.Currency.Lower()})
				return err
			})
		}
	}
}

// account is the shop's at Stripe, "" as long as nobody knows it.
func (s *shop) account(ctx context.Context) (string, error) {
	t, err := s.w.Store.TenantByID(ctx, s.tenant.ID)
	if err != nil {
		return "", err
	}
	return t.StripeAccount, nil
}

// payOut is a payout, when there is something to pay out.
func (s *shop) payOut(ctx context.Context) error {
	account, err := s.account(ctx)
	if account == "" || err != nil {
		return err
	}
	p, err := s.w.send(ctx, http.MethodPost, s.w.StripeURL+"/_sandbox/actions/payout", "application/json", nil, fmt.Appendf(nil, `{"id": %q}`, account))
	if err == nil && p.status != http.StatusOK && p.status != http.StatusConflict { // 409: the balance is not above zero
		err = fmt.Errorf("the payout of %s answered %d: %s", s.Slug, p.status, brief(p.body))
	}
	return err
}

// planIncidents is what happens once or twice in half a year and is worth looking at.
func (w *world) planIncidents(start time.Time) {
	acme, nord := w.shops[0], w.shops[1]
	span := w.Until.Sub(start)
	// In the morning or afternoon of a day so far into the story.
	noon := func(at time.Time) time.Time {
		return at.Truncate(day).Add(time.Duration(9*60+at.Unix()%431) * time.Minute)
	}
	part := func(percent int) time.Time { return noon(start.Add(span * time.Duration(percent) / 100)) }
	ago := func(days int) time.Time { return noon(w.Until.AddDate(0, 0, -days)) }
	w.at(w.badDay, func(context.Context) error { w.Weather.setDown(true); return nil })
	w.at(w.badDay.Add(40*time.Minute), acme.paysMeanwhile)
	w.at(w.badDay.Add(outageLasts), func(context.Context) error { w.Weather.setDown(false); return nil })
	w.at(w.badDay.Add(outageLasts+5*time.Hour), w.replay)
	w.planSuspension(part(70))
	acme.once(part(30), "card", func(p *purchase) { p.number = cardRefundsFail }, func(ctx context.Context, p *purchase) error { return p.refund(ctx, 100) })
	nord.once(part(52), "card", func(p *purchase) { p.number = cardRefundsLate }, func(ctx context.Context, p *purchase) error { return p.refund(ctx, 50) })
	acme.once(ago(3), "card", func(p *purchase) { p.number = cardInquiry }, nil)
	acme.once(ago(5), "card", nil, func(ctx context.Context, p *purchase) error { return p.dispute(ctx) })
	nord.once(ago(4), "card", nil, func(ctx context.Context, p *purchase) error { return p.dispute(ctx) })
	acme.once(part(25), "card", nil, func(ctx context.Context, p *purchase) error { return p.disputeTo(ctx, "won") })
	acme.once(part(35), "card", nil, func(ctx context.Context, p *purchase) error { return p.disputeTo(ctx, "lost") })
	w.at(part(61), acme.paysTwice)
	w.at(ago(9), nord.disagrees)
	for i, what := range []string{"assign", "refund", "ignore", ""} {
		at := part(22 + 18*i)
		if what == "" {
			at = ago(3)
		}
		w.at(at, func(ctx context.Context) error { return acme.unclaimed(ctx, what) })
	}
	w.at(ago(2), func(ctx context.Context) error { return nord.unclaimed(ctx, "") })
	w.at(part(66), func(ctx context.Context) error { return nord.payoutFails(ctx) })
	for _, who := range []struct {
		s      *shop
		number string
	}{{acme, cardFailsLater}, {nord, cardFailsLater}, {acme, cardAsksAgain}, {nord, cardAsksAgain}} {
		w.at(part(18), func(ctx context.Context) error { return who.s.savesCard(ctx, who.number) })
	}
}

// once plans a purchase that is as some change has it, and, three days after it, what becomes of it.
func (s *shop) once(at time.Time, way string, change func(*purchase), then func(context.Context, *purchase) error) {
	w := s.w
	p := &purchase{s: s, way: way}
	w.at(at, func(ctx context.Context) error {
		p.c = s.customer()
		if err := s.buy(ctx, p); err != nil {
			return err
		}
		if change != nil {
			change(p)
		}
		return nil
	})
	if then != nil {
		w.at(at.Add(2*day), func(ctx context.Context) error {
			if p.id == "" {
				return nil
			}
			return then(ctx, p)
		})
	}
}

// disputeTo is a dispute that ends in a way that is known.
func (p *purchase) disputeTo(ctx context.Context, outcome string) error {
	payment, err := p.paid(ctx)
	if payment == nil || err != nil {
		return err
	}
	p.s.w.report.Disputes++
	id, err := p.s.w.dashboard(ctx, "dispute", map[string]any{"id": payment.IntentID, "reason": "product_not_received"})
	if err != nil {
		return err
	}
	p.s.w.in(16*day, func(ctx context.Context) error {
		_, err := p.s.w.dashboard(ctx, "dispute", map[string]any{"id": id, "outcome": outcome})
		return err
	})
	return nil
}

// openPage is an order whose customer is on Stripe's page.
func (s *shop) openPage(ctx context.Context) (*purchase, string, error) {
	s.serial++
	s.w.report.Orders++
	p := &purchase{s: s, c: s.customer(), way: typeCard, number: "4242424242424242"}
	status, a, err := s.w.post(ctx, map[string]any{"License": s.tenant.License, "ICustomer": p.c.id, "Customer": p.c.record(), "ContentId": 40_000 + s.serial,
		"FeatureName": "Basket", "PaymentMethod": typeCard, "ShoppingInformation": s.basket(false),
		"SuccessUrl": fmt.Sprintf("%s/paid?basket=%d", s.origin, s.serial), "CancelUrl": fmt.Sprintf("%s/basket/%d", s.origin, s.serial)}, "")
	if err != nil {
		return nil, "", err
	}
	if status != http.StatusOK {
		return nil, "", fmt.Errorf("an order was answered %d: %s", status, a.ResponseStatus.Message)
	}
	p.id, p.url = a.OrderId, a.Url
	to, err := p.toStripe(ctx)
	return p, to, err
}

// toStripe presses the button and returns Stripe's page.
func (p *purchase) toStripe(ctx context.Context) (string, error) {
	page, err := p.s.w.submit(ctx, p.url, nil)
	if err != nil {
		return "", err
	}
	if page.location == "" || p.s.w.ours(page.location) {
		return "", fmt.Errorf("the button of %s leads to %q", p.id, page.location)
	}
	return page.location, nil
}

// paysMeanwhile is a few customers who were on Stripe's page when its API went down, and paid there: their webhooks come,
// and nothing can be asked about them.
func (s *shop) paysMeanwhile(ctx context.Context) error {
	for range 2 {
		s.w.Weather.setDown(false)
		p, to, err := s.openPage(ctx)
		s.w.Weather.setDown(true)
		if err != nil {
			return err
		}
		p.way = typeCard
		if err := p.typeIn(ctx, to); err != nil {
			return err
		}
	}
	return nil
}

// replay takes the events again that were given up, all but the last one: somebody has to be shown one.
func (w *world) replay(ctx context.Context) error {
	for i, f := range w.failed {
		if i == len(w.failed)-1 {
			break
		}
		e, err := w.Store.EventByID(ctx, f.tenantID, f.id)
		if err != nil {
			return err
		}
		replayed, err := w.Pay.Replay(ctx, []*pay.Event{e}, true)
		if err != nil {
			return err
		}
		for _, r := range replayed {
			if r.Err != nil {
				return fmt.Errorf("replay %s: %w", f.id, r.Err)
			}
		}
		if err := w.audit(ctx, w.shops[0], "replay", f.id, "applied"); err != nil {
			return err
		}
	}
	return nil
}

// planSuspension keeps the last shop from selling for a day and a half.
func (w *world) planSuspension(at time.Time) {
	s := w.shops[2]
	set := func(state pay.TenantState) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.Store.ChangeTenant(ctx, s.Slug, func(t *pay.Tenant) error {
				t.State, t.UpdatedAt = state, w.Clock.Now()
				return nil
			})
			if err != nil {
				return err
			}
			return w.Staff.Record(ctx, &staff.Entry{Actor: w.Operator, TenantID: s.tenant.ID, What: "tenant_state", Subject: s.tenant.ID, After: string(state), Address: "192.0.2.4"})
		}
	}
	at = nextWeekday(at, time.Wednesday).Add(7*time.Hour + 41*time.Minute)
	w.at(at, set(pay.TenantSuspended))
	for i := range 2 { // whoever comes in these days is refused
		w.at(at.Add(time.Duration(2+9*i)*time.Hour), func(ctx context.Context) error {
			return s.buy(ctx, &purchase{s: s, c: s.customer(), way: typeCard})
		})
	}
	w.at(at.Add(36*time.Hour), set(pay.TenantActive))
}

// paysTwice is a customer with two tabs of whom the double took money twice, because Stripe said for a moment that the
// first page was over.
func (s *shop) paysTwice(ctx context.Context) error {
	p, first, err := s.openPage(ctx)
	if err != nil {
		return err
	}
	var second string
	err = s.w.Weather.saying(func(x *pay.StripeSession) {
		x.Status, x.PaymentStatus, x.Intent, x.IntentID = "expired", "unpaid", nil, ""
	},
		func() (err error) { second, err = p.toStripe(ctx); return err })
	if err != nil {
		return err
	}
	for _, to := range []string{first, second} {
		if err := p.typeIn(ctx, to); err != nil {
			return err
		}
		if err := s.w.settleDown(ctx); err != nil {
			return err
		}
	}
	return nil
}

// disagrees is a payment about which Stripe once named another order than the one it was for.
func (s *shop) disagrees(ctx context.Context) error {
	p, to, err := s.openPage(ctx)
	if err != nil {
		return err
	}
	return s.w.Weather.saying(func(x *pay.StripeSession) { x.ClientReferenceID = "ord_of_another_installation" }, func() error {
		if err := p.typeIn(ctx, to); err != nil {
			return err
		}
		return s.w.settleDown(ctx)
	})
}

// unclaimed is money that came without an order, and what staff did about it.
func (s *shop) unclaimed(ctx context.Context, then string) error {
	w := s.w
	if len(s.customers) == 0 {
		return nil
	}
	owner := s.customers[s.rng.IntN(len(s.customers))]
	amount := map[pay.Currency]string{"JPY": "4200"}[s.Currency]
	if amount == "" {
		amount = fmt.Sprint(2500 + 100*s.rng.IntN(90))
	}
	var intent struct{ ID string }
	err := w.api(ctx, s, http.MethodPost, "/v1/payment_intents", map[string]string{"amount": amount, "currency": s.Currency.Lower(), "payment_method": "pm_card_visa",
		"confirm": "true", "payment_method_types[]": typeCard, "receipt_email": owner.mail, "description": "Invoice by phone"}, &intent)
	if err != nil || then == "" {
		return err
	}
	w.in(s.between(3*time.Hour, 2*day), func(ctx context.Context) error {
		cause := pay.Cause{Kind: pay.CauseStaff, ID: s.tenant.Admin}
		var err error
		switch then {
		case "assign":
			_, err = w.Pay.AssignUnclaimed(ctx, pay.AssignUnclaimed{TenantID: s.tenant.ID, ID: intent.ID, ICustomer: int64(owner.id), Reason: "They called: it was for invoice 2041", Cause: cause})
		case "refund":
			_, err = w.Pay.RefundUnclaimed(ctx, pay.RefundUnclaimed{TenantID: s.tenant.ID, ID: intent.ID, Cause: cause})
		case "ignore":
			_, err = w.Pay.IgnoreUnclaimed(ctx, pay.IgnoreUnclaimed{TenantID: s.tenant.ID, ID: intent.ID, Reason: "A sale of our own shop at the fair", Cause: cause})
		}
		if err != nil {
			return err
		}
		return w.audit(ctx, s, "unclaimed_"+then, intent.ID, "")
	})
	return nil
}

// payoutFails lets the bank send the latest payout back.
func (s *shop) payoutFails(ctx context.Context) error {
	var list struct{ Data []struct{ ID string } }
	if err := s.w.api(ctx, s, http.MethodGet, "/v1/payouts", map[string]string{"limit": "1"}, &list); err != nil || len(list.Data) == 0 {
		return err
	}
	_, err := s.w.dashboard(ctx, "fail_payout", map[string]any{"id": list.Data[0].ID, "reason": "account_closed"})
	return err
}

// savesCard is a customer who saves a card in the portal, by a token of Stripe.js; it makes trouble when it is charged.
func (s *shop) savesCard(ctx context.Context, number string) error {
	c := s.customer()
	var token struct{ ID string }
	if err := s.w.api(ctx, s, http.MethodPost, "/v1/tokens", map[string]string{"card[number]": number, "card[exp_month]": "12",
		"card[exp_year]": fmt.Sprint(s.w.Until.Year() + 4), "card[cvc]": "123"}, &token); err != nil {
		return err
	}
	status, a, err := s.w.post(ctx, map[string]any{"License": s.tenant.License, "ICustomer": c.id, "Customer": c.record(), "apiSingleUseToken": token.ID, "CardInfo": "Company card"}, "")
	if err == nil && status != http.StatusOK {
		err = errors.New("a card was not saved: " + a.ResponseStatus.Message)
	}
	c.card = c.card || err == nil
	return err
}
