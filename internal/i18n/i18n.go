// Package i18n says in nine languages what customers read: the messages of the customer pages, and money, percentages
// and dates as each language writes them. It knows what a cart is, because the arithmetic of a line is told in words,
// and nothing of pages or requests. Staff pages and the wire stay English and do not come here.
//
// The messages are in messages/LANGUAGE.json, one file per language, read by go-i18n; en.json has the keys that all
// others must have, with the same placeholders, and a test holds them to it. How numbers and dates are written is in
// cldr.json, a table that build/cldr.mjs makes of the Unicode CLDR data in Node.js: golang.org/x/text has neither dates
// nor the place of a currency's symbol, and the CLDR of 2018.
package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"unicode"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// Language is one of those that customers' pages are written in. It is made once, when the program starts, and is safe
// for concurrent use.
type Language struct {
	Tag  string // BCP 47, such as "de"
	Dir  string // "ltr" or "rtl"
	Name string // what its speakers call it

	fixed map[string]string // messages without placeholders and plural forms
	rest  *goi18n.Localizer // all others
	cldr  conventions
}

//go:embed messages/*.json cldr.json
var files embed.FS

var (
	all     = load()
	tags    = tagsOf(all)
	matcher = language.NewMatcher(tags)
)

// names are the languages in the order in which they are offered. The first is the one for who speaks none of them.
var names = [][2]string{
	{"en", "English"}, {"de", "Deutsch"}, {"fr", "Français"}, {"es", "Español"}, {"it", "Italiano"},
	{"nl", "Nederlands"}, {"pt", "Português"}, {"pl", "Polski"}, {"ar", "العربية"},
}

// load reads the embedded files. A fault in one is a fault of the build, and no program starts with it.
func load() []*Language {
	var table map[string]conventions
	mustRead("cldr.json", &table)
	bundle := goi18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	var out []*Language
	for _, n := range names {
		l := &Language{Tag: n[0], Dir: "ltr", Name: n[1], fixed: map[string]string{}, cldr: table[n[0]]}
		if l.Tag == "ar" {
			l.Dir = "rtl"
		}
		file := path.Join("messages", l.Tag+".json")
		var messages map[string]any
		raw := mustRead(file, &messages)
		if _, err := bundle.ParseMessageFileBytes(raw, file); err != nil {
			panic(fmt.Sprintf("i18n: %s: %v", file, err))
		}
		for key, m := range messages {
			if text, plain := m.(string); plain && !strings.Contains(text, "{{") {
				l.fixed[key] = text
			}
		}
		l.rest = goi18n.NewLocalizer(bundle, l.Tag)
		out = append(out, l)
	}
	return out
}

func mustRead(name string, into any) []byte {
	raw, err := files.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		panic(fmt.Sprintf("i18n: %s: %v", name, err))
	}
	return raw
}

func tagsOf(languages []*Language) []language.Tag {
	var out []language.Tag
	for _, l := range languages {
		out = append(out, language.MustParse(l.Tag))
	}
	return out
}

// Languages lists all of them, in the order in which they are offered.
func Languages() []*Language { return all }

// English is the language of the wire, and of whoever speaks none of the others.
func English() *Language { return all[0] }

// maxTag and maxAccept are how much of what a browser sends is read. The longest tag of a language in use has a
// handful of parts, and no person lists more languages than fit.
const (
	maxTag    = 35
	maxAccept = 1024
)

// ByTag is the language of a tag such as "de" or "pt-BR", nil when it is none of ours.
func ByTag(tag string) *Language {
	if tag == "" || len(tag) > maxTag {
		return nil
	}
	t, err := language.Parse(tag)
	if err != nil {
		return nil
	}
	return match(language.High, t)
}

// Accepted is the language that fits an Accept-Language header best (RFC 9110, section 12.5.4), nil when none does. Of
// a header of hostile length only the beginning counts, and one that cannot be read counts as none.
func Accepted(header string) *Language {
	if len(header) > maxAccept {
		header = header[:maxAccept]
		header = header[:max(0, strings.LastIndexByte(header, ','))]
	}
	wanted, _, err := language.ParseAcceptLanguage(header) // by quality; what has q=0 is left out
	if err != nil || len(wanted) == 0 {
		return nil
	}
	return match(language.Low, wanted...)
}

// match is the best of ours. With language.Low it is also one that speakers of what was wanted mostly know, such as
// French for Breton.
func match(least language.Confidence, wanted ...language.Tag) *Language {
	_, i, confidence := matcher.Match(wanted...)
	if confidence < least {
		return nil
	}
	return all[i]
}

// Say is a message in the language. Its placeholders follow as names and values. A key that does not exist is said as
// it is; a test finds those.
func (l *Language) Say(key string, placeholders ...string) string {
	if text, ok := l.fixed[key]; ok {
		return text
	}
	return l.localize(&goi18n.LocalizeConfig{MessageID: key, TemplateData: l.data(placeholders)})
}

// Count is a message whose form depends on a number, which it has as {{.Number}}.
func (l *Language) Count(key string, n int64, placeholders ...string) string {
	data := l.data(placeholders)
	data["Number"] = l.Integer(n)
	return l.localize(&goi18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: n})
}

func (l *Language) localize(config *goi18n.LocalizeConfig) string {
	text, err := l.rest.Localize(config)
	if err != nil && text == "" {
		return config.MessageID
	}
	return text
}

// Around is a message in two halves, before and after one placeholder, for a page that puts something of its own there.
func (l *Language) Around(key, placeholder string) (before, after string) {
	const here = "\x00"
	text := l.localize(&goi18n.LocalizeConfig{MessageID: key, TemplateData: map[string]string{placeholder: here}})
	before, after, _ = strings.Cut(text, here)
	return before, after
}

func (l *Language) data(placeholders []string) map[string]string {
	data := make(map[string]string, len(placeholders)/2+1)
	for i := 0; i+1 < len(placeholders); i += 2 {
		data[placeholders[i]] = l.Isolate(placeholders[i+1])
	}
	return data
}

// Isolate keeps a text whose direction may be another than the sentence's from reordering what stands around it
// (Unicode UAX #9, section 2.4.2). It is what <bdi> does where there is markup, and these texts also stand in
// attributes and titles.
func (l *Language) Isolate(s string) string {
	if s == "" || strings.HasPrefix(s, firstStrongIsolate) || (l.Dir == "ltr" && !strings.ContainsFunc(s, rightToLeft)) {
		return s
	}
	return firstStrongIsolate + s + popIsolate
}

const (
	firstStrongIsolate = "\u2068"
	popIsolate         = "\u2069"
)

func rightToLeft(r rune) bool {
	return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko)
}
