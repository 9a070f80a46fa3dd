package report

import (
	"maps"
	"slices"

	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/entry"
)

// drugs shows who is treated, and who cannot be, and why.
func drugs(q view.Query, _ Options, r *Report) error {
	t := Table{Title: Text{"Persons by disease", "按病种统计患者"}, Found: true, Columns: []Column{
		diseaseColumn, {Name: "treated", Title: Text{"On a treatment", "正在治疗"}, Kind: People},
		{Name: "stopped", Title: Text{"Stopped for cost or supply", "因费用或供应停药"}, Kind: Open},
		{Name: "not_accessible", Title: Text{"Cannot get it", "无法获得"}, Kind: People},
		{Name: "waiting", Title: Text{"Months waited, median", "等待月数（中位数）"}, Kind: Middle},
	}}
	type found struct {
		treated, stopped, lacks view.Persons
		waited                  []float64
	}
	all := map[entry.Row]*found{}
	reasons, ways, bands := counted{}, counted{}, counted{}
	if err := q.Treatments(func(one *view.Treatment) {
		for _, row := range one.Rows {
			d := all[row]
			if d == nil {
				d = &found{}
				all[row] = d
			}
			switch one.Status {
			case entry.TreatmentStarted:
				d.treated.Add(one.Person)
				ways.add(uint8(one.Access), one.Person)
				bands.add(uint8(one.Band), one.Person)
			case entry.TreatmentNotAccessible:
				d.lacks.Add(one.Person)
			case entry.TreatmentStopped:
				reasons.add(uint8(one.Reason), one.Person)
				if one.Reason == entry.StopCost || one.Reason == entry.StopSupply {
					d.stopped.Add(one.Person)
				}
			}
			if view.Known(one.Waiting) {
				d.waited = append(d.waited, float64(one.Waiting))
			}
		}
	}); err != nil {
		return err
	}
	names, err := rowNames(q)
	for _, row := range slices.SortedFunc(maps.Keys(all), compareRows) {
		d := all[row]
		median, _ := view.Median(d.waited)
		t.Rows = append(t.Rows, []Cell{{Text: names[row]}, number(d.treated.Len()), number(d.stopped.Len()), number(d.lacks.Len()), middle(median, len(d.waited))})
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
type counted map[uint8]*view.Persons

// anybody is the group of all persons of the others.
const anybody = 255

func (c counted) add(group uint8, person int64) {
	for _, g := range []uint8{group, anybody} {
		if c[g] == nil {
			c[g] = &view.Persons{}
		}
		c[g].Add(person)
	}
}

func (c counted) len(group uint8) int64 {
	if c[group] == nil {
		return 0
	}
	return c[group].Len()
}

// table has a row for each group there can be, also of nobody; group 0, which says
// nothing, is the last. The total is of all persons, each once.
func (c counted) table(title Text, groups []Text) Table {
	t := Table{Title: title, KeepTotal: true, Columns: []Column{{Name: "group", Title: Text{"Group", "分组"}, Kind: Word}, summing(personsColumn, Overlap)}}
	for i, text := range append(groups, Text{"not given", "未填"}) {
		t.Rows = append(t.Rows, []Cell{{Text: text}, number(c.len(uint8((i + 1) % (len(groups) + 1))))})
	}
	t.Total = []Cell{words("All", "合计"), number(c.len(anybody))}
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
