package paytest

import (
	"context"

	"github.com/portatill/portatill/pay"
)

// Store wraps a store and fails one call: any read, any write within a
// transaction, the beginning of a transaction, a commit that rolls back, or a
// commit that is done but whose answer is lost (safety.md F-29).
type Store struct {
	Faults

	reader
	in pay.Store
}

// WrapStore puts a Store in front of the world's and returns it.
func (w *World) WrapStore() *Store {
	s := &Store{in: w.Store}
	s.reader = reader{in: w.Store, faults: &s.Faults}
	w.Pay.Store = s
	return s
}

// WatchStore puts a Store in front of another that asks watch at every call, and
// fails the call with watch's error. Watch is called without a lock, so that it may
// end the goroutine, as a crash does, or call the store itself where no transaction
// is open, which is at "begin" and "commit's answer lost".
func WatchStore(in pay.Store, watch func(call string) error) *Store {
	s := &Store{in: in, Faults: Faults{watch: watch}}
	s.reader = reader{in: in, faults: &s.Faults}
	return s
}

// InTx implements pay.Store.
func (s *Store) InTx(ctx context.Context, fn func(tx pay.Tx) error) error {
	if err := s.next("begin"); err != nil {
		return err
	}
	err := s.in.InTx(ctx, func(inner pay.Tx) error {
		if err := fn(&tx{reader{in: inner, faults: &s.Faults}, inner}); err != nil {
			return err
		}
		return s.next("commit refused")
	})
	if err != nil {
		return err
	}
	return s.next("commit's answer lost")
}

// Ping implements pay.Store.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.next("Ping"); err != nil {
		return err
	}
	return s.in.Ping(ctx)
}

var (
	_ pay.Store = (*Store)(nil)
	_ pay.Tx    = (*tx)(nil)
)

// MissingGuards implements pay.Store.
func (s *Store) MissingGuards(ctx context.Context) ([]string, error) {
	if err := s.next("MissingGuards"); err != nil {
		return nil, err
	}
	return s.in.MissingGuards(ctx)
}
