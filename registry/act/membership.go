package act

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
)

// MaxVoters is how many voters a network can have, those included that wait to
// become one.
const MaxVoters = 9

// Promotion makes a mirror a non-voter: it stores Raft's log like a voter and
// is one from its own [Readiness] on. At least q lead hospitals have approved
// it.
type Promotion struct {
	Node      string
	InPlaceOf string // the voter that is a mirror from then on; "" = none
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (p Promotion) Marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendText(b, p.Node)
	return cbor.AppendText(b, p.InPlaceOf)
}

// DecodePromotion reads the payload of an act of [TypePromotion].
func DecodePromotion(raw []byte) (Promotion, error) {
	d := cbor.NewDecoder(raw)
	d.Array(2)
	p := Promotion{Node: d.Text(32), InPlaceOf: d.Text(32)}
	return p, done(d, "promotion")
}

// Readiness says that a non-voter of the sender has all of the log: it votes
// and cosigns from here on.
type Readiness struct {
	Node string
}

// Marshal returns the payload's deterministic CBOR: an array of 1.
func (r Readiness) Marshal() []byte { return cbor.AppendText(cbor.AppendArray(nil, 1), r.Node) }

// DecodeReadiness reads the payload of an act of [TypeReadiness].
func DecodeReadiness(raw []byte) (Readiness, error) {
	d := cbor.NewDecoder(raw)
	d.Array(1)
	r := Readiness{Node: d.Text(32)}
	return r, done(d, "readiness")
}

// Demotion makes a voter, or a non-voter, a mirror. At least q lead hospitals
// have approved it.
type Demotion struct {
	Node string
}

// Marshal returns the payload's deterministic CBOR: an array of 1.
func (m Demotion) Marshal() []byte { return cbor.AppendText(cbor.AppendArray(nil, 1), m.Node) }

// DecodeDemotion reads the payload of an act of [TypeDemotion].
func DecodeDemotion(raw []byte) (Demotion, error) {
	d := cbor.NewDecoder(raw)
	d.Array(1)
	m := Demotion{Node: d.Text(32)}
	return m, done(d, "demotion")
}

// Removal takes a node, or an institution with all its nodes, out of the
// network for good. The institution itself sends it, or another after q lead
// hospitals have approved it.
type Removal struct {
	Institution uint32
	Node        string // one of its nodes; "" = the institution and all of them
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (r Removal) Marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, uint64(r.Institution))
	return cbor.AppendText(b, r.Node)
}

// DecodeRemoval reads the payload of an act of [TypeRemoval].
func DecodeRemoval(raw []byte) (Removal, error) {
	d := cbor.NewDecoder(raw)
	d.Array(2)
	r := Removal{Institution: d.Uint32(), Node: d.Text(32)}
	return r, done(d, "removal")
}

// Enrolment gives an institution one more node, as a mirror: beside those that
// it has, or for a machine that was lost. The institution itself sends it, or
// another after q lead hospitals have approved it.
type Enrolment struct {
	Node Node
}

// Marshal returns the payload's deterministic CBOR: an array of 1.
func (e Enrolment) Marshal() []byte { return e.Node.AppendCBOR(cbor.AppendArray(nil, 1)) }

// DecodeEnrolment reads the payload of an act of [TypeEnrolment]. Whether it
// makes sense is [Enrolment.Validate]'s to say.
func DecodeEnrolment(raw []byte) (Enrolment, error) {
	d := cbor.NewDecoder(raw)
	d.Array(1)
	e := Enrolment{Node: DecodeNode(d)}
	return e, done(d, "enrolment")
}

// Validate reports why the enrolment cannot be, whatever the network.
func (e Enrolment) Validate() error {
	switch n := &e.Node; {
	case !nodeID.MatchString(n.ID):
		return fmt.Errorf("node %q: use 1 to 32 of a-z 0-9 -", n.ID)
	case n.Kind != Mirror:
		return fmt.Errorf("node %q: comes as a mirror, and may become a voter later", n.ID)
	}
	return nil
}

// maxQuotaFloor bounds the quota that settings give every hospital.
const maxQuotaFloor = 1_000_000

// Settings are what lead hospitals may change of a network: q and the policy.
type Settings struct {
	Quorum uint64 // q
	Policy Policy
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (s Settings) Marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, s.Quorum)
	return s.Policy.AppendCBOR(b)
}

// DecodeSettings reads the payload of an act of [TypeSettings]. Whether it
// makes sense is [Settings.Validate]'s to say.
func DecodeSettings(raw []byte) (Settings, error) {
	d := cbor.NewDecoder(raw)
	d.Array(2)
	s := Settings{Quorum: d.Uint(), Policy: DecodePolicy(d)}
	return s, done(d, "settings")
}

// Validate reports why the settings cannot be, in a network of so many lead
// hospitals.
func (s Settings) Validate(leads int) error {
	switch p := s.Policy; {
	case s.Quorum == 0 || s.Quorum > uint64(leads) || s.Quorum > MaxApprovals:
		return fmt.Errorf("q = %d of %d lead hospitals", s.Quorum, leads)
	case p.MinCell < 3 || p.MinCell > 20:
		return fmt.Errorf("min_cell %d: want 3 to 20", p.MinCell)
	case p.QuotaFloor > maxQuotaFloor:
		return fmt.Errorf("quota floor %d: want at most %d persons a day", p.QuotaFloor, maxQuotaFloor)
	case p.ReaderOverlap == 0 || p.ReaderOverlap > maxOverlap:
		return fmt.Errorf("reader overlap %d: want 1 to %d envelopes", p.ReaderOverlap, maxOverlap)
	}
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	s.Policy.checkQuotas(add)
	s.Policy.Limits.check(add)
	return errors.Join(problems...)
}

// RightsChange gives a reader other rights from the next envelope on; none
// takes them all.
type RightsChange struct {
	Institution uint32
	Rights      Rights
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (r RightsChange) Marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, uint64(r.Institution))
	return cbor.AppendUint(b, uint64(r.Rights))
}

// DecodeRightsChange reads the payload of an act of [TypeRights].
func DecodeRightsChange(raw []byte) (RightsChange, error) {
	d := cbor.NewDecoder(raw)
	d.Array(2)
	r := RightsChange{Institution: d.Uint32(), Rights: Rights(d.UintMax(uint64(allRights)))}
	return r, done(d, "reader rights")
}
