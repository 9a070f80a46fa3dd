package mapping

import (
	"regexp"
	"strings"
)

// partFields are the fields of a case's visit, specimen, treatment and referral,
// of each of which a row has one.
var partFields = []field{
	{Column: column("visit_date", "随访日期", "visit date", "2021-01-02", dateZH, dateEN), date: true, paths: []string{"$.raresync.followUps[0].visitDate"}},
	{Column: column("visit_status", "随访时生存状态", "status at visit", "存活", "有随访日期时必填", "needed with a visit"), words: vitalWords, paths: []string{"$.raresync.followUps[0].vitalStatus"}},
	{Column: column("disease_status", "随访时病情", "disease at visit", "稳定", "有随访日期时必填", "needed with a visit"), words: courseWords, paths: []string{"$.raresync.followUps[0].diseaseStatus"}},
	{Column: column("next_visit", "下次随访日期", "next visit", "2021-07-02", dateZH, dateEN), date: true, paths: []string{"$.raresync.followUps[0].nextVisit"}},
	{Column: column("specimen_type", "样本类型", "specimen", "血液", "填写样本时，本组列均为必填", "with a specimen all columns of it are needed"), words: specimenWords, paths: []string{"$.raresync.specimens[0].type", "$.raresync.specimens"}},
	{Column: column("specimen_date", "采样日期", "collected on", "2020-05-06", dateZH, dateEN), date: true, paths: []string{"$.raresync.specimens[0].collected"}},
	{Column: column("biobank", "样本库", "biobank", "院生物样本库", "", ""), paths: []string{"$.raresync.specimens[0].biobank"}},
	{Column: column("specimen_count", "样本份数", "vials", "2", "整数", "a whole number"), paths: []string{"$.raresync.specimens[0].count"}},
	{Column: column("specimen_status", "样本状态", "specimen status", "可用", "", ""), words: specimenStatusWords, paths: []string{"$.raresync.specimens[0].status"}},
	{Column: column("specimen_consent", "样本知情同意", "specimen consent", "同意", "未同意的样本不予登记", "a specimen without consent is refused"), words: agreedWords, paths: []string{"$.raresync.specimens[0].consent"}},
	{Column: column("drug", "治疗药物", "treatment", "ATC:A16AB04 阿加糖酶β", "药物或操作：编码、名称或两者", "a drug or procedure: its code, its name, or both"), paths: []string{"$.raresync.treatments[0].agent", "$.raresync.treatments"}},
	{Column: column("drug_status", "治疗状态", "treatment status", "已开始", "有治疗时必填", "needed with a treatment"), words: treatmentWords, paths: []string{"$.raresync.treatments[0].status"}},
	{Column: column("drug_start", "治疗开始日期", "treatment start", "2020-09-01", "已开始或已停止时必填；"+dateZH, "needed of one that was started; "+dateEN), date: true, paths: []string{"$.raresync.treatments[0].start"}},
	{Column: column("drug_stop", "治疗停止日期", "treatment stop", "", dateZH, dateEN), date: true, paths: []string{"$.raresync.treatments[0].stop"}},
	{Column: column("drug_stop_reason", "停止原因", "why stopped", "", "", ""), words: stopWords, paths: []string{"$.raresync.treatments[0].stopReason"}},
	{Column: column("drug_response", "疗效", "response", "稳定", "", ""), words: responseWords, paths: []string{"$.raresync.treatments[0].response"}},
	{Column: column("drug_access", "药物获得途径", "access", "医保目录", "", ""), words: accessWords, paths: []string{"$.raresync.treatments[0].access"}},
	{Column: column("drug_out_of_pocket", "每月自付（元）", "paid by the patient in a month", "1000-5000", "", ""), words: bandWords, paths: []string{"$.raresync.treatments[0].outOfPocket"}},
	{Column: column("drug_waiting", "等待用药月数", "months waiting", "4", "整数", "a whole number"), paths: []string{"$.raresync.treatments[0].monthsWaiting"}},
	{Column: column("referral_date", "转诊日期", "referred on", "", dateZH, dateEN), date: true, paths: []string{"$.raresync.referrals[0].date"}},
	{Column: column("referral_reason", "转诊原因", "reason of referral", "", "有转诊时必填", "needed with a referral"), words: referralWords, paths: []string{"$.raresync.referrals[0].reason", "$.raresync.referrals"}},
	{Column: column("referral_to", "转入医院", "referred to", "", "医院的统一社会信用代码", "the hospital's unified social credit code"), paths: []string{"$.raresync.referrals[0].to"}},
	{Column: column("referral_out_of", "转出医院", "referred out of", "", "医院的统一社会信用代码", "the hospital's unified social credit code"), paths: []string{"$.raresync.referrals[0].from"}},
}

