package seal

import (
	"bytes"
	"crypto/hpke"
	"fmt"
	"io"
)

// WrapBytes is the size of a wrap's data: an X-Wing encapsulation of 1120
// bytes, two KEKs and a GCM tag.
const WrapBytes = 1120 + 2*32 + 16

// Rights says which parts a reader may open.
type Rights struct{ Clinical, Genetic bool }

// A Wrap carries an envelope's KEKs to one reader.
type Wrap struct {
	KeyID []byte // the reader's key id, 32 bytes, or empty in a slot
	Data  []byte // HPKE encapsulation and ciphertext, WrapBytes bytes
}

// Wrap wraps the keys to reader r. In place of a key that r has no right to
// goes as many bytes from rand; nothing in the wrap shows which.
func (c Context) Wrap(r ReaderPublic, keks KEKs, may Rights, rand io.Reader) (Wrap, error) {
	w, err := c.WrapSlot(r, keks, may, rand)
	if err != nil {
		return Wrap{}, err
	}
	w.KeyID = bytes.Clone(r.id[:])
	return w, nil
}

// WrapSlot is Wrap for an addressee: the wrap does not name its reader, who
// finds it by trying.
func (c Context) WrapSlot(r ReaderPublic, keks KEKs, may Rights, rand io.Reader) (Wrap, error) {
	given, err := NewKEKs(rand)
	if err != nil {
		return Wrap{}, fmt.Errorf("wrap to %s: %w", r.id, err)
	}
	if may.Clinical {
		given.Clinical = keks.Clinical
	}
	if may.Genetic {
		given.Genetic = keks.Genetic
	}
	info := c.wrapInfo(r.id, c.CommitKEK(Clinical, keks.Clinical), c.CommitKEK(Genetic, keks.Genetic))
	plaintext := append(given.Clinical[:], given.Genetic[:]...)
	data, err := hpke.Seal(r.key, hpke.HKDFSHA256(), hpke.AES256GCM(), info, plaintext)
	if err != nil {
		return Wrap{}, fmt.Errorf("wrap to %s: %w", r.id, err)
	}
	return Wrap{Data: data}, nil
}

// EmptySlot returns a slot without an addressee: random bytes wrapped to a key
// that is forgotten at once. Plain random bytes would not do, since ML-KEM
// ciphertexts can be told from those.
func (c Context) EmptySlot(keks KEKs, rand io.Reader) (Wrap, error) {
	forgotten, err := GenerateReader()
	if err != nil {
		return Wrap{}, fmt.Errorf("empty slot: %w", err)
	}
	return c.WrapSlot(forgotten.public, keks, Rights{}, rand)
}

// Opened is what a wrap opened to. A key that does not match its commitment is
// left out: its Has is false and its KEK zero.
type Opened struct {
	KEKs
	HasClinical, HasGenetic bool
}

// Unwrap opens a wrap with r, where commitC and commitG are the commitments in
// the envelope's header. It fails with ErrWrap if the wrap is not for r or was
// made for other commitments or another envelope. That a key does not match is
// no error here, since it is so by design for a part r has no right to; see
// Opened.CheckRights.
func (c Context) Unwrap(r *ReaderPrivate, w Wrap, commitC, commitG [32]byte) (Opened, error) {
	if len(w.KeyID) != 0 && !bytes.Equal(w.KeyID, r.public.id[:]) {
		return Opened{}, fmt.Errorf("%w: it names another key than %s", ErrWrap, r.public.id)
	}
	info := c.wrapInfo(r.public.id, commitC, commitG)
	b, err := hpke.Open(r.secret().key, hpke.HKDFSHA256(), hpke.AES256GCM(), info, w.Data)
	if err != nil || len(b) != 64 {
		return Opened{}, fmt.Errorf("%w with key %s", ErrWrap, r.public.id)
	}
	return c.opened(b, commitC, commitG), nil
}

// opened reads the 64 bytes of a wrap and keeps the keys that match.
func (c Context) opened(b []byte, commitC, commitG [32]byte) (o Opened) {
	if k := KEK(b[:32]); c.matches(Clinical, k, commitC) {
		o.Clinical, o.HasClinical = k, true
	}
	if k := KEK(b[32:]); c.matches(Genetic, k, commitG) {
		o.Genetic, o.HasGenetic = k, true
	}
	return o
}

// CheckRights returns ErrCommitment if the key of a part that the reader may
// open is not there: the sender wrapped something else than what the header
// commits to.
func (o Opened) CheckRights(may Rights) error {
	if may.Clinical && !o.HasClinical {
		return fmt.Errorf("%w: %s", ErrCommitment, Clinical)
	}
	if may.Genetic && !o.HasGenetic {
		return fmt.Errorf("%w: %s", ErrCommitment, Genetic)
	}
	return nil
}

// wrapInfo binds a wrap to its envelope, its reader and the committed keys.
func (c Context) wrapInfo(id KeyID, commitC, commitG [32]byte) []byte {
	b := c.labelled("raresync/v1/wrap", 3*32)
	b = append(b, id[:]...)
	b = append(b, commitC[:]...)
	return append(b, commitG[:]...)
}
