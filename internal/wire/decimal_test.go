package wire

import (
	"encoding/json"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestDecimal(t *testing.T) {
	t.Parallel()
	t.Run("ItKeepsItsScale", func(t *testing.T) {
		t.Parallel()
		for text, want := range map[string]string{
			"9.90": "9.90", "0.00": "0.00", "-0.00": "0.00", "-0": "0", "007.50": "7.50", "00": "0", "-01": "-1",
			"12345678901234567890.12345678":  "12345678901234567890.12345678",
			"0.0000000000000000000000000001": "0.0000000000000000000000000001",
		} {
			d, err := ParseDecimal(text)
			if err != nil || d.String() != want {
				t.Errorf("%s became %s, %v; want %s", text, d, err, want)
			}
		}
	})
	t.Run("AnAmountHasOneSpelling", func(t *testing.T) {
		t.Parallel()
		for _, text := range amountSpellings {
			if d, err := ParseDecimal(text); err == nil {
				t.Errorf("%q became %s", text, d)
			}
		}
	})
	t.Run("JSONExponentsBecomePlainDigits", func(t *testing.T) {
		t.Parallel()
		for token, want := range map[string]string{
			"1e2": "100", "1.5e2": "150", "1.5E+1": "15", "1.50e1": "15.0", "25e-2": "0.25", "-1.5e-1": "-0.15", "0e0": "0",
			"1e28": "10000000000000000000000000000", "1e-28": "0.0000000000000000000000000001", "12.34e1": "123.4",
		} {
			d, err := parseJSONNumber(token)
			if err != nil || d.String() != want {
				t.Errorf("%s became %s, %v; want %s", token, d, err, want)
			}
		}
		for _, token := range []string{"1e29", "1e400", "1e1000000000", "1e-29", "1e-1000000000", "1e99999999999999999999", "0e400"} {
			if d, err := parseJSONNumber(token); err == nil {
				t.Errorf("%s became %s", token, d)
			}
		}
	})
	t.Run("ItTravelsAsText", func(t *testing.T) {
		t.Parallel()
		text, err := json.Marshal(MustDecimal("9.90"))
		var d Decimal
		if err != nil || string(text) != `"9.90"` || json.Unmarshal(text, &d) != nil || d.String() != "9.90" {
			t.Errorf("%s, %v, %s", text, err, d)
		}
		if json.Unmarshal([]byte(`"1e5"`), &d) == nil {
			t.Error("1e5 is accepted")
		}
	})
	t.Run("ItsValueIsExact", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			a, b := decimals.Draw(t, "a"), decimals.Draw(t, "b")
			x, y := MustDecimal(a), MustDecimal(b)
			left, _ := new(big.Rat).SetString(a)
			right, _ := new(big.Rat).SetString(b)
			again, _ := new(big.Rat).SetString(x.String())
			if left.Cmp(again) != 0 || x.Equal(y) != (left.Cmp(right) == 0) || x.IsZero() != (left.Sign() == 0) ||
				x.IsNegative() != (left.Sign() < 0) {
				t.Fatalf("%s is read as %s; equal to %s: %v", a, x, b, x.Equal(y))
			}
		})
	})
}
