package console

import (
	"maps"

	"github.com/raresync/raresync/daemon/site"
)

// words are what the console says, beside those of all sites.
var words = map[string]site.Text{
	"about":            {"Rare disease registry · console", "罕见病登记 · 控制台"},
	"role.coordinator": {"Coordinator", "协调员"}, "role.qc": {"Quality control", "质控员"}, "role.biobank": {"Biobank", "生物样本库"},
	"role.dpo": {"Data protection officer", "数据保护负责人"}, "role.auditor": {"Auditor", "审计员"},

	"overview": {"Overview", "总览"}, "diseases": {"Diseases", "病种"}, "hospitals": {"Hospitals", "医院"}, "quality": {"Quality", "质控"}, "cohorts": {"Cohorts", "队列"},
	"queries": {"Queries", "质疑"}, "log": {"Log", "日志"}, "nodes": {"Nodes", "节点"}, "reports": {"Reports", "报表"},

	"label":        {"Of tree size %s, root %s…, log time %s, disease lists %s", "树大小 %s，根哈希 %s…，日志时间 %s，病种目录 %s"},
	"onlyProvince": {"hospitals of %s alone", "仅限%s的医院"},
	"exact":        {"Exact figures, for who is signed in: not to be passed on. What may be printed and passed on is under Reports.", "精确数字，仅供当前登录者查看，不得外传。可打印和外传的见“报表”。"},
	"printed":      {"Form to print (small counts withheld)", "可打印表格（隐去小数值）"}, "printedDrugs": {"Access to drugs, to print", "药物可及性（可打印）"},
	"printedSpecimens": {"Specimens, to print", "标本（可打印）"}, "printedDuplicates": {"Persons at several hospitals, to print", "跨院患者（可打印）"},
	"asTable": {"The numbers", "查看数据"}, "chartTable": {"the numbers are in the table below", "数据见下方表格"}, "mapTable": {"the numbers are in the table beside it", "数据见旁边的表格"},
	"nothing": {"Nothing to show.", "没有可显示的内容。"}, "all": {"all", "全部"}, "show": {"Show", "查看"}, "never": {"never", "从未"}, "unknown": {"not known", "不详"},
	"yes": {"yes", "是"}, "tooFew": {"n/a", "不适用"}, "what": {"What", "项目"}, "says": {"Says", "内容"}, "group": {"Group", "分组"}, "month": {"Month", "月份"},

	"proofStrip": {"Whose figures these are", "数据来源证明"}, "checkedHere": {"Checked by this node", "本节点已核验"}, "notChecked": {"Not checked", "未核验"},
	"treeSize": {"Tree size", "树大小"}, "root": {"Root", "根哈希"}, "agreement": {"Agreement", "一致性"}, "agree": {"%d of %d nodes agree", "%d / %d 个节点一致"}, "signedAt": {"Signed at", "会签时间"},
	"without": {"not yet: %s", "尚未一致：%s"}, "hasUpTo": {"has %s entries", "已有 %s 个条目"}, "nodeAt": {"%s (%s)", "%s（%s）"}, "andMore": {"%s and %d more", "%s 等，另有 %d 个"},
	"newer": {"The figures below are of %s entries more, which no checkpoint covers yet.", "下列数据另含 %s 个尚未被检查点覆盖的条目。"}, "checkpointFile": {"Checkpoint (C2SP)", "检查点（C2SP）"}, "policyFile": {"Policy", "策略文件"},

	"askAbout": {"Ask the hospital", "向医院提出质疑"}, "askTitle": {"Ask about entry %d", "就条目 %d 提出质疑"}, "askedTitle": {"What is asked about", "所问条目"}, "foundHere": {"A rule found", "规则发现"}, "send": {"Send", "发送"},
	"askHint":  {"The question is sealed to the hospital, and stands on the log for good. It has no free text, so that nothing of a patient gets into it.", "质疑密封给该医院并永久记入日志；不含自由文本，以免写入患者信息。"},
	"ruleHint": {"what the question is about", "质疑所依据的规则"}, "close": {"Close", "关闭"}, "closeNumber": {"Close query %d", "关闭质疑 %d"},
	"brokenTitle": {"Registrations in which it found something, the newest %d", "发现问题的登记（最新 %d 条）"}, "field": {"Field", "字段"},
	"type.case": {"Case", "病例"}, "type.genetics": {"Genetics", "遗传"}, "type.follow-up": {"Visit", "随访"}, "type.specimen": {"Specimen", "样本"}, "type.treatment": {"Treatment", "治疗"}, "type.death": {"Death", "死亡"},
	"type.referral": {"Referral", "转诊"}, "type.consent": {"Consent", "知情同意"}, "type.correction": {"Correction", "更正"}, "type.alias": {"Alias", "身份关联"}, "type.query": {"Query", "质疑"}, "type.reply": {"Reply", "答复"},
	"type.biobank": {"Biobank", "生物样本库"}, "type.collection": {"Collection", "样本集"}, "type.cohort": {"Cohort", "队列"}, "type.intake": {"Intake", "接收汇总"},

	"persons": {"Patients", "患者"}, "personsHint": {"each counts once, wherever registered", "不论在几家医院登记，只计一次"},
	"cases": {"Registrations", "登记"}, "casesHint": {"each hospital's own", "各医院分别计数"}, "thisMonth": {"This month", "本月登记"}, "thisMonthHint": {"registrations in %s", "%s 的登记"},
	"seen": {"Diseases registered", "已登记病种"}, "seenHint": {"of both lists", "两批目录合计"}, "silentHospitals": {"Silent hospitals", "未报告医院"}, "silentHint": {"no entry for over 30 days", "超过 30 天没有条目"},
	"lateHospitals": {"Late or fallen", "迟报或下降"}, "lateHint": {"over 7 days, or under half as usual", "超过 7 天，或不足平常一半"},
	"mapTitle": {"Patients by province of the hospital", "按医院所在省统计患者"}, "provincesTitle": {"Provinces", "各省"}, "province": {"Province", "省份"}, "hospitalCount": {"Hospitals", "医院数"},
	"monthsTitle": {"Registrations of the last 12 months", "近 12 个月登记"}, "attentionTitle": {"Who needs a call", "需要联系的医院"}, "hospital": {"Hospital", "医院"},
	"lastEntry": {"Last entry", "最近条目"}, "daysSince": {"Days since", "距今天数"}, "daysAgo": {"%d days ago", "%d 天前"}, "state": {"State", "状态"},

	"searchDisease": {"Find a disease", "查找病种"}, "search": {"Search", "查找"}, "searchHint": {"Chinese or English name, number or code", "中英文名称、编号或编码"}, "row": {"No.", "编号"}, "disease": {"Disease", "病种"},
	"otherName": {"Name in Chinese", "英文名称"}, "thisYear": {"Last 12 months", "近 12 个月"}, "rowsFound": {"%d of %d diseases", "%d / %d 个病种"}, "allDiseases": {"All diseases", "全部病种"}, "cohortOf": {"Count a cohort", "队列计数"},
	"aboutDisease": {"In the lists", "目录信息"}, "synonyms": {"Synonyms", "同义词"}, "codes": {"Codes", "编码"}, "icd": {"ICD-10", "ICD-10"}, "list": {"List", "目录批次"},

	"recent": {"Entries in 30 days", "近 30 天条目"}, "usual": {"Usual", "平常"}, "delay": {"Delay, days", "登记延迟（天）"}, "delayHint": {"median from diagnosis to registration", "确诊至登记中位数"}, "behindLog": {"Entries behind", "落后条目"}, "notHeard": {"not heard", "未联系上"},
	"stateHint":    {"Silent: no entry for over 30 days. Fallen: fewer than half as many as usual. Late: over 7 days from diagnosis to registration (median of a year). Entries behind: what its node lacks of the log.", "未报告：超过 30 天没有条目。下降：不足平常一半。迟报：确诊至登记中位数（一年内）超过 7 天。落后条目：其节点尚缺的日志条目。"},
	"allHospitals": {"All hospitals", "全部医院"},

	"heatTitle": {"Completeness by hospital", "各医院完整率"}, "heatHint": {"The darker, the more complete; n/a: fewer than 5.", "颜色越深越完整；“不适用”表示少于 5 例。"}, "allTogether": {"All together", "合计"},
	"rulesTitle": {"What rules found in accepted entries", "已接受条目中的规则发现"}, "rule": {"Rule", "规则"}, "meaning": {"Meaning", "含义"}, "severity": {"Severity", "级别"}, "registrationsWith": {"Registrations", "登记"},

	"provinceOfHospital": {"Province of the hospital", "医院所在省"}, "sexAtBirth": {"Sex at birth", "出生性别"}, "fromYear": {"Diagnosed from year", "确诊年份起"}, "toYear": {"to year", "至"}, "countThem": {"Count", "计数"},
	"cohortHint": {"Patients with a registration that fits all that is chosen. A patient with several may be in several groups.", "至少有一条登记符合全部条件的患者；有多条登记的患者可能计入多个分组。"},
	"sex0":       {"not given", "未填"}, "sex1": {"male", "男"}, "sex2": {"female", "女"}, "sex3": {"undetermined", "未确定"}, "sex4": {"not known", "不详"},
	"by.sex": {"By sex at birth", "按出生性别"}, "by.year": {"By year of diagnosis", "按确诊年份"}, "by.province": {"By province of the hospital", "按医院所在省"},

	"envelopesTitle": {"Newest envelopes", "最新信封"}, "envelope": {"Envelope", "信封号"}, "logTime": {"Log time", "日志时间"}, "institution": {"Institution", "机构"}, "kind": {"Kind", "类型"}, "sequence": {"Sequence", "序号"},
	"entryCount": {"Entries", "条目数"}, "entriesAt": {"Indexes", "条目号"}, "kind.entries": {"entries", "条目"}, "kind.act": {"act", "决议"}, "leaf.entry": {"entry", "条目"}, "leaf.act": {"act", "决议"}, "entryNumber": {"Index of an entry", "条目号"}, "older": {"Older envelopes", "更早的信封"},
	"logHint":    {"All of this is on the log for every node to read: who, when and how many, and nothing of what is sealed.", "以下内容在日志上对所有节点公开：谁、何时、多少，不含密封内容。"},
	"entryTitle": {"Entry %s", "条目 %s"}, "leafTitle": {"What the log says of it", "日志中的记录"}, "place": {"Place in the envelope", "信封内位置"}, "envelopeID": {"Envelope id", "信封标识"}, "commitment": {"Commitment", "承诺值"},
	"proofFile": {"Inclusion proof", "包含证明"}, "proofHint": {"Verify it on another machine: raresync log verify --policy policy.txt --proof entry-%d.tlog-proof", "可在另一台机器上验证：raresync log verify --policy policy.txt --proof entry-%d.tlog-proof"},
	"noProof": {"No checkpoint covers this entry yet, or it is erased here. Try again in a moment.", "尚无检查点覆盖该条目，或该条目已在此擦除，请稍后重试。"}, "backToLog": {"Back to the log", "返回日志"},

	"nodesTitle": {"Nodes; the largest tree has %s entries", "节点；最大的树有 %s 个条目"}, "node": {"Node", "节点"}, "cosigns": {"Cosigns", "会签"}, "version": {"Version", "版本"}, "lastAt": {"last at %s", "最近会签 %s"}, "ready": {"ready", "就绪"}, "since": {"since %s", "自 %s"},
	"nodesHint":  {"As the nodes say themselves, asked now. Voters cosign; mirrors keep a full copy.", "由各节点即时自报。投票节点参与会签，镜像节点保存完整副本。"},
	"node.voter": {"voter", "投票节点"}, "node.mirror": {"mirror", "镜像节点"}, "node.non-voter": {"non-voter", "候补节点"},

	"query": {"Query", "质疑号"}, "entryAsked": {"Entry", "条目号"}, "question": {"Question", "问题"}, "askedBy": {"Asked by", "提出方"}, "ownCheck": {"Hospital's own check", "医院接收时核对"}, "aReader": {"National reader", "国家读取方"}, "askedAt": {"Asked", "提出时间"}, "daysOpen": {"Days open", "持续天数"}, "queriesTitle": {"%d queries, %d open", "%d 个质疑，%d 个未答复"},
	"openQueries": {"Open", "未答复"}, "longestOpen": {"Open for the longest", "最长未答复"}, "dayCount": {"%d days", "%d 天"}, "allQueries": {"All", "全部"}, "queriesHint": {"Asked here, with raresync query open INDEX, or by the hospital's own check of what it was handed; the hospital answers, or corrects the entry.", "在此处或用 raresync query open 条目号 提出，或由医院接收时核对提出；医院答复或更正条目。"},
	"query.open": {"open", "未答复"}, "query.answered": {"answered", "已答复"}, "query.corrected": {"corrected", "已更正"}, "query.closed": {"closed", "已关闭"},

	"reportsTitle": {"To print and to pass on", "可打印和外传的报表"}, "report": {"Report", "报表"}, "print": {"Print", "打印"},
	"reportsHint": {"Counts of people below %d are withheld, others are printed to steps of 5. The sheet of a disease and the quality of a hospital have their form on their own page.", "小于 %d 的人数不予显示，其余按 5 的倍数向下取整。病种报表和单个医院的质量报表见各自页面。"},

	"badQuestion": {"The question is not understood. Choose again.", "无法理解所选条件，请重新选择。"}, "behind": {"This node is still reading the log. Try again in a moment.", "本节点仍在读取日志，请稍后重试。"},
	"notYet": {"This node is not ready yet. Try again in a moment.", "本节点尚未就绪，请稍后重试。"}, "noAudit": {"The read could not be recorded, so nothing is shown. Try again; if it stays so, tell the administrator.", "无法记录本次查阅，因此不予显示。请重试；如仍无效，请告知管理员。"},
}

// Words returns what the console and all sites say, by key.
func Words() map[string]site.Text {
	all := site.Words()
	maps.Copy(all, words)
	return all
}
