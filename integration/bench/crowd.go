package main

import (
	"context"
	"sync"
	"time"
)

// crowd is hospitals that commit side by side without pause, each one envelope
// after the other, sealed when its turn comes.
type crowd struct {
	stopped chan struct{} // closed when the hospitals may end
	clients sync.WaitGroup

	mu      sync.Mutex // guards what follows
	commits []commit
	err     error // the first
}

// startCrowd lets hospitals commit until the crowd is stopped.
func (n *network) startCrowd(ctx context.Context, hospitals []*chain) *crowd {
	c := &crowd{stopped: make(chan struct{})}
	for client, h := range hospitals {
		c.clients.Go(func() {
			for c.goesOn() {
				if err := c.commit(ctx, n, client, h); err != nil {
					c.fail(err)
					return
				}
			}
		})
	}
	return c
}

func (c *crowd) goesOn() bool {
	select {
	case <-c.stopped:
		return false
	default:
		return true
	}
}

func (c *crowd) commit(ctx context.Context, n *network, client int, h *chain) error {
	work, err := h.seal(1, entriesPerEnvelope)
	if err != nil {
		return err
	}
	sent := time.Now()
	if _, err := n.commit(ctx, client, work[0]); err != nil {
		return err
	}
	done := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commits = append(c.commits, commit{sent, done})
	return nil
}

func (c *crowd) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

// stop ends the crowd and returns what it committed.
func (c *crowd) stop() ([]commit, error) {
	close(c.stopped)
	c.clients.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.commits, c.err
}
