package report

import (
	"fmt"

	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/entry"
)

// rowOf reads a row of the lists, as "1.68".
func rowOf(ref string) (list, number int, err error) {
	list, number, ok := entry.ParseListCode("LIST:" + ref)
	if !ok {
		return 0, 0, fmt.Errorf("%w: --disease is a row of the lists, as 1.68: raresync catalog search finds it", ErrOptions)
	}
	return list, number, nil
}

// patient is a person as all registrations of one disease have it.
type patient struct {
	sex, other uint8 // the largest and the smallest that is male or female
	age        int32 // months at the diagnosis, the least
	aged       bool
	since      int32 // day of the first registration
}

// cohort are the registrations of one disease.
type cohort struct {
	cases, confirmed int64
	patients         map[int64]*patient
	delays           []float64 // months
}

func cohortOf(q view.Query, list, number int) (*cohort, error) {
	h := &cohort{patients: map[int64]*patient{}}
	return h, q.Cases(func(c *view.Case) {
		if !c.Of(list, number) {
			return
		}
		h.cases++
		if c.Verification == uint8(entry.Genetic) {
			h.confirmed++
		}
		if view.Known(c.Delay) {
			h.delays = append(h.delays, float64(c.Delay))
		}
		if c.Person == 0 {
			return
		}
		p := h.patients[c.Person]
		if p == nil {
			p = &patient{since: c.Day}
			h.patients[c.Person] = p
		}
		p.since = min(p.since, c.Day)
		if sex := entry.Sex(c.Sex); sex == entry.SexMale || sex == entry.SexFemale {
			if p.sex == 0 {
				p.other = c.Sex
			}
			p.sex, p.other = max(p.sex, c.Sex), min(p.other, c.Sex)
		}
		if view.Known(c.EventMonth) && view.Known(c.Birth) {
			if age := c.EventMonth - c.Birth; !p.aged || age < p.age {
				p.age, p.aged = age, true
			}
		}
	})
}

// how many of its persons are of a kind.
func (h *cohort) count(is func(id int64, p *patient) bool) (n int64) {
	for id, p := range h.patients {
		if is(id, p) {
			n++
		}
	}
	return n
}

// bySex and byAge are the bands that a person falls in.
func bySex(p *patient) int {
	if p.sex != 0 && p.sex == p.other {
		return int(p.sex) - 1
	}
	return 2
}

func byAge(p *patient) int {
	if !p.aged {
		return 5
	}
	for band, under := range []int32{12, 12 * 18, 12 * 40, 12 * 65} {
		if p.age < under {
			return band
		}
	}
	return 4
}

// disease is the sheet of one row of the lists.
func disease(q view.Query, o Options, r *Report) error {
	list, row, err := rowOf(o.Disease)
	if err != nil {
		return err
	}
	of := []any{list, row}
	var zh, en string
	if err := q.One(`SELECT zh, en FROM diseases WHERE list = ? AND number = ?`, of, &zh, &en); err != nil {
		return err
	}
	if zh == "" {
		return fmt.Errorf("%w: the lists have no row %s", ErrOptions, o.Disease)
	}
	r.Title = Text{r.Title.EN + ": " + o.Disease + " " + en, r.Title.ZH + "：" + o.Disease + " " + zh}
	h, err := cohortOf(q, list, row)
	if err != nil {
		return err
	}
	figures, err := diseaseFigures(q, h)
	if err != nil {
		return err
	}
	persons := int64(len(h.patients))
	r.Tables = append(r.Tables, figures)
	for _, b := range []struct {
		title Text
		bands []Text
		of    func(*patient) int
	}{
		{Text{"By sex at birth", "按出生性别"}, []Text{{"male", "男"}, {"female", "女"}, {"other, or not known", "其他或不详"}}, bySex},
		{Text{"By age at diagnosis", "按确诊年龄"}, []Text{{"under 1 year", "不满 1 岁"}, {"1-17", "1–17 岁"}, {"18-39", "18–39 岁"}, {"40-64", "40–64 岁"}, {"65 and over", "65 岁及以上"}, {"not known", "不详"}}, byAge},
	} {
		t := Table{Title: b.title, KeepTotal: true, Columns: []Column{{Name: "group", Title: Text{"Group", "分组"}, Kind: Word}, summing(personsColumn, Adds)},
			Total: []Cell{words("All", "合计"), number(persons)}}
		for _, band := range b.bands {
			t.Rows = append(t.Rows, []Cell{{Text: band}, number(0)})
		}
		for _, p := range h.patients {
			t.Rows[b.of(p)][1].N++
		}
		r.Tables = append(r.Tables, t)
	}
	return nil
}

