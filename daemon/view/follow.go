package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/act"
)

// followed is how far a view has followed the log.
type followed struct {
	next    uint64 // number of the next envelope
	basis   basis
	roster  uint64 // version of the roster in the table of hospitals
	claims  []state.Claim
	said    []reader.Opened // corrections and consents
	changes *reader.Changes // of said
	linked  map[[32]byte]bool
	rejoin  bool // persons must be joined again
	indexed bool // the indexes are made
	opened  Head
}

// basis is what decides what opens and how it reads. When it changes, the view is
// built anew.
type basis struct {
	grants, revocations, editions int
	rights                        act.Rights
	provinces                     string // of all institutions, for the reader of one
}

func basisOf(s *state.State, institution uint32) basis {
	b := basis{grants: len(s.Grants), revocations: len(s.Revocations), editions: len(s.Editions)}
	if self, ok := s.Member(institution); ok {
		if b.rights = self.Rights; b.rights.Has(act.RightProvince) {
			for _, m := range s.Members {
				b.provinces += m.Province + " "
			}
		}
	}
	return b
}

// retryAfter is how long a view that could not be written rests, as while the disk
// is full.
const retryAfter = 30 * time.Second

// Run follows the log until the context ends. What goes wrong is logged, and the
// view begins anew.
func (v *View) Run(ctx context.Context) {
	defer v.warming.Wait()
	for ctx.Err() == nil {
		err := v.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		v.cfg.Logger.Warn("the view cannot be written, and begins anew; reports wait", "reason", err.Error())
		v.writing.Lock()
		v.followed, v.unclean = followed{}, true
		v.writing.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(retryAfter):
		}
	}
}

func (v *View) follow(ctx context.Context) error {
	for {
		v.writing.Lock()
		next, was := v.next, v.basis
		v.writing.Unlock()
		view, err := v.cfg.Node.Wait(ctx, func(s *state.State) bool {
			upTo, known := v.ended(s)
			return !known || upTo > next || basisOf(s, v.cfg.Institution) != was
		})
		if err != nil {
			return err
		}
		if b := basisOf(view, v.cfg.Institution); b != was || next == 0 {
			if err := v.begin(ctx, b); err != nil {
				return err
			}
		}
		var upTo uint64
		err = v.cfg.Node.Machine().Repaired(ctx, func() (err error) {
			upTo, _, err = v.upTo(view)
			return err
		})
		if errors.Is(err, ErrNoMonth) {
			continue
		}
		if err != nil {
			return err
		}
		if err := v.advance(ctx, upTo); err != nil {
			return err
		}
		if next == 0 { // who looks first does not wait for all hospitals
			v.warming.Go(func() {
				if err := v.look(ctx, Part{}, 0, func(q Query) error { return q.each(func(uint32, *holding) {}) }); err != nil && ctx.Err() == nil {
					v.cfg.Logger.Debug("the view is not read ahead", "reason", err.Error())
				}
			})
		}
	}
}

// begin empties the view.
func (v *View) begin(ctx context.Context, b basis) error {
	v.writing.Lock()
	defer v.writing.Unlock()
	v.followed = followed{basis: b, changes: &reader.Changes{}, linked: map[[32]byte]bool{}}
	v.setHead(Head{}, false)
	if err := v.create(ctx); err != nil {
		return err
	}
	return v.write(ctx, func(w *writer) error {
		for index := range indexes {
			if err := w.exec(`DROP INDEX IF EXISTS ` + index); err != nil {
				return err
			}
		}
		for _, table := range append([]string{"head"}, derived...) {
			if err := w.exec(`DELETE FROM ` + table); err != nil {
				return err
			}
		}
		for h := range v.changed {
			w.touched[h] = true
		}
		return v.writeDiseases(w)
	})
}

