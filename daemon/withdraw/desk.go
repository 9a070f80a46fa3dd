package withdraw

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
)

// Entries is the hospital's view of its entries; [reader.Reader] is one.
type Entries interface {
	OwnEntries(ctx context.Context) iter.Seq2[reader.Opened, error]
	Changes(ctx context.Context) (*reader.Changes, error)
	Entry(index uint64) (reader.Opened, error)
}

// Outbox takes what is to be posted; [outbox.Outbox] is one.
type Outbox interface {
	AddEntries(ctx context.Context, groups [][]outbox.Entry) ([][]outbox.Placed, error)
	PostAct(ctx context.Context, a act.Act) error
	Ready(ctx context.Context) error
	Drained(ctx context.Context) error
	Forget(indexes []uint64) error
}

// Log is the node's copy of the state; [consensus.Node] is one.
type Log interface {
	View() *state.State
	Wait(ctx context.Context, cond func(*state.State) bool) (*state.State, error)
}

// Config is what a desk needs.
type Config struct {
	Hospital uint32
	Entries  Entries
	Outbox   Outbox
	Log      Log
	EntryID  [32]byte                     // the hospital's key for entry ids and marks
	Handle   [32]byte                     // the hospital's key for case numbers
	Sealing  func() []*seal.ReaderPrivate // the hospital's own, the present one first
	Path     string                       // of the file of decisions
	Schedule Schedule
	Erased   func(cases []string) error // told of persons, by case numbers, once their act is in the log, again at each start; may be nil
	Random   io.Reader
	Now      func() time.Time
	Logger   *slog.Logger
}

// Desk takes patients' decisions and carries them out. It is safe for
// concurrent use.
type Desk struct {
	cfg  Config
	file file

	// posting is held by those who post entries of persons, and wholly by who
	// takes a decision: so a decision finds every entry that is posted before it,
	// and none is posted after it that it forbids.
	posting sync.RWMutex

	mu        sync.Mutex // guards what follows
	decisions []decision
	problem   string        // why an act is not posted, if something keeps it
	changed   chan struct{} // closed and replaced when decisions change
}

// Open reads the file of decisions. A file that does not open is put aside by
// the log's consents, with a warning; other errors are ledger.ErrStorage.
func Open(cfg Config) (*Desk, error) {
	d := &Desk{cfg: cfg, file: file{cfg.Path, cfg.Sealing}, changed: make(chan struct{})}
	var err error
	d.decisions, err = d.file.load()
	switch {
	case errors.Is(err, errUnread):
		cfg.Logger.Warn("the file of patients' decisions does not open; what is left to do is taken from the log", "reason", err.Error())
	case err != nil:
		return nil, fmt.Errorf("open decisions: %w", err)
	}
	if err := d.settleEpoch(cfg.Log.View()); err != nil {
		return nil, fmt.Errorf("open decisions: %w", err)
	}
	return d, nil
}

// all returns the decisions as they are.
func (d *Desk) all() []decision {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.decisions)
}

// keep makes decisions durable and then the ones that hold.
func (d *Desk) keep(all []decision) error {
	if err := d.file.save(all); err != nil {
		return fmt.Errorf("keep decisions: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.decisions = all
	close(d.changed)
	d.changed = make(chan struct{})
	return nil
}

// replace keeps one decision in place of those of the same person.
func (d *Desk) replace(one decision) error {
	all := slices.DeleteFunc(d.all(), func(old decision) bool { return old.shares(one.consent.Consent.Marks) })
	return d.keep(append(all, one))
}

func (d *Desk) mark(p [32]byte) [32]byte { return entry.Mark(d.cfg.EntryID, p) }

func (d *Desk) caseNumber(p [32]byte) string {
	return pseudonym.NewCaseNumber(d.cfg.Handle, p).String()
}

// standing returns the newest consent of the person with one of the marks, which
// may still be on its way into the log.
func (d *Desk) standing(changes *reader.Changes, marks ...[32]byte) (c entry.Entry, ok bool) {
	for _, one := range d.all() {
		if one.shares(marks) && !changes.Has(d.cfg.Hospital, one.consent.ID) {
			return one.consent, true
		}
	}
	o, ok := changes.Consent(d.cfg.Hospital, marks...)
	return o.Entry, ok
}

// drainTime bounds how long others may not post because a decision waits for
// what was posted before it.
const drainTime = 30 * time.Second

// quiet waits until what this hospital has posted is in the log, and lets nobody
// post until release.
func (d *Desk) quiet(ctx context.Context) (release func(), err error) {
	if err := d.cfg.Outbox.Drained(ctx); err != nil {
		return nil, err
	}
	d.posting.Lock()
	ctx, cancel := context.WithTimeout(ctx, drainTime) // of what came in between
	defer cancel()
	if err := d.cfg.Outbox.Drained(ctx); err != nil {
		d.posting.Unlock()
		return nil, err
	}
	return d.posting.Unlock, nil
}

// Why no entry of a person is posted: codes of package rule.
const (
	CodeStopped = "CN001" // the patient has stopped use
	CodeErased  = "CN004" // the patient's entries are erased, or will be
)

// Hold lets entries be posted: until release no decision is taken. stopped
// returns why nothing may be posted of a pseudonym for some uses, or "". It waits until this
// node has a current copy of the log.
func (d *Desk) Hold(ctx context.Context) (stopped func(p [32]byte, uses entry.Scope) string, release func(), err error) {
	if err := d.cfg.Outbox.Ready(ctx); err != nil {
		return nil, nil, err
	}
	d.posting.RLock()
	changes, err := d.cfg.Entries.Changes(ctx)
	if err != nil {
		d.posting.RUnlock()
		return nil, nil, err
	}
	return func(p [32]byte, uses entry.Scope) string { return d.stopped(changes, p, uses) }, d.posting.RUnlock, nil
}

func (d *Desk) stopped(changes *reader.Changes, p [32]byte, uses entry.Scope) string {
	c, ok := d.standing(changes, d.mark(p))
	switch {
	case !ok || !c.Consent.Stops(uses):
		return ""
	case c.Consent.Status == entry.Erasing:
		return CodeErased
	}
	return CodeStopped
}

// erased reports whether an entry of this hospital is withdrawn at a state.
func (d *Desk) erased(view *state.State) func(index uint64) bool {
	return func(index uint64) bool { return view.Withdrawn(d.cfg.Hospital, index) }
}
