package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

// Log is the network as the outbox needs it; [consensus.Node] is one.
type Log interface {
	Submit(ctx context.Context, raw []byte) (consensus.Outcome, error)
	View() *state.State
	Status() consensus.Status
	Room() error // consensus.ErrNoRoom if no entry may be added
	Wait(ctx context.Context, cond func(*state.State) bool) (*state.State, error)
	WaitCheckpoint(ctx context.Context, size uint64) (tlog.SignedCheckpoint, error)
}

// Config is what an outbox needs.
type Config struct {
	Dir      string // for envelopes, receipts and known entry ids
	Hospital uint32
	Key      func(*state.State) *sign.PrivateKey // envelope key in force at a state
	Sealing  func() []*seal.ReaderPrivate        // the hospital's own sealing keys, those from before too
	Log      Log
	Copy     *machine.Machine                    // Log's copy
	EntryID  func(cbor []byte) ([32]byte, error) // reads an entry's id from its plaintext
	Logger   *slog.Logger
	Now      func() time.Time

	// Addressee says from its plaintext for which institution an entry is meant
	// beside its readers; 0: for none. Nil: no entry is.
	Addressee func(view *state.State, cbor []byte) uint32
}

// Outbox is a hospital's queue of envelopes. It is safe for concurrent use.
type Outbox struct {
	cfg   Config
	store *store

	adopting chan struct{} // holds one while the outbox is compared with the log
	building sync.Mutex    // serialises what assigns sequences
	used     used          // guarded by building
	marks    *marks
	settling sync.Mutex // serialises what takes envelopes off the disk; comes after building
	failed   chan error // the first failure of the disk outside of Run

	mu       sync.Mutex        // guards what follows
	known    map[[32]byte]bool // ids ever taken; true: the log has it
	items    []*item           // ascending by sequence
	head     link              // newest envelope built, or of the newest receipt
	adopted  bool              // the outbox has been compared with the log
	since    uint64            // clock when it was, in ms
	attempt  uint32            // of the next envelope built; 1 unless adopted from the log
	receipts map[uint64]Receipt
	refusals map[[32]byte]*state.Refusal // of acts that were dropped, by id
	alarm    string
	changed  chan struct{} // closed and replaced when anything above changes
}

// link names an envelope in the hospital's chain.
type link struct {
	sequence uint64
	id       envelope.ID
}

// item is an envelope on its way.
type item struct {
	env      *envelope.Envelope
	ids      [][32]byte // of its entries, or of its act, in order of place
	sent     time.Time  // first sending of this run
	accepted *consensus.Outcome
}

// Receipt says where an envelope stands in the log and under which checkpoint.
type Receipt struct {
	Sequence   uint64
	ID         envelope.ID
	Number     uint64
	First      uint64 // index of its first entry
	Count      uint32
	LogTime    uint64
	Checkpoint []byte     // C2SP signed note that covers it
	Entries    [][32]byte // entry ids in order of place: Entries[i] has index First + i
}

// Index returns the index of an entry of the envelope.
func (r *Receipt) Index(entry [32]byte) (uint64, bool) {
	place := slices.Index(r.Entries, entry)
	return r.First + uint64(max(place, 0)), place >= 0
}

// Open reads the outbox from its directory. Nothing is sent before Run.
func Open(cfg Config) (*Outbox, error) {
	s, err := openStore(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	o := &Outbox{
		cfg: cfg, store: s, attempt: 1,
		receipts: map[uint64]Receipt{}, refusals: map[[32]byte]*state.Refusal{}, changed: make(chan struct{}),
		adopting: make(chan struct{}, 1), failed: make(chan error, 1),
	}
	if o.known, err = s.known(); err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	if o.marks, err = openMarks(cfg.Dir); err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	if o.items, err = s.items(); err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	if o.used, err = s.used(); err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	newest, ok, err := s.newestReceipt()
	if err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	if ok {
		o.head = link{newest.Sequence, newest.ID}
	}
	for _, it := range o.items {
		o.head = link{it.env.Sequence, it.env.ID()}
		for _, id := range it.ids {
			if _, taken := o.known[id]; !taken {
				o.known[id] = false
			}
		}
	}
	return o, nil
}

// Pending returns how many envelopes are not yet under a receipt, and what
// keeps them from going on, if anything does.
func (o *Outbox) Pending() (int, string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.items), o.alarm
}

// WaitReceipt returns the receipt of one of the hospital's envelopes, once it
// has one.
func (o *Outbox) WaitReceipt(ctx context.Context, sequence uint64) (Receipt, error) {
	for {
		o.mu.Lock()
		r, ok := o.receipts[sequence]
		changed := o.changed
		o.mu.Unlock()
		if ok {
			return r, nil
		}
		if r, ok, err := o.store.receipt(sequence); err != nil || ok {
			return r, err
		}
		select {
		case <-ctx.Done():
			return Receipt{}, ctx.Err()
		case <-changed:
		}
	}
}

// broadcast wakes everybody who waits for a change. The caller holds mu.
func (o *Outbox) broadcast() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// open opens an envelope of this hospital with whichever of its sealing keys
// it was sealed to.
func (o *Outbox) open(env *envelope.Envelope) ([]envelope.OpenedEntry, error) {
	keys := o.cfg.Sealing()
	i := slices.IndexFunc(keys, func(k *seal.ReaderPrivate) bool { return env.Names(k.Public().ID()) })
	return env.Open(keys[max(i, 0)], seal.Rights{Clinical: true, Genetic: true})
}

// fail makes Run end: the disk failed while an envelope was added.
func (o *Outbox) fail(err error) {
	select {
	case o.failed <- err:
	default: // another came first
	}
}

func (o *Outbox) setAlarm(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.alarm != text {
		o.alarm = text
		if text != "" {
			o.cfg.Logger.Error("outbox does not go on", "reason", text)
		}
	}
}
