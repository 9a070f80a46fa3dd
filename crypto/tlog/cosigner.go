package tlog

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
)

// timestampSize is the length of the time that leads a cosignature.
const timestampSize = 8

// A Cosigner cosigns checkpoints with two keys under one name, so that
// forging its word takes breaking both Ed25519 and ML-DSA-44. It is safe for
// concurrent use.
type Cosigner struct {
	key *CosignerKey
	ed  ed25519.PrivateKey
	ml  *mldsa44.PrivateKey
}

// NewCosigner returns a cosigner. The name, "<network name>/v/<node>", must
// belong to these keys alone, and the keys to this purpose alone: the Ed25519
// message does not say who cosigned.
func NewCosigner(name string, ed ed25519.PrivateKey, ml *mldsa44.PrivateKey) (*Cosigner, error) {
	edPublic, err := ed25519Public(ed)
	if err != nil {
		return nil, fmt.Errorf("cosigner: %w", err)
	}
	if ml == nil {
		return nil, fmt.Errorf("cosigner: %w: no ML-DSA-44 private key", ErrMalformed)
	}
	key, err := NewCosignerKey(name, edPublic, ml.Public().(*mldsa44.PublicKey).Bytes())
	if err != nil {
		return nil, err
	}
	return &Cosigner{key: key, ed: ed, ml: ml}, nil
}

// Key returns the public half.
func (c *Cosigner) Key() *CosignerKey { return c.key }

// Cosign returns the Ed25519 and the ML-DSA-44 cosignature of a checkpoint,
// both at the given time in Unix seconds, 1 to 2^63 - 1. ML-DSA is hedged with
// system randomness (FIPS 204 section 3.4), so it differs each time. Before
// calling, the caller has made sure that the checkpoint is the largest it ever
// cosigned and consistent with all before.
func (c *Cosigner) Cosign(cp Checkpoint, unixSeconds uint64) ([]NoteSignature, error) {
	return c.cosign(cp, unixSeconds, true)
}

func (c *Cosigner) cosign(cp Checkpoint, unixSeconds uint64, hedged bool) ([]NoteSignature, error) {
	if err := cp.Check(); err != nil {
		return nil, fmt.Errorf("cosign %w", err)
	}
	if unixSeconds == 0 || unixSeconds > math.MaxInt64 {
		return nil, fmt.Errorf("cosign checkpoint: %w: time %d is not 1 to 2^63-1", ErrMalformed, unixSeconds)
	}
	edBlob := binary.BigEndian.AppendUint64(nil, unixSeconds)
	edBlob = append(edBlob, ed25519.Sign(c.ed, ed25519Message(unixSeconds, cp))...)

	mlBlob := make([]byte, timestampSize+mldsa44.SignatureSize)
	binary.BigEndian.PutUint64(mlBlob, unixSeconds)
	message := mldsaMessage(c.key.Name(), unixSeconds, cp)
	if err := mldsa44.SignTo(c.ml, message, nil, hedged, mlBlob[timestampSize:]); err != nil {
		return nil, fmt.Errorf("cosign checkpoint as %s: %w", c.key.Name(), err)
	}
	return []NoteSignature{
		{Name: c.key.ed.name, KeyID: c.key.ed.id, Blob: edBlob},
		{Name: c.key.ml.name, KeyID: c.key.ml.id, Blob: mlBlob},
	}, nil
}

// ed25519Message is what a key of type 0x04 signs (C2SP tlog-cosignature,
// "Ed25519 signed message").
func ed25519Message(unixSeconds uint64, c Checkpoint) []byte {
	message := strconv.AppendUint([]byte("cosignature/v1\ntime "), unixSeconds, 10)
	return append(append(message, '\n'), c.Text()...)
}

// mldsaMessage is what a key of type 0x06 signs (C2SP tlog-cosignature,
// "ML-DSA-44 signed message"): of a checkpoint, the subtree from leaf 0 to its
// size. Names and origins were checked to be 1 to 255 bytes.
func mldsaMessage(cosigner string, unixSeconds uint64, c Checkpoint) []byte {
	message := []byte("subtree/v1\n\x00")
	message = append(append(message, byte(len(cosigner))), cosigner...)
	message = binary.BigEndian.AppendUint64(message, unixSeconds)
	message = append(append(message, byte(len(c.Origin))), c.Origin...)
	message = binary.BigEndian.AppendUint64(message, 0)
	message = binary.BigEndian.AppendUint64(message, c.Size)
	return append(message, c.Root[:]...)
}

// A CosignerKey is the public half of a [Cosigner]. It does not change and may
// be shared between goroutines.
type CosignerKey struct {
	ed, ml *VKey
}

// NewCosignerKey returns the cosigner key of a name and its two public keys:
// 32 bytes of Ed25519 (RFC 8032) and 1312 bytes of ML-DSA-44 (FIPS 204).
func NewCosignerKey(name string, edPublic, mlPublic []byte) (*CosignerKey, error) {
	ed, err := NewVKey(name, CosignerEd25519, edPublic)
	if err != nil {
		return nil, fmt.Errorf("cosigner: %w", err)
	}
	ml, err := NewVKey(name, CosignerMLDSA44, mlPublic)
	if err != nil {
		return nil, fmt.Errorf("cosigner: %w", err)
	}
	return &CosignerKey{ed: ed, ml: ml}, nil
}

// Name returns the cosigner's name.
func (k *CosignerKey) Name() string { return k.ed.name }

// VKeys returns the vkeys of the Ed25519 and the ML-DSA-44 key, in this order.
func (k *CosignerKey) VKeys() []string { return []string{k.ed.String(), k.ml.String()} }

// Verify checks that among sigs are this cosigner's two cosignatures of a
// checkpoint, that both verify, and that they carry the same time, which it
// returns in Unix seconds. Lines of other keys are ignored. The error is
// [ErrSignature].
func (k *CosignerKey) Verify(c Checkpoint, sigs []NoteSignature) (unixSeconds uint64, err error) {
	var times [2]uint64
	for i, half := range []*VKey{k.ed, k.ml} {
		sig, ok := half.find(sigs)
		if !ok {
			return 0, fmt.Errorf("verify cosignatures by %s: %w: one is missing", half.name, ErrSignature)
		}
		if times[i], err = half.Verify(c, sig); err != nil {
			return 0, err
		}
	}
	if times[0] != times[1] {
		return 0, fmt.Errorf("verify cosignatures by %s: %w: two times", k.Name(), ErrSignature)
	}
	return times[0], nil
}
