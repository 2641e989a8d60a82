package wire

import "reflect"

// readXML reads a data contract: root element and namespace must be the DTO's, members come in any order and are
// matched by their local name, unknown ones are passed over (wire.md 2.5).
func readXML(text string, v reflect.Value, s *shape) *Error {
	x, root, err := openXML(text)
	if err != nil {
		return err
	}
	if err := x.expectRoot(root, s.name, s.space); err != nil {
		return err
	}
	if err := x.value(v, s, root); err != nil {
		return err
	}
	return x.epilog()
}

// readXMLBatch reads <ArrayOfX> with its X; a lone X counts as an array of one.
func readXMLBatch(text string, list reflect.Value, s *shape) *Error {
	x, root, err := openXML(text)
	if err != nil {
		return err
	}
	name := s.elem.name
	if root.local == name {
		if err := x.expectRoot(root, name, s.elem.space); err != nil {
			return err
		}
		element, err := x.budget.extend(list, s.size)
		if err != nil {
			return err
		}
		if err := x.value(element, s.elem, root); err != nil {
			return err.at(0)
		}
		return x.epilog()
	}
	if err := x.expectRoot(root, "ArrayOf"+name, s.elem.space); err != nil {
		return err
	}
	if err := x.list(list, s, root); err != nil {
		return err
	}
	return x.epilog()
}

// openXML reads up to and including the root's start tag.
func openXML(text string) (*xmlScanner, xmlElement, *Error) {
	x := &xmlScanner{text: text, budget: newBudget(len(text))}
	if err := x.checkCharacters(); err != nil {
		return x, xmlElement{}, err
	}
	if err := x.prolog(); err != nil {
		return x, xmlElement{}, err
	}
	root, err := x.open()
	return x, root, err
}

// The root is the one place where the namespace counts, as in the original: a document of somebody else's is not ours
// because its members happen to have our names.
func (x *xmlScanner) expectRoot(root xmlElement, name, space string) *Error {
	if actual, _ := x.space(root.prefix); root.local != name || actual != space {
		return malformed("The root of the XML must be ", name, " in the namespace ", space, ".")
	}
	if root.isNil {
		return malformed("The root of the XML must not be nil.")
	}
	return nil
}

// value reads the content of an element that was opened, and its end tag, into a member.
func (x *xmlScanner) value(v reflect.Value, s *shape, e xmlElement) *Error {
	if e.isNil {
		return x.null(v, s, e)
	}
	switch s.kind {
	case kindObject:
		return x.object(v, s, e)
	case kindList:
		return x.list(v, s, e)
	case kindTexts:
		texts, err := x.texts(e)
		*v.Addr().Interface().(*[]String) = texts
		return err
	case kindDict:
		return x.dict(v, e)
	case kindMap:
		return x.stringMap(v, e)
	}
	text, err := x.scalarText(e)
	if err != nil {
		return err
	}
	// The bools of XML Schema are not those of the other formats.
	if s.kind == kindBool && text != "true" && text != "false" && text != "1" && text != "0" {
		return wrong("must be true, false, 1 or 0")
	}
	return setScalar(v, s, text)
}

// null reads an element with i:nil, which must be empty and stand for something that can be null.
func (x *xmlScanner) null(v reflect.Value, s *shape, e xmlElement) *Error {
	if s.kind == kindBool || s.kind == kindInt || s.kind == kindDecimal {
		return wrong("must not be nil")
	}
	text, err := x.scalarText(e)
	if err != nil {
		return err
	}
	if trimBlanks(text) != "" {
		return wrong("is nil and must have no content")
	}
	v.SetZero()
	return nil
}

// scalarText reads the text of an element without child elements, and its end tag.
func (x *xmlScanner) scalarText(e xmlElement) (text string, err *Error) {
	if !e.empty {
		if text, err = x.content(); err != nil {
			return "", err
		}
		if x.pos < len(x.text) && !x.at("</") {
			return "", wrong("must be a text, without elements in it")
		}
	}
	return text, x.close(e)
}

// children calls each with every child element once it is opened, and reads the end tag of e.
func (x *xmlScanner) children(e xmlElement, want string, each func(child xmlElement) *Error) *Error {
	for !e.empty {
		text, err := x.content()
		if err != nil {
			return err
		}
		if trimBlanks(text) != "" {
			return wrong(want)
		}
		if x.at("</") {
			break
		}
		child, err := x.open()
		if err != nil {
			return err
		}
		if err := each(child); err != nil {
			return err
		}
	}
	return x.close(e)
}

