package pseudonym

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/math/polynomial"

	"github.com/raresync/raresync/crypto/internal/ristretto"
	"github.com/raresync/raresync/crypto/keyshare"
)

// circlGroup is the library's own implementation of the group, the second
// opinion on this package's.
var circlGroup = group.Ristretto255

// ours returns a scalar of the library as one of ours.
func ours(t testing.TB, s group.Scalar) *ristretto.Scalar {
	t.Helper()
	b, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	out, err := ristretto.DecodeScalar([32]byte(b))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// encodeTheirs returns the encoding of an element of the library.
func encodeTheirs(t testing.TB, e group.Element) [32]byte {
	t.Helper()
	b, err := e.MarshalBinaryCompress()
	if err != nil {
		t.Fatal(err)
	}
	return [32]byte(b)
}

// holders are one network's key in one epoch: the record and all the shares.
type holders struct {
	network [32]byte
	record  keyshare.Record
	shares  []keyshare.Share
}

// dealKey splits a given key, by hand and not with keyshare.DealAll, which only
// makes random ones. Coefficients follow from the epoch, so that a later
// epoch is a resharing of the same key.
func dealKey(t testing.TB, key group.Scalar, n, threshold int, epoch uint32) holders {
	t.Helper()
	h := holders{network: sha256.Sum256([]byte("test network"))}
	h.record = keyshare.Record{
		Origin: keyshare.Dealt, Epoch: epoch, Threshold: uint16(threshold), Holders: uint16(n),
	}
	coefficients := []group.Scalar{key}
	for i := 1; i < threshold; i++ {
		coefficients = append(coefficients,
			circlGroup.HashToScalar([]byte{byte(epoch), byte(i)}, []byte("test coefficient")))
	}
	for _, c := range coefficients {
		h.record.Commitments = append(h.record.Commitments, encodeTheirs(t, circlGroup.NewElement().MulGen(c)))
	}
	h.record = h.record.Bind(h.network)
	f := polynomial.New(coefficients)
	for i := range n {
		raw, err := f.Evaluate(circlGroup.NewScalar().SetUint64(uint64(i + 1))).MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		scalar, err := keyshare.NewScalar([32]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		s := keyshare.Share{KeyID: h.record.KeyID, Epoch: epoch, Holder: uint16(i + 1), Scalar: scalar}
		if err := keyshare.CheckShare(h.record, s); err != nil {
			t.Fatal(err)
		}
		h.shares = append(h.shares, s)
	}
	return h
}

func testKey() group.Scalar {
	return circlGroup.HashToScalar([]byte("key"), []byte("pseudonym test"))
}

func (h holders) request(holder int, elements [][32]byte) Request {
	return Request{
		Network: h.network, KeyID: h.record.KeyID, Epoch: h.record.Epoch, Holder: uint16(holder),
		Hospital: 7, RequestID: [16]byte{1, 2, 3}, QuotaDay: 20_779,
		N: uint16(len(elements)), ElementsHash: HashElements(elements),
	}
}

// ask lets one holder evaluate and the hospital verify.
func (h holders) ask(t testing.TB, holder int, elements [][32]byte) Part {
	t.Helper()
	req := h.request(holder, elements)
	evaluated, proof, err := Evaluate(h.shares[holder-1], req, elements)
	if err != nil {
		t.Fatal(err)
	}
	part, err := VerifyEvaluation(h.record, req, elements, evaluated, proof)
	if err != nil {
		t.Fatal(err)
	}
	return part
}

func (h holders) askAll(t testing.TB, elements [][32]byte) []Part {
	t.Helper()
	parts := make([]Part, len(h.shares))
	for i := range parts {
		parts[i] = h.ask(t, i+1, elements)
	}
	return parts
}

// subsets returns every choice of k out of parts.
func subsets(parts []Part, k int) [][]Part {
	if k == 0 {
		return [][]Part{nil}
	}
	var out [][]Part
	for i := range parts {
		for _, rest := range subsets(parts[i+1:], k-1) {
			out = append(out, append([]Part{parts[i]}, rest...))
		}
	}
	return out
}

func testInputs(n int) [][]byte {
	p := Params{KDF: KDFArgon2id}
	inputs := make([][]byte, n)
	for i := range inputs {
		inputs[i] = p.Input(sha256.Sum256(fmt.Appendf(nil, "person %d", i)))
	}
	return inputs
}

func mustBlind(t testing.TB, n int) (*Blinding, [][32]byte) {
	t.Helper()
	b, elements, err := Blind(testInputs(n))
	if err != nil {
		t.Fatal(err)
	}
	return b, elements
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func scalarOf(t testing.TB, b []byte) group.Scalar {
	t.Helper()
	s := circlGroup.NewScalar()
	if err := s.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	return s
}

// identity is the encoding of the identity element.
var identity [32]byte

// nonCanonical encodes the field element 4 as 4 + p; 4 itself, reduced, is a
// group element, as TestSecondEncodingsAreRefused sees.
var nonCanonical = [32]byte(slices.Concat([]byte{0xf1}, slices.Repeat([]byte{0xff}, 30), []byte{0x7f}))
