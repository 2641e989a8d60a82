package jobs

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// postbox is a Mailer that fails the first try of each mail.
type postbox struct {
	delivered chan string
	days      chan string
}

func (p *postbox) Deliver(_ context.Context, id string, tries int, _ bool) error {
	if tries == 1 {
		return errors.New("not now")
	}
	p.delivered <- id
	return nil
}

func (p *postbox) WriteLetters(_ context.Context, day string) error { p.days <- day; return nil }

func TestMailsAreDeliveredAndLettersAskedForOnceADay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		s, ctx, box := open(t), context.Background(), &postbox{make(chan string, 9), make(chan string, 9)}
		if err := Migrate(ctx, s.DB(), s.Dialect()); err != nil {
			t.Fatal(err)
		}
		q, err := New(Options{DB: s.DB(), Dialect: s.Dialect(), Pay: &pay.Service{Store: s}, Log: slog.New(slog.DiscardHandler), Mailer: box})
		if err != nil {
			t.Fatal(err)
		}
		s.SetEnqueuer(q.Enqueue)
		storetest.Write(t, s, func(ctx context.Context, tx pay.Tx) error { return tx.Enqueue(ctx, pay.MailJob{MailID: "eml_1"}) })
		if err := q.Start(ctx); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = q.Stop(context.WithoutCancel(ctx)) })
		wait := func(what string, from chan string) string {
			t.Helper()
			select {
			case got := <-from:
				return got
			case <-time.After(time.Minute):
				t.Fatal("nothing was " + what + " for a minute")
				return ""
			}
		}
		if got := wait("delivered", box.delivered); got != "eml_1" {
			t.Errorf("%q was delivered", got)
		}
		day := wait("written", box.days)
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			t.Errorf("the day is %q", day)
		}
		// Another process, a minute or a restart later, asks for the same day.
		again, err := q.client.Insert(ctx, lettersArgs{Day: day}, func() *river.InsertOpts { _, o := lettersJob(0, time.Now()); return o }())
		if err != nil || !again.UniqueSkippedAsDuplicate {
			t.Errorf("the same day has another job: %v", err)
		}
	})
}

func TestLettersComeAfterTheirHour(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		when, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for when, want := range map[string]string{"2026-11-23T06:59:59Z": "", "2026-11-23T07:00:00Z": "2026-11-23", "2026-11-23T23:59:59Z": "2026-11-23", "2026-11-24T00:00:00Z": "",
		"2026-11-23T01:30:00-07:00": "2026-11-23"} {
		args, _ := lettersJob(7*time.Hour, at(when))
		got := ""
		if a, ok := args.(lettersArgs); ok {
			got = a.Day
		}
		if got != want {
			t.Errorf("at %s: %q, want %q", when, got, want)
		}
	}
}

func TestAMailIsTriedForTheBetterPartOfADay(t *testing.T) {
	t.Parallel()
	var sum time.Duration
	for n := range mailTries - 1 {
		before := time.Now()
		wait := (&mailWorker{}).NextRetry(&river.Job[mailArgs]{JobRow: &rivertype.JobRow{Errors: make([]rivertype.AttemptError, n)}}).Sub(before)
		if wait <= 0 || wait > mailWait+time.Second {
			t.Errorf("after %d errors it waits %s", n, wait)
		}
		sum += wait
	}
	if sum < 16*time.Hour || sum > 24*time.Hour {
		t.Errorf("all tries span %s", sum)
	}
}
