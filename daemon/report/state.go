package report

import "github.com/raresync/raresync/daemon/view"

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
}

// Hospitals returns those of the roster that are in the network, the longest silent
// first.
func Hospitals(q view.Query) (all []Hospital, err error) {
	late, err := q.Figures(indicator("Q3.median"), view.ByHospital, view.Period{From: q.ThisMonth() - 11, To: q.ThisMonth()})
	if err != nil {
		return nil, err
	}
	today := q.Today()
	err = q.Each(`SELECT h.number, CAST(h.number AS TEXT), h.en, h.zh, h.province, max(e.day), sum(e.day > ?1 - 30), sum(e.day BETWEEN ?1 - 120 AND ?1 - 30)
		FROM hospitals h LEFT JOIN entries e ON e.hospital = h.number WHERE NOT h.reader AND NOT h.gone GROUP BY h.number
		ORDER BY coalesce(max(e.day), 0), h.number`, func(row view.Row) error {
		var h Hospital
		var n string
		var last, recent, before *int64
		if err := row(&h.Number, &n, &h.Name.EN, &h.Name.ZH, &h.Province, &last, &recent, &before); err != nil {
			return err
		}
		h.Recent, h.Usual, h.Delay = orZero(recent), (orZero(before)+1)/3, late[n]
		if last != nil {
			h.LastDay, h.Days = view.DateOfDay(*last).String(), today-*last
		}
		switch {
		case last == nil || h.Days > silentDays:
			h.State = Silent
		case orZero(before) >= 3*view.LeastDenominator && h.Recent*6 < orZero(before):
			h.State = Fallen
		case h.Delay.Shown && h.Delay.Value > lateDays:
			h.State = Late
		default:
			h.State = Reports
		}
		all = append(all, h)
		return nil
	}, today)
	return all, err
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
