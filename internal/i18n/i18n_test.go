package i18n_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/i18n"
	"github.com/portatill/portatill/pay"
)

func messagesOf(t *testing.T, tag string) map[string]any {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("messages", tag+".json"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// forms is a message's texts by plural form; a plain one has the form "".
func forms(m any) map[string]string {
	out := map[string]string{}
	switch m := m.(type) {
	case string:
		out[""] = m
	case map[string]any:
		for form, text := range m {
			out[form], _ = text.(string)
		}
	}
	return out
}

var placeholder = regexp.MustCompile(`\{\{\.(\w+)\}\}`)

func placeholders(text string) []string {
	var out []string
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pluralForms are CLDR's cardinal forms of each language, for whole numbers.
var pluralForms = map[string][]string{
	"en": {"one", "other"}, "de": {"one", "other"}, "nl": {"one", "other"},
	"fr": {"many", "one", "other"}, "es": {"many", "one", "other"}, "it": {"many", "one", "other"}, "pt": {"many", "one", "other"},
	"pl": {"few", "many", "one", "other"}, "ar": {"few", "many", "one", "other", "two", "zero"},
}

func TestMessages(t *testing.T) {
	t.Parallel()
	english := messagesOf(t, "en")
	for _, l := range i18n.Languages() {
		t.Run(l.Tag, func(t *testing.T) {
			t.Parallel()
			messages := messagesOf(t, l.Tag)
			t.Run("AreThoseOfEnglish", func(t *testing.T) {
				for key := range english {
					if messages[key] == nil {
						t.Errorf("%s is not translated", key)
					}
				}
				for key := range messages {
					if english[key] == nil {
						t.Errorf("%s is not in en.json", key)
					}
				}
			})
			t.Run("SayTheSameFacts", func(t *testing.T) {
				for key, m := range english {
					want := placeholders(forms(m)[""] + forms(m)["other"])
					for form, text := range forms(messages[key]) {
						if strings.TrimSpace(text) == "" || text != strings.TrimSpace(text) {
							t.Errorf("%s %s is %q", key, form, text)
						}
						got := placeholders(text)
						want := want
						if form != "" && form != "other" { // "in one second" may leave the number out
							number := func(p string) bool { return p == "Number" }
							want, got = slices.DeleteFunc(slices.Clone(want), number), slices.DeleteFunc(got, number)
						}
						if !slices.Equal(want, got) {
							t.Errorf("%s %s has %v, English %v", key, form, got, want)
						}
					}
				}
			})
			t.Run("HaveEveryPluralFormOfTheLanguage", func(t *testing.T) {
				for key, m := range english {
					if _, plain := m.(string); plain {
						continue
					}
					got := []string{}
					for form := range forms(messages[key]) {
						got = append(got, form)
					}
					slices.Sort(got)
					if diff := cmp.Diff(pluralForms[l.Tag], got); diff != "" {
						t.Errorf("%s: %s", key, diff)
					}
					for _, n := range []int64{0, 1, 2, 3, 5, 11, 21, 100, 101, 1_000_000} {
						if text := l.Count(key, n); text == key || strings.Contains(text, "{{") {
							t.Errorf("%d gives %q", n, text)
						}
					}
				}
			})
			t.Run("AreInTheLanguage", func(t *testing.T) {
				if l.Tag == "en" {
					return
				}
				for key, m := range messages {
					for form, text := range forms(m) {
						if text == forms(english[key])[form] && len(strings.Fields(placeholder.ReplaceAllString(text, ""))) > 2 {
							t.Errorf("%s is still English: %q", key, text)
						}
					}
				}
			})
		})
	}
}

// TestKeys compares the keys of en.json with those that the program uses: both ways.
func TestKeys(t *testing.T) {
	t.Parallel()
	english := messagesOf(t, "en")
	spaces := map[string]bool{}
	for key := range english {
		space, _, _ := strings.Cut(key, ".")
		spaces[space] = true
	}
	literal := regexp.MustCompile(`"([a-z]+)\.[a-z0-9_.]+"`)
	used := map[string]string{}
	for _, pattern := range []string{"*.go", "../../views/*.templ", "../../views/*.go", "../../handlers/*.go", "../mail/*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_templ.go") {
				continue
			}
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range literal.FindAllStringSubmatch(string(raw), -1) {
				if spaces[m[1]] && !strings.HasSuffix(m[0], `.css"`) {
					used[strings.Trim(m[0], `"`)] = name
				}
			}
		}
	}
	if len(used) < 100 {
		t.Fatalf("only %d keys were found in the sources: the search is broken", len(used))
	}
	for key, name := range used {
		if english[key] == nil {
			t.Errorf("%s uses %q, which en.json does not have", name, key)
		}
	}
	for key := range english {
		if used[key] == "" {
			t.Errorf("%q is in en.json and nothing uses it", key)
		}
	}
}

// intl is what Intl in Node.js makes of the same values (build/cldr.mjs).
type intl struct {
	Money, Percent, Date, Moment, Integer [][]any
}

func TestNumbersAndDates(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/intl.json")
	if err != nil {
		t.Fatal(err)
	}
	var want intl
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	check := func(name string, samples [][]any, say func(l *i18n.Language, s []any) string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if len(samples) < 30 {
				t.Fatalf("only %d samples", len(samples))
			}
			for _, s := range samples {
				l, want := i18n.ByTag(s[0].(string)), s[len(s)-1].(string)
				if got := say(l, s); got != want {
					t.Errorf("%v: %q, Intl writes %q", s[:len(s)-1], got, want)
				}
			}
		})
	}
	check("MoneyOfEveryCurrencyIsWrittenAsIntlWritesIt", want.Money, func(l *i18n.Language, s []any) string {
		m, err := pay.ParseMoney("amount", s[2].(string), pay.Currency(s[1].(string)))
		if err != nil {
			t.Errorf("%v: %v", s, err)
		}
		got := l.Money(m)
		if l.Dir == "rtl" { // the mark that keeps UK£ from being shown as £UK
			got = strings.TrimSuffix(got, "\u200e")
		}
		return got
	})
	number := func(v any) int64 { return int64(v.(float64)) }
	check("PercentagesAreWrittenAsIntlWritesThem", want.Percent, func(l *i18n.Language, s []any) string { return l.Percent(number(s[1])) })
	check("WholeNumbersAreWrittenAsIntlWritesThem", want.Integer, func(l *i18n.Language, s []any) string { return l.Integer(number(s[1])) })
	check("DaysAreWrittenAsIntlWritesThem", want.Date, func(l *i18n.Language, s []any) string { return l.Date(time.Unix(number(s[1]), 0)) })
	check("MomentsAreWrittenAsIntlWritesThem", want.Moment, func(l *i18n.Language, s []any) string { return l.Moment(time.Unix(number(s[1]), 0)) })

	t.Run("TheLargestAmountLosesNoPenny", func(t *testing.T) {
		t.Parallel()
		for tag, want := range map[string]string{"en": "£92,233,720,368,547,758.07", "de": "92.233.720.368.547.758,07\u00a0£"} {
			if got := i18n.ByTag(tag).Money(pay.Money{Minor: 1<<63 - 1, Currency: "GBP"}); got != want {
				t.Errorf("%s: %q, want %q", tag, got, want)
			}
		}
	})
	t.Run("NoTimeIsNoText", func(t *testing.T) {
		t.Parallel()
		for _, l := range i18n.Languages() {
			if got := l.Date(time.Time{}) + l.Moment(time.Time{}) + l.Clock(time.Time{}); got != "" {
				t.Errorf("%s: %q", l.Tag, got)
			}
		}
	})
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	var got []string
	for _, l := range i18n.Languages() {
		got = append(got, l.Tag)
	}
	if diff := cmp.Diff(pay.Languages, got); diff != "" {
		t.Errorf("a tenant can choose others than there are: %s", diff)
	}
}

