package pseudonym

import (
	"crypto/sha256"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
)

const (
	requestFields  = 9
	responseFields = 3
)

// Request asks one holder to evaluate a batch of blinded elements, which
// travel beside it.
type Request struct {
	// Network and KeyID say which key; KeyID follows from the network and
	// the key's public key.
	Network, KeyID [32]byte
	// Epoch is the sharing in use.
	Epoch uint32
	// Holder is the index of the share that is to answer, from 1.
	Holder uint16
	// Hospital is the asking institution's number.
	Hospital uint32
	// RequestID is random. A holder counts a request sent again only once,
	// and refuses another request under an id it has seen.
	RequestID [16]byte
	// QuotaDay is the day whose quota the elements count against.
	QuotaDay uint32
	// N is the number of elements, 1 to MaxBatch.
	N uint16
	// ElementsHash is HashElements of the blinded elements.
	ElementsHash [64]byte
}

// Response is a holder's answer, beside which the evaluated elements travel.
type Response struct {
	// RequestHash is Request.Hash of the request answered.
	RequestHash [32]byte
	// EvaluatedHash is HashElements of the evaluated elements.
	EvaluatedHash [64]byte
	// Proof is the proof of equal discrete logarithms that Evaluate made.
	Proof [64]byte
}

// QuotaDay returns the day a time in Unix milliseconds falls on in China
// (UTC+8), counted from 1 January 1970.
func QuotaDay(unixMillis uint64) uint32 {
	const hour = 3_600_000
	return uint32((unixMillis + 8*hour) / (24 * hour))
}

// AppendCBOR appends the request as the array of its nine fields in the order
// of the struct: the bytes the hospital signs (sign.LabelRequest).
func (r Request) AppendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, requestFields)
	b = cbor.AppendBytes(b, r.Network[:])
	b = cbor.AppendBytes(b, r.KeyID[:])
	b = cbor.AppendUint(b, uint64(r.Epoch))
	b = cbor.AppendUint(b, uint64(r.Holder))
	b = cbor.AppendUint(b, uint64(r.Hospital))
	b = cbor.AppendBytes(b, r.RequestID[:])
	b = cbor.AppendUint(b, uint64(r.QuotaDay))
	b = cbor.AppendUint(b, uint64(r.N))
	return cbor.AppendBytes(b, r.ElementsHash[:])
}

// Hash returns the SHA-256 of the request's CBOR.
func (r Request) Hash() [32]byte { return sha256.Sum256(r.AppendCBOR(nil)) }

// DecodeRequest reads a request that AppendCBOR wrote. Anything else, and an
// N of 0 or above MaxBatch, is refused with cbor.ErrEncoding.
func DecodeRequest(b []byte) (Request, error) {
	d := cbor.NewDecoder(b)
	d.Array(requestFields)
	var r Request
	d.BytesInto(r.Network[:])
	d.BytesInto(r.KeyID[:])
	r.Epoch, r.Holder, r.Hospital = d.Uint32(), d.Uint16(), d.Uint32()
	d.BytesInto(r.RequestID[:])
	r.QuotaDay = d.Uint32()
	r.N = uint16(d.UintMax(MaxBatch))
	d.BytesInto(r.ElementsHash[:])
	if d.Err() == nil && r.N == 0 {
		d.Fail("no elements")
	}
	if err := d.Done(); err != nil {
		return Request{}, fmt.Errorf("decode evaluation request: %w", err)
	}
	return r, nil
}

// NewResponse returns the response to a request that Evaluate answered.
func NewResponse(r Request, evaluated [][32]byte, proof [64]byte) Response {
	return Response{RequestHash: r.Hash(), EvaluatedHash: HashElements(evaluated), Proof: proof}
}

// Answers returns nil if the response is one to the request with these
// evaluated elements, and ErrRequest otherwise. VerifyEvaluation then checks
// the proof: a signed response that passes this and fails that is evidence
// against the holder, for anyone.
func (r Response) Answers(request Request, evaluated [][32]byte) error {
	if r.RequestHash != request.Hash() {
		return fmt.Errorf("%w: the response is to another request", ErrRequest)
	}
	if r.EvaluatedHash != HashElements(evaluated) {
		return fmt.Errorf("%w: the evaluated elements are not those of the response", ErrRequest)
	}
	return nil
}

// AppendCBOR appends the response as the array of its three fields in the
// order of the struct: the bytes the holder signs (sign.LabelResponse).
func (r Response) AppendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, responseFields)
	b = cbor.AppendBytes(b, r.RequestHash[:])
	b = cbor.AppendBytes(b, r.EvaluatedHash[:])
	return cbor.AppendBytes(b, r.Proof[:])
}

// DecodeResponse reads a response that AppendCBOR wrote. Anything else is
// refused with cbor.ErrEncoding.
func DecodeResponse(b []byte) (Response, error) {
	d := cbor.NewDecoder(b)
	d.Array(responseFields)
	var r Response
	d.BytesInto(r.RequestHash[:])
	d.BytesInto(r.EvaluatedHash[:])
	d.BytesInto(r.Proof[:])
	if err := d.Done(); err != nil {
		return Response{}, fmt.Errorf("decode evaluation response: %w", err)
	}
	return r, nil
}
