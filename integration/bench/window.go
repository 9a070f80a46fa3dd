package main

import (
	"context"
	"crypto/rand"
	"math"
	"sync"
	"time"
)

// window is what one measured stretch of load came to.
type window struct {
	ended   time.Time // the last commit
	elapsed time.Duration
	values  int
	done    []int // values by client
	commits []time.Duration
	cpu     time.Duration // of all processes of the system
}

func (w window) rate() float64 { return float64(w.values) / w.elapsed.Seconds() }

// endless is a client's count in a window that time alone ends.
const endless = math.MaxInt

// measureWindow lets as many clients as there are counts commit so many values
// each, one after the other, or until the limit, if there is one, has passed.
// It takes the time from the start to the last commit.
func measureWindow(ctx context.Context, pids []int, counts []int, limit time.Duration, commit func(ctx context.Context, client, i int) error) (window, error) {
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
			for i := 0; i < n && (limit == 0 || time.Since(began) < limit); i++ {
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
		w.done = append(w.done, len(t))
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
