package integration

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/registry/generate"
)

const (
	// chaosPace is how often a hospital hands in files at most.
	chaosPace = 250 * time.Millisecond
	// chaosBatch is how many files it hands in together.
	chaosBatch = 3
	// chaosPatients is more than a machine takes in during any campaign.
	chaosPatients = 1 << 20
)

// chaosLoad hands made-up files in at every hospital and keeps every promise
// and receipt.
type chaosLoad struct {
	hospitals []*load
	taken     chan struct{}            // of all of them
	under     map[string]chan struct{} // by node; closed when nothing of it is under way any more
	ended     chan struct{}
	began     time.Time

	mu    sync.Mutex // guards what follows
	files func() (generate.File, bool)
	close func()
	last  time.Time // when the last batch came under a receipt
	stall time.Duration
}

func newChaosLoad(c *campaign) *chaosLoad {
	l := &chaosLoad{
		taken: make(chan struct{}, 1<<20), under: map[string]chan struct{}{}, ended: make(chan struct{}),
		began: time.Now(), last: time.Now(),
	}
	for _, m := range c.members[:chaosHospitals] {
		n := c.with(c.t)
		n.ctx = m.working
		l.hospitals = append(l.hospitals, &load{n: n, promised: map[string]uint64{}, taken: l.taken})
	}
	l.files, l.close = iter.Pull(madeUpFiles(chaosPatients, chaosHospitals))
	return l
}

// start begins the load. After a failed test it ends with the context.
func (l *chaosLoad) start(t *testing.T) {
	t.Cleanup(func() {
		for _, ended := range l.under {
			<-ended
		}
	})
	for i, hospital := range l.hospitals {
		p := hospital.n.Hospitals[i]
		l.under[p.Node] = make(chan struct{})
		go func() {
			defer close(l.under[p.Node])
			l.submitAt(hospital, p)
		}()
	}
}

// stop ends the load once every batch under way is under a receipt.
func (l *chaosLoad) stop(ctx context.Context) error {
	close(l.ended)
	for _, node := range slices.Sorted(maps.Keys(l.under)) {
		select {
		case <-l.under[node]:
		case <-ctx.Done():
			return fmt.Errorf("what %s has under way comes under no receipt: %w; %s", node, ctx.Err(), l.says(node))
		}
	}
	l.close()
	return nil
}

// says returns what a node says of itself, for a failure.
func (l *chaosLoad) says(node string) string {
	ctx, cancel := context.WithTimeout(context.Background(), chaosPace+10*time.Second) // the test's own is over
	defer cancel()
	for i, hospital := range l.hospitals {
		if p := hospital.n.Hospitals[i]; p.Node == node {
			status, err := p.Client.Status(ctx)
			return fmt.Sprintf("its status: %+v, %v", status, err)
		}
	}
	return "it hands nothing in"
}

// submitAt hands files in at a hospital until the load ends or the hospital is
// lost.
func (l *chaosLoad) submitAt(hospital *load, p *demo.Process) {
	pace := time.NewTicker(chaosPace)
	defer pace.Stop()
	for {
		select {
		case <-l.ended:
			return
		case <-hospital.n.ctx.Done():
			return
		case <-pace.C:
		}
		if err := hospital.send(p, l.batch(hospital.n.t)); err != nil {
			if hospital.n.ctx.Err() == nil {
				hospital.n.t.Errorf("%s: %v", p.Node, err)
			} else {
				hospital.n.t.Logf("%s, when the time was over: %v", p.Node, err)
			}
			return
		}
		l.receipted()
	}
}

// batch makes up the next files, whichever hospital they were meant for.
func (l *chaosLoad) batch(t *testing.T) []*visit {
	l.mu.Lock()
	defer l.mu.Unlock()
	var batch []*visit
	for range chaosBatch {
		f, more := l.files()
		if !more {
			break
		}
		v := madeUpVisit(t, f)
		batch = append(batch, &v)
	}
	return batch
}

// receipted notes how long nobody had a receipt before this one.
func (l *chaosLoad) receipted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.stall, l.last = max(l.stall, now.Sub(l.last)), now
}

// await waits until so many batches, sent from now on or under way now, are
// under a receipt.
func (l *chaosLoad) await(ctx context.Context, batches int) error {
	for len(l.taken) > 0 {
		<-l.taken
	}
	for i := range batches {
		select {
		case <-l.taken:
		case <-ctx.Done():
			return fmt.Errorf("the load stands still after %d of %d batches: %w", i, batches, ctx.Err())
		}
	}
	return nil
}

// promised returns what all hospitals were promised, once the load has ended.
func (l *chaosLoad) promised() map[string]uint64 {
	all := map[string]uint64{}
	for _, h := range l.hospitals {
		maps.Copy(all, h.promised)
	}
	return all
}

// receipts returns what all hospitals keep, once the load has ended. A hospital
// that was lost may not have fetched its last.
func (l *chaosLoad) receipts() []receipt {
	var all []receipt
	for _, h := range l.hospitals {
		for _, r := range h.receipts {
			if r.proof != "" {
				all = append(all, r)
			}
		}
	}
	return all
}

// longestStall returns the longest time in which no batch came under a receipt.
func (l *chaosLoad) longestStall() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stall
}
