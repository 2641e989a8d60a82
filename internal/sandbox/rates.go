package sandbox

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// The exchange rates are invented: they have the size of real ones, stand still but for a small swing from day to day, and
// are those of no market. They say what one whole unit of a currency is worth in US dollars.
var dollarValues = strings.Fields(`usd 1 aed 0.2723 afn 0.0141 all 0.0108 amd 0.00258 ang 0.558 aoa 0.0011 ars 0.00098 aud 0.654 awg 0.556 azn 0.588 bam 0.556
	bbd 0.5 bdt 0.0084 bgn 0.556 bhd 2.653 bif 0.00034 bmd 1 bnd 0.741 bob 0.145 brl 0.181 bsd 1 bwp 0.0735 byn 0.306 bzd 0.496 cad 0.721 cdf 0.00035
	chf 1.127 clp 0.00105 cny 0.1389 cop 0.000242 crc 0.00194 cve 0.00986 czk 0.0429 djf 0.00562 dkk 0.1457 dop 0.0166 dzd 0.00746 egp 0.0205 etb 0.0081
	eur 1.087 fjd 0.443 fkp 1.271 gbp 1.271 gel 0.367 gip 1.271 gmd 0.0142 gnf 0.000116 gtq 0.1294 gyd 0.00478 hkd 0.1285 hnl 0.0401 hrk 0.1443 htg 0.0076
	huf 0.00271 idr 0.0000633 ils 0.268 inr 0.01189 isk 0.00724 jmd 0.00635 jod 1.41 jpy 0.00656 kes 0.00775 kgs 0.0117 khr 0.000246 kmf 0.00221
	krw 0.000724 kwd 3.254 kyd 1.2 kzt 0.00206 lak 0.0000456 lbp 0.0000112 lkr 0.00341 lrd 0.0052 lsl 0.0564 mad 0.1011 mdl 0.0561 mga 0.000218
	mkd 0.01766 mmk 0.000476 mnt 0.000294 mop 0.1248 mro 0.0028 mur 0.0216 mvr 0.0649 mwk 0.000577 mxn 0.0503 myr 0.2284 mzn 0.01565 nad 0.0564
	ngn 0.00061 nio 0.0272 nok 0.0917 npr 0.00743 nzd 0.601 omr 2.6 pab 1 pen 0.2655 pgk 0.2522 php 0.01718 pkr 0.0036 pln 0.2523 pyg 0.000128 qar 0.2747
	ron 0.2185 rsd 0.00929 rub 0.0103 rwf 0.00073 sar 0.2666 sbd 0.118 scr 0.0736 sek 0.0951 sgd 0.7412 shp 1.271 sle 0.0442 sll 0.0000442 sos 0.00175
	srd 0.0292 std 0.0000444 szl 0.0564 thb 0.0298 tjs 0.0939 tnd 0.321 top 0.422 try 0.0292 ttd 0.1475 twd 0.0312 tzs 0.000368 uah 0.0242 ugx 0.000272
	uyu 0.024 uzs 0.000078 vnd 0.0000395 vuv 0.00829 wst 0.361 xaf 0.001657 xcd 0.37 xof 0.001657 xpf 0.00911 yer 0.004 zar 0.0564 zmw 0.0368`)

// The rate of a day is up to swingSteps ten-thousandths above or below the table's. Two days that follow each other never
// have the same one.
const (
	swingSteps = 20
	swingPace  = 6 // steps from one day to the next; has no divisor in common with 2*swingSteps+1
)

// rateDigits are the significant digits that a rate is rounded to; Stripe gives about as many.
const rateDigits = 6

// rate turns amounts of one currency into another's. As at Stripe it goes from minor units to minor units: an amount times
// the rate is the other amount (https://stripe.com/docs/api/balance_transactions/object#balance_transaction_object-exchange_rate),
// so that between currencies of unlike decimals it is a hundred times a newspaper's, or a hundredth.
type rate struct {
	exact *big.Rat
	shown float64 // its decimal text is exact
}

// rateOf is the rate of the day in which now, in Unix seconds, lies.
func rateOf(from, into string, now int64) rate {
	r := new(big.Rat).Quo(dollars(from), dollars(into))
	swing := now/daySeconds*swingPace%(2*swingSteps+1) - swingSteps
	r.Mul(r, big.NewRat(10000+swing, 10000))
	for d := decimalsOf(into) - decimalsOf(from); d != 0; {
		if d > 0 {
			r.Mul(r, big.NewRat(10, 1))
			d--
		} else {
			r.Mul(r, big.NewRat(1, 10))
			d++
		}
	}
	f, _ := r.Float64()
	text := strconv.FormatFloat(f, 'g', rateDigits, 64)
	exact, _ := new(big.Rat).SetString(text)
	shown, _ := exact.Float64()
	return rate{exact, shown}
}

func dollars(currency string) *big.Rat {
	value := "1"
	if at := slices.Index(dollarValues, currency); at >= 0 {
		value = dollarValues[at+1]
	}
	r, _ := new(big.Rat).SetString(value)
	return r
}

// convert rounds half up, what leaves as well as what comes, so that the same amount at the same rate is the same both ways.
func (r rate) convert(amountMinor int64) int64 {
	sign := int64(1)
	if amountMinor < 0 {
		sign, amountMinor = -1, -amountMinor
	}
	exact := new(big.Rat).Mul(r.exact, big.NewRat(amountMinor, 1))
	exact.Add(exact, big.NewRat(1, 2))
	return sign * new(big.Int).Quo(exact.Num(), exact.Denom()).Int64()
}

// settle makes the account's money settle in one currency from now on, "" in that of each payment.
func (s *Server) settle(a *account, currency string) {
	for _, r := range a.kinds["account"] {
		r.obj["_settlement_currency"], r.obj["default_currency"] = currency, withDefault(orNil(currency), defaultCurrency)
		s.touch(r)
	}
}

// settlesIn is what settle has set.
func (a *account) settlesIn() string {
	if list := a.kinds["account"]; len(list) > 0 {
		return str(list[0].obj, "_settlement_currency")
	}
	return ""
}
