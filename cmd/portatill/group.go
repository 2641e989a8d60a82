package main

import (
	"context"
	"sync"
)

// group is what runs side by side until one part fails, which ends the context of all.
type group struct {
	running sync.WaitGroup
	cancel  context.CancelFunc
	first   sync.Once
	err     error
}

func newGroup(ctx context.Context) (*group, context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	return &group{cancel: cancel}, ctx
}

// Go runs a part.
func (g *group) Go(part func() error) {
	g.running.Go(func() {
		if err := part(); err != nil {
			g.first.Do(func() { g.err = err; g.cancel() })
		}
	})
}

// Wait waits for all parts and returns what the first that failed said.
func (g *group) Wait() error {
	g.running.Wait()
	g.cancel()
	return g.err
}
