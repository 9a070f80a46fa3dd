package mapping

import "strings"

// A meaning is one value of a field: its name in a packet, and the words that
// say it. The first two of the words are those a template offers, in Chinese
// and in English.
type meaning struct {
	name  string
	words []string
}

// A dictionary knows the words of one field.
type dictionary struct {
	meanings []meaning
	index    map[string]string
}

func newDictionary(meanings ...meaning) *dictionary {
	d := &dictionary{meanings, map[string]string{}}
	for _, m := range meanings {
		d.index[wordKey(m.name)] = m.name
		for _, w := range m.words {
			d.index[wordKey(w)] = m.name
		}
	}
	return d
}

func mean(name string, words ...string) meaning { return meaning{name, words} }

// find returns the name that a word stands for, or "".
func (d *dictionary) find(word string) string { return d.index[wordKey(word)] }

func (d *dictionary) names() (names []string) {
	for _, m := range d.meanings {
		names = append(names, m.name)
	}
	return names
}

func (d *dictionary) shown() (words []Words) {
	for _, m := range d.meanings {
		words = append(words, Words{m.words[0], m.words[1]})
	}
	return words
}

// wordKey is the form in which words and headings are compared: in lower case,
// of half width, without space.
func wordKey(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			r -= 0xFEE0
		case r == ' ' || r == '\t' || r == '\r' || r == '\n' || r == '\u3000' || r == '\u00a0' || r == '\u200b':
			return -1
		}
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// usualMissing are the words that stand for an empty cell in any table.
var usualMissing = wordSet("-", "--", "---", "—", "——", "/", "\\", "null", "(null)", "nan", "n/a", "na", "none", "空", "无", "缺失",
	"未填", "未填写", "不详", "未知", "unknown", "9999", "0000-00-00", "9999-12-31", "9999-99-99", "1900-01-00", "00:00.0")

func wordSet(words ...string) map[string]bool {
	set := map[string]bool{}
	for _, w := range words {
		set[wordKey(w)] = true
	}
	return set
}

