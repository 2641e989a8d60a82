package pay

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// VATLine says what a row of the VAT summary is the sum of.
type VATLine string

const (
	VATPayments VATLine = "payments"      // what customers paid
	VATRefunds  VATLine = "refunds"       // what went back by refunds, negative
	VATLost     VATLine = "lost_disputes" // what banks took back for good, negative
	VATTotal    VATLine = "total"         // the three together
	// VATNoOrder is what customers were credited, or lost again, of money that came in
	// without an order: nobody knows what it was for, so its VAT is not known either.
	VATNoOrder VATLine = "credited_without_order"
	// VATOnFees is the tax that Stripe charged on its fees, account vat: what the tenant paid.
	VATOnFees VATLine = "tax_on_fees"
)

// VATRow is one sum. Amounts are decimal text, "" where the books cannot know it.
type VATRow struct {
	Currency Currency `json:"currency"`
	Line     VATLine  `json:"line"`
	Mode     VATMode  `json:"vat_mode"` // VATNone for what had no VAT on it, "" where there is no cart
	Rate     string   `json:"vat_rate"` // percent, such as 17.5; "" where there is no cart
	Net      string   `json:"net"`
	VAT      string   `json:"vat"`
	Gross    string   `json:"gross"` // Net and VAT
}

// VATNone is the mode of what was sold without VAT. No tenant has it.
const VATNone VATMode = "none"

// VATEntry is what one ledger entry of a payment moved for its customer.
type VATEntry struct {
	OrderID     string
	Kind        EntryKind
	Fact        string
	InSpan      bool  // booked in the span that was asked for, else before it
	AmountMinor int64 // credited to the customer; negative for what was taken back
	Cart        Cart  // the order's, with the rate and mode of that day
}

// VATSides takes what the store reads. Entries come by order, and in the order in which
// they were booked; of each order all are told since its payment.
type VATSides struct {
	Entry func(*VATEntry) error
	// NoOrder is what customers were credited of money without an order, OnFees the tax on
	// Stripe's fees; both in minor units, once per currency at most.
	NoOrder func(c Currency, minor int64) error
	OnFees  func(c Currency, minor int64) error
}

// VATSummary sums up a span's payments and what went back of them, per currency, VAT mode
// and rate. Those are the stored cart's: a tenant's new rate changes no old sale. A cart
// with lines of both kinds is split into what had VAT and what had none.
//
// The VAT in a partial refund, and in a lost dispute, is its share of the payment's,
// rounded half up; the one that completes the payment has what is left, so that all of
// them together have exactly the payment's VAT. What went back beyond the payment has
// none. One order's entries are held at a time.
func (s *Service) VATSummary(ctx context.Context, span ExportSpan) ([]VATRow, error) {
	v := &vatSummary{groups: map[vatGroup]*vatSums{}}
	other := map[VATLine]map[Currency]int64{VATNoOrder: {}, VATOnFees: {}}
	put := func(line VATLine) func(Currency, int64) error {
		return func(c Currency, minor int64) error {
			other[line][c] += minor
			return nil
		}
	}
	if err := s.Store.ReadVAT(ctx, span, VATSides{Entry: v.entry, NoOrder: put(VATNoOrder), OnFees: put(VATOnFees)}); err != nil {
		return nil, err
	}
	rows := v.rows()
	for _, c := range slices.Sorted(maps.Keys(other[VATNoOrder])) {
		rows = append(rows, VATRow{Currency: c, Line: VATNoOrder, Gross: Money{other[VATNoOrder][c], c}.Text()})
	}
	for _, c := range slices.Sorted(maps.Keys(other[VATOnFees])) {
		rows = append(rows, VATRow{Currency: c, Line: VATOnFees, VAT: Money{other[VATOnFees][c], c}.Text()})
	}
	slices.SortStableFunc(rows, func(a, b VATRow) int { return cmp.Compare(a.Currency, b.Currency) })
	return rows, nil
}

type vatGroup struct {
	currency Currency
	mode     VATMode
	points   int64
}

// vatSums are the sums of one group, by VATLine but the total.
type vatSums map[VATLine]*vatPart

// vatPart is an amount and the VAT in it, in minor units.
type vatPart struct{ gross, vat int64 }

type vatSummary struct {
	groups  map[vatGroup]*vatSums
	orderID string
	sale    *vatSale // of orderID, nil before its payment
}

// vatSale is one payment and what went back of it so far, in minor units.
type vatSale struct {
	cart   *Cart
	amount int64 // of the payment
	taxed  int64 // the part that had VAT, with it
	vat    int64
	back   vatShare
	shares map[string]vatShare // by what took it back, such as re_1
}

// vatShare is a part of a payment that went back.
type vatShare struct{ gross, taxed, vat int64 }

