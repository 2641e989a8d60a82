package handlers

import (
	"context"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// cardsInput turns the wire's request about saved cards into pay's.
func cardsInput(t *pay.Tenant, r *wire.StripePaymentRequest, idempotencyKey string) pay.CardsInput {
	in := pay.CardsInput{
		Tenant: t, ICustomer: int64(r.ICustomer), StripeCustomer: r.CustomerId.Value, CardID: r.StripeSourceId.Value, Token: r.ApiSingleUseToken.Value,
		CardInfo: r.CardInfo.Value, SuccessURL: r.SuccessUrl.Value, IdempotencyKey: idempotencyKey, Digest: wire.Digest(r),
	}
	if r.Customer != nil {
		in.Customer = customerOf(r.Customer)
	}
	return in
}

// aboutCards carries out operations 1, 2 and 4 of product.md section 2.
func (h *Handlers) aboutCards(ctx context.Context, op operation, in pay.CardsInput) (*wire.StripePaymentResponse, error) {
	switch op {
	case opDeleteCard:
		if in.CardID == "" {
			return nil, pay.Errorf(pay.CodeNotEmpty, "StripeSourceId", "says which card to delete and must be given")
		}
		list, err := h.Pay.DeleteCard(ctx, in)
		if err != nil {
			return nil, err
		}
		return cardsResponse("deleted", list), nil
	case opSaveCard:
		list, err := h.Pay.SaveCard(ctx, in)
		if err != nil {
			return nil, err
		}
		r := cardsResponse("saved", list)
		r.CardInfo, r.Replayed = list.Card.Info(), list.Replayed
		return r, nil
	}
	list, err := h.Pay.ListCards(ctx, in)
	if err != nil {
		return nil, err
	}
	r := cardsResponse("listed", list)
	if in.SuccessURL != "" {
		link, until := h.Pay.AccountURL(in.Tenant, list.Customer, in.SuccessURL)
		r.Url, r.ExpiresAt = link, wire.FormatTime(until)
	}
	return r, nil
}

func cardsResponse(status string, list *pay.CardList) *wire.StripePaymentResponse {
	r := &wire.StripePaymentResponse{Success: true, Status: status, ICustomer: int32(list.Customer.ICustomer),
		CustomerId: list.Customer.StripeCustomer, Cards: []wire.Card{}}
	for _, c := range list.Cards {
		r.Cards = append(r.Cards, wire.Card{StripeSourceId: c.ID, Brand: c.Brand, Last4: c.Last4, ExpMonth: int32(c.ExpMonth),
			ExpYear: int32(c.ExpYear), IsDefault: c.IsDefault, CardInfo: firstOf(c.Label, c.Info())})
	}
	return r
}

// chargeCard carries out operation 3. There is a page only when the customer is
// needed on it.
func (h *Handlers) chargeCard(ctx context.Context, in pay.CheckoutInput) (*wire.StripePaymentResponse, error) {
	c, err := h.Pay.ChargeCard(ctx, in)
	if err != nil {
		return nil, err
	}
	r := h.checkoutResponse(in.Tenant, c)
	if c.NeedsCustomer {
		r.Url = h.Pay.PayURL(c.Order, "")
		return r, nil
	}
	r.Url = ""
	if c.Order.State != pay.OrderPaid || c.Order.Evidence == "voucher" {
		return r, nil
	}
	p, err := h.Pay.Store.PaymentByOrder(ctx, in.Tenant.ID, c.Order.ID)
	if err != nil {
		return nil, err
	}
	r.CardInfo = p.Method
	return r, nil
}
