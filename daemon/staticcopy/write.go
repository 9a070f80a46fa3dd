package staticcopy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/envelope"
)

// Errors of [Write] that a caller branches on.
var (
	// ErrOther reports a folder that holds something else than a copy of this log.
	ErrOther = errors.New("the folder holds something else than a static copy of this log")
	// ErrBodies reports that a copy was begun with bodies and is to go on without
	// them, or the other way round.
	ErrBodies = errors.New("a static copy has the bodies of all entries, or of none")
	// ErrBusy reports that another process writes the copy.
	ErrBusy = errors.New("another process writes this static copy")
)

// Options say what is copied.
type Options struct {
	Ledger  *ledger.Ledger // of the node, which may be running
	Note    []byte         // valid checkpoint, where the copy ends
	Network [32]byte
	Name    string // of the network
	Bodies  bool   // take the sealed bodies along, never the salts

	// Claims returns what is withdrawn, as the node knows it now, at the checkpoint
	// or later. It is asked again when an entry is erased meanwhile.
	Claims func(context.Context) ([]state.Claim, error)

	// Progress, if set, is called with the number of envelopes to write and then
	// after each, by several goroutines.
	Progress func(envelopes uint64) (done func())

	step    func(what, path string) error // of tests
	workers int                           // zero: as many as keep a disk busy
}

// Report says what a run did.
type Report struct {
	Folder    string `json:"folder"`
	Size      uint64 `json:"size"`      // of the tree
	Before    uint64 `json:"before"`    // size that the copy had
	Envelopes uint64 `json:"envelopes"` // in the copy
	Bodies    bool   `json:"bodies"`
	Files     int    `json:"files"` // written by this run
	Bytes     int64  `json:"bytes"` // in them

	ErasedFiles int `json:"erased_files"` // that lost the body of an entry which was withdrawn
}

// writer is one run.
type writer struct {
	Options
	*folder
	sc     tlog.SignedCheckpoint
	at     ledger.Lengths
	before ledger.Lengths // what the copy had, all durable

	mu     sync.Mutex
	erased machine.Erased // guarded by mu
}

// Write makes a static copy in dir, or brings the one there up to a checkpoint. Its
// errors are ErrOther, ErrBodies, ErrBusy, ledger.ErrDamaged for a node whose
// ledger needs a repair, and the system's.
func Write(ctx context.Context, dir string, o Options) (*Report, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("static copy: %w", err)
	}
	if err := looksLikeCopy(dir); err != nil {
		return nil, fmt.Errorf("static copy in %s: %w", dir, err)
	}
	release, err := home.Lock(dir)
	if errors.Is(err, home.ErrInUse) {
		err = ErrBusy
	}
	if err != nil {
		return nil, fmt.Errorf("static copy in %s: %w", dir, err)
	}
	if o.step == nil {
		o.step = func(string, string) error { return nil }
	}
	if o.workers == 0 {
		o.workers = 16 // they wait for the disk
	}
	w := &writer{Options: o, folder: &folder{dir: dir, step: o.step, dirs: map[string]bool{dir: true}}}
	report, err := w.run(ctx)
	if err = errors.Join(err, release()); err != nil {
		return nil, fmt.Errorf("static copy in %s: %w", dir, err)
	}
	return report, nil
}

func (w *writer) run(ctx context.Context) (*Report, error) {
	if err := w.begin(ctx); err != nil {
		return nil, err
	}
	forgotten, err := w.forget(ctx)
	if err != nil {
		return nil, err
	}
	if err := w.envelopes(ctx); err != nil {
		return nil, err
	}
	if err := w.tiles(ctx); err != nil {
		return nil, err
	}
	if err := w.sync(); err != nil {
		return nil, err
	}
	if err := w.put(checkpointFile, w.Note); err != nil {
		return nil, err
	}
	if err := w.sync(); err != nil {
		return nil, err
	}
	return &Report{
		Folder: w.dir, Size: w.sc.Size, Before: w.before.TreeSize, Envelopes: w.at.Envelopes, Bodies: w.Bodies,
		Files: w.written, Bytes: w.folder.bytes, ErasedFiles: forgotten,
	}, nil
}

