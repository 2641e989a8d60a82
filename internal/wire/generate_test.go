package wire

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// texts are strings that have hurt a codec before, beside random ones.
var texts = described(rapid.OneOf(
	rapid.StringN(0, 12, -1).Filter(func(s string) bool { return !hasNUL(s) }),
	rapid.SampledFrom([]string{
		"", " ", "null", "True", "a,b", `"`, `""`, `"a`, `a"b`, "{", "}", "{x}", "[y]", "a]b", "a}b", "a:b", "http://a.b/c?d=e&f=g",
		"a\nb", "a\r\nb", "\r", "\t", " lead", "trail ", "=1+1", `back\slash`, "<b>&amp;</b>", "]]>", "<!-- -->", "&#233;",
		"žlutý kůň 🐎", "\ufeff", "\u2028", "\u202e", "\x01\x1f\x7f", "%00%zz+", "a,Amount:1,", "0", "-1", "1e5", "'", "/Date(0)/",
		"Customer,License\r\nx,y", "{License:x}", "\ufffe", "__type",
	}),
))

var decimals = described(rapid.OneOf(
	rapid.StringMatching(`-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,13})?`),
	rapid.SampledFrom([]string{"0", "0.00", "9.90", "12345678901234567890.12345678", "-79228162514264337593543950335", "0.0000000000000000000000000001"}),
))

// described makes a generator write its own description now: parallel tests that share
// it would write it at the same time, one while another reads.
func described[T any](g *rapid.Generator[T]) *rapid.Generator[T] {
	_ = g.String()
	return g
}

func hasNUL(s string) bool {
	for i := range len(s) {
		if s[i] == 0 {
			return true
		}
	}
	return false
}

// anyRequest draws a request with any values that the wire can carry.
func anyRequest(t *rapid.T) *StripePaymentRequest {
	request := new(StripePaymentRequest)
	v, s := target(request)
	fill(t, v, s)
	return request
}

func fill(t *rapid.T, v reflect.Value, s *shape) {
	switch s.kind {
	case kindText:
		v.Set(reflect.ValueOf(anyText(t)))
	case kindPlain:
		v.SetString(texts.Draw(t, "text"))
	case kindBool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case kindInt:
		v.SetInt(int64(rapid.Int32().Draw(t, "int")))
	case kindDecimal:
		v.Set(reflect.ValueOf(MustDecimal(decimals.Draw(t, "decimal"))))
	case kindObject:
		if s.pointer {
			if rapid.IntRange(0, 3).Draw(t, "null") == 0 {
				return
			}
			v.Set(reflect.New(s.typ))
			v = v.Elem()
		}
		for i := range s.fields {
			fill(t, v.Field(s.fields[i].index), s.fields[i].shape)
		}
	case kindTexts:
		v.Set(reflect.ValueOf(anyTexts(t)))
	case kindDict:
		if rapid.Bool().Draw(t, "null") {
			return
		}
		d := Attributes{}
		for _, name := range rapid.SliceOfNDistinct(texts, 0, 4, rapid.ID[string]).Draw(t, "names") {
			values := anyTexts(t)
			if values == nil {
				values = []String{}
			}
			d = append(d, Attribute{Name: name, Values: values})
		}
		v.Set(reflect.ValueOf(d))
	case kindMap:
		v.Set(reflect.ValueOf(rapid.MapOfN(texts, texts, 0, 4).Draw(t, "map")))
	case kindList:
		n := rapid.IntRange(-1, 3).Draw(t, "length")
		if n < 0 {
			return
		}
		v.Set(reflect.MakeSlice(s.typ, n, n))
		for i := range n {
			fill(t, v.Index(i), s.elem)
		}
	}
}

func anyText(t *rapid.T) String {
	if rapid.IntRange(0, 3).Draw(t, "null") == 0 {
		return String{}
	}
	return Str(texts.Draw(t, "text"))
}

func anyTexts(t *rapid.T) []String {
	n := rapid.IntRange(-1, 3).Draw(t, "length")
	if n < 0 {
		return nil
	}
	list := make([]String, n)
	for i := range list {
		list[i] = anyText(t)
	}
	return list
}

// asJSVKeeps makes v what JSV can tell apart: a list of one null is written like an empty list.
func asJSVKeeps(v reflect.Value, s *shape) {
	switch s.kind {
	case kindObject:
		if s.pointer {
			if v.IsNil() {
				return
			}
			v = v.Elem()
		}
		for i := range s.fields {
			asJSVKeeps(v.Field(s.fields[i].index), s.fields[i].shape)
		}
	case kindList:
		for i := range v.Len() {
			asJSVKeeps(v.Index(i), s.elem)
		}
	case kindTexts:
		list := v.Addr().Interface().(*[]String)
		*list = emptyIfOneNull(*list)
	case kindDict:
		for i, entry := range *v.Addr().Interface().(*Attributes) {
			(*v.Addr().Interface().(*Attributes))[i].Values = emptyIfOneNull(entry.Values)
		}
	}
}

func emptyIfOneNull(list []String) []String {
	if len(list) == 1 && !list[0].Valid {
		return []String{}
	}
	return list
}

// asCSVKeeps makes v what a row of CSV or a form can tell apart: "" is written like null at the top.
func asCSVKeeps(v reflect.Value, s *shape) {
	asJSVKeeps(v, s)
	for i := range s.fields {
		if f := &s.fields[i]; f.shape.kind == kindText {
			text := v.Field(f.index).Addr().Interface().(*String)
			text.Valid = text.Value != ""
		}
	}
}

func hostileFormats(t *testing.T, each func(t *testing.T, format Format)) {
	t.Helper()
	for _, format := range []Format{JSON, JSV, CSV, XML, Form} {
		t.Run(format.String(), func(t *testing.T) {
			t.Parallel()
			each(t, format)
		})
	}
}
