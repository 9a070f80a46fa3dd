package state

import (
	"cmp"
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

const (
	usageWeeks = 4      // that a usage is kept for, and may be late
	maxUsages  = 10_000 // that a snapshot is read for
)

// Usage is what a share holder has said of one week.
type Usage struct {
	Holder   uint32 // the institution
	Envelope uint64 // number of the envelope that says so
	act.Usage
}

// LastUsage returns the week of the newest usage of an institution that the
// state keeps.
func (s *State) LastUsage(holder uint32) (week uint32, found bool) {
	for i := range s.Usages {
		if u := &s.Usages[i]; u.Holder == holder && (!found || u.Week > week) {
			week, found = u.Week, true
		}
	}
	return week, found
}

// admitUsage checks a holder's usage: of a week that has ended, by log time and
// with a day for clocks that differ, and after those it has posted before. That
// alone leaves one for each week.
func (s *State) admitUsage(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	if r := unapproved(a); r != nil {
		return r
	}
	u, err := act.DecodeUsage(a.Payload)
	if err == nil {
		err = u.Validate()
	}
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	today := pseudonym.QuotaDay(logTime)
	ended := act.DaysInWeek * (uint64(u.Week) + 1) // the first day after it
	last, posted := s.LastUsage(e.Hospital)
	switch {
	case !slices.Contains(s.Holders, e.Hospital):
		return refuse(CodeActPayload, "institution %d holds no share", e.Hospital)
	case ended > uint64(today)+1:
		return refuse(CodeActPayload, "week %d has not ended on day %d", u.Week, today)
	case uint64(u.Week)+usageWeeks < uint64(today/act.DaysInWeek):
		return refuse(CodeActPayload, "week %d is more than %d weeks ago", u.Week, usageWeeks)
	case posted && u.Week <= last:
		return refuse(CodeActPayload, "institution %d has posted its usage up to week %d", e.Hospital, last)
	}
	if i := slices.IndexFunc(u.Totals, func(t act.UsageTotal) bool { return int(t.Hospital) > len(s.Members) || t.Hospital == 0 }); i >= 0 {
		return refuse(CodeActPayload, "usage of institution %d, which is no member", u.Totals[i].Hospital)
	}
	return nil
}

// acceptUsage keeps the usage for as long as hospitals may want to compare it
// with their own count, ascending by week and holder.
func (s *State) acceptUsage(e *envelope.Envelope, a *act.Act, logTime uint64) {
	u, err := act.DecodeUsage(a.Payload)
	if err != nil {
		return // not admitted
	}
	week := uint64(pseudonym.QuotaDay(logTime) / act.DaysInWeek)
	kept := make([]Usage, 0, len(s.Usages)+1) // not in place: a clone may share the array
	for _, old := range s.Usages {
		if uint64(old.Week)+usageWeeks >= week {
			kept = append(kept, old)
		}
	}
	s.Usages = append(kept, Usage{Holder: e.Hospital, Envelope: s.Envelopes, Usage: *u})
	slices.SortFunc(s.Usages, func(a, b Usage) int {
		return cmp.Or(cmp.Compare(a.Week, b.Week), cmp.Compare(a.Holder, b.Holder))
	})
}

func (u *Usage) appendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, 3)
	b = cbor.AppendUint(b, uint64(u.Holder))
	b = cbor.AppendUint(b, u.Envelope)
	return u.Usage.AppendCBOR(b)
}

func readUsage(d *cbor.Decoder) Usage {
	d.Array(3)
	return Usage{Holder: d.Uint32(), Envelope: d.Uint(), Usage: act.ReadUsage(d)}
}
