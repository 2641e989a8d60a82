package pay

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// MaxItems is how many lines a cart may have; Stripe's Checkout takes as many.
const MaxItems = 100

// maxText is how many characters an item's texts may have.
var maxText = map[string]int{"Title": 500, "Key": 255, "AdditionalInformation": 5_000}

// CartItem is one line of a portal's ShoppingInformation. Amounts are decimal
// text in the cart's currency, as they came over the wire; "" counts as 0.
type CartItem struct {
	Title                 string
	Quantity              int64
	MonthlyFee            string
	SetupFee              string
	DisplayIndex          int64
	Key                   string
	AdditionalInformation []string
	PartID                int64
	VATApplicable         bool
	Currency              string
	TransactionCharge     string
	VoucherCredit         string
	AdvancePeriod         int64
	ItemSubTotal          string
}

// Cart is a priced cart, its lines in display order. Total is what is paid.
type Cart struct {
	Currency       Currency
	VATMode        VATMode
	VATBasisPoints int64
	Lines          []Line
	SubtotalMinor  int64 // Σ of the lines before VAT (as stated, so with VAT when inclusive)
	VATMinor       int64 // added when exclusive, contained when inclusive
	TotalMinor     int64
}

// Total is what Stripe is asked for.
func (c *Cart) Total() Money { return Money{c.TotalMinor, c.Currency} }

// Line is one priced line.
type Line struct {
	Index         int // position in the request, for error paths
	Key           string
	PartID        int64
	Title         string
	Additional    []string
	Quantity      int64
	SetupMinor    int64
	MonthlyMinor  int64
	Months        int64 // months paid now
	ChargeMinor   int64
	VoucherMinor  int64
	SubtotalMinor int64 // before VAT
	VATMinor      int64
	TotalMinor    int64 // what the line adds to the total
	VATApplicable bool
	Stated        bool   // SubtotalMinor is the portal's own (policy subtotal: trust)
	Explanation   string // the arithmetic in words and numbers
}

// Path is the line's place in the request, such as ShoppingInformation[0].
func (l *Line) Path() string { return itemPath(l.Index, "") }

func itemPath(i int, field string) string {
	p := fmt.Sprintf("ShoppingInformation[%d]", i)
	if field != "" {
		p += "." + field
	}
	return p
}

// PriceCart computes what a cart costs for a tenant, exactly as product.md
// section 3 has it:
//
//	line  = Quantity × (SetupFee + MonthlyFee × AdvancePeriod) + TransactionCharge − VoucherCredit
//	vat   = VatApplicable ? line × rate, rounded half up : 0
//	total = Σ (line + vat)
//
// The error is an *Error that names the field. A total of 0 is allowed; one that
// Stripe would refuse is not.
func PriceCart(t *Tenant, items []CartItem) (Cart, error) {
	if len(items) == 0 {
		return Cart{}, Errorf(CodeNotEmpty, "ShoppingInformation", "The cart has no items")
	}
	if len(items) > MaxItems {
		return Cart{}, Errorf(CodeTooManyItems, "ShoppingInformation", "The cart has %d items; %d is the most", len(items), MaxItems)
	}
	currency, err := cartCurrency(t, items)
	if err != nil {
		return Cart{}, err
	}
	cart := Cart{Currency: currency, VATMode: t.VATMode, VATBasisPoints: t.VATBasisPoints}
	seen := map[string]int{}
	display := make(map[int]int64, len(items))
	for i := range items {
		if k := items[i].Key; k != "" {
			if first, dup := seen[k]; dup {
				return Cart{}, Errorf(CodeDuplicateKey, itemPath(i, "Key"), "is also the key of item %d; keys must be unique in a cart", first)
			}
			seen[k] = i
		}
		line, err := priceLine(t, currency, i, &items[i])
		if err != nil {
			return Cart{}, err
		}
		display[i] = items[i].DisplayIndex
		cart.Lines = append(cart.Lines, line)
	}
	slices.SortStableFunc(cart.Lines, func(a, b Line) int { return cmp.Compare(display[a.Index], display[b.Index]) })
	return cart, cart.sum()
}

