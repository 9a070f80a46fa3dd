package mapping

import (
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/table"
)

// A Column is one field as a template shows it and docs/INPUT.md lists it.
type Column struct {
	Key      string
	Heading  Words
	Help     Words
	Sample   string
	Required bool // by the profile report, or in a part of it that is given
	// Allowed are the words of a field that has some, for a list to choose
	// from; others mean the same and are read too.
	Allowed []Words
}

// field is what the package knows of a field.
type field struct {
	Column
	words *dictionary // of a field whose values are words
	paths []string    // where its value stands in the packet
	noted bool        // read only where a profile names it: not in the template
	date  bool        // shown as one in a template
}

// means reports whether a profile may give a word as the meaning of a code. In
// a field of free text it may be anything.
func (f *field) means(word string) bool {
	switch {
	case f.words != nil:
		return f.words.find(word) != ""
	case f.Key == "onset" || f.Key == "onset_age":
		_, _, ok := parseOnset(table.Cell{Text: word})
		return ok
	}
	return word != ""
}

func (f *field) allowed() string {
	if f.words == nil {
		return "want what the field itself may hold"
	}
	return "want " + strings.Join(f.words.names(), ", ")
}

// Keys returns the names of all fields, in the order of the template.
func Keys() (keys []string) {
	for i := range fields {
		keys = append(keys, fields[i].Key)
	}
	return keys
}

// Columns returns the columns of the template, in their order.
func Columns() (columns []Column) {
	for i := range fields {
		if f := &fields[i]; !f.noted {
			c := f.Column
			if f.words != nil {
				c.Allowed = f.words.shown()
			}
			columns = append(columns, c)
		}
	}
	return columns
}

func fieldOf(key string) *field {
	i := slices.IndexFunc(fields, func(f field) bool { return f.Key == key })
	if i < 0 {
		return nil
	}
	return &fields[i]
}

func column(key, zh, en, sample string, helpZH, helpEN string) Column {
	return Column{Key: key, Heading: Words{zh, en}, Sample: sample, Help: Words{helpZH, helpEN}}
}

func required(c Column) Column { c.Required = true; return c }

const (
	dateZH = "如 2020-05-06、2020/5/6、2020年5月；不知道日或月时只填已知部分"
	dateEN = "as 2020-05-06, 2020/5/6 or 2020-05; of an incomplete date, what is known"
)

// fields are all fields, in the order of the template.
var fields = slices.Concat(caseFields, partFields)

