package sandbox

import (
	"slices"
	"strings"
)

// expandTree is expand[]=a.b&expand[]=c as {a: {b: {}}, c: {}}.
type expandTree map[string]expandTree

const deepestExpansion = 4

// answerKind is the kind of object a route answers with, "" where the first level of expand cannot be checked ahead.
func answerKind(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/v1/"), "/")
	if len(parts) > 2 && parts[2] == "payment_methods" {
		return "payment_method"
	}
	if len(parts) > 2 && parts[2] == "sources" {
		return "card"
	}
	if strings.HasSuffix(path, "/line_items") {
		return "item"
	}
	if parts[0] == "checkout" {
		return "checkout.session"
	}
	return strings.TrimSuffix(parts[0], "s")
}

// parseExpand reads the expand parameter. The first level is checked here, before anything is done, against Stripe's
// own list of expandable fields.
func (c *call) parseExpand(paths []any, kind string) (expandTree, *apiError) {
	if len(paths) == 0 {
		return nil, nil
	}
	tree := expandTree{}
	for _, p := range paths {
		path, _ := p.(string)
		parts := strings.Split(path, ".")
		if len(parts) > deepestExpansion {
			return nil, invalid("", "expand", "You cannot expand more than 4 levels of a property. Property: %s", cut(path))
		}
		first := parts[0]
		if first == "data" && len(parts) > 1 {
			first = parts[1]
		}
		if !slices.Contains(c.Server.params.Expandable[kind], first) && first != "data" {
			return nil, cannotExpand(first)
		}
		at := tree
		for _, part := range parts {
			if at[part] == nil {
				at[part] = expandTree{}
			}
			at = at[part]
		}
	}
	return tree, nil
}

func cannotExpand(name string) *apiError {
	return invalid("", "expand", "This property cannot be expanded (%s). You may want to try expanding 'data.%s'?", cut(name), cut(name))
}

// show turns a handler's result into what leaves: without notes, with what was asked to be expanded.
func (c *call) show(result any) (any, *apiError) {
	o, ok := result.(object)
	if !ok {
		return result, nil
	}
	return c.showObject(o, c.expand)
}

func (c *call) showObject(o object, tree expandTree) (any, *apiError) {
	out := visible(o)
	if str(o, "object") == "list" {
		shown := make([]any, len(items(o, "data")))
		for i, item := range items(o, "data") {
			var err *apiError
			if shown[i], err = c.expandValue(item, tree["data"]); err != nil {
				return nil, err
			}
		}
		out["data"] = shown
	}
	for key, below := range tree {
		if key == "data" {
			continue
		}
		v, present := out[key]
		if !present {
			v = c.included(o, key)
			if v == nil && !c.safe {
				continue // the work is done; at Stripe a bad path is refused before
			}
			if v == nil {
				if !slices.Contains(c.Server.params.Expandable[str(o, "object")], key) {
					return nil, cannotExpand(key)
				}
				continue
			}
		}
		if r := c.getKind(c.account, "payment_method", str(out, "default_source")); r != nil && key == "default_source" {
			v = sourceView(r.obj) // kept as a payment method, shown here in its older shape
		}
		shown, err := c.expandValue(v, below)
		if err != nil {
			return nil, err
		}
		out[key] = shown
	}
	return out, nil
}

func (c *call) expandValue(v any, tree expandTree) (any, *apiError) {
	switch v := v.(type) {
	case string:
		r := c.get(c.account, v)
		if r == nil || tree == nil {
			return v, nil
		}
		return c.showObject(r.obj, tree)
	case object:
		return c.showObject(v, tree)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			var err *apiError
			if out[i], err = c.expandValue(item, tree); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// included builds the lists that Stripe leaves out of an object unless they are asked for.
func (c *call) included(o object, key string) any {
	switch str(o, "object") + "." + key {
	case "checkout.session.line_items":
		return subList(lineItems(o), "/v1/checkout/sessions/"+str(o, "id")+"/line_items")
	case "charge.refunds":
		var refunds []any
		for _, r := range slices.Backward(c.account.with("refund", "charge", str(o, "id"))) {
			refunds = append(refunds, r.obj)
		}
		return subList(refunds, "/v1/charges/"+str(o, "id")+"/refunds")
	case "customer.sources":
		list := []any{}
		for _, source := range c.sourcesOf(str(o, "id")) {
			list = append(list, source)
		}
		return subList(list, "/v1/customers/"+str(o, "id")+"/sources")
	case "customer.subscriptions", "customer.tax_ids":
		return subList(nil, "/v1/customers/"+str(o, "id")+"/"+key)
	}
	return nil
}

const subListLength = 10

func subList(all []any, url string) object {
	shown := all[:min(len(all), subListLength)]
	if shown == nil {
		shown = []any{}
	}
	return object{"object": "list", "data": shown, "has_more": len(all) > len(shown), "url": url}
}
