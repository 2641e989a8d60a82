package main

import (
	"context"
	"errors"
	"testing"
)

func TestAPartThatFailsEndsTheOthersAndIsTold(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	parts, ctx := newGroup(t.Context())
	parts.Go(func() error { <-ctx.Done(); return ctx.Err() })
	parts.Go(func() error { return broken })
	if err := parts.Wait(); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestPartsThatEndWellLeaveTheOthersTheirContext(t *testing.T) {
	t.Parallel()
	parts, ctx := newGroup(t.Context())
	parts.Go(func() error { return nil })
	during := errors.New("not looked at")
	parts.Go(func() error { during = ctx.Err(); return nil })
	if err := parts.Wait(); err != nil || during != nil {
		t.Errorf("got %v, and %v on the way", err, during)
	}
	if !errors.Is(ctx.Err(), context.Canceled) {
		t.Error("the context outlives its parts")
	}
}
