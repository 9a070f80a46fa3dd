package reader

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync/atomic"

	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
)

// Errors that callers branch on.
var (
	// ErrNotFound reports an index beyond the log.
	ErrNotFound = errors.New("no such entry")
	// ErrNotAllowed reports an entry that this institution may not open.
	ErrNotAllowed = errors.New("this institution may not open the entry")
	// ErrErased reports an entry of which only the leaf is left.
	ErrErased = errors.New("the entry is erased: its patient has withdrawn")
	// ErrStopped reports an entry of another hospital whose use its patient has
	// stopped.
	ErrStopped = errors.New("the patient has stopped the use of the entry")
	// ErrNotCase reports an entry that is no case where one is needed.
	ErrNotCase = errors.New("the entry is not a case")
)

// Poster posts an act for this institution, the same act once only.
type Poster interface {
	AddAct(ctx context.Context, a act.Act) (sequence uint64, err error)
}

// Node is the copy of the log to read; [consensus.Node] is one.
type Node interface {
	View() *state.State
	Wait(ctx context.Context, cond func(*state.State) bool) (*state.State, error)
	Machine() *machine.Machine
}

// Config is what a reader needs.
type Config struct {
	Node        Node
	Institution uint32
	Sealing     func() []*seal.ReaderPrivate // this institution's, the present one first
	Dir         string                       // for the watch's place
	Poster      Poster
	Logger      *slog.Logger
}

// Reader opens entries. It is safe for concurrent use.
type Reader struct {
	cfg   Config
	last  atomic.Pointer[grant] // read from the log
	known known

	letters    letters
	registered registered
}

// New returns a reader.
func New(c Config) *Reader { return &Reader{cfg: c} }

// Opened is an entry with its place in the log.
type Opened struct {
	Index    uint64
	Hospital uint32
	LogTime  uint64 // ms
	Entry    entry.Entry
	Problem  string // a code if it did not open; Entry is empty then
	Granted  bool   // the keys came, or should have come, by a grant
	Doubtful bool   // signed with a key of which was said later that it may have been another's by then
}

// Entries yields every entry this institution may open from the given index
// on, at most limit (0 = all), as of now.
func (r *Reader) Entries(ctx context.Context, from uint64, limit int) iter.Seq2[Opened, error] {
	return func(yield func(Opened, error) bool) {
		count := 0
		for o, err := range r.entries(ctx, 0, from, 0) {
			if err == nil && r.moot(o) {
				continue
			}
			if count++; !yield(o, err) || count == limit {
				return
			}
		}
	}
}

// moot reports whether an entry is a question about an entry that is withdrawn:
// it is withdrawn itself, in time.
func (r *Reader) moot(o Opened) bool {
	q := o.Entry.Query
	return q != nil && r.cfg.Node.View().Withdrawn(q.Hospital, q.Target)
}

// OwnEntries yields this institution's own entries, as of now.
func (r *Reader) OwnEntries(ctx context.Context) iter.Seq2[Opened, error] {
	return r.entries(ctx, r.cfg.Institution, 0, 0)
}

// entries is Entries of one hospital alone, or of all if hospital is 0.
func (r *Reader) entries(ctx context.Context, hospital uint32, from uint64, limit int) iter.Seq2[Opened, error] {
	return func(yield func(Opened, error) bool) {
		view := r.cfg.Node.View()
		if from >= view.Tree.Size() {
			return
		}
		number, err := r.cfg.Node.Machine().EnvelopeAt(from)
		if err != nil {
			yield(Opened{}, err)
			return
		}
		for count := 0; number < view.Envelopes; number++ {
			opened, err := r.envelope(view, hospital, number)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(Opened{}, err)
				return
			}
			for _, o := range opened {
				if o.Index < from {
					continue
				}
				if !yield(o, nil) {
					return
				}
				if count++; count == limit {
					return
				}
			}
		}
	}
}

// Entry opens one entry.
func (r *Reader) Entry(index uint64) (Opened, error) {
	opened, err := r.neighbours(index)
	if err != nil {
		return Opened{}, err
	}
	for _, o := range opened {
		switch {
		case o.Index == index && r.moot(o):
			return Opened{}, fmt.Errorf("entry %d: %w", index, ErrErased)
		case o.Index == index:
			return o, nil
		}
	}
	return Opened{}, fmt.Errorf("entry %d: %w", index, r.whyNot(index))
}

// Envelope opens what this institution may open of one envelope, as of now.
func (r *Reader) Envelope(number uint64) ([]Opened, error) {
	return r.envelope(r.cfg.Node.View(), 0, number)
}

// whyNot tells why an entry of the log was not opened.
func (r *Reader) whyNot(index uint64) error {
	raw, err := r.cfg.Node.Machine().Leaf(index)
	if err != nil {
		return err
	}
	leaf, err := envelope.ParseLeaf(raw)
	if err != nil {
		return err
	}
	if leaf.Kind == envelope.KindEntries && r.cfg.Node.View().Withdrawn(leaf.Hospital, index) {
		return ErrErased
	}
	return ErrNotAllowed
}

// neighbours opens the envelope that holds an index.
func (r *Reader) neighbours(index uint64) ([]Opened, error) {
	view := r.cfg.Node.View()
	if index >= view.Tree.Size() {
		return nil, fmt.Errorf("entry %d of %d: %w", index, view.Tree.Size(), ErrNotFound)
	}
	number, err := r.cfg.Node.Machine().EnvelopeAt(index)
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", index, err)
	}
	opened, err := r.envelope(view, 0, number)
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", index, err)
	}
	return opened, nil
}

