package stripegate

import "slices"

// mostPages ends a paging that a faulty answer would make endless: 100 pages are 10,000 objects.
const mostPages = 100

// allPages reads a collection to its end, in Stripe's order, newest first. ask fetches the page after an object, the
// first one for nil.
func allPages[T any](what string, ask func(after *string) ([]*T, bool, error), id func(*T) string) ([]*T, error) {
	found := []*T{}
	var after *string
	for range mostPages {
		data, more, err := ask(after)
		if err != nil {
			return nil, err
		}
		if data == nil || slices.Contains(data, nil) {
			return nil, unreadable("the answer has no whole list of the %s", clip(what, 200))
		}
		found = append(found, data...)
		if !more || len(data) == 0 {
			return found, nil
		}
		last := id(data[len(data)-1])
		after = &last
	}
	return nil, unreadable("the list of the %s does not end", clip(what, 200))
}
