package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

// batchFiles is how many files go to a daemon at once. Small batches keep many
// envelopes under way while the leader is killed.
const batchFiles = 8

// load hands files to the hospitals' daemons, each hospital's in order, and
// counts what becomes of them. While spare is given, a hospital without files
// of its own left goes on with made-up ones, so that there is load during the
// kill; they are counted apart.
type load struct {
	network *Network
	queues  [][]visit // by hospital

	mu     sync.Mutex // guards what follows
	spare  []visit    // made-up cases to go on with
	total  int        // files of the input to hand in, second hospitals' included
	done   int
	tally  tally
	events chan event
	bar    *term.Progress // shows done; nil shows nothing
}

// tally counts files and entries.
type tally struct {
	accepted, refused int
	refusals          map[string]int // by the first code
	registrations     int            // cases of the input, second hospitals' included
	spareCases        int
	spareIDs          map[string]bool // entry ids of made-up cases
	sample            uint64          // index of a receipted entry
}

// event says that a batch is under a receipt.
type event struct{ sent, receipted time.Time }

func newLoad(n *Network, visits, spare []visit) *load {
	l := &load{
		network: n, queues: make([][]visit, len(n.Hospitals)), spare: spare, total: len(visits),
		tally: tally{refusals: map[string]int{}, spareIDs: map[string]bool{}}, events: make(chan event, 1024),
	}
	for _, v := range visits {
		l.queues[v.hospital] = append(l.queues[v.hospital], v)
	}
	return l
}

// run feeds every hospital until its files are in.
func (l *load) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var workers sync.WaitGroup
	problems := make(chan error, len(l.queues))
	for h := range l.queues {
		workers.Go(func() {
			if err := l.feed(ctx, h); err != nil {
				problems <- err
				cancel()
			}
		})
	}
	workers.Wait()
	close(problems)
	var all []error
	for err := range problems {
		all = append(all, err)
	}
	return errors.Join(all...)
}

func (l *load) feed(ctx context.Context, hospital int) error {
	queue := l.queues[hospital]
	for {
		batch, spare := queue[:min(batchFiles, len(queue))], false
		if len(batch) == 0 {
			if batch, spare = l.takeSpare(), true; len(batch) == 0 {
				return nil
			}
		}
		sent := time.Now()
		result, err := l.submit(ctx, l.network.Hospitals[hospital], batch)
		if err != nil {
			return err
		}
		l.count(batch, result, spare)
		select {
		case l.events <- event{sent, time.Now()}:
		default: // nobody waits for it
		}
		if !spare {
			queue = queue[len(batch):]
		}
	}
}

// takeSpare returns made-up cases, whichever hospital they were made for.
func (l *load) takeSpare() []visit {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(batchFiles, len(l.spare))
	batch := l.spare[:n]
	l.spare = l.spare[n:]
	return batch
}

// dropSpare ends the made-up load.
func (l *load) dropSpare() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spare = nil
}

// submit hands a batch in and waits for its receipts. A daemon that was killed
// is waited for, and given the same files again: that adds nothing twice.
func (l *load) submit(ctx context.Context, p *Process, batch []visit) (admin.SubmissionResult, error) {
	s := admin.Submission{Wait: true}
	for _, v := range batch {
		s.Files = append(s.Files, v.file)
	}
	for {
		result, err := p.Client.Submit(ctx, s)
		if err == nil {
			return result, nil
		}
		var problem *admin.Problem
		if errors.As(err, &problem) && problem.Code == admin.CodeInvalid {
			return result, fmt.Errorf("submit to %s: %w", p.Node, err)
		}
		if wait := pause(ctx); wait != nil {
			return result, fmt.Errorf("submit to %s: %w (last: %w)", p.Node, wait, err)
		}
	}
}

func (l *load) count(batch []visit, r admin.SubmissionResult, spare bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, f := range r.Files {
		for _, e := range f.Entries {
			switch {
			case e.Type == "case" && spare:
				l.tally.spareCases++
			case e.Type == "case":
				l.tally.registrations++
			}
			if spare {
				l.tally.spareIDs[e.ID] = true
			} else if e.Receipt {
				l.tally.sample = e.Index
			}
		}
		if spare {
			continue
		}
		l.done++
		l.bar.Add(1)
		if batch[i].second {
			continue
		}
		if f.Outcome != "refused" {
			l.tally.accepted++
			continue
		}
		l.tally.refused++
		l.tally.refusals[refusedBy(f.Findings)]++
	}
}

// refusedBy returns the code of the first finding that refuses.
func refusedBy(findings []admin.Finding) string {
	for _, f := range findings {
		if f.Severity == "E" {
			return f.Code
		}
	}
	return "unnamed"
}

// progress returns how many of the input's files are in, and of how many.
func (l *load) progress() (done, total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.done, l.total
}

// result returns the counts once run has ended.
func (l *load) result() tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tally
}