// diseaseFigures are the figures of a disease, one a row.
func diseaseFigures(q view.Query, h *cohort) (Table, error) {
	t := Table{Title: Text{"Figures", "数字"}, Columns: []Column{
		{Name: "figure", Title: Text{"Figure", "项目"}, Kind: Word}, {Name: "people", Title: Text{"Count", "数量"}, Kind: People},
		{Name: "percent", Title: Text{"Percent", "百分比"}, Kind: Share}, {Name: "median", Title: Text{"Median", "中位数"}, Kind: Middle},
	}}
	dead, err := q.Dead()
	if err != nil {
		return t, err
	}
	var sampled, treated view.Persons
	if err := q.Treatments(func(one *view.Treatment) {
		if one.Status == entry.TreatmentStarted {
			treated.Add(one.Person)
		}
	}); err != nil {
		return t, err
	}
	if err := q.Sampled(sampled.Add); err != nil {
		return t, err
	}
	all := int64(len(h.patients))
	in := func(set *view.Persons) int64 { return h.count(func(id int64, _ *patient) bool { return set.Has(id) }) }
	for _, f := range []struct {
		text  Text
		n, of int64
	}{
		{Text{"Persons", "患者"}, all, 0},
		{Text{"Registrations", "登记"}, h.cases, 0},
		{Text{"Persons first registered in the last year", "近一年新登记患者"}, h.count(func(_ int64, p *patient) bool { return int64(p.since) > q.Today()-yearDays }), all},
		{Text{"Persons who have died", "已故患者"}, in(&dead), all},
		{Text{"Registrations with a genetic verification", "经基因确认的登记"}, h.confirmed, h.cases},
		{Text{"Persons with a specimen", "有标本的患者"}, in(&sampled), all},
		{Text{"Persons on a treatment", "正在治疗的患者"}, in(&treated), all},
	} {
		t.Rows = append(t.Rows, []Cell{{Text: f.text}, number(f.n), share(f.n, f.of), {None: true, Of: 0}})
	}
	median, _ := view.Median(h.delays)
	t.Rows = append(t.Rows, []Cell{words("Months from onset to diagnosis, of registrations", "起病至确诊月数（登记）"), number(int64(len(h.delays))), {None: true}, middle(median, len(h.delays))})
	return t, nil
}

// coverage lists every row of the lists.
func coverage(q view.Query, _ Options, r *Report) error {
	t := Table{Title: Text{"Rows of the lists", "目录各行"}, Columns: []Column{
		{Name: "row", Title: Text{"Row", "编号"}, Kind: Word}, diseaseColumn, personsColumn, casesColumn, {Name: "hospitals", Title: Text{"Hospitals", "医院"}, Kind: Open},
	}}
	type list struct{ rows, registered int64 }
	var lists [10]list
	counts, err := ByRow(q, q.Today()-yearDays)
	if err != nil {
		return err
	}
	err = q.Each(`SELECT list, number, zh, en FROM diseases ORDER BY list, number`, func(row view.Row) error {
		var of entry.Row
		var zh, en string
		if err := row(&of.List, &of.Number, &zh, &en); err != nil {
			return err
		}
		c := counts[of]
		t.Rows = append(t.Rows, []Cell{word(fmt.Sprintf("%d.%d", of.List, of.Number)), words(en, zh), number(c.Persons), number(c.Cases), number(c.Hospitals)})
		lists[of.List].rows++
		if c.Cases > 0 {
			lists[of.List].registered++
		}
		return nil
	})
	if err != nil {
		return err
	}
	sum := Table{Title: Text{"Lists", "目录"}, Columns: []Column{
		{Name: "list", Title: Text{"List", "目录"}, Kind: Number}, {Name: "rows", Title: Text{"Rows", "病种数"}, Kind: Number},
		{Name: "registered", Title: Text{"With a registration", "有登记"}, Kind: Open},
	}}
	for n, l := range lists {
		if l.rows > 0 {
			sum.Rows = append(sum.Rows, []Cell{number(int64(n)), number(l.rows), number(l.registered)})
		}
	}
	r.Tables = append(r.Tables, sum, t)
	return nil
}

// RowCount is what is registered of a row of the lists.
type RowCount struct {
	Persons, Cases, Hospitals int64
	New                       int64 // registrations after a day
}

// ByRow counts the registrations of each row of the lists that has any; those that came
// into the log after a day are new.
func ByRow(q view.Query, after int64) (map[entry.Row]RowCount, error) {
	type counted struct {
		RowCount
		persons view.Persons
		last    uint32 // hospital
	}
	of := map[entry.Row]*counted{}
	err := q.Cases(func(c *view.Case) {
		for _, r := range c.Rows {
			n := of[r]
			if n == nil {
				n = &counted{}
				of[r] = n
			}
			n.Cases++
			n.persons.Add(c.Person)
			if c.Hospital != n.last {
				n.last = c.Hospital
				n.Hospitals++
			}
			if int64(c.Day) > after {
				n.New++
			}
		}
	})
	out := map[entry.Row]RowCount{}
	for r, n := range of {
		n.RowCount.Persons = n.persons.Len()
		out[r] = n.RowCount
	}
	return out, err
}
