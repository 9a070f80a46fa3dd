package report

import (
	"fmt"
	"strings"

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

// have are the registrations of one disease as h, and their persons as p; ages are
// in months.
const have = `WITH h AS (SELECT r.* FROM registrations r JOIN case_rows x ON x.idx = r.idx WHERE x.list = ?1 AND x.number = ?2),
	p AS (SELECT person, max(CASE WHEN sex IN (1, 2) THEN sex END) AS sex, min(CASE WHEN sex IN (1, 2) THEN sex END) AS other,
	min(event_month - birth) AS age,
	min(day) AS since FROM h WHERE person IS NOT NULL GROUP BY person) `

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
	figures, err := diseaseFigures(q, of)
	if err != nil {
		return err
	}
	var persons int64
	if err := q.One(have+`SELECT count(*) FROM p`, of, &persons); err != nil {
		return err
	}
	r.Tables = append(r.Tables, figures)
	for _, b := range []struct {
		title Text
		bands []Text
		expr  string
	}{
		{Text{"By sex at birth", "按出生性别"}, []Text{{"male", "男"}, {"female", "女"}, {"other, or not known", "其他或不详"}},
			`CASE WHEN sex = other THEN sex - 1 ELSE 2 END`},
		{Text{"By age at diagnosis", "按确诊年龄"}, []Text{{"under 1 year", "不满 1 岁"}, {"1-17", "1–17 岁"}, {"18-39", "18–39 岁"}, {"40-64", "40–64 岁"}, {"65 and over", "65 岁及以上"}, {"not known", "不详"}},
			`CASE WHEN age IS NULL THEN 5 WHEN age < 12 THEN 0 WHEN age < 12 * 18 THEN 1 WHEN age < 12 * 40 THEN 2 WHEN age < 12 * 65 THEN 3 ELSE 4 END`},
	} {
		t := Table{Title: b.title, KeepTotal: true, Columns: []Column{{Name: "group", Title: Text{"Group", "分组"}, Kind: Word}, summing(personsColumn, Adds)},
			Total: []Cell{words("All", "合计"), number(persons)}}
		for _, band := range b.bands {
			t.Rows = append(t.Rows, []Cell{{Text: band}, number(0)})
		}
		if err := q.Each(have+`SELECT `+b.expr+`, count(*) FROM p GROUP BY 1`, func(row view.Row) error {
			var band, n int64
			err := row(&band, &n)
			t.Rows[band][1].N = n
			return err
		}, of...); err != nil {
			return err
		}
		r.Tables = append(r.Tables, t)
	}
	return nil
}

// diseaseFigures are the figures of a disease, one a row.
func diseaseFigures(q view.Query, of []any) (Table, error) {
	t := Table{Title: Text{"Figures", "数字"}, Columns: []Column{
		{Name: "figure", Title: Text{"Figure", "项目"}, Kind: Word}, {Name: "people", Title: Text{"Count", "数量"}, Kind: People},
		{Name: "percent", Title: Text{"Percent", "百分比"}, Kind: Share}, {Name: "median", Title: Text{"Median", "中位数"}, Kind: Middle},
	}}
	const dead, known = `person IN (SELECT person FROM dead)`, `SELECT count(*), (SELECT count(*) FROM p) FROM p WHERE `
	for _, f := range []struct {
		text  Text
		query string
	}{
		{Text{"Persons", "患者"}, `SELECT count(*), 0 FROM p`},
		{Text{"Registrations", "登记"}, `SELECT count(*), 0 FROM h`},
		{Text{"Persons first registered in the last year", "近一年新登记患者"}, known + `since > ?3 - 365`},
		{Text{"Persons who have died", "已故患者"}, known + dead},
		{Text{"Registrations with a genetic verification", "经基因确认的登记"}, `SELECT coalesce(sum(verification = 3), 0), count(*) FROM h`},
		{Text{"Persons with a specimen", "有标本的患者"}, known + `person IN (SELECT e.person FROM specimens s JOIN live e ON e.idx = s.idx WHERE e.person IS NOT NULL AND e.stopped & 8 = 0)`},
		{Text{"Persons on a treatment", "正在治疗的患者"}, known + `person IN (SELECT e.person FROM treatments s JOIN live e ON e.idx = s.idx WHERE s.status = 1 AND e.person IS NOT NULL AND e.stopped & 16 = 0)`},
	} {
		var n, all int64
		args := of
		if strings.Contains(f.query, "?3") {
			args = append(of[:2:2], q.Today())
		}
		if err := q.One(have+f.query, args, &n, &all); err != nil {
			return t, err
		}
		line := []Cell{{Text: f.text}, number(n), share(n, all), {None: true, Of: 0}}
		t.Rows = append(t.Rows, line)
	}
	var delays []float64
	if err := q.Each(have+`SELECT delay FROM h WHERE delay IS NOT NULL`, func(row view.Row) error {
		var d float64
		err := row(&d)
		delays = append(delays, d)
		return err
	}, of...); err != nil {
		return t, err
	}
	median, _ := view.Median(delays)
	t.Rows = append(t.Rows, []Cell{words("Months from onset to diagnosis, of registrations", "起病至确诊月数（登记）"), number(int64(len(delays))), {None: true}, middle(median, len(delays))})
	return t, nil
}