// The dictionaries of these fields.
var (
	specimenWords = newDictionary(
		mean("blood", "血液", "blood", "全血", "外周血"), mean("plasma", "血浆", "plasma"), mean("serum", "血清", "serum"),
		mean("cells", "细胞", "cells", "成纤维细胞", "细胞系"), mean("DNA", "DNA", "dna"), mean("RNA", "RNA", "rna"), mean("tissue", "组织", "tissue"),
		mean("urine", "尿液", "urine", "尿"), mean("stool", "粪便", "stool"), mean("saliva", "唾液", "saliva", "口腔拭子"),
		mean("cerebrospinal fluid", "脑脊液", "cerebrospinal fluid", "csf"), mean("dried blood", "干血斑", "dried blood", "干血片"),
		mean("other", "其他", "other"))
	specimenStatusWords = newDictionary(
		mean("available", "可用", "available", "在库"), mean("used up", "已用完", "used up", "耗尽"), mean("destroyed", "已销毁", "destroyed"),
		mean("handed over", "已移交", "handed over", "已出库"), mean("unknown", "不详", "unknown", "未知"))
	agreedWords = newDictionary(
		mean("yes", "同意", "yes", "已同意", "是", "有", "y"), mean("no", "不同意", "no", "否", "无", "n"), mean("unknown", "不详", "unknown", "未知"))
	treatmentWords = newDictionary(
		mean("started", "已开始", "started", "治疗中", "用药中"), mean("stopped", "已停止", "stopped", "停药"), mean("refused", "患者拒绝", "refused", "拒绝"),
		mean("not accessible", "无法获得", "not accessible", "买不到", "用不起"))
	stopWords = newDictionary(
		mean("completed", "疗程结束", "completed"), mean("ineffective", "无效", "ineffective"), mean("adverse event", "不良反应", "adverse event", "不良事件"),
		mean("cost", "费用", "cost", "经济原因"), mean("supply", "断供", "supply", "断药"), mean("patient's wish", "患者意愿", "patient's wish"),
		mean("death", "死亡", "death"), mean("other", "其他", "other"))
	responseWords = newDictionary(
		mean("complete", "完全缓解", "complete"), mean("partial", "部分缓解", "partial", "有效"), mean("stable", "稳定", "stable"),
		mean("none", "无效", "no response"), mean("too early", "尚早", "too early"), mean("unknown", "不详", "unknown", "未知"))
	accessWords = newDictionary(
		mean("insurance list", "医保目录", "insurance list", "医保"), mean("commercial insurance", "商业保险", "commercial insurance", "惠民保"),
		mean("special purchase", "临时进口", "special purchase", "特殊采购"), mean("compassionate use", "同情用药", "compassionate use", "拓展性使用"),
		mean("trial", "临床试验", "trial"), mean("donation", "慈善赠药", "donation", "赠药"), mean("own means", "自费", "own means"))
	bandWords = newDictionary(
		mean("nothing", "0", "nothing"), mean("up to 1000", "1000以下", "up to 1000"), mean("1000-5000", "1000-5000", "1000-5000 yuan"),
		mean("5000-20000", "5000-20000", "5000-20000 yuan"), mean("above 20000", "20000以上", "above 20000"))
	referralWords = newDictionary(
		mean("diagnosis", "诊断", "diagnosis"), mean("treatment", "治疗", "treatment"), mean("drug", "用药", "drug"), mean("follow-up", "随访", "follow-up"),
		mean("genetics", "遗传咨询", "genetics", "基因检测"), mean("adult care", "转成人科", "adult care"), mean("moved", "迁居", "moved"),
		mean("other", "其他", "other"))
)

func (b *builder) visit() object {
	v := object{}
	set(v, "visitDate", b.date("visit_date").String())
	set(v, "vitalStatus", b.word("visit_status"))
	set(v, "diseaseStatus", b.word("disease_status"))
	set(v, "nextVisit", b.date("next_visit").String())
	return v
}

func (b *builder) specimen() object {
	s := object{}
	set(s, "type", b.word("specimen_type"))
	set(s, "collected", b.date("specimen_date").String())
	set(s, "biobank", b.text("biobank"))
	b.number(s, "count", "specimen_count", "份")
	set(s, "status", b.word("specimen_status"))
	set(s, "consent", b.word("specimen_consent"))
	return s
}

func (b *builder) treatment() object {
	t := object{}
	if agent := b.agent(); len(agent) > 0 {
		t["agent"] = agent
	}
	set(t, "status", b.word("drug_status"))
	set(t, "start", b.date("drug_start").String())
	set(t, "stop", b.date("drug_stop").String())
	set(t, "stopReason", b.word("drug_stop_reason"))
	set(t, "response", b.word("drug_response"))
	set(t, "access", b.word("drug_access"))
	set(t, "outOfPocket", b.word("drug_out_of_pocket"))
	b.number(t, "monthsWaiting", "drug_waiting", "个月")
	return t
}

// drugCode begins a cell with a code of the ATC classification.
var drugCode = regexp.MustCompile(`^(?i:ATC[:：]?)?\s*([A-Z][0-9]{2}[A-Z]{2}[0-9]{2})(?:[^0-9A-Za-z]|$)`)

// agent reads a treatment's code and name.
func (b *builder) agent() object {
	text := b.text("drug")
	agent := object{}
	if found := drugCode.FindStringSubmatch(text); found != nil {
		agent["id"] = "ATC:" + found[1]
		text = strings.Trim(text[len(found[0]):], " ()（）")
	}
	set(agent, "label", text)
	return agent
}

func (b *builder) referral() object {
	r := object{}
	set(r, "date", b.date("referral_date").String())
	set(r, "from", strings.ToUpper(halfWidth(b.text("referral_out_of"))))
	set(r, "to", strings.ToUpper(halfWidth(b.text("referral_to"))))
	set(r, "reason", b.word("referral_reason"))
	return r
}
