package sim

import "regexp"

// known are faults that a seed has found and that are not mended yet: each with what
// it looks like. They are told in the trace and counted, but fail no schedule, so
// that they do not hide others. The list is best when it is empty.
var known = []struct {
	name  string
	looks *regexp.Regexp
}{}
