package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/raresync/raresync/daemon/view"
)

const (
	silentDays = 30 // without an entry: silent
	lateDays   = 7  // median from diagnosis to registration: late beyond
	yearDays   = 365
)

var (
	hospitalColumn = Column{Name: "hospital", Title: Text{"Hospital", "医院"}, Kind: Word}
	provinceColumn = Column{Name: "province", Title: Text{"Province", "省份"}, Kind: Word}
	diseaseColumn  = Column{Name: "disease", Title: Text{"Disease", "病种"}, Kind: Word}
	personsColumn  = Column{Name: "persons", Title: Text{"Persons", "患者"}, Kind: People}
	casesColumn    = Column{Name: "registrations", Title: Text{"Registrations", "登记"}, Kind: People}
)

// summing returns a column whose total follows from its rows.
func summing(c Column, s Sum) Column { c.Sum = s; return c }

// silent lists hospitals, those that need attention first.
func silent(q view.Query, _ Options, r *Report) error {
	all, err := Hospitals(q)
	t := Table{Title: Text{"Hospitals, the longest silent first", "医院，按未报告时间排序"}, Columns: []Column{
		hospitalColumn, provinceColumn,
		{Name: "last_day", Title: Text{"Last entry", "最近条目"}, Kind: Word},
		{Name: "days", Title: Text{"Days since", "距今天数"}, Kind: Number},
		{Name: "last_30_days", Title: Text{"Entries in 30 days", "近 30 天条目"}, Kind: People},
		{Name: "usual", Title: Text{"Usual for 30 days", "平常 30 天条目"}, Kind: People},
		{Name: "delay", Title: Text{"Days from diagnosis to registration, median", "确诊至登记天数（中位数）"}, Kind: Middle},
		{Name: "state", Title: Text{"State", "状态"}, Kind: Word},
	}}
	for _, h := range all {
		line := []Cell{{Text: h.Name}, {Text: ProvinceText(h.Province)}, word(h.LastDay), number(h.Days), number(h.Recent), number(h.Usual),
			middle(h.Delay.Value, int(h.Delay.Den)), {Text: h.State.Text()}}
		if h.LastDay == "" {
			line[2], line[3] = words("never", "从未"), Cell{None: true}
		}
		t.Rows = append(t.Rows, line)
	}
	r.Tables = append(r.Tables, t)
	r.Notes = append(r.Notes, Text{
		fmt.Sprintf("Silent: no entry for more than %d days. Fallen: fewer than half as many as usual. Late: over %d days from diagnosis to registration.", silentDays, lateDays),
		fmt.Sprintf("未报告：超过 %d 天没有条目。下降：不足平常一半。迟报：确诊至登记中位数超过 %d 天。", silentDays, lateDays)})
	return err
}

func indicator(id string) view.Indicator {
	for _, i := range view.Indicators() {
		if i.ID == id {
			return i
		}
	}
	panic("report: no indicator " + id)
}

