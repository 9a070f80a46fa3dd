package main

import (
	"context"
	"slices"
	"sync"
	"time"
)

// probe is a client that commits one envelope after the other: at the leader
// until it fails, then at the other voters in turn.
type probe struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the client has ended

	mu      sync.Mutex // guards what follows
	err     error
	commits []commit
	changed chan struct{} // closed and replaced at each commit
}

// commit is an envelope's way.
type commit struct{ sent, done time.Time }

func (n *network) startProbe(ctx context.Context) *probe {
	ctx, cancel := context.WithCancel(ctx)
	p := &probe{cancel: cancel, done: make(chan struct{}), changed: make(chan struct{})}
	go func() {
		defer close(p.done)
		if err := p.run(ctx, n); err != nil && ctx.Err() == nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.err = err
		}
	}()
	return p
}

func (p *probe) run(ctx context.Context, n *network) error {
	leader := n.leader()
	others := slices.DeleteFunc(slices.Clone(n.voters), func(v string) bool { return v == leader })
	turn, at := 0, leader
	for {
		work, err := n.sealFor(0, 1)
		if err != nil {
			return err
		}
		sent := time.Now()
		for {
			out, err := n.client(0).Submit(ctx, at, work[0])
			if err == nil && out.Refusal != nil {
				return out.Refusal
			}
			if err == nil {
				break
			}
			turn++
			at = others[turn%len(others)]
			if !pause(ctx, pauseBetween) {
				// The envelope may be in the log, and the next has its place:
				// the stop is not allowed to lose it.
				return p.finish(n, work[0], others)
			}
		}
		p.add(commit{sent, time.Now()})
		if ctx.Err() != nil {
			return nil
		}
	}
}

// finish commits the envelope that was under way when the probe was stopped.
func (p *probe) finish(n *network, raw []byte, at []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), attemptTimeout)
	defer cancel()
	for turn := 0; ; turn++ {
		out, err := n.client(0).Submit(ctx, at[turn%len(at)], raw)
		if err == nil && out.Refusal != nil {
			return out.Refusal
		}
		if err == nil || !pause(ctx, pauseBetween) {
			return err
		}
	}
}

func (p *probe) add(c commit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commits = append(p.commits, c)
	close(p.changed)
	p.changed = make(chan struct{})
}

// await waits for a commit that was sent after t.
func (p *probe) await(ctx context.Context, t time.Time) error {
	for {
		p.mu.Lock()
		newest := len(p.commits) - 1
		found := newest >= 0 && p.commits[newest].sent.After(t)
		changed := p.changed
		p.mu.Unlock()
		if found {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			return p.failure()
		case <-changed:
		}
	}
}

func (p *probe) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// stop ends the probe and returns the longest time between two of its commits.
func (p *probe) stop() (time.Duration, error) {
	p.cancel()
	<-p.done
	var longest time.Duration
	for i := 1; i < len(p.commits); i++ {
		longest = max(longest, p.commits[i].done.Sub(p.commits[i-1].done))
	}
	return longest, p.failure()
}
