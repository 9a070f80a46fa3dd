package outbox

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

const (
	packBytes = 56 << 10 // of padded plaintext in one envelope: with wraps and signatures about 64 KiB
	minClass  = 512      // smallest size class of a body; so at most 112 entries share an envelope
)

// Entry is an entry ready to be sealed.
type Entry struct {
	ID    [32]byte
	Plain envelope.Plain

	to uint32 // institution for which it is meant beside its readers; 0: none
}

// Placed is where an entry goes. Known entries were taken before and are not
// placed again. An envelope that is built anew gives its entries other places:
// the ones in the log are those of the [Receipt].
type Placed struct {
	Known    bool
	InLog    bool // of a known entry: the log has it
	Sequence uint64
	Place    uint32
}

// AddEntries packs groups of entries into envelopes and makes them durable.
// The entries of one group, which come from one source, share an envelope
// unless they are too large for it; those that are meant for one institution
// share envelopes of their own. Entries with a known id are left out. The
// result has one Placed for each entry of each group. The error is
// consensus.ErrNoRoom while the disk has too little room for more.
func (o *Outbox) AddEntries(ctx context.Context, groups [][]Entry) ([][]Placed, error) {
	if err := o.adopt(ctx); err != nil {
		return nil, err
	}
	if err := o.cfg.Log.Room(); err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	o.building.Lock()
	defer o.building.Unlock()
	out := make([][]Placed, len(groups))
	for g, entries := range groups {
		out[g] = make([]Placed, len(entries))
	}
	for _, to := range o.addressees(groups) {
		p := &pack{o: o, out: out, to: to}
		for g, entries := range groups {
			if err := p.group(g, entries); err != nil {
				return nil, fmt.Errorf("outbox: %w", err)
			}
		}
		if err := p.flush(); err != nil {
			return nil, fmt.Errorf("outbox: %w", err)
		}
	}
	return out, nil
}

// addressees returns, ascending, for whom entries of the groups are meant: 0,
// for those that are meant for nobody, is always among them. It notes in each
// entry for whom that is.
func (o *Outbox) addressees(groups [][]Entry) []uint32 {
	found := []uint32{0}
	view := o.cfg.Log.View()
	for _, entries := range groups {
		for i := range entries {
			entries[i].to = o.addressee(view, entries[i].Plain)
			if to := entries[i].to; !slices.Contains(found, to) {
				found = append(found, to)
			}
		}
	}
	slices.Sort(found)
	return found
}

// addressee returns for which institution all of some entries are meant, or 0.
func (o *Outbox) addressee(view *state.State, plains ...envelope.Plain) (to uint32) {
	if o.cfg.Addressee == nil {
		return 0
	}
	for i, p := range plains {
		switch one := o.cfg.Addressee(view, p.CBOR); {
		case i == 0:
			to = one
		case to != one:
			return 0
		}
	}
	return to
}

// readers returns whom entries are sealed to.
func (o *Outbox) readers(view *state.State, plains []envelope.Plain) (*envelope.ReaderSet, error) {
	set, ok := view.ReadersFor(o.cfg.Hospital)
	if !ok {
		return nil, errors.New("this institution is not in the roster")
	}
	if m, ok := view.Member(o.addressee(view, plains...)); ok {
		set.Addressee = &envelope.Reader{Key: m.Institution.Sealing, Rights: seal.Rights{Clinical: true}}
	}
	return set, nil
}

// pack collects entries for one envelope.
type pack struct {
	o       *Outbox
	out     [][]Placed
	to      uint32 // for whom they are meant
	entries []Entry
	at      [][2]int // group and place in it, of each entry
	taken   map[[32]byte]bool
	bytes   int
}

func (p *pack) group(g int, entries []Entry) error {
	total := 0
	for _, e := range entries {
		if e.to == p.to {
			total += classOf(e)
		}
	}
	if p.bytes > 0 && p.bytes+total > packBytes {
		if err := p.flush(); err != nil {
			return err
		}
	}
	for i, e := range entries {
		if e.to != p.to {
			continue
		}
		known, inLog := p.o.isKnown(e.ID)
		if known || p.taken[e.ID] {
			p.out[g][i] = Placed{Known: true, InLog: inLog}
			continue
		}
		if p.bytes > 0 && p.bytes+classOf(e) > packBytes {
			if err := p.flush(); err != nil {
				return err
			}
		}
		if p.taken == nil {
			p.taken = map[[32]byte]bool{}
		}
		p.taken[e.ID] = true
		p.entries = append(p.entries, e)
		p.at = append(p.at, [2]int{g, i})
		p.bytes += classOf(e)
	}
	return nil
}