// quality shows all indicators of one group.
func quality(q view.Query, o Options, r *Report) error {
	n, err := namesOf(q)
	if err != nil {
		return err
	}
	by, group := view.ByNation, ""
	within := func(string) bool { return true }
	switch {
	case o.Hospital != 0:
		by, group = view.ByHospital, strconv.FormatUint(uint64(o.Hospital), 10)
		name, ok := n.hospitals[group]
		if !ok {
			return fmt.Errorf("%w: the network has no institution %d", ErrOptions, o.Hospital)
		}
		r.Title = Text{r.Title.EN + ": " + name.EN, r.Title.ZH + "：" + name.ZH}
	case o.Province != "":
		by, group = view.ByProvince, o.Province
		p := ProvinceText(o.Province)
		r.Title = Text{r.Title.EN + ": " + p.EN, r.Title.ZH + "：" + p.ZH}
		within = func(number string) bool { return n.province[number] == o.Province }
	}
	t := Table{Title: Text{"Indicators", "指标"}, Columns: []Column{
		{Name: "id", Title: Text{"Id", "编号"}, Kind: Word}, {Name: "indicator", Title: Text{"Indicator", "指标"}, Kind: Word},
		{Name: "numerator", Title: Text{"Numerator", "分子"}, Kind: People}, {Name: "denominator", Title: Text{"Denominator", "分母"}, Kind: People},
		{Name: "percent", Title: Text{"Percent", "百分比"}, Kind: Share}, {Name: "value", Title: Text{"Value", "数值"}, Kind: Middle},
		{Name: "unit", Title: Text{"Unit", "单位"}, Kind: Word},
		{Name: "hospitals_median", Title: Text{"Median of hospitals", "各医院中位数"}, Kind: Middle},
		{Name: "hospitals", Title: Text{"Hospitals", "医院数"}, Kind: Number},
	}}
	of, hospitals, err := q.AllFigures(by, o.Period)
	if err != nil {
		return err
	}
	for _, i := range view.Indicators() {
		median, many := view.OverHospitals(hospitals[i.ID], within)
		f, there := of[i.ID][group]
		line := []Cell{word(i.ID), {Text: IndicatorText(i.ID)}, number(f.Num), number(f.Den), share(f.Num, f.Den), {None: true}, {Text: unitText(i.Unit)},
			middle(round1(median), many), number(int64(many))}
		if i.Quantile() {
			line[2], line[4] = Cell{None: true}, Cell{None: true}
			line[5] = Cell{Value: f.Value, Of: f.Den, None: !f.Shown || !there, Public: i.Public()}
		}
		t.Rows = append(t.Rows, line)
	}
	r.Tables = append(r.Tables, t)
	if o.Period != (view.Period{}) {
		r.Notes = append(r.Notes, Text{
			fmt.Sprintf("Entries that came into the log from %s to %s; Q11 and Q15 are of today.", o.Period.From, o.Period.To),
			fmt.Sprintf("%s 至 %s 进入日志的条目；Q11、Q15 为当前值。", o.Period.From, o.Period.To)})
	}
	return missingFields(q, o, by, group, r)
}

// missingFields adds which needed fields are missing how often.
func missingFields(q view.Query, o Options, by view.By, group string, r *Report) error {
	t := Table{Title: Text{"Needed fields that are missing", "缺失的必填项"}, Found: true, Columns: []Column{
		{Name: "field", Title: Text{"Field", "字段"}, Kind: Word}, casesColumn,
	}}
	err := q.Missing(by, group, o.Period, func(field string, n int64) {
		t.Rows = append(t.Rows, []Cell{word(field), number(n)})
	})
	if err != nil {
		return err
	}
	refused := Table{Title: Text{"Rules that refused most", "退回最多的规则"}, Found: true, Columns: []Column{
		{Name: "rule", Title: Text{"Rule", "规则"}, Kind: Word}, {Name: "rows", Title: Text{"Rows", "行"}, Kind: People},
	}}
	err = q.RuleRefusals(by, group, o.Period, func(code string, n int64) {
		refused.Rows = append(refused.Rows, []Cell{word(code), number(n)})
	})
	r.Tables = append(r.Tables, t, refused)
	return err
}

func round1(v float64) float64 { return float64(int64(v*10+0.5)) / 10 }

// provinces sums up by the province of the hospital.
func provinces(q view.Query, _ Options, r *Report) error {
	t := Table{Title: Text{"By province of the hospital", "按医院所在省"}, Columns: []Column{
		provinceColumn, {Name: "hospitals", Title: Text{"Hospitals", "医院"}, Kind: Number},
		{Name: "reporting", Title: Text{"Reporting in the last year", "近一年有登记"}, Kind: Number},
		summing(personsColumn, Overlap), summing(casesColumn, Adds),
		{Name: "new", Title: Text{"Registrations in the last year", "近一年登记"}, Kind: People, Sum: Adds},
	}}
	whole, all, err := Counts(q, q.Today()-yearDays)
	line := func(name Cell, c Count) []Cell {
		return []Cell{name, number(c.Hospitals), number(c.Active), number(c.Persons), number(c.Cases), number(c.New)}
	}
	for _, c := range all {
		t.Rows = append(t.Rows, line(Cell{Text: ProvinceText(c.Province)}, c))
	}
	t.Total = line(words("All", "合计"), whole)
	r.Tables = append(r.Tables, t)
	r.Notes = append(r.Notes, Text{"A person who is registered in several provinces counts in each, and once in all.", "在多个省登记的患者在各省分别计数，合计中只计一次。"})
	return err
}

