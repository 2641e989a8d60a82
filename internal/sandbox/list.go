package sandbox

import "strings"

// list answers GET of a collection: newest first, filtered, paged as in https://stripe.com/docs/api/pagination.
func (c *call) list(kind, url string, keep func(o object) bool) (any, *apiError) {
	records := c.account.kinds[kind]
	return c.page(len(records), func(i int) object { return records[len(records)-1-i].obj }, url, keep)
}

// page cuts a page out of n objects, of which at(0) is the first. Deleted objects are not listed.
func (c *call) page(n int, at func(i int) object, url string, keep func(o object) bool) (any, *apiError) {
	limit := int64(10)
	if v, ok := c.params["limit"].(int64); ok {
		limit = v
	}
	if limit < 1 || limit > 100 {
		code := "parameter_invalid_integer"
		if limit < 1 {
			return nil, invalid(code, "limit", "This value must be greater than or equal to 1.")
		}
		return nil, invalid(code, "limit", "This value must be less than or equal to 100.")
	}
	after, before := str(c.params, "starting_after"), str(c.params, "ending_before")
	if after != "" && before != "" {
		return nil, invalid("", "ending_before", "Received both starting_after and ending_before; only one of them can be used in a request.")
	}
	inRange, err := c.createdRange("created")
	if err != nil {
		return nil, err
	}
	first, last := 0, n // the open range of positions to look at
	if cursor := after + before; cursor != "" {
		position := -1
		for i := range n {
			if str(at(i), "id") == cursor {
				position = i
				break
			}
		}
		param := "starting_after"
		if before != "" {
			param = "ending_before"
		}
		if position < 0 {
			return nil, missingParam(strings.TrimSuffix(url[strings.LastIndexByte(url, '/')+1:], "s"), param, cut(cursor))
		}
		if after != "" {
			first = position + 1
		} else {
			last = position
		}
	}
	data, more := []any{}, false
	take := func(i int) bool {
		o := at(i)
		if flag(o, "deleted") || !inRange(num(o, "created")) || keep != nil && !keep(o) {
			return true
		}
		if int64(len(data)) == limit {
			more = true
			return false
		}
		data = append(data, o)
		return true
	}
	if before == "" {
		for i := first; i < last && take(i); i++ {
		}
	} else {
		// The page that ends just before the cursor, still newest first.
		for i := last - 1; i >= first && take(i); i-- {
		}
		for i, j := 0, len(data)-1; i < j; i, j = i+1, j-1 {
			data[i], data[j] = data[j], data[i]
		}
	}
	return object{"object": "list", "data": data, "has_more": more, "url": url}, nil
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