// skip passes over an unknown element, checking that it is well-formed.
func (x *xmlScanner) skip(e xmlElement) *Error {
	for !e.empty {
		if _, err := x.content(); err != nil {
			return err
		}
		if x.at("</") {
			break
		}
		child, err := x.open()
		if err != nil {
			return err
		}
		if err := x.skip(child); err != nil {
			return err
		}
	}
	return x.close(e)
}

// Names are compared exactly: the original drops members in another case, unlike in its other formats. The first of a
// repeated member wins because the original's reader only ever moves forward through the contract.
func (x *xmlScanner) object(v reflect.Value, s *shape, e xmlElement) *Error {
	v, fault := x.budget.object(v, s)
	if fault != nil {
		return fault
	}
	var seen uint64
	return x.children(e, wantObject, func(child xmlElement) *Error {
		i, known := s.exact[child.local]
		if !known {
			return x.skip(child)
		}
		f := &s.fields[i]
		if bit := uint64(1) << i; seen&bit != 0 {
			if f.once {
				return duplicate().in(f.name)
			}
			return x.skip(child)
		} else {
			seen |= bit
		}
		if err := x.value(v.Field(f.index), f.shape, child); err != nil {
			return err.in(f.name)
		}
		return nil
	})
}

// The elements may have any name: the original's for a shopping item is not public.
func (x *xmlScanner) list(v reflect.Value, s *shape, e xmlElement) *Error {
	v.Set(reflect.MakeSlice(s.typ, 0, 0))
	i := 0
	return x.children(e, wantObjects, func(child xmlElement) *Error {
		element, err := x.budget.extend(v, s.size)
		if err != nil {
			return err
		}
		if err := x.value(element, s.elem, child); err != nil {
			return err.at(i)
		}
		i++
		return nil
	})
}

func (x *xmlScanner) texts(e xmlElement) ([]String, *Error) {
	list := []String{}
	err := x.children(e, wantTexts, func(child xmlElement) *Error {
		text, err := x.scalarText(child)
		if err != nil {
			return err.at(len(list))
		}
		element := Str(text)
		if child.isNil {
			element = String{}
		}
		list, err = x.budget.appendText(list, element)
		return err
	})
	return list, err
}

// entries walks the entries of a dictionary: whatever their name, each holds a Key and a Value.
func (x *xmlScanner) entries(e xmlElement, want string, value func(child xmlElement) *Error, put func(key string) *Error) *Error {
	return x.children(e, want, func(entry xmlElement) *Error {
		key, hasKey := "", false
		err := x.children(entry, want, func(child xmlElement) (err *Error) {
			switch child.local {
			case "Key":
				hasKey = true
				key, err = x.scalarText(child)
				return err
			case "Value":
				return value(child)
			}
			return x.skip(child)
		})
		if err == nil && !hasKey {
			err = wrong(want)
		}
		if err != nil {
			return err
		}
		return put(key)
	})
}

// An entry without values is dropped, as in the other formats.
func (x *xmlScanner) dict(v reflect.Value, e xmlElement) *Error {
	d := dictionary{entries: Attributes{}}
	var values []String
	err := x.entries(e, wantDict, func(child xmlElement) (err *Error) {
		if child.isNil {
			_, err = x.scalarText(child)
			return err
		}
		values, err = x.texts(child)
		return err
	}, func(key string) *Error {
		defer func() { values = nil }()
		if values == nil {
			return nil
		}
		return d.put(x.budget, key, values)
	})
	*v.Addr().Interface().(*Attributes) = d.entries
	return err
}

func (x *xmlScanner) stringMap(v reflect.Value, e xmlElement) *Error {
	m := map[string]string{}
	v.Set(reflect.ValueOf(m))
	value, null := "", true
	return x.entries(e, wantMap, func(child xmlElement) (err *Error) {
		value, err = x.scalarText(child)
		null = child.isNil
		return err
	}, func(key string) *Error {
		if !null {
			m[key] = value
		}
		value, null = "", true
		return x.budget.take(dictionaryEntrySize)
	})
}
