package demo

import (
	"sync"
	"time"
)

// Clock is the one time of the till and of its double. It is set by hand while the story is told, and runs by itself
// afterwards.
type Clock struct {
	mu       sync.Mutex
	at       time.Time
	released time.Time // when it began to run by itself; zero before
}

// NewClock makes a clock that stands at a time.
func NewClock(at time.Time) *Clock { return &Clock{at: at.UTC().Truncate(time.Microsecond)} }

// lookTakes is by how much the clock moves when somebody looks at it, so that ids, which begin with their time, sort by
// the order in which they were made.
const lookTakes = 500 * time.Microsecond

// Now is the time, in UTC with the microseconds that a database keeps.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.released.IsZero() {
		return c.at.Add(time.Since(c.released)).Truncate(time.Microsecond)
	}
	c.at = c.at.Add(lookTakes)
	return c.at
}

// set moves the clock forward; it never goes back.
func (c *Clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.at) {
		c.at = at.UTC().Truncate(time.Microsecond)
	}
}

// Release lets the clock run by itself from a time on, or from where it is when that is later.
func (c *Clock) Release(from time.Time) {
	c.set(from)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.released = time.Now()
}
