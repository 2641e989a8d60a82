package sandbox

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Limits of the parser: far above what a Stripe client sends, low enough that a hostile form cannot exhaust the machine.
const (
	maxFormPairs = 10000
	maxFormDepth = 12
)

// formNode is one level of a form such as a[b][0][c]=v: either a value or named children, in the order of arrival.
type formNode struct {
	name  string
	value string
	leaf  bool
	kids  []*formNode
	index map[string]*formNode // by name, made when there are many
}

// indexFrom is the number of children from which a map is quicker than looking at each.
const indexFrom = 24

func (n *formNode) kid(name string) *formNode {
	if n.index != nil {
		return n.index[name]
	}
	for _, kid := range n.kids {
		if kid.name == name {
			return kid
		}
	}
	return nil
}

func (n *formNode) addKid(name string) *formNode {
	kid := &formNode{name: name}
	n.kids = append(n.kids, kid)
	if n.index == nil && len(n.kids) == indexFrom {
		n.index = map[string]*formNode{}
		for _, k := range n.kids {
			n.index[k.name] = k
		}
	}
	if n.index != nil {
		n.index[name] = kid
	}
	return kid
}

// parseForm reads application/x-www-form-urlencoded text with bracketed names, as Stripe's clients send it
// (https://stripe.com/docs/api, "form-encoded request bodies"). "a[]" appends. Later values of the same name win.
func parseForm(text string) (*formNode, error) {
	root := &formNode{}
	pairs := 0
	for len(text) > 0 {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		if pair == "" {
			continue
		}
		if pairs++; pairs > maxFormPairs {
			return nil, fmt.Errorf("the request has more than %d parameters", maxFormPairs)
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, errors.New("a parameter name is not valid percent-encoding")
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, fmt.Errorf("the value of %s is not valid percent-encoding", quoteName(name))
		}
		path, err := splitName(name)
		if err != nil {
			return nil, err
		}
		if err := root.set(path, value); err != nil {
			return nil, fmt.Errorf("%s: %w", quoteName(name), err)
		}
	}
	return root, nil
}

func quoteName(name string) string {
	if len(name) > 80 {
		name = name[:80] + "…"
	}
	return strconv.Quote(name)
}

// splitName turns a[b][] into a, b, "".
func splitName(name string) ([]string, error) {
	head, rest, nested := strings.Cut(name, "[")
	if head == "" {
		return nil, fmt.Errorf("the parameter name %s is not of the form name[key][key]", quoteName(name))
	}
	path := []string{head}
	for nested {
		var key string
		var closed bool
		key, rest, closed = strings.Cut(rest, "]")
		if !closed || strings.Contains(key, "[") {
			return nil, fmt.Errorf("the parameter name %s has unbalanced brackets", quoteName(name))
		}
		if path = append(path, key); len(path) > maxFormDepth {
			return nil, fmt.Errorf("the parameter name %s is nested more than %d deep", quoteName(name), maxFormDepth)
		}
		if rest == "" {
			return path, nil
		}
		if rest[0] != '[' {
			return nil, fmt.Errorf("the parameter name %s has text between its brackets", quoteName(name))
		}
		rest = rest[1:]
	}
	return path, nil
}

func (n *formNode) set(path []string, value string) error {
	for _, key := range path {
		if n.leaf {
			return errors.New("the same parameter is given both as a value and as a hash")
		}
		if key == "" {
			key = strconv.Itoa(len(n.kids))
		}
		kid := n.kid(key)
		if kid == nil {
			kid = n.addKid(key)
		}
		n = kid
	}
	if len(n.kids) > 0 {
		return errors.New("the same parameter is given both as a value and as a hash")
	}
	n.leaf, n.value = true, value
	return nil
}

// list returns the children as a list when their names are 0, 1, 2 … in any order of arrival.
func (n *formNode) list() ([]*formNode, bool) {
	out := make([]*formNode, len(n.kids))
	for _, kid := range n.kids {
		i, err := strconv.Atoi(kid.name)
		if err != nil || i < 0 || i >= len(out) || out[i] != nil {
			return nil, false
		}
		out[i] = kid
	}
	return out, true
}