// coverage lists every row of the lists.
func coverage(q view.Query, _ Options, r *Report) error {
	t := Table{Title: Text{"Rows of the lists", "目录各行"}, Columns: []Column{
		{Name: "row", Title: Text{"Row", "编号"}, Kind: Word}, diseaseColumn, personsColumn, casesColumn, {Name: "hospitals", Title: Text{"Hospitals", "医院"}, Kind: Open},
	}}
	type list struct{ rows, registered int64 }
	var lists [10]list
	err := q.Each(`SELECT d.list, d.number, d.zh, d.en, count(DISTINCT r.person), count(r.idx), count(DISTINCT r.hospital) FROM diseases d
		LEFT JOIN case_rows x ON x.list = d.list AND x.number = d.number LEFT JOIN registrations r ON r.idx = x.idx
		GROUP BY d.list, d.number ORDER BY d.list, d.number`, func(row view.Row) error {
		var at, number int
		var zh, en string
		line := make([]Cell, 5)
		if err := row(&at, &number, &zh, &en, &line[2].N, &line[3].N, &line[4].N); err != nil {
			return err
		}
		line[0], line[1] = word(fmt.Sprintf("%d.%d", at, number)), words(en, zh)
		lists[at].rows++
		if line[3].N > 0 {
			lists[at].registered++
		}
		t.Rows = append(t.Rows, line)
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

// duplicates counts persons by hospitals, and the ways between provinces.
func duplicates(q view.Query, _ Options, r *Report) error {
	t := Table{Title: Text{"Persons by the number of hospitals", "按登记医院数统计患者"}, Columns: []Column{
		{Name: "hospitals", Title: Text{"Hospitals", "医院数"}, Kind: Word}, personsColumn,
	}, Rows: [][]Cell{{words("1 or more", "1 家及以上"), {}}, {words("2 or more", "2 家及以上"), {}}, {words("3 or more", "3 家及以上"), {}}}}
	// Each row holds the next: what is left between two of them is not printed.
	if err := q.One(`SELECT count(*), coalesce(sum(n > 1), 0), coalesce(sum(n > 2), 0) FROM (SELECT count(DISTINCT hospital) AS n FROM registrations
		WHERE person IS NOT NULL GROUP BY person)`, nil, &t.Rows[0][1].N, &t.Rows[1][1].N, &t.Rows[2][1].N); err != nil {
		return err
	}
	again, err := q.Figures(indicator("Q6.duplicates"), view.ByNation, view.Period{})
	if err != nil {
		return err
	}
	twice := Table{Title: Text{"Registered again at the same hospital", "同院重复登记"}, Columns: []Column{
		{Name: "repeated", Title: Text{"Repeated registrations", "重复登记"}, Kind: People}, {Name: "percent", Title: Text{"Percent", "百分比"}, Kind: Share},
	}, Rows: [][]Cell{{number(again[""].Num), share(again[""].Num, again[""].Den)}}}
	flow := Table{Title: Text{"From the province of the first registration to that of the next", "首次登记省 → 后续登记省"}, Found: true, Columns: []Column{
		{Name: "from", Title: Text{"From", "从"}, Kind: Word}, {Name: "to", Title: Text{"To", "到"}, Kind: Word}, personsColumn,
	}}
	if err := flowRows(q, &flow, `WITH firsts AS (SELECT person, hospital, province, min(idx) AS at FROM registrations WHERE person IS NOT NULL GROUP BY person, hospital),
		ways AS (SELECT person, province AS b, lag(province) OVER (PARTITION BY person ORDER BY at) AS a FROM firsts)
		SELECT a, b, count(DISTINCT person) FROM ways WHERE a IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`); err != nil {
		return err
	}
	referred := flow
	referred.Title, referred.Rows = Text{"Referrals between provinces", "省间转诊"}, nil
	err = flowRows(q, &referred, `WITH way AS (SELECT r.person, coalesce(a.province, CASE WHEN f.from_code = '' THEN r.province END, '') AS a,
		coalesce(b.province, CASE WHEN f.to_code = '' THEN r.province END, '') AS b FROM referrals f JOIN facts r ON r.idx = f.idx
		LEFT JOIN hospitals a ON a.entity = f.from_code AND f.from_code <> '' LEFT JOIN hospitals b ON b.entity = f.to_code AND f.to_code <> ''
		WHERE r.person IS NOT NULL) SELECT a, b, count(DISTINCT person) FROM way GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`)
	r.Tables = append(r.Tables, t, twice, flow, referred)
	return err
}

func flowRows(q view.Query, t *Table, query string) error {
	return q.Each(query, func(row view.Row) error {
		var a, b string
		var n int64
		err := row(&a, &b, &n)
		t.Rows = append(t.Rows, []Cell{{Text: ProvinceText(a)}, {Text: ProvinceText(b)}, number(n)})
		return err
	})
}

// specimens finds available specimens that may be used. Here and below CROSS JOIN
// tells SQLite where to begin: it does not know how large tables are.
func specimens(q view.Query, _ Options, r *Report) error {
	t := Table{Title: Text{"Available specimens", "可用标本"}, Found: true, Columns: []Column{
		diseaseColumn, {Name: "kind", Title: Text{"Kind", "种类"}, Kind: Word}, {Name: "consent", Title: Text{"Consent", "同意"}, Kind: Word},
		{Name: "specimens", Title: Text{"Specimens", "标本"}, Kind: People}, personsColumn,
	}}
	err := q.Each(`SELECT d.en, d.zh, s.kind, s.consent, count(DISTINCT s.idx), count(DISTINCT e.person) FROM specimens s CROSS JOIN live e ON e.idx = s.idx
		CROSS JOIN cases c ON c.id = s.of_case CROSS JOIN live l ON l.idx = c.idx AND +l.hospital = e.hospital CROSS JOIN case_rows x ON x.idx = c.idx
		CROSS JOIN diseases d ON d.list = x.list AND d.number = x.number WHERE s.status IN (0, 1, 5) AND e.stopped & 8 = 0
		GROUP BY d.list, d.number, s.kind, s.consent ORDER BY d.list, d.number, s.kind, s.consent`, func(row view.Row) error {
		var en, zh string
		var kind entry.SpecimenKind
		var consent entry.Answer
		var n, persons int64
		err := row(&en, &zh, &kind, &consent, &n, &persons)
		t.Rows = append(t.Rows, []Cell{words(en, zh), {Text: specimenText(kind)}, {Text: answerText(consent)}, number(n), number(persons)})
		return err
	})
	r.Tables = append(r.Tables, t)
	return err
}
