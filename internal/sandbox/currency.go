package sandbox

import (
	"slices"
	"strings"
)

// Presentment currencies of https://stripe.com/docs/currencies.
var currencies = strings.Fields(`usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad
	cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils
	inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mro mur mvr mwk mxn myr
	mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sll sos srd std
	szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw`)

var (
	zeroDecimal  = strings.Fields("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
	threeDecimal = strings.Fields("bhd jod kwd omr tnd")
	// ISK and UGX have no decimals any more but are still written with two, which must be 00.
	wholeOnly = strings.Fields("isk ugx")
)

// Minimum charges of https://stripe.com/docs/currencies#minimum-and-maximum-charge-amounts, in minor units.
var minimumCharge = map[string]int64{
	"usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30,
	"hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200, "ron": 200,
	"sek": 300, "sgd": 50, "thb": 1000,
}

const maximumCharge = 99999999

// Fees: 1.5 % and 20 minor units, what Stripe takes for a British card; the exact rate matters less than that there is
// one and that it can be recomputed.
const (
	feePerTenThousand = 150
	feeFixedMinor     = 20
)

func feeOf(amountMinor int64) int64 {
	return (amountMinor*feePerTenThousand+5000)/10000 + feeFixedMinor
}

func checkCurrency(currency, param string) (string, *apiError) {
	lower := strings.ToLower(currency)
	if !slices.Contains(currencies, lower) {
		return "", invalid("", param, "Invalid currency: %s. Stripe currently supports these currencies: %s", cut(currency), strings.Join(currencies, ", "))
	}
	return lower, nil
}

// checkUnits applies the rules of a currency's decimals to an amount in minor units.
func checkUnits(amountMinor int64, currency, param string) *apiError {
	if slices.Contains(threeDecimal, currency) && amountMinor%10 != 0 {
		return invalid("parameter_invalid_integer", param, "Invalid amount for %s: three-decimal currencies are rounded to the nearest ten, so the last digit must be 0.", currency)
	}
	if slices.Contains(wholeOnly, currency) && amountMinor%100 != 0 {
		return invalid("parameter_invalid_integer", param, "Invalid amount for %s: it has no decimals any more, so the last two digits must be 00.", currency)
	}
	return nil
}

// checkCharge says whether an amount can be charged at all.
func checkCharge(amountMinor int64, currency, param string) *apiError {
	least := max(minimumCharge[currency], 1)
	switch {
	case amountMinor < 0:
		return invalid("parameter_invalid_integer", param, "This value must be greater than or equal to 1.")
	case amountMinor < least:
		return invalid("amount_too_small", param, "Amount must be at least %s", formatMoney(least, currency))
	case amountMinor > maximumCharge:
		return invalid("amount_too_large", param, "Amount must be no more than %s", formatMoney(maximumCharge, currency))
	}
	return checkUnits(amountMinor, currency, param)
}

func decimalsOf(currency string) int {
	switch {
	case slices.Contains(zeroDecimal, currency):
		return 0
	case slices.Contains(threeDecimal, currency):
		return 3
	}
	return 2
}

var currencySigns = map[string]string{"gbp": "£", "usd": "$", "eur": "€", "jpy": "¥", "aud": "A$", "cad": "CA$", "nzd": "NZ$", "inr": "₹"}

// formatMoney writes an amount as the hosted page and Stripe's messages show it: £12.50, ¥500, CHF 3.00.
func formatMoney(minor int64, currency string) string {
	digits := decimalText(minor, decimalsOf(currency))
	sign, digits := "", strings.TrimPrefix(digits, "-")
	if minor < 0 {
		sign = "-"
	}
	if symbol, ok := currencySigns[currency]; ok {
		return sign + symbol + digits
	}
	return sign + strings.ToUpper(currency) + " " + digits
}
