package demo

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/portatill/portatill/pay"
)

// atTheBank answers the page of 3-D Secure, or a wallet's. stripe is the page that the customer came from.
func (p *purchase) atTheBank(ctx context.Context, address, stripe string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	result := "approve"
	if p.way == "challenge failed" {
		result = "fail"
	}
	secret := u.Query().Get("client_secret")
	u.RawQuery = ""
	page, err := p.s.w.submit(ctx, u.String(), map[string]string{"client_secret": secret, "result": result})
	if err != nil {
		return err
	}
	switch {
	case page.location == "":
		return errors.New(challengeMissing)
	case p.s.w.ours(page.location):
		return p.comeBack(ctx, page.location)
	case result == "fail" && p.s.chance(500):
		p.way = typeCard
		p.s.w.in(p.s.between(time.Minute, 4*time.Minute), func(ctx context.Context) error { return p.typeIn(ctx, stripe) })
	}
	return nil
}

// comeBack is the customer's way back to the till; some close the tab before.
func (p *purchase) comeBack(ctx context.Context, address string) error {
	if p.save || p.s.tenant.Policies.SaveCard == "always" {
		p.c.card = p.c.card || p.way == typeCard
	}
	p.later()
	if p.s.chance(80) {
		return nil
	}
	page, err := p.s.w.get(ctx, address)
	if err == nil && page.status >= http.StatusInternalServerError && !p.s.w.Weather.down() {
		err = errors.New("the return page of " + p.id + " answered " + brief(page.body))
	}
	return err
}

// charge takes money from a saved card while its customer is elsewhere.
func (p *purchase) charge(ctx context.Context) error {
	w := p.s.w
	card, err := p.savedCard(ctx)
	if err != nil {
		return err
	}
	if card == "" { // removed since, or Stripe is down
		p.way, p.request["PaymentMethod"] = typeCard, typeCard
		return p.ask(ctx)
	}
	p.request["StripeSourceId"], p.request["FeatureName"] = card, "Automatic top-up"
	status, a, err := w.post(ctx, p.request, p.key)
	if err != nil {
		return err
	}
	if status == http.StatusPaymentRequired { // the bank said no
		return nil
	}
	if again, err := p.refused(status, a, p.charge); again || err != nil {
		return err
	}
	p.id, p.url = a.OrderId, a.Url
	if a.Status != "requires_action" {
		p.later()
		return nil
	}
	if p.s.chance(300) {
		return nil // they never read the mail
	}
	w.in(p.s.between(20*time.Minute, 9*time.Hour), p.finish)
	return nil
}

// finish is a customer whose bank wants them present.
func (p *purchase) finish(ctx context.Context) error {
	p.way = "challenge"
	return p.press(ctx)
}

// later decides what becomes of a payment.
func (p *purchase) later() {
	s, w := p.s, p.s.w
	switch n := s.rng.IntN(1000); {
	case n < 18:
		w.in(s.between(5*time.Hour, 20*day), func(ctx context.Context) error { return p.refund(ctx, 100) })
	case n < 42:
		w.in(s.between(5*time.Hour, 30*day), func(ctx context.Context) error { return p.refund(ctx, 20+s.rng.IntN(5)*10) })
	case n < 50:
		w.in(s.between(4*day, 45*day), p.dispute)
	}
}

// paid is the order's payment; nil when there is none, or nothing of it is left.
func (p *purchase) paid(ctx context.Context) (*pay.Payment, error) {
	payment, err := p.s.w.Store.PaymentByOrder(ctx, p.s.tenant.ID, p.id)
	if pay.IsNotFound(err) {
		return nil, nil
	}
	if err != nil || payment.RefundedMinor >= payment.Amount.Minor {
		return nil, err
	}
	return payment, nil
}

// refund gives some percent back: on our page, or in Stripe's dashboard.
func (p *purchase) refund(ctx context.Context, percent int) error {
	s, w := p.s, p.s.w
	payment, err := p.paid(ctx)
	if payment == nil || err != nil {
		return err
	}
	disputes, err := w.Store.ListDisputes(ctx, s.tenant.ID, payment.ID)
	if len(disputes) > 0 || err != nil { // the bank has the word
		return err
	}
	w.report.Refunds++
	amount := payment.Amount
	amount.Minor = amount.Minor * int64(percent) / 100
	if step := amount.Currency.Step(); percent < 100 {
		amount.Minor -= amount.Minor % step
	}
	if amount.Minor <= 0 {
		return nil
	}
	if s.chance(300) {
		_, err := w.dashboard(ctx, "refund", map[string]any{"id": payment.IntentID, "amount": amount.Minor, "reason": "requested_by_customer"})
		return err
	}
	made, err := w.Pay.Refund(ctx, pay.RefundOrder{TenantID: s.tenant.ID, OrderID: p.id, Amount: amount, Reason: "requested_by_customer",
		Key: "demo-" + p.id, Cause: pay.Cause{Kind: pay.CauseStaff, ID: s.tenant.Admin}})
	if err != nil {
		return err
	}
	return w.audit(ctx, s, "refund", made.ID, amount.String())
}

// The reasons for which banks take money back.
var disputeReasons = strings.Fields("fraudulent fraudulent fraudulent product_not_received duplicate unrecognized product_unacceptable")

// dispute is the customer's bank taking the money back; the shop answers in time, and the bank decides weeks later.
func (p *purchase) dispute(ctx context.Context) error {
	s, w := p.s, p.s.w
	payment, err := p.paid(ctx)
	if payment == nil || err != nil || payment.RefundedMinor > 0 {
		return err
	}
	w.report.Disputes++
	id, err := w.dashboard(ctx, "dispute", map[string]any{"id": payment.IntentID, "reason": disputeReasons[s.rng.IntN(len(disputeReasons))]})
	if err != nil {
		return err
	}
	w.in(s.between(2*day, 5*day), func(ctx context.Context) error {
		var answered struct{ ID string }
		return w.api(ctx, s, http.MethodPost, "/v1/disputes/"+id, map[string]string{"evidence[uncategorized_text]": "The customer used the service on the days in question; the log is attached.", "submit": "true"}, &answered)
	})
	outcome := "lost"
	if s.chance(400) {
		outcome = "won"
	}
	w.in(s.between(14*day, 30*day), func(ctx context.Context) error {
		_, err := w.dashboard(ctx, "dispute", map[string]any{"id": id, "outcome": outcome})
		return err
	})
	return nil
}
