package report

import (
	"maps"

	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/entry"
)

// persons are the numbers of some, each once.
type persons map[int64]bool

// drugs shows who is treated, and who cannot be, and why.
func drugs(q view.Query, _ Options, r *Report) error {
	t := Table{Title: Text{"Persons by disease", "按病种统计患者"}, Found: true, Columns: []Column{
		diseaseColumn, {Name: "treated", Title: Text{"On a treatment", "正在治疗"}, Kind: People},
		{Name: "stopped", Title: Text{"Stopped for cost or supply", "因费用或供应停药"}, Kind: Open},
		{Name: "not_accessible", Title: Text{"Cannot get it", "无法获得"}, Kind: People},
		{Name: "waiting", Title: Text{"Months waited, median", "等待月数（中位数）"}, Kind: Middle},
	}}
	type row struct {
		name                    Text
		treated, stopped, lacks persons
		waited                  []float64
	}
	var order []string
	found := map[string]*row{}
	reasons, ways, bands := counted{}, counted{}, counted{}
	err := q.Each(`SELECT d.list || '.' || d.number, d.en, d.zh, e.person, t.status, t.reason, t.access, t.band, t.waiting FROM treatments t CROSS JOIN live e ON e.idx = t.idx
		CROSS JOIN cases c ON c.id = t.of_case CROSS JOIN live l ON l.idx = c.idx AND +l.hospital = e.hospital CROSS JOIN case_rows x ON x.idx = c.idx
		CROSS JOIN diseases d ON d.list = x.list AND d.number = x.number WHERE e.person IS NOT NULL AND e.stopped & 16 = 0
		ORDER BY d.list, d.number`, func(read view.Row) error {
		var ref, en, zh string
		var person int64
		var status entry.TreatmentStatus
		var reason entry.StopReason
		var access entry.Access
		var band entry.Band
		var waiting *int64
		if err := read(&ref, &en, &zh, &person, &status, &reason, &access, &band, &waiting); err != nil {
			return err
		}
		d := found[ref]
		if d == nil {
			d = &row{name: Text{en, zh}, treated: persons{}, stopped: persons{}, lacks: persons{}}
			found[ref], order = d, append(order, ref)
		}
		switch {
		case status == entry.TreatmentStarted:
			d.treated[person] = true
			ways.add(uint8(access), person)
			bands.add(uint8(band), person)
		case status == entry.TreatmentNotAccessible:
			d.lacks[person] = true
		case status == entry.TreatmentStopped:
			reasons.add(uint8(reason), person)
			if reason == entry.StopCost || reason == entry.StopSupply {
				d.stopped[person] = true
			}
		}
		if waiting != nil {
			d.waited = append(d.waited, float64(*waiting))
		}
		return nil
	})
	for _, ref := range order {
		d := found[ref]
		median, _ := view.Median(d.waited)
		t.Rows = append(t.Rows, []Cell{{Text: d.name}, number(int64(len(d.treated))), number(int64(len(d.stopped))), number(int64(len(d.lacks))), middle(median, len(d.waited))})
	}
	r.Tables = append(r.Tables, t,
		reasons.table(Text{"Persons who stopped, by reason", "停药患者，按原因"}, reasonTexts()),
		ways.table(Text{"Persons on a treatment, by how they come by it", "在治患者，按药物获得途径"}, accessTexts()),
		bands.table(Text{"Persons on a treatment, by what they pay in a month", "在治患者，按每月自付"}, bandTexts()))
	r.Notes = append(r.Notes, Text{
		"Treatments of the diseases of the lists. A person with several counts in each group, once.",
		"仅统计目录内病种的治疗。有多项治疗的患者在各组各计一次。"})
	return err
}

// counted are persons by the number of a group.
type counted map[uint8]persons

func (c counted) add(group uint8, person int64) {
	if c[group] == nil {
		c[group] = persons{}
	}
	c[group][person] = true
}

// table has a row for each group there can be, also of nobody; group 0, which says
// nothing, is the last. The total is of all persons, each once.
func (c counted) table(title Text, groups []Text) Table {
	t := Table{Title: title, KeepTotal: true, Columns: []Column{{Name: "group", Title: Text{"Group", "分组"}, Kind: Word}, summing(personsColumn, Overlap)}}
	all := persons{}
	for i, text := range append(groups, Text{"not given", "未填"}) {
		group := c[uint8((i+1)%(len(groups)+1))]
		maps.Copy(all, group)
		t.Rows = append(t.Rows, []Cell{{Text: text}, number(int64(len(group)))})
	}
	t.Total = []Cell{words("All", "合计"), number(int64(len(all)))}
	return t
}

func reasonTexts() []Text {
	return []Text{{"completed", "疗程完成"}, {"ineffective", "无效"}, {"adverse event", "不良事件"}, {"cost", "费用"}, {"supply", "供应中断"}, {"patient's wish", "患者意愿"}, {"death", "死亡"}, {"other", "其他"}}
}

func accessTexts() []Text {
	return []Text{{"insurance list", "医保目录"}, {"commercial insurance", "商业保险"}, {"special purchase", "临时进口"}, {"compassionate use", "同情用药"}, {"trial", "临床试验"}, {"donation", "慈善赠药"}, {"own means", "自费"}}
}

func bandTexts() []Text {
	return []Text{{"nothing", "0 元"}, {"up to 1000 yuan", "1000 元以下"}, {"1000-5000 yuan", "1000–5000 元"}, {"5000-20000 yuan", "5000–20000 元"}, {"above 20000 yuan", "20000 元以上"}}
}