// write runs f in a transaction.
func (v *View) write(ctx context.Context, f func(*writer) error) (err error) {
	lists, err := v.cfg.Catalogue()
	if err != nil {
		return fmt.Errorf("view: %w", err)
	}
	tx, err := v.db.BeginTx(ctx, &sql.TxOptions{})
	if err != nil {
		return fmt.Errorf("view: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	w := &writer{ctx: ctx, tx: tx, prepared: map[string]*sql.Stmt{}, lists: lists, subjects: map[[32]byte][2]int64{}, touched: map[uint32]bool{}}
	if err := f(w); err != nil {
		return err
	}
	if err := w.exec(fmt.Sprintf(`PRAGMA user_version = %d`, v.change(w.touched))); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("view: %w", err)
	}
	return nil
}

// change says that hospitals' entries change with the version that it returns. What was
// held of them is let go.
func (v *View) change(hospitals map[uint32]bool) (version int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.version++
	for h := range hospitals {
		v.changed[h] = v.version
		delete(v.held, h)
	}
	return v.version
}

const (
	batchEnvelopes = 64   // are opened at a time,
	batchEntries   = 4096 // with about so many entries
)

// batch is a run of opened envelopes.
type batch struct {
	from, to uint64
	of       [][]reader.Opened
	receipts []*receipt // nil of an envelope that is none
	err      error
}

// advance reads on up to an envelope. While a batch is written the next is opened.
func (v *View) advance(ctx context.Context, to uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	batches := make(chan batch, 1)
	var opening sync.WaitGroup
	defer func() { cancel(); opening.Wait() }()
	next := v.next // only Run moves it
	opening.Go(func() {
		defer close(batches)
		for from := next; from < to; {
			b := v.open(ctx, from, to)
			select {
			case batches <- b:
			case <-ctx.Done():
				return
			}
			if from = b.to; b.err != nil {
				return
			}
		}
	})
	for b := range batches {
		if b.err != nil {
			return b.err
		}
		if err := v.take(ctx, b, b.to == to); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// open opens a batch of envelopes, several at once.
func (v *View) open(ctx context.Context, from, to uint64) batch {
	b := batch{from: from}
	for entries := uint32(0); from+uint64(len(b.of)) < to && len(b.of) < batchEnvelopes && entries < batchEntries; {
		meta, err := v.cfg.Node.Machine().Meta(from + uint64(len(b.of)))
		if err != nil {
			b.err = err
			return b
		}
		b.of, b.receipts, entries = append(b.of, nil), append(b.receipts, nil), entries+meta.Count
	}
	b.to = from + uint64(len(b.of))
	errs := make([]error, len(b.of))
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	var workers sync.WaitGroup
	for i := range b.of {
		places <- struct{}{}
		workers.Go(func() {
			defer func() { <-places }()
			errs[i] = v.cfg.Node.Machine().Repaired(ctx, func() (err error) {
				if b.of[i], err = v.cfg.Reader.Envelope(from + uint64(i)); err == nil && len(b.of[i]) == 0 {
					b.receipts[i], err = v.receiptAt(from + uint64(i))
				}
				return err
			})
		})
	}
	workers.Wait()
	b.err = errors.Join(errs...)
	return b
}

// take writes a batch; last says that the view has all of the log then.
func (v *View) take(ctx context.Context, b batch, last bool) error {
	v.writing.Lock()
	defer v.writing.Unlock()
	view := v.cfg.Node.View()
	head := v.opened
	err := v.write(ctx, func(w *writer) error {
		var touched touched
		for i, opened := range b.of {
			if err := v.takeEnvelope(w, b.from+uint64(i), opened, view, &head, &touched); err != nil {
				return err
			}
			if r := b.receipts[i]; r != nil {
				if err := w.do("receipt", int64(b.from)+int64(i), r.Node, int64(r.Through), int64(r.logTime)); err != nil {
					return err
				}
			}
		}
		if err := v.settle(w, &touched); err != nil {
			return err
		}
		if err := v.drop(w, view); err != nil {
			return err
		}
		if err := v.writeRoster(w, view, b.to); err != nil {
			return err
		}
		if last && !v.indexed {
			if err := w.index(); err != nil {
				return err
			}
		}
		if last && v.rejoin {
			if err := v.join(w); err != nil {
				return err
			}
		}
		return v.writeHead(w, &head, b.to, last)
	})
	if err != nil {
		return err
	}
	v.next, v.opened, v.indexed = b.to, head, v.indexed || last
	if err := v.clean(ctx); err != nil {
		return err
	}
	v.setHead(head, last)
	return nil
}

// index makes the indexes.
func (w *writer) index() error {
	for name, on := range indexes {
		if err := w.exec(`CREATE INDEX ` + name + ` ON ` + on); err != nil {
			return err
		}
	}
	return nil
}

// takeEnvelope writes an envelope that this institution may open.
func (v *View) takeEnvelope(w *writer, number uint64, opened []reader.Opened, view *state.State, head *Head, t *touched) error {
	meta, err := v.cfg.Node.Machine().Meta(number)
	if err != nil {
		return err
	}
	head.Envelopes, head.Size = number+1, meta.First+uint64(meta.Count)
	if len(opened) == 0 {
		return nil
	}
	head.LogTime = opened[0].LogTime
	if err := w.do("envelope", int64(number), meta.Hospital, int64(meta.First), meta.Count, int64(opened[0].LogTime)); err != nil {
		return err
	}
	for _, o := range opened {
		if view.Withdrawn(o.Hospital, o.Index) { // since it was opened
			continue
		}
		if o.Problem != "" {
			head.Unopened++
		}
		if err := w.insert(number, o); err != nil {
			return err
		}
		v.hear(o, t)
	}
	return nil
}

// writeHead names the log as far as it is read. A root is only named of all of it.
func (v *View) writeHead(w *writer, head *Head, envelopes uint64, last bool) error {
	root := []byte{}
	head.Edition = w.lists.Edition()
	if last {
		at, err := v.cfg.Node.Machine().RootAt(head.Size)
		if err != nil {
			return err
		}
		head.Root, root = at, at[:]
		if _, head.LogTime, err = v.cfg.Node.Machine().Envelope(envelopes - 1); err != nil {
			return err
		}
	}
	return w.exec(`INSERT OR REPLACE INTO head VALUES (1,?,?,?,?,?,?)`, int64(head.Envelopes), int64(head.Size), root,
		int64(head.LogTime), head.Edition, head.Unopened)
}
