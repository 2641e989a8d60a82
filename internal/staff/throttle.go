package staff

import (
	"context"
	"sync"
	"time"

	"github.com/portatill/portatill/pay"
)

// How many tries are let through within tryWindow, for one account and for one
// network address. NIST SP 800-63B-4, section 3.2.2, allows at most 100 in a row for
// an account; OWASP's Authentication Cheat Sheet wants both counted. The window is
// short, so that who is locked out by somebody else's guesses is not so for long.
const (
	triesAccount = 10
	triesAddress = 40
	tryWindow    = 15 * time.Minute
	// mostCounters bounds the memory; the oldest go first.
	mostCounters = 20_000
)

// throttle counts tries in memory, per process: several processes allow as many
// times more, and a start begins anew. That keeps strangers from making us write to
// the database. Counting happens before the password is looked at, so that of many
// tries at once no more get through.
type throttle struct {
	mu       sync.Mutex
	counters map[string]*counter
}

type counter struct {
	began time.Time
	tries int
	told  bool // that it is full is in the audit log
}

func newThrottle() *throttle { return &throttle{counters: map[string]*counter{}} }

// take counts a try and reports how long to wait instead, and whether this is the
// first refusal of its window. An account "" is nobody's: the address alone is counted.
func (t *throttle) take(account, address string, now time.Time) (wait time.Duration, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range []struct {
		key  string
		most int
	}{{"account " + account, triesAccount}, {"address " + address, triesAddress}} {
		if c.key == "account " {
			continue
		}
		n := t.counter(c.key, now)
		if n.tries >= c.most {
			first, n.told = !n.told, true
			return n.began.Add(tryWindow).Sub(now), first
		}
	}
	if account != "" {
		t.counter("account "+account, now).tries++
	}
	t.counter("address "+address, now).tries++
	return 0, false
}

func (t *throttle) counter(key string, now time.Time) *counter {
	n := t.counters[key]
	if n != nil && now.Sub(n.began) < tryWindow {
		return n
	}
	if n == nil && len(t.counters) >= mostCounters {
		t.drop(now)
	}
	n = &counter{began: now}
	t.counters[key] = n
	return n
}

// drop makes room, a quarter of it at a time: what is over goes, then what has few
// tries. Who is refused stays refused.
func (t *throttle) drop(now time.Time) {
	for key, n := range t.counters {
		if now.Sub(n.began) >= tryWindow {
			delete(t.counters, key)
		}
	}
	for key, n := range t.counters {
		if len(t.counters) <= mostCounters*3/4 {
			return
		}
		if n.tries < triesAccount {
			delete(t.counters, key)
		}
	}
}

// forget clears an account's counter: its owner was there.
func (t *throttle) forget(account string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.counters, "account "+account)
}

// admit counts a try of a password or code. CodeTooManyRequests when there were too
// many; the first such refusal of a window is recorded, so that an attack is in the
// audit log and does not fill it. who may be nil, for an address nobody has.
func (s *Service) admit(ctx context.Context, by By, who *Person, account, what string) error {
	wait, first := s.guard().take(account, by.Address, s.Now())
	if wait <= 0 {
		return nil
	}
	err := pay.Errorf(pay.CodeTooManyRequests, "", "There were too many tries. Wait %d minutes and try again.", int(wait/time.Minute)+1)
	err.RetryAfter = wait
	if !first {
		return err
	}
	return s.refuse(ctx, s.entry(by, what, who), err)
}
