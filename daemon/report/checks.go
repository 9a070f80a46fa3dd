package report

import (
	"maps"
	"slices"
	"strconv"

	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/entry"
)

// Checked is a registration that a quality letter drew, with what came of comparing it
// with its source record.
type Checked struct {
	Hospital uint32
	Letter   uint64            // index of the letter
	Index    uint64            // of the hospital's word, if there is one
	Result   entry.CheckResult // 0: not compared yet
	Differs  []entry.CheckField
}

// RegisteredIn returns the indexes of a hospital's registrations that came into the log
// in a month, within a tree size, ascending.
func RegisteredIn(q view.Query, hospital uint32, month view.Month, size uint64) (indexes []uint64, err error) {
	err = q.Each(`SELECT idx FROM registrations WHERE hospital = ? AND month = ? AND idx < ? ORDER BY idx`, func(row view.Row) error {
		var index uint64
		err := row(&index)
		indexes = append(indexes, index)
		return err
	}, int64(hospital), int64(month), int64(size))
	return indexes, err
}

// checks counts what hospitals found when they compared registrations.
func checks(q view.Query, o Options, r *Report) error {
	names, err := namesOf(q)
	if err != nil {
		return err
	}
	type count struct{ drawn, agree, differ, gone int64 }
	of, fields := map[uint32]*count{}, map[entry.CheckField]int64{}
	for _, c := range o.Checks {
		number := strconv.FormatUint(uint64(c.Hospital), 10)
		if o.Hospital != 0 && o.Hospital != c.Hospital || o.Province != "" && o.Province != names.province[number] {
			continue
		}
		if c.Letter >= q.Head.Size {
			continue
		}
		if c.Index >= q.Head.Size { // said after what the report is of
			c.Result, c.Differs = 0, nil
		}
		n := of[c.Hospital]
		if n == nil {
			n = &count{}
			of[c.Hospital] = n
		}
		n.drawn++
		switch c.Result {
		case entry.CheckAgrees:
			n.agree++
		case entry.CheckDiffers:
			n.differ++
		case entry.CheckNoSource:
			n.gone++
		}
		for _, f := range c.Differs {
			fields[f]++
		}
	}
	t := Table{Title: Text{"Registrations drawn by quality letters, compared with the source record", "质量函抽取的登记与原始病历核对情况"}, Found: true, Columns: []Column{
		hospitalColumn, {Name: "drawn", Title: Text{"Drawn", "抽取"}, Kind: People}, {Name: "compared", Title: Text{"Compared", "已核对"}, Kind: People},
		{Name: "agree", Title: Text{"Agree", "一致"}, Kind: People}, {Name: "differ", Title: Text{"Differ", "不一致"}, Kind: People},
		{Name: "no_source", Title: Text{"No source record", "无原始病历"}, Kind: People},
		{Name: "percent", Title: Text{"Agree, percent of those compared", "一致率（%）"}, Kind: Share},
	}}
	for _, h := range slices.Sorted(maps.Keys(of)) {
		n := of[h]
		compared := n.agree + n.differ + n.gone
		t.Rows = append(t.Rows, []Cell{{Text: names.hospitals[strconv.FormatUint(uint64(h), 10)]}, number(n.drawn), number(compared), number(n.agree),
			number(n.differ), number(n.gone), {N: n.agree, Of: compared, None: compared < leastDenominator}})
	}
	by := Table{Title: Text{"Fields in which they differ", "不一致的字段"}, Found: true, Columns: []Column{
		{Name: "field", Title: Text{"Field", "字段"}, Kind: Word}, casesColumn,
	}}
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		by.Rows = append(by.Rows, []Cell{words(f.Words("en"), f.Words("zh")), number(fields[f])})
	}
	r.Tables = append(r.Tables, t, by)
	return nil
}
