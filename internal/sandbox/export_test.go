package sandbox

import (
	"maps"
	"net/http"
	"slices"
)

// Routes lists the API's routes, for the test that every one of them was held against Stripe's file.
func Routes() []string { return slices.Sorted(maps.Keys(apiRoutes)) }

// ParseForm exposes the form parser to the fuzz test: the values it found, by name, and whether it took the form.
func ParseForm(text string) (map[string]string, error) {
	root, err := parseForm(text)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	flatten(root, "", out)
	return out, nil
}

func flatten(n *formNode, path string, out map[string]string) {
	if n.leaf {
		out[path] = n.value
	}
	for _, kid := range n.kids {
		flatten(kid, joinPath(path, kid.name), out)
	}
}

// CheckForm runs a form through the schema of a route, as a request does.
func CheckForm(route, text string) error {
	root, err := parseForm(text)
	if err != nil {
		return err
	}
	if _, refusal := loadParams().Routes[route].checkObject(root, nil); refusal != nil {
		return refusal
	}
	return nil
}

// FormatMoney is formatMoney.
func FormatMoney(minor int64, currency string) string { return formatMoney(minor, currency) }

// Convert is the amount in another currency at the rate of the day of now (Unix seconds), and that rate.
func Convert(from, into string, now, amountMinor int64) (int64, float64) {
	r := rateOf(from, into, now)
	return r.convert(amountMinor), r.shown
}

// Currencies are all there are, and RatedCurrencies those of the table of rates.
func Currencies() []string { return slices.Clone(currencies) }
func RatedCurrencies() (out []string) {
	for i := 0; i < len(dollarValues); i += 2 {
		out = append(out, dollarValues[i])
	}
	return out
}

// Panicking is a route whose handler has a fault.
func (s *Server) Panicking() http.Handler {
	return s.api("POST /v1/customers", func(*call) (any, *apiError) { panic("fault on purpose") })
}
