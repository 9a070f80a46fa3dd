package report

import (
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/entry"
)

func unitText(u view.Unit) Text {
	switch u {
	case view.Days:
		return Text{"days", "天"}
	case view.Months:
		return Text{"months", "月"}
	}
	return same("%")
}

func answerText(a entry.Answer) Text {
	switch a {
	case entry.Yes:
		return Text{"yes", "是"}
	case entry.No:
		return Text{"no", "否"}
	}
	return Text{"not known", "不详"}
}

func specimenText(k entry.SpecimenKind) Text {
	zh := [...]string{"", "全血", "血浆", "血清", "细胞", "DNA", "RNA", "组织", "尿", "粪便", "唾液", "脑脊液", "干血斑", "其他"}
	if k == entry.SpecimenNotGiven || int(k) >= len(zh) {
		return Text{"not given", "未填"}
	}
	return Text{k.String(), zh[k]}
}

// IndicatorText says what an indicator is, in a few words.
func IndicatorText(id string) Text {
	switch id {
	case "Q1":
		return Text{"Needed fields that are filled in", "必填项完整率"}
	case "Q2.features":
		return Text{"Registrations with an observed HPO feature", "有 HPO 表型的登记"}
	case "Q2.genetics":
		return Text{"Registrations with a genetic result", "有基因结果的登记"}
	case "Q2.onset":
		return Text{"Registrations with an onset", "有起病时间的登记"}
	case "Q2.contact":
		return Text{"Registrations with a first contact", "有首诊时间的登记"}
	case "Q3.median":
		return Text{"Diagnosis to registration, median", "确诊至登记（中位数）"}
	case "Q3.p90":
		return Text{"Diagnosis to registration, 90th percentile", "确诊至登记（第 90 百分位）"}
	case "Q3.in7":
		return Text{"Registered within 7 days", "7 天内登记"}
	case "Q3.in30":
		return Text{"Registered within 30 days", "30 天内登记"}
	case "Q3.retrospective":
		return Text{"Diagnosed before the duty to register", "登记义务前确诊"}
	case "Q4":
		return Text{"Rows refused, of those handed in", "被退回的行，占提交的行"}
	case "Q5":
		return Text{"Registrations that raise a query", "存在质疑的登记"}
	case "Q6.duplicates":
		return Text{"Registrations repeated at the hospital", "同院重复登记"}
	case "Q6.elsewhere":
		return Text{"Persons registered at another hospital too", "在他院也有登记的患者"}
	case "Q7":
		return Text{"Persons with a weak or local identity only", "仅有弱身份或院内身份的患者"}
	case "Q8":
		return Text{"Diagnoses with a list number or ORPHA code", "有目录编号或 ORPHA 编码的诊断"}
	case "Q9.median":
		return Text{"Onset to diagnosis, median", "起病至确诊（中位数）"}
	case "Q9.over4y":
		return Text{"Onset to diagnosis over 4 years", "起病至确诊超过 4 年"}
	case "Q10":
		return Text{"Genetically verified, of genetic diseases", "遗传病中经基因确认"}
	case "Q11.seen":
		return Text{"Seen in the last year, of those under care", "近一年有随访"}
	case "Q11.lost":
		return Text{"Lost to follow-up, of those under care", "失访"}
	case "Q12":
		return Text{"Persons with a specimen", "有标本的患者"}
	case "Q13.reached":
		return Text{"On a treatment, of those with a disease that is treated anywhere", "所患病种有治疗记录者中，正在治疗"}
	case "Q13.treated":
		return Text{"On a treatment, of those with one on record", "正在治疗"}
	case "Q13.lacking":
		return Text{"Cannot get it, of those with one on record", "无法获得治疗"}
	case "Q14":
		return Text{"Registrations of which no use is stopped", "未停用的登记"}
	case "Q15.silent":
		return Text{"Days since the last entry", "距最近条目天数"}
	case "Q15.recent":
		return Text{"Entries of 30 days, of what is usual", "近 30 天条目，与平常相比"}
	case "Q16":
		return Text{"Corrections, of entries", "更正率"}
	}
	return same(id)
}
