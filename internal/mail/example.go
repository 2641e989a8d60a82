package mail

import (
	"time"

	"github.com/portatill/portatill/internal/i18n"
	"github.com/portatill/portatill/pay"
)

// Example is a mail as it would look, with made-up facts and a tenant's own branding; no
// tenant, nil, is for an operator's daily letter, and an example shop for the others. Of
// no language, nil, it is in the tenant's; the daily letter is English.
func (p *Post) Example(t *pay.Tenant, kind pay.MailKind, l *i18n.Language) (Letter, error) {
	now := p.Now()
	if kind == pay.MailDaily {
		return exampleLetter(t, now, p.BaseURL)
	}
	if t == nil {
		t = pay.NewTenant("example", "Example Telecom", "EUR", now)
		t.VATBasisPoints = 2000
	}
	cart, err := pay.PriceCart(t, []pay.CartItem{
		{Title: "SIP trunk, 4 channels", Quantity: 2, SetupFee: "100", MonthlyFee: "120", AdvancePeriod: 3, VATApplicable: true},
		{Title: "Desk phone", Quantity: 1, SetupFee: "900", VoucherCredit: "200", VATApplicable: true, DisplayIndex: 1},
	})
	if err != nil {
		return Letter{}, err
	}
	o := &pay.Order{ID: "ord_0example", TenantID: t.ID, Kind: pay.OrderPayment, State: pay.OrderOpen, Cart: cart, ContentID: 42, CreatedAt: now, UpdatedAt: now}
	s := Sale{Tenant: t, Order: o, Customer: &pay.Customer{Name: "Ada Lovelace"}, PageURL: p.BaseURL + "/pay/example", ReceiptURL: p.BaseURL + "/pay/example/receipt"}
	switch kind {
	case pay.MailReceipt:
		o.State, o.PaidAt, o.Evidence = pay.OrderPaid, now, "pi_example"
		s.Payment = &pay.Payment{OrderID: o.ID, Amount: cart.Total(), Method: "visa •••• 4242 exp 12/2030", PaidAt: now}
	case pay.MailFailed:
		o.State = pay.OrderFailed
	}
	if l == nil {
		l = languageOf(t, "")
	}
	return Write(kind, s, l)
}

func exampleLetter(t *pay.Tenant, now time.Time, base string) (Letter, error) {
	n := &pay.Attention{Unclaimed: 2, Disputes: 1, DisputeDue: now.Add(9 * 24 * time.Hour).Truncate(time.Hour)}
	l, accent := Daily{Findings: waiting(n, now)}, ""
	if t != nil {
		l.Place, accent = t.Name, t.Branding.AccentColour
	} else {
		for i := range l.Findings {
			l.Findings[i].Tenant = "Example Telecom"
		}
	}
	return writeLetter(l, now, base, accent)
}
