package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
)

// Link is an envelope's place in its hospital's chain.
type Link struct {
	Network  [32]byte
	Hospital uint32
	Sequence uint64
	Attempt  uint32
	Previous ID
	SignedAt uint64 // milliseconds since 1970
}

// Reader is a sealing key with what it may open.
type Reader struct {
	Key    seal.ReaderPublic
	Rights seal.Rights
}

// ReaderSet lists the keys that an envelope of one hospital is wrapped to.
type ReaderSet struct {
	Number   uint64 // envelope number of the act that made the set current
	Own      seal.ReaderPublic
	National []Reader // ascending by key id, 1 to 16
	Province *Reader  // nil where the hospital's province has no reader

	// Addressee is whom the entries of one envelope are meant for beside the
	// others; nil: nobody. No wrap names it.
	Addressee *Reader
}

// KeyIDs returns the key ids of the wraps in order, without the two slots.
func (s *ReaderSet) KeyIDs() []seal.KeyID {
	ids := []seal.KeyID{s.Own.ID()}
	for _, r := range s.National {
		ids = append(ids, r.Key.ID())
	}
	if s.Province != nil {
		ids = append(ids, s.Province.Key.ID())
	}
	return ids
}

// SortNational puts national readers in the order of the format.
func SortNational(readers []Reader) {
	slices.SortFunc(readers, func(a, b Reader) int {
		x, y := a.Key.ID(), b.Key.ID()
		return bytes.Compare(x[:], y[:])
	})
}

// Plain is an entry's plaintext with the part it is sealed under.
type Plain struct {
	Part seal.Part
	CBOR []byte
}

// BuildEntries seals the entries under fresh keys in random order, wraps the
// keys to the reader set, and signs. The second result gives each entry's
// place, in the order the entries came. rand is crypto/rand.Reader outside of
// tests. It fails with ErrCount, ErrTooLarge or, for one entry that is too
// large, seal.ErrTooLarge.
func BuildEntries(l Link, set *ReaderSet, entries []Plain, key *sign.PrivateKey, rand io.Reader) (*Envelope, []uint32, error) {
	if len(entries) == 0 || len(entries) > MaxEntries {
		return nil, nil, fmt.Errorf("build envelope of %d entries: %w", len(entries), ErrCount)
	}
	h := l.header(KindEntries, len(entries), key)
	ctx := h.Context()
	keks, err := seal.NewKEKs(rand)
	if err != nil {
		return nil, nil, fmt.Errorf("build envelope: %w", err)
	}
	places, err := shuffle(len(entries), rand)
	if err != nil {
		return nil, nil, fmt.Errorf("build envelope: %w", err)
	}
	bodies := make([]seal.Body, len(entries))
	for i, e := range entries {
		var salt [32]byte
		if _, err := io.ReadFull(rand, salt[:]); err != nil {
			return nil, nil, fmt.Errorf("build envelope: %w", err)
		}
		bodies[places[i]], err = ctx.Seal(places[i], e.Part, keks.Of(e.Part), salt, e.CBOR)
		if err != nil {
			return nil, nil, fmt.Errorf("build envelope: entry %d: %w", i, err)
		}
	}
	h.ReaderSet = set.Number
	h.CommitC = ctx.CommitKEK(seal.Clinical, keks.Clinical)
	h.CommitG = ctx.CommitKEK(seal.Genetic, keks.Genetic)
	if h.Wraps, err = set.wrap(ctx, keks, rand); err != nil {
		return nil, nil, fmt.Errorf("build envelope: %w", err)
	}
	env, err := finish(h, bodies, key)
	return env, places, err
}

// BuildAct puts an act, already encoded, into an envelope and signs it.
func BuildAct(l Link, act []byte, key *sign.PrivateKey) (*Envelope, error) {
	return finish(l.header(KindAct, 1, key), []seal.Body{{Ciphertext: act}}, key)
}

func (l Link) header(k Kind, count int, key *sign.PrivateKey) Header {
	return Header{
		Version: Version, Suite: Suite, Kind: k,
		Network: l.Network, Hospital: l.Hospital, KeyID: key.Public().ID(),
		Sequence: l.Sequence, Attempt: l.Attempt, Previous: l.Previous,
		SignedAt: l.SignedAt, Count: uint32(count),
	}
}

// finish commits to the bodies, signs the header and decodes the result, so
// that nothing leaves that a receiver would not read.
func finish(h Header, bodies []seal.Body, key *sign.PrivateKey) (*Envelope, error) {
	e := Envelope{Header: h, Bodies: bodies}
	h.BodiesHash = seal.BodiesHash(e.Commitments())
	header := h.Marshal()
	sig, err := key.Sign(h.Kind.Label(), header)
	if err != nil {
		return nil, fmt.Errorf("sign envelope: %w", err)
	}
	env, err := Assemble(header, sig, bodies)
	if errors.Is(err, ErrTooLarge) {
		return nil, fmt.Errorf("build envelope of %d entries: %w", len(bodies), err)
	}
	return env, err
}

func (s *ReaderSet) wrap(ctx seal.Context, keks seal.KEKs, rand io.Reader) ([]seal.Wrap, error) {
	readers := append([]Reader{{Key: s.Own, Rights: seal.Rights{Clinical: true, Genetic: true}}}, s.National...)
	if s.Province != nil {
		readers = append(readers, *s.Province)
	}
	wraps := make([]seal.Wrap, 0, len(readers)+2)
	for _, r := range readers {
		w, err := ctx.Wrap(r.Key, keks, r.Rights, rand)
		if err != nil {
			return nil, err
		}
		wraps = append(wraps, w)
	}
	for i := range 2 {
		slot := ctx.EmptySlot
		if to := s.Addressee; to != nil && i == 0 {
			slot = func(keks seal.KEKs, rand io.Reader) (seal.Wrap, error) {
				return ctx.WrapSlot(to.Key, keks, to.Rights, rand)
			}
		}
		w, err := slot(keks, rand)
		if err != nil {
			return nil, err
		}
		wraps = append(wraps, w)
	}
	return wraps, nil
}

// shuffle returns a random permutation of 0..n-1 drawn from rand, by
// Fisher-Yates with rejection so that each is equally likely.
func shuffle(n int, rand io.Reader) ([]uint32, error) {
	p := make([]uint32, n)
	for i := range p {
		p[i] = uint32(i)
	}
	for i := n - 1; i > 0; i-- {
		j, err := below(uint32(i+1), rand)
		if err != nil {
			return nil, err
		}
		p[i], p[j] = p[j], p[i]
	}
	return p, nil
}

func below(n uint32, rand io.Reader) (uint32, error) {
	var b [4]byte
	limit := uint32(1<<32/uint64(n)*uint64(n) - 1) // largest draw that keeps all residues equal
	for {
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return 0, err
		}
		v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		if v <= limit {
			return v % n, nil
		}
	}
}
