package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/raresync/raresync/crypto/seal"
)

// ErrNotAReader reports an envelope that has no wrap for the key: it is sealed
// to others.
var ErrNotAReader = errors.New("not sealed to this key")

// OpenedEntry is what a reader got from one body.
type OpenedEntry struct {
	Place uint32
	Part  seal.Part
	CBOR  []byte // the entry's plaintext; nil if Err is set
	Err   error  // seal.ErrBody: the sender sealed something that does not open; seal.ErrErased
}

// Open opens every body of the envelope that the reader has a right to. It
// fails as a whole with ErrNotAReader, or with seal.ErrCommitment (SEAL003) if
// the wrap that names the reader does not give it the keys that the header
// commits to: it holds others, or was copied from another envelope and does not
// open here. A single bad body is reported in its place.
// Bodies of a part the reader has no right to are left out.
func (e *Envelope) Open(r *seal.ReaderPrivate, may seal.Rights) ([]OpenedEntry, error) {
	keys, err := e.Unwrap(r)
	if err != nil {
		return nil, err
	}
	return e.OpenWith(keys, may)
}

// OpenWith is [Envelope.Open] with keys that [Envelope.Unwrap] or
// [seal.Grant.Unwrap] gave.
func (e *Envelope) OpenWith(keys seal.Opened, may seal.Rights) ([]OpenedEntry, error) {
	if err := keys.CheckRights(may); err != nil {
		return nil, fmt.Errorf("open envelope %s: %w", e.id, err)
	}
	// A sender may have wrapped more than the reader has a right to.
	if !may.Clinical {
		keys.Clinical = seal.KEK{}
	}
	if !may.Genetic {
		keys.Genetic = seal.KEK{}
	}
	ctx := e.Context()
	var out []OpenedEntry
	for i := range e.Bodies {
		if e.Bodies[i].Erased != nil && !(may.Clinical && may.Genetic) {
			continue // of which part it was is not known any more
		}
		part, plain, err := ctx.Open(uint32(i), keys.KEKs, e.Bodies[i])
		if errors.Is(err, seal.ErrPart) && !(may.Clinical && may.Genetic) {
			continue // sealed under a key that this reader does not hold
		}
		out = append(out, OpenedEntry{Place: uint32(i), Part: part, CBOR: plain, Err: err})
	}
	return out, nil
}

// Names reports whether a wrap of the envelope names the key.
func (e *Envelope) Names(id seal.KeyID) bool {
	return slices.ContainsFunc(e.Wraps, func(w seal.Wrap) bool { return bytes.Equal(w.KeyID, id[:]) })
}

// Grant describes the envelope for handing its keys on, by who holds the
// sealing key from.
func (e *Envelope) Grant(from seal.KeyID) seal.Grant {
	return seal.Grant{Context: e.Context(), Envelope: e.id, From: from, CommitC: e.CommitC, CommitG: e.CommitG}
}

// UnwrapSlot returns the keys that a slot carries to r, as its addressee. It
// fails with ErrNotAReader if none does.
func (e *Envelope) UnwrapSlot(r *seal.ReaderPrivate) (seal.Opened, error) {
	for _, w := range e.Wraps {
		if len(w.KeyID) != 0 {
			continue
		}
		if keys, err := e.Context().Unwrap(r, w, e.CommitC, e.CommitG); err == nil {
			return keys, nil
		}
	}
	return seal.Opened{}, fmt.Errorf("open envelope %s: %w", e.id, ErrNotAReader)
}

// Unwrap finds the reader's wrap by key id, or by trying the slots. It fails
// with ErrNotAReader, or with seal.ErrCommitment as [Envelope.Open] does.
func (e *Envelope) Unwrap(r *seal.ReaderPrivate) (seal.Opened, error) {
	ctx, id := e.Context(), r.Public().ID()
	for _, w := range e.Wraps {
		if bytes.Equal(w.KeyID, id[:]) {
			keys, err := ctx.Unwrap(r, w, e.CommitC, e.CommitG)
			if err != nil {
				err = fmt.Errorf("open envelope %s: %w: %w", e.id, seal.ErrCommitment, err)
			}
			return keys, err
		}
	}
	return e.UnwrapSlot(r)
}
