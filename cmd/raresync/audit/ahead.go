package audit

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/envelope"
)

// What is read before it is applied.
const (
	aheadEnvelopes = 256
	aheadBytes     = 8 << 20
)

// reading is an envelope as it lies in the files.
type reading struct {
	envelope    *envelope.Envelope
	logTime     uint64
	hospital    uint32   // who sent it
	first       uint64   // index of its first entry, as the files say
	blank       []uint64 // indexes of entries that read as zeros
	commitments [][32]byte
	verified    bool // bodies and signature are right
	err         error
}

// ahead reads envelopes from number n on, at least one, and verifies them on as
// many processors as there are, with the keys of a state from before: s is nil
// before the genesis. It ends with the first that cannot be read.
func ahead(l *ledger.Ledger, s *state.State, n, end uint64, saltless bool) []reading {
	if s == nil {
		return []reading{read(l, n)}
	}
	var list []reading
	for bytes := 0; n < end && len(list) < aheadEnvelopes && bytes < aheadBytes; n++ {
		r := read(l, n)
		list = append(list, r)
		if r.err != nil {
			break
		}
		bytes += len(r.envelope.Marshal())
	}
	each(len(list), runtime.GOMAXPROCS(0), func(i int) { list[i].verify(l, s, saltless) })
	return list
}

// each does something for each of n things, some at once.
func each(n, atOnce int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, atOnce) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
}

// read puts an envelope together. All that follows from it is compared later.
func read(l *ledger.Ledger, n uint64) reading {
	rec, parts, err := l.WholeEnvelope(n)
	if errors.Is(err, ledger.ErrStorage) {
		return reading{err: err}
	}
	if err != nil {
		return reading{err: unverified("%w", err)}
	}
	bodies, blank, err := sealed(l, rec.First, parts)
	if err != nil {
		return reading{err: err}
	}
	e, err := envelope.Assemble(rec.Header, sign.Signature{Ed25519: rec.Ed25519, MLDSA: rec.MLDSA}, bodies)
	if err != nil {
		return reading{err: unverified("%w", err)}
	}
	return reading{envelope: e, logTime: rec.LogTimeMS, hospital: e.Hospital, first: rec.First, blank: blank}
}

// sealed returns the bodies as they lie in the files. What reads as zeros is
// taken for erased: its commitment is its leaf's. Whether it should be is known
// when the state is.
func sealed(l *ledger.Ledger, first uint64, parts []ledger.Body) (bodies []seal.Body, blank []uint64, err error) {
	bodies = make([]seal.Body, len(parts))
	for i, p := range parts {
		bodies[i] = seal.Body{Salt: p.Salt, Tag: p.Tag, Ciphertext: p.Ciphertext}
		if !p.Blank() {
			continue
		}
		raw, err := l.Leaf(first + uint64(i))
		if err != nil {
			return nil, nil, unverified("%w", err)
		}
		leaf, err := envelope.ParseLeaf(raw)
		if err != nil {
			return nil, nil, unverified("leaf %d: %w", first+uint64(i), err)
		}
		bodies[i].Erased = &leaf.Commitment
		blank = append(blank, first+uint64(i))
	}
	return bodies, blank, nil
}

// verify finds out what the bytes alone tell.
func (r *reading) verify(l *ledger.Ledger, s *state.State, saltless bool) {
	if r.err == nil {
		r.commitments, r.err = r.commitmentsOf(l, saltless)
	}
	if r.err == nil {
		r.verified = s.Verified(r.envelope, r.commitments)
	}
}

// commitmentsOf computes the commitments to an envelope's bodies, or without
// salts takes them from the leaves: the signed header covers them. An act has
// no salt to miss.
func (r *reading) commitmentsOf(l *ledger.Ledger, saltless bool) ([][32]byte, error) {
	if !saltless || r.envelope.Kind == envelope.KindAct {
		return r.envelope.Commitments(), nil
	}
	leaves, err := l.LeafRange(r.first, int(r.envelope.Count))
	if err != nil {
		return nil, err
	}
	out := make([][32]byte, len(leaves))
	for i := range leaves {
		leaf, err := envelope.ParseLeaf(leaves[i])
		if err != nil {
			return nil, unverified("leaf %d: %w", r.first+uint64(i), err)
		}
		out[i] = leaf.Commitment
	}
	return out, nil
}

// admit asks the state, which need not verify again what was verified.
func (r *reading) admit(s *state.State) (uint64, *state.Refusal) {
	if r.verified {
		return s.AdmitVerified(r.envelope, r.logTime)
	}
	return s.Admit(r.envelope, r.logTime, r.commitments)
}