// cartCurrency finds the one currency of the items.
func cartCurrency(t *Tenant, items []CartItem) (Currency, error) {
	var currency Currency
	for i := range items {
		c := t.DefaultCurrency
		if text := items[i].Currency; text != "" {
			var err error
			if c, err = ParseCurrency(itemPath(i, "Currency"), text); err != nil {
				return "", err
			}
		}
		if !t.AllowsCurrency(c) {
			return "", Errorf(CodeCurrencyNotAllowed, itemPath(i, "Currency"), "This tenant does not take %s", c)
		}
		if i > 0 && c != currency {
			return "", Errorf(CodeMixedCurrencies, itemPath(i, "Currency"), "is %s, but the items before it are in %s; a cart has one currency", c, currency)
		}
		currency = c
	}
	return currency, nil
}

// priceLine prices one item.
func priceLine(t *Tenant, currency Currency, i int, item *CartItem) (Line, error) {
	l := Line{Index: i, Key: item.Key, PartID: item.PartID, Title: item.Title, Additional: item.AdditionalInformation,
		Quantity: item.Quantity, Months: item.AdvancePeriod, VATApplicable: item.VATApplicable}
	if strings.TrimSpace(item.Title) == "" {
		return l, Errorf(CodeNotEmpty, itemPath(i, "Title"), "says what is paid for and must not be empty")
	}
	for _, text := range [][2]string{{"Title", item.Title}, {"Key", item.Key}, {"AdditionalInformation", strings.Join(item.AdditionalInformation, "")}} {
		if err := tooLong(itemPath(i, text[0]), text[1], maxText[text[0]]); err != nil {
			return l, err
		}
	}
	if item.Quantity < 1 {
		return l, Errorf(CodeInvalidAmount, itemPath(i, "Quantity"), "is %d, but must be at least 1", item.Quantity)
	}
	if item.AdvancePeriod < 0 {
		return l, Errorf(CodeInvalidAmount, itemPath(i, "AdvancePeriod"), "is %d months, but must not be negative", item.AdvancePeriod)
	}
	if l.Months == 0 && t.Policies.FirstMonth == "included" {
		l.Months = 1
	}
	for _, f := range []struct {
		name, text string
		to         *int64
	}{
		{"SetupFee", item.SetupFee, &l.SetupMinor}, {"MonthlyFee", item.MonthlyFee, &l.MonthlyMinor},
		{"TransactionCharge", item.TransactionCharge, &l.ChargeMinor}, {"VoucherCredit", item.VoucherCredit, &l.VoucherMinor},
	} {
		m, err := parseAmount(itemPath(i, f.name), f.text, currency)
		if err != nil {
			return l, err
		}
		*f.to = m.Minor
	}
	months, ok1 := mulMinor(l.MonthlyMinor, l.Months)
	unit, ok2 := addMinor(l.SetupMinor, months)
	line, ok3 := mulMinor(unit, l.Quantity)
	line, ok4 := addMinor(line, l.ChargeMinor)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return l, Errorf(CodeAmountTooLarge, l.Path(), "comes to more than any payment may be")
	}
	l.SubtotalMinor = line - l.VoucherMinor
	if err := applyStated(t, currency, i, item, &l); err != nil {
		return l, err
	}
	if l.SubtotalMinor < 0 {
		return l, Errorf(CodeInvalidAmount, itemPath(i, "VoucherCredit"), "is more than the line it is for; a line is never below 0")
	}
	l.VATMinor = vatOf(t, currency, l)
	l.TotalMinor = l.SubtotalMinor
	if t.VATMode == VATExclusive {
		l.TotalMinor += l.VATMinor
	}
	l.Explanation = explain(t, currency, &l)
	return l, nil
}

// parseAmount is ParseMoney for an amount that may not be negative.
func parseAmount(field, text string, c Currency) (Money, error) {
	if text == "" {
		return Money{0, c}, nil
	}
	m, err := ParseMoney(field, text, c)
	if err != nil {
		return m, err
	}
	if m.Minor < 0 {
		return m, Errorf(CodeInvalidAmount, field, "is negative; amounts here are 0 or more")
	}
	return m, nil
}

