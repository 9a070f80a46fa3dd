package act

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
)

// Purpose says why a reader reads: a code of a closed list, so that nothing of a
// question can be told by it.
type Purpose uint8

// The purposes. They are only appended to: acts keep the number.
const (
	PurposeRegistry     Purpose = 1 // running the register: who reports, how completely, how soon
	PurposeQuality      Purpose = 2 // quality of entries: checks, queries, corrections
	PurposeCare         Purpose = 3 // a patient's care: referral, consultation
	PurposeResearch     Purpose = 4 // an approved study
	PurposeDrugAccess   Purpose = 5 // access to drugs
	PurposePublicHealth Purpose = 6 // planning and surveillance by a health authority
	PurposeLegal        Purpose = 7 // a duty by law, or a patient's own request
	PurposeAudit        Purpose = 8 // checking how others read
	PurposeIndustry     Purpose = 9 // an answer to a company: counts, and never a row of a person
)

var purposeNames = [...]string{"", "registry", "quality", "care", "research", "drug-access", "public-health", "legal", "audit", "industry"}

// Purposes lists the codes of all purposes, in order of their numbers.
func Purposes() []string { return purposeNames[1:] }

// String returns the purpose's code, or its number if this build does not know it.
func (p Purpose) String() string {
	if p == 0 || int(p) >= len(purposeNames) {
		return fmt.Sprintf("purpose %d", uint8(p))
	}
	return purposeNames[p]
}

// ParsePurpose reads a code as [Purpose.String] writes it.
func ParsePurpose(code string) (Purpose, bool) {
	for i, name := range purposeNames {
		if i > 0 && name == code {
			return Purpose(i), true
		}
	}
	return 0, false
}

// Read says that a reader is about to read. Its sender is the reader; what is asked
// is known to whoever gets the record that the hash commits to.
type Read struct {
	Purpose Purpose
	Day     uint32   // quota day of the reading
	Hash    [32]byte // of a salt and the question
}

// Marshal returns the payload's deterministic CBOR: an array of 3. Any two of a day
// have the same length.
func (r Read) Marshal() []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendUint(b, uint64(r.Purpose))
	b = cbor.AppendUint(b, uint64(r.Day))
	return cbor.AppendBytes(b, r.Hash[:])
}

// DecodeRead reads the payload of an act of [TypeRead].
func DecodeRead(raw []byte) (Read, error) {
	d := cbor.NewDecoder(raw)
	d.Array(3)
	r := Read{Purpose: Purpose(d.Uint8()), Day: d.Uint32()}
	d.BytesInto(r.Hash[:])
	if err := done(d, "read"); err != nil {
		return r, err
	}
	if r.Purpose == 0 || int(r.Purpose) >= len(purposeNames) {
		return r, fmt.Errorf("read: there is no purpose %d", uint8(r.Purpose))
	}
	return r, nil
}

// The sizes of notices.
const (
	// NoticeBytes is the size of a notice's plaintext, whatever it says.
	NoticeBytes = 1024
	// SealedNoticeBytes is that of a sealed notice: encapsulated key and tag beside.
	SealedNoticeBytes = 1120 + NoticeBytes + 16
	// MaxNotices is how many fit an act.
	MaxNotices = 80
)

// Notices tell hospitals what of theirs the sender, a reader, has read on a day:
// one sealed notice to each, of one size, also to those of whom nothing was read.
type Notices struct {
	Day uint32   // quota day
	To  []Notice // ascending by hospital, each once
}

// Notice is the notice to one hospital, sealed to its present key.
type Notice struct {
	Hospital uint32
	Sealed   []byte // SealedNoticeBytes
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (n *Notices) Marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, uint64(n.Day))
	b = cbor.AppendArray(b, len(n.To))
	for _, one := range n.To {
		b = cbor.AppendUint(cbor.AppendArray(b, 2), uint64(one.Hospital))
		b = cbor.AppendBytes(b, one.Sealed)
	}
	return b
}

// DecodeNotices reads the payload of an act of [TypeNotices]. The notices are views
// of raw.
func DecodeNotices(raw []byte) (*Notices, error) {
	d := cbor.NewDecoder(raw)
	d.Array(2)
	n := &Notices{Day: d.Uint32()}
	for range d.ArrayMax(MaxNotices) {
		d.Array(2)
		one := Notice{Hospital: d.Uint32(), Sealed: d.BytesFixed(SealedNoticeBytes)}
		if d.Err() != nil {
			break
		}
		if k := len(n.To); k > 0 && n.To[k-1].Hospital >= one.Hospital {
			d.Fail("notices ascend by hospital, each once")
		}
		n.To = append(n.To, one)
	}
	if err := done(d, "notices"); err != nil {
		return n, err
	}
	if len(n.To) == 0 {
		return n, errors.New("notices: there are none")
	}
	return n, nil
}