func classOf(e Entry) int {
	n := minClass
	for n < len(e.Plain.CBOR)+4 {
		n *= 2
	}
	return n
}

func (p *pack) flush() error {
	if len(p.entries) == 0 {
		return nil
	}
	sequence, places, err := p.o.build(p.entries)
	if err != nil {
		return err
	}
	for i, at := range p.at {
		p.out[at[0]][at[1]] = Placed{Sequence: sequence, Place: places[i]}
	}
	p.entries, p.at, p.bytes = nil, nil, 0
	return nil
}

func (o *Outbox) isKnown(id [32]byte) (known, inLog bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	inLog, known = o.known[id]
	return known, inLog
}

// build seals, signs and stores one envelope. The caller holds building.
func (o *Outbox) build(entries []Entry) (uint64, []uint32, error) {
	view := o.cfg.Log.View()
	plains := make([]envelope.Plain, len(entries))
	for i, e := range entries {
		plains[i] = e.Plain
	}
	readers, err := o.readers(view, plains)
	if err != nil {
		return 0, nil, err
	}
	env, places, err := envelope.BuildEntries(o.nextLink(view), readers, plains, o.cfg.Key(view), randomness())
	if err != nil {
		return 0, nil, err
	}
	ids := make([][32]byte, len(entries))
	for i, e := range entries {
		ids[places[i]] = e.ID
	}
	return env.Sequence, places, o.enqueue(&item{env: env, ids: ids})
}

// randomness is crypto/rand's, but for a leak that a test plants.
func randomness() io.Reader {
	if fault.Planted(fault.LeakSalt) {
		return tellingSalts{}
	}
	return rand.Reader
}

// tellingSalts gives a text in place of the 32 bytes of a salt.
type tellingSalts struct{}

// Read fills b.
func (tellingSalts) Read(b []byte) (int, error) {
	n, err := rand.Read(b)
	if len(b) == 32 {
		copy(b, fault.Overheard())
	}
	return n, err
}

// AddAct builds and stores an act's envelope and returns its sequence. An act
// that was taken before is not taken again, and its sequence is 0. Acts are few
// and small; a disk that is low takes them.
func (o *Outbox) AddAct(ctx context.Context, a act.Act) (uint64, error) {
	if err := o.adopt(ctx); err != nil {
		return 0, err
	}
	o.building.Lock()
	defer o.building.Unlock()
	raw := a.Marshal()
	id := actID(raw)
	if known, _ := o.isKnown(id); known {
		return 0, nil
	}
	view := o.cfg.Log.View()
	env, err := envelope.BuildAct(o.nextLink(view), raw, o.cfg.Key(view))
	if err != nil {
		return 0, fmt.Errorf("outbox: %w", err)
	}
	return env.Sequence, o.enqueue(&item{env: env, ids: [][32]byte{id}})
}

func actID(raw []byte) [32]byte {
	return sha256.Sum256(append([]byte("raresync/outbox/act\x00"), raw...))
}

func (o *Outbox) nextLink(view *state.State) envelope.Link {
	o.mu.Lock()
	defer o.mu.Unlock()
	return envelope.Link{
		Network: view.Network, Hospital: o.cfg.Hospital,
		Sequence: o.head.sequence + 1, Attempt: o.attemptFor(o.head.sequence+1, o.attempt), Previous: o.head.id,
		SignedAt: uint64(o.cfg.Now().UnixMilli()),
	}
}

func (o *Outbox) enqueue(it *item) error {
	if err := o.store.save(it); err != nil {
		o.fail(err)
		return fmt.Errorf("outbox: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.items = append(o.items, it)
	o.head = link{it.env.Sequence, it.env.ID()}
	o.attempt = 1
	for _, id := range it.ids {
		o.known[id] = false
		delete(o.refusals, id)
	}
	o.broadcast()
	return nil
}