// applyStated holds ItemSubTotal, when it is not 0, to our arithmetic, or takes
// it instead where the tenant's policy says so.
func applyStated(t *Tenant, c Currency, i int, item *CartItem, l *Line) error {
	stated, err := parseAmount(itemPath(i, "ItemSubTotal"), item.ItemSubTotal, c)
	if err != nil || stated.Minor == 0 {
		return err
	}
	if stated.Minor == l.SubtotalMinor {
		return nil
	}
	if t.Policies.Subtotal == "trust" {
		l.SubtotalMinor, l.Stated = stated.Minor, true
		return nil
	}
	e := Errorf(CodeSubTotalMismatch, itemPath(i, "ItemSubTotal"), "Item %d states %s, but its fields come to %s", i,
		stated.Text(), Money{l.SubtotalMinor, c}.Text())
	e.Meta = map[string]string{"stated": stated.Text(), "computed": Money{l.SubtotalMinor, c}.Text()}
	return e
}

// vatOf is the VAT on, or in, a line: rounded half up to the minor unit, which
// for a currency whose last digit Stripe wants to be 0 is that coarser step.
func vatOf(t *Tenant, c Currency, l Line) int64 {
	if !l.VATApplicable || t.VATBasisPoints == 0 || l.SubtotalMinor > math.MaxInt64/20_001 {
		return 0 // an amount that large is refused by sum
	}
	divisor := int64(10_000)
	if t.VATMode == VATInclusive {
		divisor += t.VATBasisPoints
	}
	step := c.Step()
	return (2*(l.SubtotalMinor/step)*t.VATBasisPoints + divisor) / (2 * divisor) * step
}

// sum adds the lines up and holds the total to Stripe's limits.
func (c *Cart) sum() error {
	for _, l := range c.Lines {
		var ok1, ok2, ok3 bool
		c.SubtotalMinor, ok1 = addMinor(c.SubtotalMinor, l.SubtotalMinor)
		c.VATMinor, ok2 = addMinor(c.VATMinor, l.VATMinor)
		c.TotalMinor, ok3 = addMinor(c.TotalMinor, l.TotalMinor)
		if !ok1 || !ok2 || !ok3 || c.TotalMinor > MaxMinor {
			return Errorf(CodeAmountTooLarge, "ShoppingInformation", "The total is more than %s, the most that Stripe charges",
				Money{MaxMinor, c.Currency}.Text())
		}
	}
	if c.TotalMinor == 0 && !slices.ContainsFunc(c.Lines, func(l Line) bool { return l.VoucherMinor > 0 }) {
		return Errorf(CodeAmountTooSmall, "ShoppingInformation", "The cart costs nothing and has no voucher that would explain it. Send its prices.")
	}
	if least := c.Currency.Minimum(); c.TotalMinor > 0 && c.TotalMinor < least {
		return Errorf(CodeAmountTooSmall, "ShoppingInformation", "The total is %s, but Stripe charges at least %s",
			c.Total(), Money{least, c.Currency})
	}
	return nil
}