// Count is what the hospitals of a province have registered, or those of all.
type Count struct {
	Province       string
	Hospitals      int64 // in the roster
	Active         int64 // with a registration after a day
	Persons, Cases int64
	New            int64 // registrations after the day
}

// Counts returns the counts of all hospitals, and of each province, by its code: the
// registrations that came into the log after a day are new.
func Counts(q view.Query, after int64) (whole Count, all []Count, err error) {
	type counted struct {
		Count
		persons view.Persons
	}
	of, province := map[string]*counted{}, map[uint32]string{}
	err = q.Each(`SELECT number, province FROM hospitals WHERE NOT other`, func(row view.Row) error {
		var number uint32
		var code string
		err := row(&number, &code)
		if of[code] == nil {
			of[code] = &counted{Count: Count{Province: code}}
		}
		of[code].Hospitals++
		province[number] = code
		return err
	})
	if err != nil {
		return whole, nil, err
	}
	var persons view.Persons
	last := uint32(0)
	err = q.Cases(func(c *view.Case) {
		code, there := province[c.Hospital]
		if !there {
			return
		}
		p := of[code]
		p.Cases++
		p.persons.Add(c.Person)
		persons.Add(c.Person)
		if int64(c.Day) > after {
			p.New++
			if c.Hospital != last {
				last = c.Hospital
				p.Active++
			}
		}
	})
	for _, code := range slices.Sorted(maps.Keys(of)) {
		p := of[code]
		p.Persons = p.persons.Len()
		whole.Hospitals, whole.Active, whole.Cases, whole.New = whole.Hospitals+p.Hospitals, whole.Active+p.Active, whole.Cases+p.Cases, whole.New+p.New
		all = append(all, p.Count)
	}
	whole.Persons = persons.Len()
	return whole, all, err
}

// nodeWord says in both languages what a node is.
func nodeWord(s string) Cell {
	zh := map[string]string{"voter": "投票节点", "mirror": "镜像节点", "yes": "是", "no": "否", "ready": "就绪", "not ready": "未就绪", "not heard of": "未联系上"}[s]
	return words(s, cmp.Or(zh, s))
}

// convergence lists where the nodes stand.
func convergence(_ view.Query, o Options, r *Report) error {
	t := Table{Title: Text{"Nodes", "节点"}, Columns: []Column{
		{Name: "node", Title: Text{"Node", "节点"}, Kind: Word}, {Name: "kind", Title: Text{"Kind", "类型"}, Kind: Word},
		{Name: "institution", Title: Text{"Institution", "机构"}, Kind: Word},
		{Name: "tree_size", Title: Text{"Tree size", "树大小"}, Kind: Number}, {Name: "behind", Title: Text{"Entries behind", "落后条目"}, Kind: Number},
		{Name: "cosigns", Title: Text{"Cosigns", "会签"}, Kind: Word}, {Name: "state", Title: Text{"State", "状态"}, Kind: Word},
	}}
	for _, n := range o.Nodes {
		t.Rows = append(t.Rows, []Cell{word(n.ID), nodeWord(n.Kind), word(n.Institution), {N: int64(n.Size), None: n.Behind < 0},
			{N: n.Behind, None: n.Behind < 0}, nodeWord(n.Cosigns), nodeWord(n.State)})
	}
	r.Tables = append(r.Tables, t)
	return nil
}