var caseFields = []field{
	{Column: column("record", "病案号", "record number", "B0012345", "本院的患者编号，不会离开医院", "the hospital's own number of the patient; it does not leave the hospital"), paths: []string{"$.subject.id"}},
	{Column: column("id_type", "证件类型", "document type", "居民身份证", "不填即居民身份证", "empty: resident ID"), words: documentWords},
	{Column: column("id_number", "证件号码", "document number", "110105199003077470", "不会离开医院；单元格必须是文本格式", "does not leave the hospital; the cell must be text")},
	{Column: column("id_country", "签发国", "issuing country", "FRA", "仅护照：三位国家代码", "of a passport: three letters")},
	{Column: required(column("sex", "性别", "sex", "男", "出生时性别", "sex at birth")), words: sexWords, paths: []string{"$.subject.sex"}},
	{Column: required(column("birth", "出生日期", "date of birth", "1990-03-07", dateZH+"；只保留年月", dateEN+"; year and month are kept")), date: true, paths: []string{"$.subject.dateOfBirth", "$.raresync.birth"}},
	{Column: required(column("province", "居住省份", "province", "广东", "省份名称，或行政区划代码的前两位", "its name, or the first two digits of GB/T 2260")), words: provinceWords, paths: []string{"$.raresync.province"}},
	{Column: required(column("department", "科室", "department", "肾内科", "就诊科室", "of the hospital")), paths: []string{"$.raresync.department"}},
	{Column: required(column("disease", "疾病名称", "disease", "法布雷病", "国家目录中的名称；多个疾病用分号隔开，登记的疾病写在最前", "as in the national lists; several with semicolons, the registered one first")), paths: []string{"$.diseases"}},
	{Column: column("list_number", "目录编号", "list number", "1.27", "国家目录编号：批次.序号", "number in the national lists: list.number"), paths: []string{"$.diseases"}},
	{Column: column("orpha", "ORPHA编码", "ORPHA code", "ORPHA:324", "", "")},
	{Column: column("omim", "OMIM编号", "OMIM number", "OMIM:301500", "", "")},
	{Column: column("icd10", "ICD-10编码", "ICD-10 code", "E75.2", "只比较前四位", "the first four characters are compared")},
	{Column: column("verification", "诊断依据", "verification", "基因诊断", "不填时按基因检测结果判断", "if empty, concluded from the genetic test"), words: verificationWords, paths: []string{"$.raresync.verification"}},
	{Column: required(column("diagnosis_date", "诊断日期", "date of diagnosis", "2020-05-06", dateZH, dateEN)), date: true, paths: []string{"$.raresync.diagnosisDate"}},
	{Column: required(column("onset", "起病", "onset", "8岁", "日期；年龄，如 8岁、3个月、15天；出生时；产前；不详", "a date; an age as 8 years, 3 months, P8Y; at birth; antenatal; unknown")), paths: []string{"$.diseases[0].onset"}},
	{Column: column("onset_age", "起病年龄", "age at onset", "8", "年龄，数字为岁", "a number of years, or an age as in onset"), noted: true, paths: []string{"$.diseases[0].onset"}},
	{Column: required(column("status", "生存状态", "vital status", "存活", "", "")), words: vitalWords, paths: []string{"$.subject.vitalStatus.status", "$.raresync.status", "$.subject.vitalStatus"}},
	{Column: column("death_date", "死亡日期", "date of death", "", "死亡时必填；不知道填“不详”", "needed of a dead patient; unknown if nobody knows it"), date: true, paths: []string{"$.subject.vitalStatus.timeOfDeath", "$.raresync.deathDateUnknown"}},
	{Column: column("death_cause", "死亡原因", "cause of death", "", "ICD-10 编码", "an ICD-10 code"), paths: []string{"$.subject.vitalStatus.causeOfDeath"}},
	{Column: column("first_contact", "首次就诊日期", "first contact", "2020-04-01", "首次到罕见病专科中心；"+dateZH, "with a specialised centre; "+dateEN), date: true, paths: []string{"$.raresync.firstContact"}},
	{Column: column("features", "表型", "features", "HP:0000093；HP:0001250", "HPO 编码，多个用分号隔开；未确诊病例必填", "HPO ids with semicolons; needed of an undiagnosed case"), paths: []string{"$.phenotypicFeatures"}},
	{Column: column("features_absent", "已排除的表型", "features absent", "HP:0000365", "检查过且没有的表型", "looked for and not found")},
	{Column: column("feature_status", "表型状态", "feature status", "", "", ""), words: presenceWords, noted: true},
	{Column: column("family_history", "家族史", "family history", "有", "", ""), words: answerWords, paths: []string{"$.raresync.familyHistory"}},
	{Column: column("consanguinity", "近亲婚配", "consanguinity", "无", "", ""), words: answerWords, paths: []string{"$.raresync.consanguinity"}},
	{Column: column("hospitals_before", "确诊前就诊医院数", "hospitals before", "3", "整数", "a whole number"), paths: []string{"$.raresync.hospitalsBefore"}},
	{Column: column("referred_from", "转诊来源", "referred from", "", "", ""), paths: []string{"$.raresync.referredFrom"}},
	{Column: column("payer", "医疗付费方式", "payer", "城镇职工基本医疗保险", "", ""), paths: []string{"$.raresync.payer"}},
	{Column: column("basis", "法律依据", "legal basis", "法定报告", "不填即法定报告", "empty: the duty to report"), words: basisWords, paths: []string{"$.raresync.basis"}},
	{Column: column("consent_by", "同意人", "consent by", "", "14 岁以下仅凭同意登记的须为监护人", "of a patient under 14 held on consent alone: the guardian"), words: consenterWords, paths: []string{"$.raresync.consent.by", "$.raresync.consent"}},
	{Column: column("consent_date", "同意日期", "consent date", "", dateZH, dateEN), date: true, paths: []string{"$.raresync.consent.date"}},
	{Column: column("reference", "文献", "reference", "PMID:10198255", "已发表病例的 PMID 或 DOI", "PMID or DOI of a published case"), paths: []string{"$.metaData.externalReferences"}},
	{Column: column("test_type", "基因检测类型", "genetic test", "基因包", "有任何基因结果时必填", "needed with any genetic result"), words: testWords, paths: []string{"$.raresync.geneticTest.type"}},
	{Column: column("test_result", "基因检测结果", "test result", "致病", "有任何基因结果时必填", "needed with any genetic result"), words: resultWords, paths: []string{"$.raresync.geneticTest.result"}},
	{Column: column("test_date", "基因报告日期", "test date", "2020-05-01", dateZH, dateEN), date: true, paths: []string{"$.raresync.geneticTest.date"}},
	{Column: column("test_lab", "检测机构", "laboratory", "", "", ""), paths: []string{"$.raresync.geneticTest.lab"}},
	{Column: column("gene", "基因", "gene", "HGNC:4296 GLA", "HGNC 编号和基因符号", "HGNC id and symbol"), paths: []string{"$.interpretations"}},
	{Column: column("gene_symbol", "基因符号", "gene symbol", "", "", ""), noted: true},
	{Column: column("hgvs_c", "变异c.", "variant c.", "NM_000169.3:c.644A>G", "HGVS，含转录本", "HGVS with its transcript")},
	{Column: column("hgvs_p", "变异p.", "variant p.", "", "HGVS", "HGVS")},
	{Column: column("hgvs_g", "变异g.", "variant g.", "", "HGVS，含参考序列", "HGVS with its reference sequence")},
	{Column: column("zygosity", "合子型", "zygosity", "半合子", "", ""), words: zygosityWords},
	{Column: column("acmg", "ACMG分级", "ACMG class", "致病", "", ""), words: acmgWords},
	{Column: column("standing", "变异意义", "variant standing", "", "", ""), words: standingWords, noted: true},
	{Column: column("progress", "解读进度", "interpretation", "", "", ""), words: progressWords, noted: true},
}

// diagnosisKeys are fields that stand in a Diagnosis and not among Fields, and
// diagnosisParts what they are called there.
var (
	diagnosisKeys  = []string{"disease", "list_number", "orpha", "omim", "icd10"}
	diagnosisParts = []string{"name", "list", "orpha", "omim", "icd10"}
)
