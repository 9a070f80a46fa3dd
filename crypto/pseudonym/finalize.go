package pseudonym

import (
	"fmt"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/math/polynomial"
	"github.com/cloudflare/circl/oprf"

	"github.com/raresync/raresync/crypto/keyshare"
)

// Finalize joins the parts of exactly t different holders, removes the blinds
// and returns the pseudonyms in the order of the inputs. Any t holders give
// the same ones.
//
// It returns ErrParts if there are fewer or more parts, two of one holder, or
// one of another batch, key or epoch than this blinding and record. Time:
// about t × 0.05 ms per input.
func (b *Blinding) Finalize(record keyshare.Record, parts []Part) ([]Pseudonym, error) {
	outputs, err := b.finalize(record, parts)
	if err != nil {
		return nil, fmt.Errorf("finalize: %w", err)
	}
	pseudonyms := make([]Pseudonym, len(outputs))
	for i := range outputs {
		copy(pseudonyms[i][:], outputs[i])
	}
	return pseudonyms, nil
}

// finalize returns the outputs of RFC 9497, 64 bytes each.
func (b *Blinding) finalize(record keyshare.Record, parts []Part) ([][]byte, error) {
	if err := b.checkParts(record, parts); err != nil {
		return nil, err
	}
	return oprf.NewClient(oprf.SuiteRistretto255).Finalize(b.data, &oprf.Evaluation{Elements: b.join(parts)})
}

// join returns, for each input, the evaluation by the whole key.
func (b *Blinding) join(parts []Part) []group.Element {
	weights := lagrange(parts)
	joined := make([]group.Element, b.size)
	for i := range joined {
		sum, term := ristretto.Identity(), ristretto.NewElement()
		for j := range parts {
			sum.Add(sum, term.Mul(parts[j].evaluated[i], weights[j]))
		}
		joined[i] = sum
	}
	return joined
}

// checkParts looks for two parts of one holder before anything is computed:
// the library's Lagrange coefficients would silently be zero then.
func (b *Blinding) checkParts(record keyshare.Record, parts []Part) error {
	if len(parts) == 0 || len(parts) != int(record.Threshold) {
		return fmt.Errorf("%w: %d parts, want %d", ErrParts, len(parts), record.Threshold)
	}
	seen := make(map[uint16]bool, len(parts))
	for _, p := range parts {
		switch {
		case p.holder == 0 || p.holder > record.Holders:
			return fmt.Errorf("%w: no holder %d of %d", ErrParts, p.holder, record.Holders)
		case seen[p.holder]:
			return fmt.Errorf("%w: holder %d twice", ErrParts, p.holder)
		case p.epoch != record.Epoch:
			return fmt.Errorf("%w: holder %d answered in epoch %d, want %d", ErrParts, p.holder, p.epoch, record.Epoch)
		case p.keyID != record.KeyID:
			return fmt.Errorf("%w: holder %d answered with another key", ErrParts, p.holder)
		case p.elementsHash != b.elementsHash:
			return fmt.Errorf("%w: holder %d answered another batch", ErrParts, p.holder)
		}
		seen[p.holder] = true
	}
	return nil
}

// lagrange returns each part's weight: the Lagrange coefficient of its
// holder's index at zero, where the polynomial is the key.
func lagrange(parts []Part) []group.Scalar {
	xs := make([]group.Scalar, len(parts))
	for j := range parts {
		xs[j] = ristretto.NewScalar().SetUint64(uint64(parts[j].holder))
	}
	weights := make([]group.Scalar, len(parts))
	for j := range parts {
		weights[j] = polynomial.LagrangeBase(uint(j), xs, ristretto.NewScalar())
	}
	return weights
}
