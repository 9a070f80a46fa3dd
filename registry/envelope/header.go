package envelope

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
)

// Kind says what an envelope carries.
type Kind uint8

// The kinds of feature level 1.
const (
	KindEntries Kind = 1 // sealed entries of one hospital
	KindAct     Kind = 2 // one public act of an institution
)

// Label returns the signature label of the kind, or "" for an unknown kind.
func (k Kind) Label() sign.Label {
	switch k {
	case KindEntries:
		return sign.LabelEntries
	case KindAct:
		return sign.LabelAct
	}
	return ""
}

// The constants of the format.
const (
	Version    = 1       // header version
	Suite      = 1       // Ed25519 + ML-DSA-65, MLKEM768X25519, AES-256-GCM, SHA-2
	MaxEntries = 1024    // entries in one envelope
	MaxBytes   = 262_144 // a whole envelope
	MaxWraps   = 20      // own hospital, 16 national readers, province, two slots
	MinWraps   = 4       // own hospital, one national reader, two slots
)

// ID names an envelope: SHA-256 over its header, so that both signatures stay
// outside of it.
type ID [32]byte

// String returns the id in hexadecimal.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Header is the signed part of an envelope: everything other nodes may know of
// it. See docs/PROTOCOL.md "Envelope".
type Header struct {
	Version    uint8
	Suite      uint16
	Kind       Kind
	Network    [32]byte   // network id, the hash of genesis
	Hospital   uint32     // number of the sending institution
	KeyID      sign.KeyID // envelope key that signed
	Sequence   uint64     // the hospital's own count, from 1
	Attempt    uint32     // 1, or higher when the sequence was built anew
	Previous   ID         // the hospital's last accepted envelope; zeros for the first
	SignedAt   uint64     // milliseconds since 1970, sender's clock
	ReaderSet  uint64     // number of the envelope whose act made the reader set current
	Count      uint32     // entries, 1 to MaxEntries
	BodiesHash [32]byte   // over the commitments in order of place
	CommitC    [32]byte   // commitment to the clinical key
	CommitG    [32]byte   // commitment to the genetic key
	Wraps      []seal.Wrap
}

// Context returns the values every sealed part of the envelope is bound to.
func (h *Header) Context() seal.Context {
	return seal.Context{Network: h.Network, Hospital: h.Hospital, Sequence: h.Sequence, Attempt: h.Attempt}
}

// Marshal returns the header's deterministic CBOR: an array of 16.
func (h *Header) Marshal() []byte {
	b := make([]byte, 0, 512+1250*len(h.Wraps))
	b = cbor.AppendArray(b, 16)
	b = cbor.AppendUint(b, uint64(h.Version))
	b = cbor.AppendUint(b, uint64(h.Suite))
	b = cbor.AppendUint(b, uint64(h.Kind))
	b = cbor.AppendBytes(b, h.Network[:])
	b = cbor.AppendUint(b, uint64(h.Hospital))
	b = cbor.AppendBytes(b, h.KeyID[:])
	b = cbor.AppendUint(b, h.Sequence)
	b = cbor.AppendUint(b, uint64(h.Attempt))
	b = cbor.AppendBytes(b, h.Previous[:])
	b = cbor.AppendUint(b, h.SignedAt)
	b = cbor.AppendUint(b, h.ReaderSet)
	b = cbor.AppendUint(b, uint64(h.Count))
	b = cbor.AppendBytes(b, h.BodiesHash[:])
	b = cbor.AppendBytes(b, h.CommitC[:])
	b = cbor.AppendBytes(b, h.CommitG[:])
	b = cbor.AppendArray(b, len(h.Wraps))
	for i := range h.Wraps {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendBytes(b, h.Wraps[i].KeyID)
		b = cbor.AppendBytes(b, h.Wraps[i].Data)
	}
	return b
}

// DecodeHeader reads a header. Numbers are checked for their width only:
// versions, suites and kinds this build does not know are the state machine's
// to refuse, by name.
func DecodeHeader(raw []byte) (Header, error) {
	var h Header
	d := cbor.NewDecoder(raw)
	d.Array(16)
	h.Version = d.Uint8()
	h.Suite = d.Uint16()
	h.Kind = Kind(d.Uint8())
	d.BytesInto(h.Network[:])
	h.Hospital = d.Uint32()
	d.BytesInto(h.KeyID[:])
	h.Sequence = d.Uint()
	h.Attempt = d.Uint32()
	d.BytesInto(h.Previous[:])
	h.SignedAt = d.Uint()
	h.ReaderSet = d.Uint()
	h.Count = uint32(d.UintMax(MaxEntries))
	d.BytesInto(h.BodiesHash[:])
	d.BytesInto(h.CommitC[:])
	d.BytesInto(h.CommitG[:])
	h.Wraps = decodeWraps(d)
	if h.Count == 0 {
		d.Fail("no entries")
	}
	if err := d.Done(); err != nil {
		return Header{}, err
	}
	return h, nil
}

func decodeWraps(d *cbor.Decoder) []seal.Wrap {
	n := d.ArrayMax(MaxWraps)
	if d.Err() != nil || n == 0 {
		return nil
	}
	wraps := make([]seal.Wrap, n)
	for i := range wraps {
		d.Array(2)
		if id := d.Bytes(32); len(id) == 32 {
			wraps[i].KeyID = id
		} else if len(id) != 0 {
			d.Fail("wrap key id of %d bytes", len(id))
		}
		wraps[i].Data = d.BytesFixed(seal.WrapBytes)
	}
	return wraps
}

// HeaderID returns the envelope id of the header bytes.
func HeaderID(header []byte) ID {
	h := sha256.New()
	h.Write([]byte("raresync/v1/envelope-id\x00"))
	h.Write(header)
	return ID(h.Sum(nil))
}