func TestChoice(t *testing.T) {
	t.Parallel()
	tag := func(l *i18n.Language) string {
		if l == nil {
			return ""
		}
		return l.Tag
	}
	t.Run("AHeaderIsReadByItsQualities", func(t *testing.T) {
		t.Parallel()
		for header, want := range map[string]string{
			"": "", "de": "de", "de-AT": "de", "DE-at": "de", "pt-BR": "pt", "ar-EG,en;q=0.1": "ar", "en-GB,en;q=0.9,de;q=0.8": "en",
			"de;q=0.3, fr;q=0.9": "fr", "ja, nl;q=0.5": "nl", "ja": "", "*": "", "zz-zz": "", "pl;q=0, it;q=0.1": "it", "pl;q=0": "",
			"fr;q=oops": "", ";;;,,,": "", "de\x00": "", "\xff\xfe": "",
		} {
			if got := tag(i18n.Accepted(header)); got != want {
				t.Errorf("%q gives %q, want %q", header, got, want)
			}
		}
	})
	t.Run("OfAHostileHeaderOnlyTheBeginningIsRead", func(t *testing.T) {
		t.Parallel()
		if got := tag(i18n.Accepted("es," + strings.Repeat("x-a,", 100_000))); got != "es" {
			t.Errorf("got %q", got)
		}
		if got := tag(i18n.Accepted(strings.Repeat("a-", 500_000))); got != "" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("ATagIsOneOfOursOrNothing", func(t *testing.T) {
		t.Parallel()
		for asked, want := range map[string]string{
			"de": "de", "fr-CA": "fr", "EN": "en", "": "", "ja": "", "zz": "", "../de": "", "de\x00": "", "<script>": "", strings.Repeat("de-", 50): "",
		} {
			if got := tag(i18n.ByTag(asked)); got != want {
				t.Errorf("%q gives %q, want %q", asked, got, want)
			}
		}
	})
}

func TestSay(t *testing.T) {
	t.Parallel()
	t.Run("ANameOfTheOtherDirectionIsIsolated", func(t *testing.T) {
		t.Parallel()
		for tag, want := range map[string]string{"en": "Back to \u2068אקמה\u2069", "ar": "العودة إلى \u2068אקמה\u2069"} {
			if got := i18n.ByTag(tag).Say("return.back", "Seller", "אקמה"); got != want {
				t.Errorf("%s: %q", tag, got)
			}
		}
		if got := i18n.ByTag("ar").Say("return.back", "Seller", "Acme"); got != "العودة إلى \u2068Acme\u2069" {
			t.Errorf("%q", got)
		}
		if got := i18n.English().Say("return.back", "Seller", "Acme"); got != "Back to Acme" {
			t.Errorf("%q", got)
		}
	})
	t.Run("WhatIsPutInIsNoTemplate", func(t *testing.T) {
		t.Parallel()
		if got := i18n.English().Say("return.back", "Seller", "{{.Seller}}{{7}}"); got != "Back to {{.Seller}}{{7}}" {
			t.Errorf("%q", got)
		}
	})
	t.Run("AMessageCanBeSaidAroundSomething", func(t *testing.T) {
		t.Parallel()
		before, after := i18n.ByTag("de").Around("account.remove_ask", "Card")
		if before != "" || after != " entfernen?" {
			t.Errorf("%q, %q", before, after)
		}
	})
	t.Run("PolishAndArabicCountAsTheyDo", func(t *testing.T) {
		t.Parallel()
		for want, got := range map[string]string{
			"Przekierowanie nastąpi za 4 sekundy.":  i18n.ByTag("pl").Count("return.taken_there", 4),
			"Przekierowanie nastąpi za 5 sekund.":   i18n.ByTag("pl").Count("return.taken_there", 5),
			"Przekierowanie nastąpi za 22 sekundy.": i18n.ByTag("pl").Count("return.taken_there", 22),
			"سيتم تحويلكم خلال ثانيتين.":            i18n.ByTag("ar").Count("return.taken_there", 2),
			"سيتم تحويلكم خلال 11 ثانية.":           i18n.ByTag("ar").Count("return.taken_there", 11),
		} {
			if got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	})
}

func TestExplain(t *testing.T) {
	t.Parallel()
	tenant := pay.NewTenant("acme", "Acme", "GBP", time.Unix(0, 0))
	tenant.VATBasisPoints = 2000
	items := []pay.CartItem{
		{Title: "a", Quantity: 2, SetupFee: "10", MonthlyFee: "12", AdvancePeriod: 3, TransactionCharge: "0.50", VoucherCredit: "5", VATApplicable: true},
		{Title: "b", Quantity: 1, MonthlyFee: "1200", AdvancePeriod: 1},
		{Title: "c", Quantity: 1, SetupFee: "1", VATApplicable: true},
		{Title: "d", Quantity: 3, VoucherCredit: "0"},
	}
	for _, mode := range []pay.VATMode{pay.VATExclusive, pay.VATInclusive} {
		tenant.VATMode = mode
		cart, err := pay.PriceCart(tenant, items)
		if err != nil {
			t.Fatal(err)
		}
		stated := cart.Lines[1]
		t.Run("EnglishIsWhatTheWireSays/"+string(mode), func(t *testing.T) {
			t.Parallel()
			for i := range cart.Lines {
				l := &cart.Lines[i]
				if got := strings.ReplaceAll(i18n.English().Explain(&cart, l, "Acme"), "\u00a0", " "); got != l.Explanation {
					t.Errorf("%q, the wire says %q", got, l.Explanation)
				}
			}
			stated.Stated = true
			if got := i18n.English().Explain(&cart, &stated, "Acme"); got != "£1,200.00, as stated by Acme, no VAT" {
				t.Errorf("%q", got)
			}
		})
	}
	t.Run("PolishHasItsOwnWordsAndNumbers", func(t *testing.T) {
		t.Parallel()
		tenant := *tenant
		tenant.VATMode = pay.VATExclusive
		cart, err := pay.PriceCart(&tenant, items[:1])
		if err != nil {
			t.Fatal(err)
		}
		want := "2 × (10,00 GBP za aktywację + 12,00 GBP miesięcznie × 3 miesiące) + 0,50 GBP opłaty transakcyjnej − 5,00 GBP z kuponu = 87,50 GBP; do tego VAT 20% (17,50 GBP) = 105,00 GBP"
		if got := strings.ReplaceAll(i18n.ByTag("pl").Explain(&cart, &cart.Lines[0], "Acme"), "\u00a0", " "); got != want {
			t.Errorf("%q", got)
		}
	})
}

func TestDecline(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"insufficient_funds", "expired_card", "incorrect_cvc", "card_not_supported", "processing_error", "debit_not_authorized",
		"authentication_required", "stolen_card", "", "new_code"} {
		if got, want := i18n.English().Decline(code), pay.DeclineAdvice(code); got != want {
			t.Errorf("%s: the page says %q, a portal is told %q", code, got, want)
		}
	}
	if i18n.ByTag("de").Decline("stolen_card") != i18n.ByTag("de").Decline("generic_decline") {
		t.Error("a stolen card can be told from any other refusal")
	}
}
