package state

import (
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// What readers say of their reading changes no state: the log keeps it, and who
// wants to know reads it there.

// admitRead checks that a reader says it reads, on the day of the log time or the
// one before it.
func (s *State) admitRead(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	if r := s.admitFromReader(e, a); r != nil {
		return r
	}
	d, err := act.DecodeRead(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	if today := pseudonym.QuotaDay(logTime); d.Day > today+1 || d.Day+1 < today {
		return refuse(CodeActPayload, "read: of day %d, and log time is of day %d", d.Day, today)
	}
	return nil
}

// admitNotices checks that a reader's notices are to hospitals, and of a day that is
// over or ending.
func (s *State) admitNotices(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	if r := s.admitFromReader(e, a); r != nil {
		return r
	}
	d, err := act.DecodeNotices(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	if today := pseudonym.QuotaDay(logTime); d.Day > today {
		return refuse(CodeActPayload, "notices: of day %d, and log time is of day %d", d.Day, today)
	}
	for _, one := range d.To {
		if m, ok := s.Member(one.Hospital); !ok || m.Role != act.RoleHospital {
			return refuse(CodeActPayload, "notices: institution %d is no hospital", one.Hospital)
		}
	}
	return nil
}

// admitFromReader checks that an act without approvals comes from a reader.
func (s *State) admitFromReader(e *envelope.Envelope, a *act.Act) *Refusal {
	if r := unapproved(a); r != nil {
		return r
	}
	if m, ok := s.Member(e.Hospital); !ok || m.Rights == 0 {
		return refuse(CodeActPayload, "%s: institution %d reads nothing of others", a.Type, e.Hospital)
	}
	return nil
}