// Percent writes basis points as people write a rate: 2000 is "20", 1750 "17.5".
func Percent(basisPoints int64) string {
	s := fmt.Sprintf("%d.%02d", basisPoints/100, basisPoints%100)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// explain writes a line's arithmetic, such as
// "2 × (£10.00 setup + £12.00 a month × 3 months) + £0.50 charge − £5.00 voucher = £87.50".
func explain(t *Tenant, c Currency, l *Line) string {
	show := func(minor int64) string { return Money{minor, c}.Display() }
	var b strings.Builder
	if l.Stated {
		fmt.Fprintf(&b, "%s, as stated by %s", show(l.SubtotalMinor), t.Branding.DisplayName)
	} else {
		var unit []string
		if l.SetupMinor != 0 {
			unit = append(unit, show(l.SetupMinor)+" setup")
		}
		if l.MonthlyMinor != 0 && l.Months != 0 {
			months := "months"
			if l.Months == 1 {
				months = "month"
			}
			unit = append(unit, fmt.Sprintf("%s a month × %d %s", show(l.MonthlyMinor), l.Months, months))
		}
		one := strings.Join(unit, " + ")
		switch {
		case one == "":
			one = show(0)
		case len(unit) > 1:
			one = "(" + one + ")"
		}
		var terms []string
		if len(unit) > 0 || l.ChargeMinor == 0 { // a charge alone is no sum
			terms = append(terms, fmt.Sprintf("%d × %s", l.Quantity, one))
		}
		if l.ChargeMinor != 0 {
			terms = append(terms, show(l.ChargeMinor)+" transaction charge")
		}
		b.WriteString(strings.Join(terms, " + "))
		if l.VoucherMinor != 0 {
			fmt.Fprintf(&b, " − %s voucher", show(l.VoucherMinor))
		}
		fmt.Fprintf(&b, " = %s", show(l.SubtotalMinor))
	}
	switch {
	case !l.VATApplicable || t.VATBasisPoints == 0:
		b.WriteString(", no VAT")
	case t.VATMode == VATInclusive:
		fmt.Fprintf(&b, ", of which VAT %s %% is %s", Percent(t.VATBasisPoints), show(l.VATMinor))
	default:
		fmt.Fprintf(&b, "; plus VAT %s %% (%s) = %s", Percent(t.VATBasisPoints), show(l.VATMinor), show(l.TotalMinor))
	}
	return b.String()
}

// MonthlyAfter is what PortaBilling will bill each month from now on: the page
// says so, and we do not bill it.
func (c *Cart) MonthlyAfter() Money {
	total := Money{0, c.Currency}
	for _, l := range c.Lines {
		if m, ok := mulMinor(l.MonthlyMinor, l.Quantity); ok {
			total.Minor += m
		}
	}
	return total
}

// StripeLines writes the cart as Stripe's line items, whose sum is Total to the
// minor unit: Quantity × unit where that is exact, else one unit of the line's
// amount; VAT that is added is a line of its own; a voucher never becomes a
// negative line. Stripe takes at most 100 lines, so where VAT would be the 101st
// the last two items share one.
func (c *Cart) StripeLines() []StripeLine {
	var out []StripeLine
	for _, l := range c.Lines {
		s := StripeLine{Name: clip(l.Title, 250), Description: clip(strings.Join(l.Additional, " · "), 500),
			Quantity: 1, UnitMinor: l.SubtotalMinor, Metadata: map[string]string{}}
		if q := l.Quantity; q > 1 && q <= 999_999 && l.SubtotalMinor%(q*c.Currency.Step()) == 0 {
			s.Quantity, s.UnitMinor = q, l.SubtotalMinor/q
		} else if q > 1 {
			s.Name = clip(fmt.Sprintf("%d × %s", q, l.Title), 250)
		}
		if l.Key != "" {
			s.Metadata["key"] = clip(l.Key, 500)
		}
		if l.PartID != 0 {
			s.Metadata["part_id"] = fmt.Sprint(l.PartID)
		}
		out = append(out, s)
	}
	if c.VATMode != VATExclusive || c.VATMinor == 0 {
		return out
	}
	if len(out) == MaxItems {
		a, b := out[MaxItems-2], out[MaxItems-1]
		out = append(out[:MaxItems-2], StripeLine{Name: clip(a.Name, 120) + " and " + clip(b.Name, 120), Quantity: 1,
			UnitMinor: a.Quantity*a.UnitMinor + b.Quantity*b.UnitMinor, Metadata: map[string]string{}})
	}
	return append(out, StripeLine{Name: "VAT " + Percent(c.VATBasisPoints) + " %", Quantity: 1, UnitMinor: c.VATMinor,
		Metadata: map[string]string{"kind": "vat"}})
}

// clip shortens text to n characters, with an ellipsis where it cut.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