func (v *vatSummary) entry(e *VATEntry) error {
	if e.OrderID != v.orderID {
		v.orderID, v.sale = e.OrderID, nil
	}
	if e.Kind == EntryPayment {
		v.sale = newVATSale(&e.Cart, e.AmountMinor)
		v.add(e, VATPayments, vatShare{e.AmountMinor, v.sale.taxed, v.sale.vat})
		return nil
	}
	if v.sale == nil {
		return fmt.Errorf("the ledger has %s of order %s before its payment", e.Fact, e.OrderID)
	}
	line := VATRefunds
	if e.Kind == EntryDisputeLost || e.Kind == EntryDisputeReversal {
		line = VATLost
	}
	share := v.sale.takeBack(e)
	v.add(e, line, vatShare{-share.gross, -share.taxed, -share.vat})
	return nil
}

// newVATSale splits a payment by the lines of its cart.
func newVATSale(cart *Cart, amount int64) *vatSale {
	s := &vatSale{cart: cart, amount: amount, vat: cart.VATMinor, shares: map[string]vatShare{}}
	for _, l := range cart.Lines {
		if l.VATApplicable && cart.VATBasisPoints > 0 {
			s.taxed += l.TotalMinor
		}
	}
	return s
}

// takeBack finds what of the payment's parts went back with an entry, or came again: a
// refund that failed gives back what it took.
func (s *vatSale) takeBack(e *VATEntry) vatShare {
	root, _, _ := strings.Cut(e.Fact, ":")
	share, known := s.shares[root]
	switch {
	case e.AmountMinor > 0 && known && share.gross == e.AmountMinor:
		delete(s.shares, root)
		share = vatShare{-share.gross, -share.taxed, -share.vat}
	case e.AmountMinor > 0:
		share = s.share(e.AmountMinor)
		share = vatShare{-share.gross, -min(share.taxed, s.back.taxed), -min(share.vat, s.back.vat)}
	default:
		share = s.share(-e.AmountMinor)
		if s.back.gross+share.gross >= s.amount {
			share.taxed, share.vat = s.taxed-s.back.taxed, s.vat-s.back.vat
		} else {
			share.taxed, share.vat = min(share.taxed, s.taxed-s.back.taxed), min(share.vat, s.vat-s.back.vat)
		}
		s.shares[root] = share
	}
	s.back = vatShare{s.back.gross + share.gross, s.back.taxed + share.taxed, s.back.vat + share.vat}
	return share
}

func (s *vatSale) share(gross int64) vatShare {
	return vatShare{gross, s.part(s.taxed, gross), s.part(s.vat, gross)}
}

// part is of × gross / amount, rounded half up to what the currency's amounts are made of,
// as vatOf rounds. Nothing overflows: Stripe's amounts have eight digits.
func (s *vatSale) part(of, gross int64) int64 {
	step := s.cart.Currency.Step()
	if of%step != 0 || s.amount == 0 {
		step = 1
	}
	whole := max(s.amount, 1) * step
	return (2*of*gross + whole) / (2 * whole) * step
}

// add puts a share into the sums of what had VAT and of what had none.
func (v *vatSummary) add(e *VATEntry, line VATLine, s vatShare) {
	if !e.InSpan {
		return
	}
	c := v.sale.cart
	put := func(mode VATMode, points int64, p vatPart) {
		if p == (vatPart{}) {
			return
		}
		g := vatGroup{c.Currency, mode, points}
		if v.groups[g] == nil {
			v.groups[g] = &vatSums{VATPayments: {}, VATRefunds: {}, VATLost: {}}
		}
		sum := (*v.groups[g])[line]
		sum.gross, sum.vat = sum.gross+p.gross, sum.vat+p.vat
	}
	put(c.VATMode, c.VATBasisPoints, vatPart{s.taxed, s.vat})
	put(VATNone, 0, vatPart{s.gross - s.taxed, 0})
}

func (v *vatSummary) rows() []VATRow {
	rows := []VATRow{}
	for _, g := range slices.SortedFunc(maps.Keys(v.groups), func(a, b vatGroup) int {
		return cmp.Or(cmp.Compare(a.currency, b.currency), cmp.Compare(a.mode, b.mode), cmp.Compare(a.points, b.points))
	}) {
		total := vatPart{}
		row := func(line VATLine, p vatPart) {
			text := func(minor int64) string { return Money{minor, g.currency}.Text() }
			rows = append(rows, VATRow{Currency: g.currency, Line: line, Mode: g.mode, Rate: Percent(g.points),
				Net: text(p.gross - p.vat), VAT: text(p.vat), Gross: text(p.gross)})
		}
		for _, line := range []VATLine{VATPayments, VATRefunds, VATLost} {
			p := *(*v.groups[g])[line]
			total = vatPart{total.gross + p.gross, total.vat + p.vat}
			row(line, p)
		}
		row(VATTotal, total)
	}
	return rows
}
