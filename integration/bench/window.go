package main

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

// window is what one measured stretch of load came to.
type window struct {
	ended   time.Time // the last commit
	elapsed time.Duration
	values  int
	commits []time.Duration
	cpu     time.Duration // of all processes of the system
}

func (w window) rate() float64 { return float64(w.values) / w.elapsed.Seconds() }

// measureWindow lets as many clients as there are counts commit so many values
// each, one after the other, and takes the time from the start to the last.
func measureWindow(ctx context.Context, pids []int, counts []int, commit func(ctx context.Context, client, i int) error) (window, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	before, err := cpuTime(pids)
	if err != nil {
		return window{}, err
	}
	took := make([][]time.Duration, len(counts))
	began := time.Now()
	var clients sync.WaitGroup
	for c, n := range counts {
		clients.Go(func() {
			for i := range n {
				sent := time.Now()
				if err := commit(ctx, c, i); err != nil {
					cancel(err)
					return
				}
				took[c] = append(took[c], time.Since(sent))
			}
		})
	}
	clients.Wait()
	w := window{ended: time.Now()}
	w.elapsed = w.ended.Sub(began)
	if err := context.Cause(ctx); err != nil {
		return w, err
	}
	after, err := cpuTime(pids)
	if err != nil {
		return w, err
	}
	w.cpu = after - before
	for _, t := range took {
		w.values += len(t)
		w.commits = append(w.commits, t...)
	}
	return w, nil
}

// counts returns how much work each client has.
func counts(work [][][]byte) []int {
	n := make([]int, len(work))
	for i := range work {
		n[i] = len(work[i])
	}
	return n
}

// spreadOver divides n values among clients.
func spreadOver(n, clients int) []int {
	each := make([]int, clients)
	for i := range each {
		each[i] = (n + i) / clients
	}
	return each
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read never fails
	return b
}
