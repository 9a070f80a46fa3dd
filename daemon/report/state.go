package report

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/raresync/raresync/daemon/view"
)

// State is how a hospital reports. It follows from what the log shows every node,
// but for what is late.
type State string

// The states.
const (
	Silent  State = "silent"  // no entry for over 30 days, or never
	Fallen  State = "fallen"  // fewer than half as many entries as usual
	Late    State = "late"    // the median from diagnosis to registration is over 7 days
	Reports State = "reports" // none of these
)

// Text is the state in words.
func (s State) Text() Text {
	switch s {
	case Silent:
		return Text{"silent", "未报告"}
	case Fallen:
		return Text{"fallen", "下降"}
	case Late:
		return Text{"late", "迟报"}
	}
	return Text{"reports", "正常"}
}

// Hospital is how one reports.
type Hospital struct {
	Number   uint32
	Name     Text
	Province string
	LastDay  string // of the last entry; "" if there is none
	Days     int64  // since then
	Recent   int64  // entries in 30 days
	Usual    int64  // for 30 days, of the 90 before
	Delay    view.Figure
	State    State

	last int64 // day of the last entry
}

// Hospitals returns those of the roster that are in the network, the longest silent
// first.
func Hospitals(q view.Query) (all []Hospital, err error) {
	late, err := q.Figures(indicator("Q3.median"), view.ByHospital, view.Period{From: q.ThisMonth() - 11, To: q.ThisMonth()})
	if err != nil {
		return nil, err
	}
	today := q.Today()
	type sent struct {
		last, recent, before int64
		any                  bool
	}
	of := map[uint32]*sent{}
	if err := q.SentOn(func(hospital uint32, day int32, n int64) {
		one := of[hospital]
		if one == nil {
			one = &sent{}
			of[hospital] = one
		}
		at := int64(day)
		if !one.any || at > one.last {
			one.any, one.last = true, at
		}
		if at > today-30 {
			one.recent += n
		} else if at >= today-120 {
			one.before += n
		}
	}); err != nil {
		return nil, err
	}
	err = q.Each(`SELECT number, en, zh, province FROM hospitals WHERE NOT other AND NOT gone`, func(row view.Row) error {
		var h Hospital
		if err := row(&h.Number, &h.Name.EN, &h.Name.ZH, &h.Province); err != nil {
			return err
		}
		s := of[h.Number]
		if s == nil {
			s = &sent{}
		}
		h.Recent, h.Usual, h.Delay = s.recent, (s.before+1)/3, late[strconv.FormatUint(uint64(h.Number), 10)]
		if s.any {
			h.LastDay, h.Days, h.last = view.DateOfDay(s.last).String(), today-s.last, s.last
		}
		switch {
		case !s.any || h.Days > silentDays:
			h.State = Silent
		case s.before >= 3*view.LeastDenominator && h.Recent*6 < s.before:
			h.State = Fallen
		case h.Delay.Shown && h.Delay.Value > lateDays:
			h.State = Late
		default:
			h.State = Reports
		}
		all = append(all, h)
		return nil
	})
	slices.SortFunc(all, func(a, b Hospital) int { return cmp.Or(cmp.Compare(a.last, b.last), cmp.Compare(a.Number, b.Number)) })
	return all, err
}
