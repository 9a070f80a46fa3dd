package seal

import (
	"crypto/hpke"
	"fmt"
	"io"
)

// A Grant names an envelope whose keys one reader gives to another, later than
// it was sealed.
type Grant struct {
	Context
	Envelope         [32]byte // envelope id
	From             KeyID    // sealing key of who gives
	CommitC, CommitG [32]byte // the commitments in the envelope's header
}

// Wrap wraps the keys to reader r. In place of a key that r has no right to, or
// that the giver does not have, goes as many bytes from rand; nothing shows
// which.
func (g Grant) Wrap(r ReaderPublic, keys Opened, may Rights, rand io.Reader) (data [WrapBytes]byte, err error) {
	given, err := NewKEKs(rand)
	if err != nil {
		return data, fmt.Errorf("grant to %s: %w", r.id, err)
	}
	if may.Clinical && keys.HasClinical {
		given.Clinical = keys.Clinical
	}
	if may.Genetic && keys.HasGenetic {
		given.Genetic = keys.Genetic
	}
	plaintext := append(given.Clinical[:], given.Genetic[:]...)
	wrapped, err := hpke.Seal(r.key, hpke.HKDFSHA256(), hpke.AES256GCM(), g.info(r.id), plaintext)
	if err != nil {
		return data, fmt.Errorf("grant to %s: %w", r.id, err)
	}
	copy(data[:], wrapped)
	return data, nil
}

// Unwrap opens what [Grant.Wrap] made for r. It fails with ErrWrap if it was
// not made for r, by another reader, or for another envelope. Which keys match
// their commitments is in the result; see [Opened.CheckRights].
func (g Grant) Unwrap(r *ReaderPrivate, data [WrapBytes]byte) (Opened, error) {
	b, err := hpke.Open(r.secret().key, hpke.HKDFSHA256(), hpke.AES256GCM(), g.info(r.public.id), data[:])
	if err != nil || len(b) != 64 {
		return Opened{}, fmt.Errorf("%w: granted to key %s", ErrWrap, r.public.id)
	}
	return g.opened(b, g.CommitC, g.CommitG), nil
}

// info binds a grant to its envelope, to both keys and to the committed keys.
func (g Grant) info(to KeyID) []byte {
	b := g.labelled("raresync/v1/grant", 5*32)
	b = append(b, g.Envelope[:]...)
	b = append(b, g.From[:]...)
	b = append(b, to[:]...)
	b = append(b, g.CommitC[:]...)
	return append(b, g.CommitG[:]...)
}
