package wire

import (
	"reflect"
	"strings"
	"unicode/utf8"
)

const (
	// maxDepth is how deep objects and lists may be nested, skipped ones included (wire.md 2.6).
	maxDepth = 32
	// memoryPerByte and memoryBase bound what decoding may allocate besides the texts themselves, so that it stays below
	// 64 times the body. A short entry such as {} in a list would otherwise cost a hundred times its size.
	memoryPerByte = 48
	memoryBase    = 1 << 17
	byteOrderMark = "\ufeff"
)

// budget counts down what a body may still make us allocate.
type budget struct{ left int }

// The base allows a full cart (100 lines) or a batch of as many requests, however sparse; the rest grows with the body.
func newBudget(body int) *budget { return &budget{left: memoryBase + memoryPerByte*body} }

const tooSparse = "has too many empty entries for a body of this size"

func (b *budget) take(size int) *Error {
	b.left -= size
	if b.left < 0 {
		return wrong(tooSparse)
	}
	return nil
}

// extend makes room for one more element of a list and gives it, zeroed.
func (b *budget) extend(list reflect.Value, size int) (reflect.Value, *Error) {
	n := list.Len()
	if n == list.Cap() {
		room := max(4, 2*n)
		if err := b.take(room * size); err != nil {
			return reflect.Value{}, err
		}
		larger := reflect.MakeSlice(list.Type(), n, room)
		reflect.Copy(larger, list)
		list.Set(larger)
	}
	list.SetLen(n + 1)
	return list.Index(n), nil
}

// object gives the struct to fill, making it when the member is a nil pointer.
func (b *budget) object(v reflect.Value, s *shape) (reflect.Value, *Error) {
	if !s.pointer {
		return v, nil
	}
	if v.IsNil() {
		if err := b.take(s.size); err != nil {
			return v, err
		}
		v.Set(reflect.New(s.typ))
	}
	return v.Elem(), nil
}

const textSize = 24 // bytes of a String

// appendText grows a list by doubling like extend, and pays for it first.
func (b *budget) appendText(list []String, s String) ([]String, *Error) {
	if len(list) == cap(list) {
		room := max(4, 2*len(list))
		if err := b.take(room * textSize); err != nil {
			return nil, err
		}
		list = append(make([]String, 0, room), list...)
	}
	return append(list, s), nil
}

// dictionary collects the entries of Attributes; a repeated name replaces the earlier values. Small ones are searched,
// large ones get an index so that many names stay linear.
type dictionary struct {
	entries Attributes
	index   map[string]int
}

const (
	dictionaryEntrySize  = 160 // entry, growth and index, about
	dictionaryScanLength = 16
)

func (d *dictionary) put(b *budget, name string, values []String) *Error {
	if i := d.find(name); i >= 0 {
		d.entries[i].Values = values
		return nil
	}
	if err := b.take(dictionaryEntrySize); err != nil {
		return err
	}
	d.entries = append(d.entries, Attribute{Name: name, Values: values})
	switch {
	case d.index != nil:
		d.index[name] = len(d.entries) - 1
	case len(d.entries) > dictionaryScanLength:
		d.index = make(map[string]int, 2*len(d.entries))
		for i := range d.entries {
			d.index[d.entries[i].Name] = i
		}
	}
	return nil
}

func (d *dictionary) find(name string) int {
	if d.index != nil {
		if i, ok := d.index[name]; ok {
			return i
		}
		return -1
	}
	for i := range d.entries {
		if d.entries[i].Name == name {
			return i
		}
	}
	return -1
}

// bodyText checks what holds for every format and gives the body as text without its byte order mark. NUL is refused
// because PostgreSQL cannot store it in a text, and the two databases must agree (safety JS-07).
func bodyText(body []byte) (string, *Error) {
	if !utf8.Valid(body) {
		return "", malformed("The body is not valid UTF-8; send it as UTF-8.")
	}
	text := string(body)
	if strings.IndexByte(text, 0) >= 0 {
		return "", malformed("The body holds a NUL character; leave it out.")
	}
	return strings.TrimPrefix(text, byteOrderMark), nil
}
