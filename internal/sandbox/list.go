package sandbox

import (
	"math"
	"slices"
	"sort"
	"strings"
)

// A list costs what its page costs, however much there is: records lie in order of creation, so that cursors and created[…]
// are found by binary search, and those that belong to a payment or payout are found by an index.

// indexed are the fields that lists are often filtered by and that never change once they are set.
var indexed = map[string][]string{
	"balance_transaction": {"source", "_payout"},
	"charge":              {"payment_intent"},
	"dispute":             {"charge", "payment_intent"},
	"refund":              {"charge", "payment_intent"},
}

type indexKey struct{ kind, field, value string }

// enter puts a record into the index of one of its fields.
func (a *account) enter(r *record, field string) {
	if value := str(r.obj, field); value != "" {
		key := indexKey{r.kind, field, value}
		a.index[key] = append(a.index[key], r)
	}
}

// with are the records of a kind whose field, an indexed one, has the value, in order of creation.
func (a *account) with(kind, field, value string) []*record {
	return a.index[indexKey{kind, field, value}]
}

// among are the records that a list must look at: those with the first of the named parameters that was given, or all.
func (c *call) among(kind string, names ...string) []*record {
	for _, name := range names {
		if value := str(c.params, name); value != "" {
			return c.account.with(kind, name, value)
		}
	}
	return c.account.kinds[kind]
}

// list answers GET of a collection: newest first, filtered, paged as in https://stripe.com/docs/api/pagination.
func (c *call) list(kind, url string, keep func(o object) bool) (any, *apiError) {
	return c.listOf(c.account.kinds[kind], kind, url, keep)
}

// listOf is list of some of a kind's records, which must be in order of creation.
func (c *call) listOf(records []*record, kind, url string, keep func(o object) bool) (any, *apiError) {
	p, err := c.readPage()
	if err != nil {
		return nil, err
	}
	low, high := 0, len(records)
	if !c.account.shuffled[kind] {
		low = sort.Search(high, func(i int) bool { return records[i].created >= p.from })
		high = max(low, sort.Search(high, func(i int) bool { return records[i].created > p.until }))
	}
	if cursor := p.cursor(); cursor != "" {
		r := c.getKind(c.account, kind, cursor)
		if r == nil {
			return nil, p.unknownCursor(url)
		}
		if p.after != "" {
			high = min(high, sort.Search(len(records), func(i int) bool { return records[i].seq >= r.seq }))
		} else {
			low = max(low, sort.Search(len(records), func(i int) bool { return records[i].seq > r.seq }))
		}
	}
	return p.cut(max(0, high-low), func(i int) object { return records[high-1-i].obj }, url, keep), nil
}

// page cuts a page out of n objects, of which at(0) is the first. It looks at them one by one: it is for short lists.
func (c *call) page(n int, at func(i int) object, url string, keep func(o object) bool) (any, *apiError) {
	p, err := c.readPage()
	if err != nil {
		return nil, err
	}
	first, last := 0, n
	if cursor := p.cursor(); cursor != "" {
		for first < n && str(at(first), "id") != cursor {
			first++
		}
		switch {
		case first == n:
			return nil, p.unknownCursor(url)
		case p.after != "":
			first++
		default:
			first, last = 0, first
		}
	}
	return p.cut(last-first, func(i int) object { return at(first + i) }, url, keep), nil
}

// pageAsked are the parameters that every list has.
type pageAsked struct {
	limit         int
	after, before string
	inRange       func(t int64) bool
	from, until   int64 // no time outside of these is in the range
}

func (p pageAsked) cursor() string { return p.after + p.before }

func (p pageAsked) unknownCursor(url string) *apiError {
	param := "starting_after"
	if p.before != "" {
		param = "ending_before"
	}
	return missingParam(strings.TrimSuffix(url[strings.LastIndexByte(url, '/')+1:], "s"), param, cut(p.cursor()))
}

func (c *call) readPage() (pageAsked, *apiError) {
	p := pageAsked{limit: 10, after: str(c.params, "starting_after"), before: str(c.params, "ending_before")}
	if v, ok := c.params["limit"].(int64); ok {
		code := "parameter_invalid_integer"
		if v < 1 {
			return p, invalid(code, "limit", "This value must be greater than or equal to 1.")
		}
		if v > 100 {
			return p, invalid(code, "limit", "This value must be less than or equal to 100.")
		}
		p.limit = int(v)
	}
	if p.after != "" && p.before != "" {
		return p, invalid("", "ending_before", "Received both starting_after and ending_before; only one of them can be used in a request.")
	}
	var err *apiError
	p.inRange, err = c.createdRange("created")
	p.from, p.until = c.createdBounds("created")
	return p, err
}

// cut makes a page of the n objects that the cursor leaves, of which at(0) is the newest: those at the beginning, or with
// ending_before those at the end. Deleted objects are not listed.
func (p pageAsked) cut(n int, at func(i int) object, url string, keep func(o object) bool) object {
	data, more := []any{}, false
	take := func(o object) bool {
		if flag(o, "deleted") || !p.inRange(num(o, "created")) || keep != nil && !keep(o) {
			return true
		}
		if len(data) == p.limit {
			more = true
			return false
		}
		data = append(data, o)
		return true
	}
	if p.before == "" {
		for i := 0; i < n && take(at(i)); i++ {
		}
	} else {
		// The page that ends just before the cursor, still newest first.
		for i := n - 1; i >= 0 && take(at(i)); i-- {
		}
		slices.Reverse(data)
	}
	return object{"object": "list", "data": data, "has_more": more, "url": url}
}

// createdRange reads created=… or created[gte]=… and the like.
func (c *call) createdRange(name string) (func(t int64) bool, *apiError) {
	switch v := c.params[name].(type) {
	case int64:
		return func(t int64) bool { return t == v }, nil
	case object:
		return func(t int64) bool {
			for key, bound := range v {
				b, _ := bound.(int64)
				if key == "gt" && t <= b || key == "gte" && t < b || key == "lt" && t >= b || key == "lte" && t > b {
					return false
				}
			}
			return true
		}, nil
	}
	return func(int64) bool { return true }, nil
}

// createdBounds are times between which everything in createdRange is; what is exactly at a bound may yet be outside.
func (c *call) createdBounds(name string) (from, until int64) {
	from, until = math.MinInt64, math.MaxInt64
	switch v := c.params[name].(type) {
	case int64:
		from, until = v, v
	case object:
		for key, bound := range v {
			switch b, _ := bound.(int64); key {
			case "gt", "gte":
				from = max(from, b)
			case "lt", "lte":
				until = min(until, b)
			}
		}
	}
	return from, until
}

// equals filters on fields of the same name as the parameter; parameters that were not given filter nothing.
func (c *call) equals(names ...string) func(o object) bool {
	return func(o object) bool {
		for _, name := range names {
			if want := str(c.params, name); want != "" && str(o, name) != want {
				return false
			}
		}
		return true
	}
}
