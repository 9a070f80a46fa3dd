package pseudonym

import (
	"fmt"

	"github.com/raresync/raresync/crypto/internal/ristretto"
	"github.com/raresync/raresync/crypto/keyshare"
)

// Part is one holder's evaluation of a batch, with its proof verified. Only
// VerifyEvaluation makes parts; the zero Part joins with nothing.
type Part struct {
	keyID        [32]byte
	epoch        uint32
	holder       uint16
	elementsHash [64]byte
	evaluated    []*ristretto.Element
}

// Holder returns the index of the holder whose evaluation this is.
func (p Part) Holder() uint16 { return p.holder }

// VerifyEvaluation checks a holder's answer: that record, request and
// elements belong together, and that the proof shows each evaluated element
// to be the element times the share the record commits to.
//
// The proof's transcript covers the network, key, epoch, holder, hospital,
// request id and the whole batch, all elements and all evaluations. A proof
// of another request, epoch or holder fails, and so does a batch in which
// wrong evaluations were chosen for their errors to cancel.
//
// It returns ErrRequest, ErrBatch, ErrElement, keyshare.ErrRecord for a
// holder the record does not have, or ErrProof, which is the holder's fault.
// It does not look at QuotaDay. Time: about 0.03 ms per element.
func VerifyEvaluation(record keyshare.Record, req Request, elements, evaluated [][32]byte, proof [64]byte) (Part, error) {
	if err := checkRecord(record, req); err != nil {
		return Part{}, fmt.Errorf("verify evaluation: %w", err)
	}
	if err := checkElements(req, elements); err != nil {
		return Part{}, fmt.Errorf("verify evaluation: %w", err)
	}
	if len(evaluated) != len(elements) {
		return Part{}, fmt.Errorf("verify evaluation: %w: %d evaluated elements, want %d",
			ErrRequest, len(evaluated), len(elements))
	}
	blinded, err := decodeElements(elements)
	if err != nil {
		return Part{}, fmt.Errorf("verify evaluation: blinded %w", err)
	}
	products, err := decodeElements(evaluated)
	if err != nil {
		return Part{}, fmt.Errorf("verify evaluation: evaluated %w", err)
	}
	b := batch{
		blinded: blinded, blindedBytes: elements, products: products, productsBytes: evaluated,
		dst: transcript(req, elements, evaluated),
	}
	if b.keyBytes, err = record.HolderKey(req.Holder); err != nil {
		return Part{}, fmt.Errorf("verify evaluation: %w", err)
	}
	if b.key, err = decodeElement(b.keyBytes); err != nil {
		return Part{}, fmt.Errorf("verify evaluation: holder key %w", err)
	}
	if !b.verify(proof) {
		return Part{}, fmt.Errorf("verify evaluation: %w: holder %d, epoch %d", ErrProof, req.Holder, req.Epoch)
	}
	return Part{
		keyID: req.KeyID, epoch: req.Epoch, holder: req.Holder,
		elementsHash: req.ElementsHash, evaluated: products,
	}, nil
}

// checkRecord returns nil if the request names the record's key and epoch.
// The key id is computed afresh, so that a record bound to another network,
// or to none, does not pass.
func checkRecord(record keyshare.Record, req Request) error {
	if req.KeyID != keyshare.KeyID(req.Network, record.PublicKey()) {
		return fmt.Errorf("%w: it is for another key", ErrRequest)
	}
	if req.Epoch != record.Epoch {
		return fmt.Errorf("%w: it is for epoch %d, the record for %d", ErrRequest, req.Epoch, record.Epoch)
	}
	return nil
}
