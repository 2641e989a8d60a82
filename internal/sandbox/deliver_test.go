package sandbox_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/internal/sandbox"
)

func TestDeliver(t *testing.T) {
	t.Parallel()
	t.Run("ReturnsWhenAllThatIsDueWasAnswered", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receiver("customer.created")
		for range 20 { // more than are sent at a time
			b.newCustomer()
		}
		b.deliver()
		if got := r.wait(20); len(got) != 20 {
			t.Errorf("%v", types(got))
		}
		b.deliver()
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.calls != 20 {
			t.Errorf("the endpoint was called %d times", r.calls)
		}
	})
	t.Run("LeavesWhatFailedForLater", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		r := b.receiver("customer.created")
		r.answer = func(attempt int) int { return map[bool]int{true: 503, false: 200}[attempt == 1] }
		b.newCustomer()
		for _, want := range []int{1, 1, 2} { // the second comes too early
			b.deliver()
			r.mu.Lock()
			calls := r.calls
			r.mu.Unlock()
			if calls != want {
				t.Fatalf("the endpoint was called %d times, want %d", calls, want)
			}
			if want == 1 {
				b.clock.Add(600 * time.Millisecond)
			}
		}
	})
}

func TestAStateThatIsKeptLater(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "stripe.json")
	b := setup(t)
	before := b.newCustomer()
	if err := b.sandbox.KeepIn(path); err != nil {
		t.Fatal(err)
	}
	after := b.newCustomer()
	if err := b.sandbox.KeepIn(path); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("kept twice: %v", err)
	}
	if other, err := sandbox.New(sandbox.Options{StateFile: path}); err == nil {
		t.Error("another sandbox took the file", other.Close())
	}
	b.server.Close()
	if err := b.sandbox.Close(); err != nil {
		t.Fatal(err)
	}
	again := setupWith(t, path)
	for _, id := range []string{before, after} {
		if _, err := again.api.Customers.Get(id, nil); err != nil {
			t.Errorf("%s is not there after a restart: %v", id, err)
		}
	}
	if err := setup(t).sandbox.KeepIn(path); err == nil {
		t.Error("a file that was there was replaced")
	}
}

func (b *bench) deliver() {
	b.t.Helper()
	if err := b.sandbox.Deliver(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) newCustomer() string {
	b.t.Helper()
	c, err := b.api.Customers.New(&stripe.CustomerParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	return c.ID
}
