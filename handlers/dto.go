package handlers

import (
	"strings"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// checkoutInput turns the wire's request into pay's.
func checkoutInput(t *pay.Tenant, r *wire.StripePaymentRequest) pay.CheckoutInput {
	in := pay.CheckoutInput{
		Tenant: t, ICustomer: int64(r.ICustomer), StripeCustomer: r.CustomerId.Value,
		SuccessURL: r.SuccessUrl.Value, CancelURL: r.CancelUrl.Value, PaymentMethods: methodsOf(r.PaymentMethod.Value),
		LicenseID: t.LicenseID, CardID: r.StripeSourceId.Value, CardInfo: r.CardInfo.Value,
		ContentID: int64(r.ContentId), FeatureName: r.FeatureName.Value, Digest: wire.Digest(r), Request: storedRequest(r),
	}
	if token := r.ApiSingleUseToken.Value; stripeToken.MatchString(token) {
		in.Token = token
	}
	if r.Customer != nil {
		in.Customer = customerOf(r.Customer)
	}
	for i := range r.ShoppingInformation {
		in.Items = append(in.Items, itemOf(&r.ShoppingInformation[i]))
	}
	return in
}

// storedRequest is the request as it is kept: canonical JSON without the licence,
// the token and the customer's password.
func storedRequest(r *wire.StripePaymentRequest) string {
	kept := *r
	kept.License, kept.ApiSingleUseToken = wire.String{}, wire.String{}
	kept.Customer = withoutPassword(r.Customer)
	return string(wire.Canonical(&kept))
}

func withoutPassword(c *wire.Customer) *wire.Customer {
	if c == nil || c.PersonalInformation == nil {
		return c
	}
	kept, person := *c, *c.PersonalInformation
	person.Password = wire.String{}
	kept.PersonalInformation = &person
	return &kept
}

func methodsOf(text string) []string {
	var methods []string
	for m := range strings.SplitSeq(text, ",") {
		if m = strings.ToLower(strings.TrimSpace(m)); m != "" {
			methods = append(methods, m)
		}
	}
	return methods
}

func itemOf(i *wire.ShoppingItem) pay.CartItem {
	item := pay.CartItem{
		Title: i.Title.Value, Quantity: int64(i.Quantity), MonthlyFee: i.MonthlyFee.String(), SetupFee: i.SetupFee.String(),
		DisplayIndex: int64(i.DisplayIndex), Key: i.Key.Value, PartID: int64(i.PartId), VATApplicable: i.VatApplicable,
		Currency: i.Currency.Value, TransactionCharge: i.TransactionCharge.String(), VoucherCredit: i.VoucherCredit.String(),
		AdvancePeriod: int64(i.AdvancePeriod), ItemSubTotal: i.ItemSubTotal.String(),
	}
	for _, line := range i.AdditionalInformation {
		if !line.IsEmpty() {
			item.AdditionalInformation = append(item.AdditionalInformation, line.Value)
		}
	}
	return item
}

// customerOf keeps of the portal's record what pages and Stripe need, and the
// whole of it as a claim.
func customerOf(c *wire.Customer) pay.Customer {
	out := pay.Customer{ICustomer: int64(c.ICustomer), IParent: int64(c.IParent), Record: string(wire.Canonical(withoutPassword(c)))}
	if p := c.PersonalInformation; p != nil {
		out.Company = clean(p.Company.Value, 150)
		out.Name = clean(firstOf(p.Name.Value, joinNonEmpty(" ", p.FirstName.Value, p.MiddleInitials.Value, p.LastName.Value), p.Company.Value), 150)
	}
	if k := c.CustomerContact; k != nil {
		out.Phone = clean(firstOf(k.Phone1.Value, k.Phone2.Value), 20)
		if email := strings.TrimSpace(k.Email.Value); plausibleEmail(email) {
			out.Email = email
		}
	}
	if a := c.CustomerAddress; a != nil {
		out.Address = pay.Address{
			Line1: clean(a.Address1.Value, 200), Line2: clean(joinNonEmpty(", ", a.Address2.Value, a.Address3.Value, a.Address4.Value), 200),
			City: clean(firstOf(a.City.Value, a.Town.Value), 100), State: clean(a.Region.Value, 100), PostalCode: clean(a.Postcode.Value, 20),
			Country: countryOf(a.Country.Value),
		}
	}
	return out
}

// plausibleEmail keeps from Stripe what it would refuse; the customer types the
// right one on its page.
func plausibleEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && strings.Contains(domain, ".") && !strings.HasPrefix(domain, ".") && !strings.HasSuffix(domain, ".") &&
		!strings.Contains(domain, "@") && len(s) <= 254 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' || r == ',' })
}

// countryOf is the country's ISO code, "" when the portal's text is not one: Stripe
// refuses anything else.
func countryOf(s string) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) != 2 || s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z' {
		return ""
	}
	if s == "UK" {
		return "GB"
	}
	return s
}

func clean(s string, n int) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s))
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}

func joinNonEmpty(sep string, texts ...string) string {
	var kept []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			kept = append(kept, t)
		}
	}
	return strings.Join(kept, sep)
}

// wireStatus is an order's state in the words of the response.
func wireStatus(c *pay.Checkout) string {
	switch c.Order.State {
	case pay.OrderPaid:
		if c.Order.Kind == pay.OrderSetup {
			return "saved"
		}
		return "paid"
	case pay.OrderProcessing, pay.OrderMismatch:
		return "processing"
	case pay.OrderFailed, pay.OrderCancelled:
		return "declined"
	}
	if c.NeedsCustomer {
		return "requires_action"
	}
	return "open"
}

// checkoutResponse answers for an accepted checkout.
func (h *Handlers) checkoutResponse(t *pay.Tenant, c *pay.Checkout) *wire.StripePaymentResponse {
	o := c.Order
	r := &wire.StripePaymentResponse{
		Success: true, Status: wireStatus(c), OrderId: o.ID, Url: h.Pay.PayURL(o, ""), ICustomer: int32(c.Customer.ICustomer),
		CustomerId: c.Customer.StripeCustomer, Amount: decimal(o.Cart.Total()), Currency: string(o.Cart.Currency),
		Replayed: c.Replayed, ContentId: int32(o.ContentID), FeatureName: o.FeatureName,
	}
	if a := c.Attempt; a != nil {
		r.SessionId, r.PaymentIntentId, r.ExpiresAt = a.SessionID, a.IntentID, wire.FormatTime(a.ExpiresAt)
		if t.Policies.Review == "direct" && o.State == pay.OrderOpen && a.State == pay.AttemptOpen {
			r.Url = a.URL
		}
	}
	switch {
	case o.Evidence == "voucher":
		r.Url = h.Pay.PayURL(o, "/return") // nothing was due: straight on to SuccessUrl
	case o.State == pay.OrderPaid && o.Kind == pay.OrderPayment:
		r.ReceiptUrl = h.Pay.PayURL(o, "/receipt")
	}
	for _, l := range o.Cart.Lines {
		r.Lines = append(r.Lines, wire.Line{Key: l.Key, Title: l.Title, Quantity: int32(l.Quantity), Explanation: l.Explanation,
			SubTotal: decimal(pay.Money{Minor: l.SubtotalMinor, Currency: o.Cart.Currency}), Vat: decimal(pay.Money{Minor: l.VATMinor, Currency: o.Cart.Currency}),
			Total: decimal(pay.Money{Minor: l.TotalMinor, Currency: o.Cart.Currency})})
	}
	return r
}

func decimal(m pay.Money) wire.Decimal { return wire.MustDecimal(m.Text()) }