// The dictionaries. Numbers are the codes of the national value sets: GB/T
// 2261.1 for sex.
var (
	sexWords = newDictionary(
		mean("MALE", "男", "male", "1", "m", "男性", "男孩"), mean("FEMALE", "女", "female", "2", "f", "女性", "女孩"),
		mean("OTHER_SEX", "其他", "other", "性别未定", "两性", "间性"), mean("UNKNOWN_SEX", "未知", "unknown", "0", "9", "不详", "未说明", "未说明的性别", "未知的性别"))
	vitalWords = newDictionary(
		mean("alive", "存活", "alive", "在世", "生存", "健在"), mean("dead", "死亡", "dead", "已故", "deceased", "去世", "死"),
		mean("lost", "失访", "lost", "lost to follow-up"), mean("opted out", "退出", "opted out", "撤回"),
		mean("unknown", "不详", "unknown", "未知"))
	verificationWords = newDictionary(
		mean("suspected", "疑似", "suspected", "疑诊"), mean("clinical", "临床诊断", "clinical", "临床", "确诊"),
		mean("genetic", "基因诊断", "genetic", "基因", "基因确诊", "分子诊断"), mean("undiagnosed", "未确诊", "undiagnosed", "未诊断", "待诊断"))
	answerWords = newDictionary(
		mean("yes", "有", "yes", "是", "y", "true", "阳性"), mean("no", "无", "no", "否", "n", "false", "没有", "非"),
		mean("unknown", "不详", "unknown", "未知"))
	presenceWords = newDictionary(mean("present", "有", "present", "confirmed", "yes"), mean("absent", "无", "absent", "excluded", "refuted", "no"))
	testWords     = newDictionary(
		mean("single gene", "单基因", "single gene", "单基因检测", "sanger", "一代测序"), mean("panel", "基因包", "panel", "靶向测序", "目标区域测序"),
		mean("exome", "全外显子组", "exome", "wes", "全外显子", "全外显子测序", "全外显子组测序"),
		mean("genome", "全基因组", "genome", "wgs", "全基因组测序"), mean("array", "芯片", "array", "cma", "染色体微阵列", "snp array"),
		mean("karyotype", "核型", "karyotype", "染色体核型", "fish", "核型分析"), mean("repeat", "重复扩展", "repeat", "动态突变"),
		mean("dosage", "拷贝数", "dosage", "mlpa", "qpcr"), mean("mitochondrial", "线粒体", "mitochondrial", "线粒体基因组"),
		mean("other", "其他", "other"))
	resultWords = newDictionary(
		mean("causative", "致病", "causative", "阳性", "positive", "明确致病"), mean("negative", "阴性", "negative", "未检出"),
		mean("uncertain", "意义不明", "uncertain", "vus"), mean("pending", "未出结果", "pending", "待回报", "检测中"))
	acmgWords = newDictionary(
		mean("PATHOGENIC", "致病", "pathogenic", "p", "致病性"), mean("LIKELY_PATHOGENIC", "可能致病", "likely pathogenic", "lp", "疑似致病"),
		mean("UNCERTAIN_SIGNIFICANCE", "意义不明", "uncertain significance", "vus", "临床意义不明", "意义未明"),
		mean("LIKELY_BENIGN", "可能良性", "likely benign", "lb", "疑似良性"), mean("BENIGN", "良性", "benign", "b"))
	standingWords = newDictionary(
		mean("CAUSATIVE", "致病", "causative"), mean("CONTRIBUTORY", "相关", "contributory"), mean("CANDIDATE", "候选", "candidate"),
		mean("REJECTED", "无关", "rejected"), mean("UNKNOWN_STATUS", "不详", "unknown", "unknown status"))
	progressWords = newDictionary(
		mean("SOLVED", "已解决", "solved"), mean("UNSOLVED", "未解决", "unsolved"), mean("COMPLETED", "已完成", "completed"),
		mean("IN_PROGRESS", "进行中", "in progress"), mean("UNKNOWN_PROGRESS", "不详", "unknown progress", "unknown"))
	zygosityWords = newDictionary(
		mean("GENO:0000135", "杂合", "heterozygous", "het", "杂合子"), mean("GENO:0000136", "纯合", "homozygous", "hom", "纯合子"),
		mean("GENO:0000134", "半合子", "hemizygous", "hemi", "半合"), mean("GENO:0000402", "复合杂合", "compound heterozygous"),
		mean("GENO:0000603", "异质性", "heteroplasmic"), mean("GENO:0000602", "同质性", "homoplasmic"))
	courseWords = newDictionary(
		mean("stable", "稳定", "stable"), mean("improved", "好转", "improved", "改善"), mean("worse", "加重", "worse", "恶化", "进展"),
		mean("remission", "缓解", "remission"), mean("unknown", "不详", "unknown", "未知"))
	basisWords     = newDictionary(mean("statutory", "法定报告", "statutory", "法定"), mean("consent", "同意", "consent", "知情同意"), mean("both", "两者", "both"))
	consenterWords = newDictionary(mean("self", "本人", "self", "患者本人"), mean("guardian", "监护人", "guardian", "父母", "法定监护人"))
	documentWords  = newDictionary(
		mean("RIC", "居民身份证", "resident ID", "身份证", "二代身份证", "居民户口簿", "户口簿", "港澳台居民居住证", "居住证", "01", "02"),
		mean("HKM", "港澳居民来往内地通行证", "HK/Macao permit", "港澳通行证", "回乡证", "06"),
		mean("TWP", "台湾居民来往大陆通行证", "Taiwan permit", "台胞证", "07"),
		mean("PP", "护照", "passport", "普通护照", "03"),
		mean(foreigners, "外国人永久居留身份证", "foreigner's card", "永居证", "FPR17"),
		mean("BC", "出生医学证明", "birth certificate", "出生证"))
	provinceWords = newDictionary(provinces()...)
)