// refresh asks what is withdrawn.
func (w *writer) refresh(ctx context.Context) error {
	claims, err := w.Claims(ctx)
	if err != nil {
		return fmt.Errorf("what is withdrawn: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.erased = machine.ErasedBy(&state.State{Claims: claims})
	return nil
}

// read returns an envelope without what is withdrawn, every byte of it accounted
// for. What was erased since the node was asked reads as damage: it is asked again.
func (w *writer) read(ctx context.Context, n uint64) (*envelope.Envelope, uint64, error) {
	for again := true; ; again = false {
		w.mu.Lock()
		erased := w.erased
		w.mu.Unlock()
		e, logTime, err := machine.Read(w.Ledger, n, erased)
		if !errors.Is(err, ledger.ErrDamaged) || !again {
			return e, logTime, err
		}
		if err := w.refresh(ctx); err != nil {
			return nil, 0, err
		}
	}
}

// envelopes writes what the copy lacks.
func (w *writer) envelopes(ctx context.Context) error {
	first := w.before.Envelopes
	done := func() {}
	if w.Progress != nil {
		done = w.Progress(w.at.Envelopes - first)
	}
	return w.each(ctx, w.at.Envelopes-first, func(i uint64) error {
		defer done()
		return w.envelope(ctx, first+i)
	})
}

func (w *writer) envelope(ctx context.Context, n uint64) error {
	e, logTime, err := w.read(ctx, n)
	if err != nil {
		return err
	}
	if err := w.put(envelopePath(n), marshalBare(e, logTime)); err != nil {
		return err
	}
	if !w.Bodies || e.Kind == envelope.KindAct {
		return nil
	}
	return w.replace(bodiesPath(n), marshalBodies(e.Bodies)) // a run that was killed may have left more
}

// each calls f for 0 to count, several at once, until one fails.
func (w *writer) each(ctx context.Context, count uint64, f func(uint64) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Uint64
	var workers sync.WaitGroup
	for range w.workers {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < count && ctx.Err() == nil; i = next.Add(1) - 1 {
				if err := f(i); err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// forget takes what was withdrawn out of the bodies that the copy had.
func (w *writer) forget(ctx context.Context) (files int, err error) {
	if !w.Bodies {
		return 0, nil
	}
	claims, err := w.Claims(ctx)
	if err != nil {
		return 0, fmt.Errorf("what is withdrawn: %w", err)
	}
	for _, c := range claims {
		for _, span := range c.Entries {
			for index := span.First; index < min(span.End(), w.before.TreeSize); {
				n, err := w.Ledger.EnvelopeAt(index)
				if err != nil {
					return files, err
				}
				changed, next, err := w.forgetIn(ctx, n, c.Hospital)
				if err != nil {
					return files, err
				}
				if changed {
					files++
				}
				index = next
			}
		}
	}
	return files, nil
}

// forgetIn writes the bodies of one envelope anew, if they hold what is withdrawn.
func (w *writer) forgetIn(ctx context.Context, n uint64, hospital uint32) (changed bool, next uint64, err error) {
	if err := ctx.Err(); err != nil {
		return false, 0, err
	}
	meta, err := w.Ledger.Meta(n)
	if err != nil {
		return false, 0, err
	}
	next = meta.First + uint64(meta.Count)
	if meta.Hospital != hospital { // a claim to another's entry says nothing
		return false, next, nil
	}
	e, _, err := w.read(ctx, n)
	if err != nil || e.Kind == envelope.KindAct {
		return false, next, err
	}
	before := w.written
	err = w.replace(bodiesPath(n), marshalBodies(e.Bodies))
	return w.written > before, next, err
}
