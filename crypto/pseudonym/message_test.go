package pseudonym

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
)

func sampleRequest() Request {
	r := Request{Epoch: 3, Holder: 2, Hospital: 300, QuotaDay: 20_779, N: 1000}
	for i := range r.Network {
		r.Network[i], r.KeyID[i] = 0xaa, 0xbb
	}
	r.RequestID[15], r.ElementsHash[63] = 0xcc, 0xdd
	return r
}

func TestRequestBytesAreFrozen(t *testing.T) {
	r := sampleRequest()
	want := slices.Concat(
		[]byte{0x89, 0x58, 32}, r.Network[:], []byte{0x58, 32}, r.KeyID[:],
		[]byte{3, 2, 0x19, 0x01, 0x2c, 0x50}, r.RequestID[:],
		[]byte{0x19, 0x51, 0x2b, 0x19, 0x03, 0xe8, 0x58, 64}, r.ElementsHash[:])
	if got := r.AppendCBOR(nil); !bytes.Equal(got, want) {
		t.Errorf("request\n got %x\nwant %x", got, want)
	}
	if got, want := r.Hash(), sha256.Sum256(want); got != want {
		t.Errorf("hash %x, want %x", got, want)
	}
	if got, err := DecodeRequest(want); err != nil || got != r {
		t.Errorf("decoded %+v, %v", got, err)
	}
}

func TestResponseBytesAreFrozen(t *testing.T) {
	r := Response{RequestHash: [32]byte{1}, EvaluatedHash: [64]byte{2}, Proof: [64]byte{3}}
	want := slices.Concat([]byte{0x83, 0x58, 32}, r.RequestHash[:],
		[]byte{0x58, 64}, r.EvaluatedHash[:], []byte{0x58, 64}, r.Proof[:])
	if got := r.AppendCBOR(nil); !bytes.Equal(got, want) {
		t.Errorf("response\n got %x\nwant %x", got, want)
	}
	if got, err := DecodeResponse(want); err != nil || got != r {
		t.Errorf("decoded %+v, %v", got, err)
	}
}

// The transcript is put together a second time here, from the protocol's
// words alone.
func TestTranscriptBytesAreFrozen(t *testing.T) {
	r := sampleRequest()
	r.N = 2
	c, d := [][32]byte{{1}, {2}}, [][32]byte{{3}, {4}}
	be := binary.BigEndian
	inner := slices.Concat(r.Network[:], be.AppendUint16(nil, 1), r.KeyID[:],
		be.AppendUint32(nil, 3), be.AppendUint16(nil, 2), be.AppendUint32(nil, 300),
		r.RequestID[:], be.AppendUint16(nil, 2), c[0][:], c[1][:], d[0][:], d[1][:])
	sum := sha512.Sum512(inner)
	want := append([]byte("raresync/toprf/v1"), sum[:]...)
	if got := transcript(r, c, d); !bytes.Equal(got, want) {
		t.Errorf("transcript\n got %x\nwant %x", got, want)
	}
}

func TestDecodeRequestRefusesCounts(t *testing.T) {
	for _, n := range []uint16{0, MaxBatch + 1, 65535} {
		r := sampleRequest()
		r.N = n
		if _, err := DecodeRequest(r.AppendCBOR(nil)); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%d elements: got %v, want %v", n, err, cbor.ErrEncoding)
		}
	}
	r := sampleRequest()
	r.N = MaxBatch
	if _, err := DecodeRequest(r.AppendCBOR(nil)); err != nil {
		t.Errorf("%d elements: %v", MaxBatch, err)
	}
}

func TestResponseAnswersOneRequest(t *testing.T) {
	req := sampleRequest()
	evaluated := [][32]byte{{1}, {2}}
	r := NewResponse(req, evaluated, [64]byte{9})
	if r.Proof != [64]byte{9} {
		t.Errorf("proof %x", r.Proof)
	}
	if err := r.Answers(req, evaluated); err != nil {
		t.Errorf("its own request: %v", err)
	}
	other := req
	other.QuotaDay++
	if err := r.Answers(other, evaluated); !errors.Is(err, ErrRequest) {
		t.Errorf("another request: got %v, want %v", err, ErrRequest)
	}
	if err := r.Answers(req, evaluated[:1]); !errors.Is(err, ErrRequest) {
		t.Errorf("other evaluations: got %v, want %v", err, ErrRequest)
	}
}

func TestQuotaDayTurnsAtMidnightInChina(t *testing.T) {
	for name, tc := range map[string]struct {
		millis uint64
		want   uint32
	}{
		"the epoch":                          {0, 0},
		"1970-01-01 15:59:59.999 UTC":        {57_599_999, 0},
		"1970-01-01 16:00 UTC":               {57_600_000, 1},
		"2026-11-21 15:59:59.999 UTC":        {1_795_276_799_999, 20_778},
		"2026-11-21 16:00 UTC, midnight CST": {1_795_276_800_000, 20_779},
	} {
		if got := QuotaDay(tc.millis); got != tc.want {
			t.Errorf("%s: day %d, want %d", name, got, tc.want)
		}
	}
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add(sampleRequest().AppendCBOR(nil))
	f.Add(Request{N: 1}.AppendCBOR(nil))
	f.Add(Request{}.AppendCBOR(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeRequest(b)
		if err != nil {
			return
		}
		if got := r.AppendCBOR(nil); !bytes.Equal(got, b) {
			t.Errorf("what parses encodes back to %x, want %x", got, b)
		}
	})
}

func FuzzDecodeResponse(f *testing.F) {
	f.Add(Response{}.AppendCBOR(nil))
	f.Add([]byte{0x83, 0x58, 31})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeResponse(b)
		if err != nil {
			return
		}
		if got := r.AppendCBOR(nil); !bytes.Equal(got, b) {
			t.Errorf("what parses encodes back to %x, want %x", got, b)
		}
	})
}