// rights returns what this institution may open of an envelope's sender.
func (r *Reader) rights(view *state.State, sender uint32) (seal.Rights, bool) {
	return rightsOf(view, r.cfg.Institution, sender)
}

// MayOpen reports whether an institution may open what a sender seals.
func MayOpen(view *state.State, institution, sender uint32) bool {
	_, ok := rightsOf(view, institution, sender)
	return ok
}

// rightsOf returns what an institution may open of an envelope's sender.
func rightsOf(view *state.State, institution, sender uint32) (seal.Rights, bool) {
	if sender == institution {
		return seal.Rights{Clinical: true, Genetic: true}, true
	}
	self, ok := view.Member(institution)
	from, known := view.Member(sender)
	if !ok || !known {
		return seal.Rights{}, false
	}
	if self.Rights.Has(act.RightProvince) && self.Province != from.Province {
		return seal.Rights{}, false
	}
	may := state.SealRights(self.Rights)
	return may, may.Clinical
}

// envelope opens what may be opened of one envelope, if hospital is 0 or its
// sender. An envelope that is not ours to read gives nothing; one that should
// open and does not gives its entries as problems.
func (r *Reader) envelope(view *state.State, hospital uint32, number uint64) ([]Opened, error) {
	meta, err := r.cfg.Node.Machine().Meta(number)
	if err != nil {
		return nil, err
	}
	may, ok := r.rights(view, meta.Hospital)
	switch {
	case hospital != 0 && hospital != meta.Hospital:
		return nil, nil
	case !ok:
		return r.letter(view, meta, number)
	}
	env, logTime, err := r.cfg.Node.Machine().Envelope(number)
	if err != nil || env.Kind != envelope.KindEntries {
		return nil, err
	}
	keys, granted, err := r.unlock(view, number, env, may)
	if errors.Is(err, errNotGranted) {
		return nil, nil
	}
	if granted && err != nil {
		r.cfg.Logger.Warn("a grant does not give the keys that the envelope commits to", "envelope", number, "reason", err.Error())
	}
	at := Opened{Hospital: env.Hospital, LogTime: logTime, Granted: granted, Doubtful: view.Doubtful(number, env.KeyID)}
	var bodies []envelope.OpenedEntry
	if err == nil {
		bodies, err = env.OpenWith(keys, may)
	}
	if err != nil {
		return unopened(at, meta.First, env.Count, problemOf(err)), nil
	}
	return r.entriesOf(view, at, meta.First, bodies), nil
}

// entriesOf reads what was opened of an envelope whose first entry has an index,
// without what is withdrawn.
func (r *Reader) entriesOf(view *state.State, at Opened, first uint64, bodies []envelope.OpenedEntry) []Opened {
	out := make([]Opened, 0, len(bodies))
	for _, b := range bodies {
		if errors.Is(b.Err, seal.ErrErased) {
			continue
		}
		o := at
		o.Index = first + uint64(b.Place)
		if view.Withdrawn(o.Hospital, o.Index) { // whether it is erased here yet or not
			continue
		}
		var err error
		if o.Entry, err = decode(b); err == nil && !maySay(view, o) {
			o.Entry, err = entry.Entry{}, fmt.Errorf("an entry of a type that its sender does not send: %w", seal.ErrBody)
		}
		if err != nil {
			o.Problem = problemOf(err)
		}
		out = append(out, o)
	}
	return out
}

// maySay reports whether the sender of an entry may send one of its type: readers
// ask and write letters, and hospitals say everything else, and ask themselves.
func maySay(view *state.State, o Opened) bool {
	m, ok := view.Member(o.Hospital)
	q := o.Entry.Query
	switch {
	case !ok:
		return false
	case m.Role == act.RoleReader || q == nil:
		return (m.Role == act.RoleReader) == (q != nil || o.Entry.Letter != nil)
	}
	return q.Action == entry.Ask && q.Hospital == o.Hospital
}

func decode(b envelope.OpenedEntry) (entry.Entry, error) {
	if b.Err != nil {
		return entry.Entry{}, b.Err
	}
	e, err := entry.Decode(b.CBOR)
	if err != nil {
		return entry.Entry{}, err
	}
	if genetic := b.Part == seal.Genetic; genetic != e.IsGenetic() {
		return entry.Entry{}, fmt.Errorf("a %s entry sealed as %s: %w", e.Type, b.Part, seal.ErrBody)
	}
	return e, nil
}

func unopened(at Opened, first uint64, count uint32, code string) []Opened {
	out := make([]Opened, count)
	for i := range out {
		out[i] = at
		out[i].Index, out[i].Problem = first+uint64(i), code
	}
	return out
}

// offlineCode says that the key to an entry is kept offline.
const offlineCode = "SEAL004"

// problemOf names why something did not open.
func problemOf(err error) string {
	switch {
	case errors.Is(err, errOffline):
		return offlineCode
	case errors.Is(err, seal.ErrCommitment):
		return "SEAL003"
	case errors.Is(err, seal.ErrWrap), errors.Is(err, envelope.ErrNotAReader):
		return "SEAL001"
	case errors.Is(err, seal.ErrBody), errors.Is(err, seal.ErrLength):
		return "SEAL002"
	}
	return "ENC001"
}
