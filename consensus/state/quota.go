package state

import (
	"cmp"
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// Allowance is what lead hospitals have granted a hospital beyond its quota.
type Allowance struct {
	act.Allowance
	Expiry uint64 // of the approvals, ms
}

// Quota returns how many elements an institution may have evaluated by each
// holder on a quota day: what the policy says, and what an allowance adds on that
// day. The roster declares no volume of cases, so there is none to go by. An
// institution that is a reader, or whose entity is also a reader's, has a tenth
// of that, at least the policy's least quota: it could test guesses against what it reads. Who
// is no member has none.
func (s *State) Quota(institution, day uint32) uint64 {
	m, r := s.present(institution)
	if r != nil {
		return 0
	}
	quota := s.Policy.QuotaOf(institution)
	if s.entityReads(m.Entity) {
		quota = max(quota/10, s.Policy.InForce().LeastQuota)
	}
	if i, found := s.findAllowance(institution); found {
		if a := s.Allowances[i]; a.First <= day && day <= a.Last && quota <= quota+a.Elements {
			quota += a.Elements
		}
	}
	return quota
}

// entityReads reports whether a legal body is behind a reader institution.
func (s *State) entityReads(entity string) bool {
	return slices.ContainsFunc(s.Members, func(m Member) bool { return m.Role == act.RoleReader && m.Entity == entity })
}

func (s *State) findAllowance(hospital uint32) (int, bool) {
	return slices.BinarySearchFunc(s.Allowances, hospital, func(a Allowance, hospital uint32) int {
		return cmp.Compare(a.Hospital, hospital)
	})
}

// admitAllowance checks an allowance. Approvals are good until they expire, so
// an allowance that was replaced could be sent again within that time: one is
// taken only if its approvals expire later than those of the one it replaces.
func (s *State) admitAllowance(a *act.Act, logTime uint64) *Refusal {
	if r := s.approved(a, logTime); r != nil {
		return r
	}
	return s.admissibleAllowance(a, logTime)
}

// admissibleAllowance is admitAllowance without the approvals.
func (s *State) admissibleAllowance(a *act.Act, logTime uint64) *Refusal {
	d, err := act.DecodeAllowance(a.Payload)
	if err == nil {
		err = d.Validate()
	}
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	m, ok := s.Member(d.Hospital)
	_, removed := s.RemovedAt(d.Hospital)
	today := pseudonym.QuotaDay(logTime)
	switch {
	case !ok || removed || m.Role != act.RoleHospital:
		return refuse(CodeActPayload, "institution %d is no hospital", d.Hospital)
	case d.Last < today:
		return refuse(CodeActPayload, "the allowance ended on day %d, it is day %d", d.Last, today)
	case d.First > today && d.First-today > act.MaxAllowanceDays:
		return refuse(CodeActPayload, "the allowance begins %d days ahead, at most %d", d.First-today, act.MaxAllowanceDays)
	}
	if i, found := s.findAllowance(d.Hospital); found && a.Expiry <= s.Allowances[i].Expiry {
		return refuse(CodeActApproval, "hospital %d has an allowance whose approvals expire no sooner: approve one that expires later", d.Hospital)
	}
	return nil
}

// acceptAllowance drops what has ended: no holder counts by it any more, and no
// earlier allowance can come back, since its approvals have expired.
func (s *State) acceptAllowance(a *act.Act, logTime uint64) {
	d, err := act.DecodeAllowance(a.Payload)
	if err != nil {
		return // not admitted
	}
	today := pseudonym.QuotaDay(logTime)
	kept := make([]Allowance, 0, len(s.Allowances)+1) // not in place: a clone may share the array
	for _, old := range s.Allowances {
		if old.Hospital != d.Hospital && (uint64(old.Last)+1 >= uint64(today) || old.Expiry >= logTime) {
			kept = append(kept, old)
		}
	}
	i, _ := slices.BinarySearchFunc(kept, d.Hospital, func(a Allowance, h uint32) int { return cmp.Compare(a.Hospital, h) })
	s.Allowances = slices.Insert(kept, i, Allowance{Allowance: d, Expiry: a.Expiry})
}

// admitQuotaAct checks an act that has to do with evaluations; known is false
// for any other.
func (s *State) admitQuotaAct(e *envelope.Envelope, a *act.Act, logTime uint64) (r *Refusal, known bool) {
	switch a.Type {
	case act.TypeAllowance:
		return s.admitAllowance(a, logTime), true
	case act.TypeFalsehood:
		return s.admitFalsehood(a), true
	case act.TypeUsage:
		return s.admitUsage(e, a, logTime), true
	}
	return nil, false
}

// acceptQuotaAct takes in what such an act says.
func (s *State) acceptQuotaAct(e *envelope.Envelope, a *act.Act, logTime uint64) {
	switch a.Type {
	case act.TypeAllowance:
		s.acceptAllowance(a, logTime)
	case act.TypeFalsehood:
		s.acceptFalsehood(e, a)
	case act.TypeUsage:
		s.acceptUsage(e, a, logTime)
	}
}

// appendQuotas appends what the state knows of evaluations: an array of 3.
func (s *State) appendQuotas(b []byte) []byte {
	b = cbor.AppendArray(b, 3)
	b = cbor.AppendArray(b, len(s.Allowances))
	for _, a := range s.Allowances {
		b = cbor.AppendArray(b, 2)
		b = a.Allowance.AppendCBOR(b)
		b = cbor.AppendUint(b, a.Expiry)
	}
	b = cbor.AppendArray(b, len(s.Falsehoods))
	for _, f := range s.Falsehoods {
		b = f.appendCBOR(b)
	}
	b = cbor.AppendArray(b, len(s.Usages))
	for i := range s.Usages {
		b = s.Usages[i].appendCBOR(b)
	}
	return b
}

func (s *State) decodeQuotas(d *cbor.Decoder) {
	d.Array(3)
	s.Allowances = readList(d, maxMembers, func(d *cbor.Decoder) Allowance {
		d.Array(2)
		return Allowance{Allowance: act.ReadAllowance(d), Expiry: d.Uint()}
	})
	s.Falsehoods = readList(d, maxFalsehoods, readFalsehood)
	s.Usages = readList(d, maxUsages, readUsage)
}
