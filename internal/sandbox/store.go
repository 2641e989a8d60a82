package sandbox

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// object is one of Stripe's objects as JSON: numbers are int64, nested hashes are objects, lists are []any.
type object = map[string]any

// record is an object with its place in the store.
type record struct {
	account *account
	kind    string // Stripe's "object" value, e.g. checkout.session
	id      string
	seq     int64 // order of creation over all accounts
	created int64 // Unix seconds, also of what is deleted
	obj     object
	dirty   bool
}

// account is everything that belongs to one secret key; nothing in it can be seen with another key.
type account struct {
	id       string
	kinds    map[string][]*record // in order of creation
	shuffled map[string]bool      // kinds of which the clock, set back, has made some out of the order of time
	index    map[indexKey][]*record
	idem     map[string]*idemEntry
	sweep    int // number of idempotency keys at which outdated ones are let go
}

// get finds an object of the account by id, whatever its kind; nil when there is none.
func (s *Server) get(a *account, id string) *record {
	r := s.records[id]
	if r == nil || r.account != a {
		return nil
	}
	return r
}

func (s *Server) getKind(a *account, kind, id string) *record {
	r := s.get(a, id)
	if r == nil || r.kind != kind {
		return nil
	}
	return r
}

// add puts a new object, which must have "id" and "object", into the account.
func (s *Server) add(a *account, o object) *record {
	s.seq++
	r := &record{account: a, kind: str(o, "object"), id: str(o, "id"), seq: s.seq, obj: o}
	s.place(r)
	s.touch(r)
	return r
}

func (s *Server) place(r *record) {
	a := r.account
	s.records[r.id] = r
	created, told := r.obj["created"].(int64)
	if list := a.kinds[r.kind]; len(list) > 0 {
		switch last := list[len(list)-1]; {
		case !told:
			created = last.created // deleted, which no list shows
		case created < last.created:
			a.shuffled[r.kind] = true
		}
	}
	r.created = created
	a.kinds[r.kind] = append(a.kinds[r.kind], r)
	for _, field := range indexed[r.kind] {
		a.enter(r, field)
	}
}

// touch marks a record as changed, so that it reaches the journal before the present request is answered.
func (s *Server) touch(r *record) {
	if !r.dirty {
		r.dirty = true
		s.changed = append(s.changed, r)
	}
}

// accountByID returns the account, making it when it is new. Every account has an account object, whose business name
// the hosted page shows.
func (s *Server) accountByID(id string) *account {
	if a, ok := s.accounts[id]; ok {
		return a
	}
	a := &account{id: id, kinds: map[string][]*record{}, shuffled: map[string]bool{}, index: map[indexKey][]*record{}, idem: map[string]*idemEntry{}}
	s.accounts[id] = a
	s.accountOrder = append(s.accountOrder, a)
	return a
}

const idAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// randomText returns n random letters and digits (slightly uneven, which does not matter here).
func randomText(n int) string {
	raw := make([]byte, n)
	rand.Read(raw) // never fails, see crypto/rand
	for i, b := range raw {
		raw[i] = idAlphabet[int(b)%len(idAlphabet)]
	}
	return string(raw)
}

func newID(prefix string) string { return prefix + "_3" + randomText(23) }

func str(o object, key string) string {
	v, _ := o[key].(string)
	return v
}

func num(o object, key string) int64 {
	v, _ := o[key].(int64)
	return v
}

func flag(o object, key string) bool {
	v, _ := o[key].(bool)
	return v
}

func sub(o object, key string) object {
	v, _ := o[key].(object)
	return v
}

func items(o object, key string) []any {
	v, _ := o[key].([]any)
	return v
}

// orNil is for fields that Stripe shows as null when they are empty.
func orNil(v string) any {
	if v == "" {
		return nil
	}
	return v
}

// given returns the parameter, or nil when it was left out or emptied.
func given(o object, key string) any {
	v, ok := o[key]
	if !ok || v == "" {
		return nil
	}
	return v
}

func withDefault(v, fallback any) any {
	if v == nil {
		return fallback
	}
	return v
}

// visible copies an object without the sandbox's own notes.
func visible(o object) object {
	out := make(object, len(o))
	for key, value := range o {
		if !strings.HasPrefix(key, "_") {
			out[key] = value
		}
	}
	return out
}

// clone copies hashes and lists all the way down, so that a snapshot does not change with its original.
func clone(v any) any {
	switch v := v.(type) {
	case object:
		out := maps.Clone(v)
		for key, value := range out {
			out[key] = clone(value)
		}
		return out
	case []any:
		out := slices.Clone(v)
		for i, value := range out {
			out[i] = clone(value)
		}
		return out
	}
	return v
}

// decodeObject reads JSON into the representation used here: whole numbers become int64. What an event holds stays
// text, because it is a snapshot that nothing changes.
func decodeObject(text []byte) (object, error) {
	if bytes.Contains(text, []byte(`"object":"event"`)) {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(text, &fields); err == nil && string(fields["object"]) == `"event"` {
			return decodeEvent(fields)
		}
	}
	return decodeAll(text)
}

func decodeEvent(fields map[string]json.RawMessage) (object, error) {
	data := fields["data"]
	delete(fields, "data")
	o, err := decodeAll(encode(fields))
	if err != nil {
		return nil, err
	}
	o["data"] = data
	return o, nil
}

func decodeAll(text []byte) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var o object
	if err := decoder.Decode(&o); err != nil {
		return nil, err
	}
	v, err := wholeNumbers(o)
	if err != nil {
		return nil, err
	}
	return v.(object), nil
}

func wholeNumbers(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i, nil
		}
		return v.Float64()
	case object:
		for key, value := range v {
			if v[key], err = wholeNumbers(value); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
		}
	case []any:
		for i, value := range v {
			if v[i], err = wholeNumbers(value); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// mergeMetadata applies Stripe's rules for metadata (https://stripe.com/docs/api/metadata): an empty value removes a
// key, "" as the whole removes all; at most 50 keys of 40 characters with values of 500.
func mergeMetadata(old object, params object) (object, *apiError) {
	v, present := params["metadata"]
	if old == nil {
		old = object{}
	}
	if !present {
		return old, nil
	}
	changes, isHash := v.(object)
	if !isHash {
		return object{}, nil
	}
	out := maps.Clone(old)
	for key, value := range changes {
		text, _ := value.(string)
		switch {
		case len([]rune(key)) > 40:
			return nil, invalid("", "metadata", "Metadata keys can have at most 40 characters; the key %s is longer.", cut(key))
		case len([]rune(text)) > 500:
			return nil, invalid("", "metadata["+key+"]", "Metadata values can have at most 500 characters; the value of %s has %d.", cut(key), len([]rune(text)))
		case text == "":
			delete(out, key)
		default:
			out[key] = text
		}
	}
	if len(out) > 50 {
		return nil, invalid("", "metadata", "Metadata can have at most 50 keys; there would be %d.", len(out))
	}
	return out, nil
}
