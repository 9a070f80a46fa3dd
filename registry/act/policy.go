package act

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
)

// Policy holds the settings of a network that acts may change later.
type Policy struct {
	MinCell       uint64  // smallest count printed, 3 to 20
	QuotaFloor    uint64  // evaluations an institution may ask of each holder a day
	ReaderOverlap uint64  // envelopes for which a replaced reader set stays accepted
	Quotas        []Quota // of hospitals that have another than QuotaFloor, ascending by hospital, at most MaxQuotas
	Limits        Limits  // zero: DefaultLimits
}

// MaxQuotas is how many hospitals may have a quota of their own.
const MaxQuotas = 1024

// Quota is a hospital's own.
type Quota struct {
	Hospital uint32
	Elements uint64 // evaluations that it may ask of each holder a day
}

// QuotaOf returns how many evaluations an institution may ask of each holder a
// day, allowances aside.
func (p Policy) QuotaOf(institution uint32) uint64 {
	for _, own := range p.Quotas {
		if own.Hospital == institution {
			return own.Elements
		}
	}
	return p.QuotaFloor
}

// DefaultPolicy returns the policy that founding suggests.
func DefaultPolicy() Policy { return Policy{MinCell: 11, QuotaFloor: 10_000, ReaderOverlap: 10_000} }

// Limits are bounds on what nodes do, which acts may set from feature level 2 on.
type Limits struct {
	SpreadHours    uint64 // within which a hospital posts a patient's withdrawal, at most
	DeclareMinutes uint64 // within which a node declares an erasure; it is missed afterwards
	SaltsDays      uint64 // for which a backup with salts lasts, at most
	LeastQuota     uint64 // evaluations that an institution of a reader's entity may ask of each holder a day, at least
}

// DefaultLimits are those of a network that has set none.
func DefaultLimits() Limits {
	return Limits{SpreadHours: 720, DeclareMinutes: 60, SaltsDays: 400, LeastQuota: 100}
}

// InForce returns the limits by which the network goes.
func (p Policy) InForce() Limits {
	if p.Limits == (Limits{}) {
		return DefaultLimits()
	}
	return p.Limits
}

// Level returns the feature level that the policy needs.
func (p Policy) Level() uint64 {
	if p.Limits == (Limits{}) {
		return 1
	}
	return 2
}

// String says the policy on one line, quotas of single hospitals aside.
func (p Policy) String() string {
	l := p.InForce()
	return fmt.Sprintf("min_cell=%d quota_floor=%d reader_overlap=%d spread_hours=%d declare_minutes=%d salts_days=%d least_quota=%d",
		p.MinCell, p.QuotaFloor, p.ReaderOverlap, l.SpreadHours, l.DeclareMinutes, l.SaltsDays, l.LeastQuota)
}

// check looks at limits that are set.
func (l Limits) check(add adder) {
	if l == (Limits{}) {
		return
	}
	for _, one := range []struct {
		what               string
		value, least, most uint64
	}{
		{"hours to post a withdrawal", l.SpreadHours, 1, 720},
		{"minutes to declare an erasure", l.DeclareMinutes, 10, 43_200},
		{"days that a backup with salts lasts", l.SaltsDays, 1, 400},
		{"least quota", l.LeastQuota, 1, 10_000},
	} {
		if one.value < one.least || one.value > one.most {
			add("%s %d: want %d to %d", one.what, one.value, one.least, one.most)
		}
	}
}

// AppendCBOR appends the policy's encoding to b: an array of 3, of 4 where hospitals
// have quotas of their own, or of 5 where limits are set.
func (p Policy) AppendCBOR(b []byte) []byte {
	fields := 3
	switch {
	case p.Limits != Limits{}:
		fields = 5
	case len(p.Quotas) > 0:
		fields = 4
	}
	b = cbor.AppendArray(b, fields)
	b = cbor.AppendUint(b, p.MinCell)
	b = cbor.AppendUint(b, p.QuotaFloor)
	b = cbor.AppendUint(b, p.ReaderOverlap)
	if fields == 3 {
		return b
	}
	b = cbor.AppendArray(b, len(p.Quotas))
	for _, own := range p.Quotas {
		b = cbor.AppendUint(cbor.AppendArray(b, 2), uint64(own.Hospital))
		b = cbor.AppendUint(b, own.Elements)
	}
	if fields == 4 {
		return b
	}
	b = cbor.AppendArray(b, 4)
	for _, limit := range []uint64{p.Limits.SpreadHours, p.Limits.DeclareMinutes, p.Limits.SaltsDays, p.Limits.LeastQuota} {
		b = cbor.AppendUint(b, limit)
	}
	return b
}

// DecodePolicy reads a policy; errors are reported by d.
func DecodePolicy(d *cbor.Decoder) Policy {
	n := d.ArrayMax(5)
	p := Policy{MinCell: d.Uint(), QuotaFloor: d.Uint(), ReaderOverlap: d.Uint()}
	if n == 3 {
		return p
	}
	for range d.ArrayMax(MaxQuotas) {
		d.Array(2)
		p.Quotas = append(p.Quotas, Quota{Hospital: d.Uint32(), Elements: d.Uint()})
	}
	if n == 5 {
		d.Array(4)
		p.Limits = Limits{SpreadHours: d.Uint(), DeclareMinutes: d.Uint(), SaltsDays: d.Uint(), LeastQuota: d.Uint()}
	}
	if n < 4 || n == 4 && len(p.Quotas) == 0 || n == 5 && p.Limits == (Limits{}) {
		d.Fail("a policy of %d fields", n)
	}
	return p
}
