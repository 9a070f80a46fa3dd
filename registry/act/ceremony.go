package act

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/keyshare"
)

// The limits of ceremonies.
const (
	// MinCeremonyTime and MaxCeremonyTime bound how far in log time the end
	// of a ceremony lies ahead when it opens, in milliseconds.
	MinCeremonyTime = 60 * 1000
	MaxCeremonyTime = 30 * 24 * 3600 * 1000

	maxNoteBytes = 128 << 10 // of a checkpoint that 32 holders have cosigned
)

// Ceremony opens a key ceremony: the key's birth among the founders (epoch 1),
// or a reshare of it to new holders.
type Ceremony struct {
	Epoch     uint32   // of the sharing that it makes
	Threshold uint16   // shares needed then
	Holders   []uint32 // institutions of share 1, 2, ... then
	Deadline  uint64   // log time in ms at which it is void
}

// Marshal returns the payload's deterministic CBOR: an array of 4.
func (c *Ceremony) Marshal() []byte {
	b := cbor.AppendArray(nil, 4)
	b = cbor.AppendUint(b, uint64(c.Epoch))
	b = cbor.AppendUint(b, uint64(c.Threshold))
	b = cbor.AppendArray(b, len(c.Holders))
	for _, n := range c.Holders {
		b = cbor.AppendUint(b, uint64(n))
	}
	return cbor.AppendUint(b, c.Deadline)
}

// DecodeCeremony reads the payload of an act of [TypeCeremony]. Whether it
// makes sense is the state machine's to say.
func DecodeCeremony(raw []byte) (*Ceremony, error) {
	d := cbor.NewDecoder(raw)
	d.Array(4)
	c := &Ceremony{Epoch: d.Uint32(), Threshold: d.Uint16()}
	c.Holders = make([]uint32, d.ArrayMax(keyshare.MaxHolders))
	for i := range c.Holders {
		c.Holders[i] = d.Uint32()
	}
	c.Deadline = d.Uint()
	return c, done(d, "ceremony")
}

// Join says that its sender takes part as a new holder: the keys to which its
// shares are sealed, one for each dealer, which live for this ceremony alone,
// and, for a new key, the commitment to what it will deal.
type Join struct {
	Ceremony uint64 // envelope number of the act that opened it
	Keys     [][keyshare.CeremonyPublicBytes]byte
	Commit   [32]byte // zeros in a reshare
}

// Marshal returns the payload's deterministic CBOR: an array of 3.
func (j *Join) Marshal() []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendUint(b, j.Ceremony)
	b = cbor.AppendArray(b, len(j.Keys))
	for i := range j.Keys {
		b = cbor.AppendBytes(b, j.Keys[i][:])
	}
	return cbor.AppendBytes(b, j.Commit[:])
}

// DecodeJoin reads the payload of an act of [TypeJoin].
func DecodeJoin(raw []byte) (*Join, error) {
	d := cbor.NewDecoder(raw)
	d.Array(3)
	j := &Join{Ceremony: d.Uint()}
	j.Keys = make([][keyshare.CeremonyPublicBytes]byte, d.ArrayMax(keyshare.MaxHolders))
	for i := range j.Keys {
		d.BytesInto(j.Keys[i][:])
	}
	d.BytesInto(j.Commit[:])
	return j, done(d, "join")
}

// Deal carries a dealer's contribution to a ceremony.
type Deal struct {
	Ceremony uint64
	Deal     keyshare.Deal
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (l *Deal) Marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, l.Ceremony)
	return cbor.AppendBytes(b, l.Deal.AppendCBOR(nil))
}

// DecodeDeal reads the payload of an act of [TypeDeal]. Whether the deal is
// good is the state machine's to say.
func DecodeDeal(raw []byte) (*Deal, error) {
	d := cbor.NewDecoder(raw)
	d.Array(2)
	number := d.Uint()
	inner := d.Bytes(MaxBytes)
	if err := done(d, "deal"); err != nil {
		return nil, err
	}
	deal, err := keyshare.DecodeDeal(inner)
	if err != nil {
		return nil, fmt.Errorf("deal: %w", err)
	}
	return &Deal{Ceremony: number, Deal: deal}, nil
}

// Confirm says that its sender has its share and saw this run and no other.
type Confirm struct {
	Ceremony   uint64
	Transcript [32]byte // keyshare.Transcript of the run
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (c *Confirm) Marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, c.Ceremony)
	return cbor.AppendBytes(b, c.Transcript[:])
}

// DecodeConfirm reads the payload of an act of [TypeConfirm].
func DecodeConfirm(raw []byte) (*Confirm, error) {
	d := cbor.NewDecoder(raw)
	d.Array(2)
	c := &Confirm{Ceremony: d.Uint()}
	d.BytesInto(c.Transcript[:])
	return c, done(d, "confirm")
}

// Complaint ends a ceremony. With the seed of the key to which the accused
// sealed it is evidence: anyone can open that one share, and see who of the two
// lied. Without, the sender gives up: it lost its secrets.
type Complaint struct {
	Ceremony uint64
	Accused  uint16   // dealer; 0: nobody, and Seed is zeros
	Seed     [32]byte // of the sender's key for that dealer
}

// Marshal returns the payload's deterministic CBOR: an array of 3.
func (c *Complaint) Marshal() []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendUint(b, c.Ceremony)
	b = cbor.AppendUint(b, uint64(c.Accused))
	return cbor.AppendBytes(b, c.Seed[:])
}

// DecodeComplaint reads the payload of an act of [TypeComplaint].
func DecodeComplaint(raw []byte) (*Complaint, error) {
	d := cbor.NewDecoder(raw)
	d.Array(3)
	c := &Complaint{Ceremony: d.Uint(), Accused: d.Uint16()}
	d.BytesInto(c.Seed[:])
	return c, done(d, "complaint")
}

// Activate brings into force what a ceremony made: all holders have confirmed
// it, and cosigned this checkpoint, which covers it.
type Activate struct {
	Ceremony   uint64
	Checkpoint []byte // C2SP signed note
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (a *Activate) Marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, a.Ceremony)
	return cbor.AppendBytes(b, a.Checkpoint)
}

// DecodeActivate reads the payload of an act of [TypeActivate].
func DecodeActivate(raw []byte) (*Activate, error) {
	d := cbor.NewDecoder(raw)
	d.Array(2)
	a := &Activate{Ceremony: d.Uint(), Checkpoint: d.Bytes(maxNoteBytes)}
	return a, done(d, "activation")
}

// Canary says what the holders of an epoch answered to an input that everyone
// knows. It is the same in every epoch of a key.
type Canary struct {
	Epoch uint32
	Hash  [32]byte // pseudonym.CanaryHash of the answer
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (c *Canary) Marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, uint64(c.Epoch))
	return cbor.AppendBytes(b, c.Hash[:])
}

// DecodeCanary reads the payload of an act of [TypeCanary].
func DecodeCanary(raw []byte) (*Canary, error) {
	d := cbor.NewDecoder(raw)
	d.Array(2)
	c := &Canary{Epoch: d.Uint32()}
	d.BytesInto(c.Hash[:])
	return c, done(d, "canary")
}

func done(d *cbor.Decoder, what string) error {
	if err := d.Done(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
