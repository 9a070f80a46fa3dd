package main

// headingsZH are the headings of tables in Chinese, by the field's json name. A
// field that is not here keeps its English heading.
var headingsZH = map[string]string{
	"account": "账号", "act": "公告叶号", "on_log": "日志有公告", "query": "查询", "read": "读取范围",
	"accepted": "已接受", "created": "创建时间", "locked": "已锁定", "alarm": "告警", "approved": "赞同", "asked": "已询问节点", "asked_at": "提出时间", "within": "所属", "asker": "提出方", "days_open": "未决天数", "reply": "答复", "target": "所问条目", "at_least": "至少", "behind": "落后",
	"before": "原有大小", "below": "少于", "blamed": "责任机构", "bodies": "含密封正文", "by": "提出方", "bytes": "字节数", "canary": "探针一致", "case_number": "病例号",
	"case_numbers": "病例号", "cases": "病例", "cases_without_pseudonym": "无假名病例", "catalogue": "病种目录",
	"check_digits": "校验位相符", "checkpoint": "检查点", "class": "会话类别", "code": "代码", "commitment": "承诺值",
	"confirmed": "已确认", "connected": "已连接", "consent": "同意条目", "converged": "一致", "corrected_by": "更正条目",
	"cosigned": "已会签", "cosigners": "会签方", "day": "日期", "deadline": "截止时间", "dealers": "已分发份额", "deals_needed": "所需分发数",
	"dealt": "已分发", "demo": "演示网络", "dials_out": "仅拨出", "votes": "参加投票", "roster": "名册中", "leads": "领导", "removed": "已退出", "declared": "已声明", "detail": "说明", "dialled": "本方拨出", "disease": "疾病", "diseases": "病种数", "edition": "版次", "list": "目录", "newest": "最新", "doubtful": "存疑",
	"elements": "元素数", "ended": "结果", "ended_at": "结束于信封", "entity": "法人机构", "entries": "条目",
	"entries_corrected": "已更正条目", "entries_stopped": "停用条目", "entries_withdrawn": "撤回条目", "nodes_declared": "声明节点", "entries_unopened": "未启封条目", "envelope": "信封号",
	"envelopes": "信封数", "epoch": "份额代次", "erased": "已擦除条目", "erased_files": "已擦除文件", "event_date": "事件日期", "expires": "有效期至", "fault": "问题", "feature_level": "功能级别", "policy": "网络设置", "supported_level": "本版本支持的级别", "supports": "支持级别", "file": "文件",
	"files": "文件数", "first": "首个信封", "folder": "目录", "founders": "创始机构", "granted": "本次补授", "had_before": "此前已有", "holder": "持有方",
	"holders": "持有方", "holders_answered": "已应答持有方", "holders_needed": "所需持有方", "holds": "相符", "honoured": "采信",
	"hospital": "医院", "icd": "ICD-10", "id": "编号", "index": "叶号", "indexes": "叶号", "institution": "机构", "joined": "已加入",
	"key_id": "密钥编号", "kind": "节点类型", "last": "末个信封", "lead": "牵头", "leader": "领导节点", "hash": "哈希", "lines": "行数", "leaves": "叶数", "linked": "已关联",
	"links_flagged": "存疑关联", "links_honoured": "采信关联", "links_not_honoured": "未采信关联", "links_undone": "已撤销关联",
	"listed": "目录号", "log_time": "日志时间", "made": "生成时间", "min_cell": "最小单元数", "mine": "本院已赞同", "name": "名称",
	"name_en": "英文名称", "name_zh": "中文名称", "network": "网络", "network_id": "网络编号", "new_case": "新病例号", "note": "备注", "node": "节点",
	"nodes": "节点", "number": "编号", "old_case": "旧病例号", "origin": "来源", "outbox": "发件箱", "outcome": "结果", "path": "路径",
	"patients": "患者数", "patients_at_two_hospitals": "两院以上患者", "person": "假名", "persons": "人数",
	"persons_at_two_hospitals": "两院以上人数", "place": "位次", "platform": "平台", "posted_by": "最迟发布于", "problem": "问题",
	"profile": "登记类别", "proposed": "提出时间", "proposed_by": "提出方", "province": "省份", "purpose": "用途", "quorum": "签名门限",
	"quota": "每日配额", "ready": "就绪", "reason": "理由", "ref": "目录号", "refused": "被拒绝", "registrations": "登记数",
	"requests": "请求数", "revoked": "吊销", "rights": "读取权", "role": "角色", "root": "根哈希", "rtt_ms": "往返毫秒", "rule": "规则",
	"salts": "含盐", "salts_expire": "盐销毁期限", "says": "内容", "sequence": "序号", "severity": "级别", "share": "份额",
	"shares": "份额", "size": "树大小", "state": "状态", "status": "状况", "rows": "行数", "taken": "收取时间", "report": "报告", "stopped": "停用范围", "stored": "已存至",
	"strength": "身份强度", "synonyms_en": "英文别名", "synonyms_zh": "中文别名", "term": "任期", "threshold": "份额门限", "time": "时间",
	"todo": "处理办法", "too_much": "超出本院请求", "tree_size": "树大小", "type": "类型", "unopened": "无法启封",
	"valid_envelopes": "有效信封", "verified": "已验证", "version": "版本", "via": "经由", "waits": "等待", "week": "周",
	"month": "月份", "sender": "发函方", "sent_at": "发函时间", "open_queries": "未答复质疑", "oldest_days": "最长天数", "receipt": "已有回执",
	"heard": "联系", "level": "级别", "cosigns": "会签",
	"recipient": "接收方", "reader": "读取方", "dataset": "数据集", "genetic_rows": "含基因的行", "cells_withheld": "隐去数字", "entries_erased": "已擦除条目", "rows_stopped": "停用的行",
	"column": "列", "field": "字段", "filled": "非空行", "unknown": "无法识别", "at": "位置", "title": "说明", "known_by": "识别标题", "letter": "质量函", "in": "不一致的字段", "checked_at": "核对时间",
	"record": "病案号", "log": "日志",
	"about": "内容", "own_policy": "策略相符",
	"what": "项目", "where": "私钥所在", "why": "原因",
}

var yesNoZH = map[string]string{"true": "是", "false": "否"}

// cellsZH are what cells say in Chinese, by the field and its English text. What
// is not here is printed as it is.
var cellsZH = map[string]map[string]string{
	"asked": yesNoZH, "locked": yesNoZH, "bodies": yesNoZH, "canary": yesNoZH, "check_digits": yesNoZH, "confirmed": yesNoZH, "connected": yesNoZH, "dealt": yesNoZH,
	"demo": yesNoZH, "doubtful": yesNoZH, "newest": yesNoZH, "holds": yesNoZH, "honoured": yesNoZH, "joined": yesNoZH, "lead": yesNoZH, "mine": yesNoZH,
	"ready": yesNoZH, "votes": yesNoZH, "leads": yesNoZH, "dials_out": yesNoZH, "refused": yesNoZH, "dialled": yesNoZH, "salts": yesNoZH, "too_much": yesNoZH, "verified": yesNoZH,
	"ended": {
		"open": "进行中", "in force": "已生效", "void: a dealer dealt a false share": "作废：有分发方分发了错误的份额",
		"void: a complaint was false": "作废：投诉不实", "void: a holder gave up": "作废：有持有方放弃",
		"void: its deadline has passed": "作废：已过截止时间",
	},
	"outcome": {"accepted": "已接受", "partly accepted": "部分接受", "known": "已登记过", "refused": "已拒绝", "waiting": "等待配额", "asked": "仅询问"},
	"heard":   {"now": "正常", "not ready": "未就绪", "no answer": "无应答", "never": "从未"},
	"cosigns": yesNoZH, "receipt": yesNoZH, "own_policy": yesNoZH,
	"kind":   nodeKindsZH,
	"roster": nodeKindsZH,
	"origin": {"dkg": "密钥仪式", "dealt": "由一方分发（仅限演示）"},
	"purpose": {
		"envelope": "信封签名", "request": "求值请求", "response": "求值应答", "sealing": "密封", "tls": "TLS", "log": "日志", "cosign": "会签",
		"request, response or tls": "求值请求、求值应答或 TLS",
		"registry":                 "登记管理", "quality": "数据质量", "care": "患者诊疗", "research": "研究", "drug-access": "用药保障", "public-health": "公共卫生", "legal": "法定义务", "audit": "审计", "industry": "答复企业",
	},
	"role": {"hospital": "医院", "reader": "读取方"},
	"state": {
		"new": "待收取", "work": "处理中", "done": "已完成", "quarantine": "已隔离",
		"present": "当前", "next": "待用", "former": "以前",
		"declared": "已声明", "owed": "尚未声明", "removed": "已退出，无法证明",
		"corrected": "已更正", "corrected, stopped": "已更正，已停用", "stopped": "已停用",
		"asked": "等待决定", "proposed": "已提议", "rejected": "已拒绝",
		"this node": "本节点", "connected": "已连接", "not connected": "未连接",
		"answered": "已答复", "closed": "已关闭",
		"open": "待处理", "fulfilled": "已生效", "expired": "已过期", "overtaken": "因名册或密钥持有方变更作废",
	},
	"rights":  {"none": "无", "national": "全国", "national,genetics": "全国、遗传", "province": "本省", "genetics": "遗传"},
	"type":    typesZH,
	"by":      {"self": "本人", "guardian": "监护人"},
	"stopped": {"registry, contact, reuse, biobank, drugs, industry": "全部"},
	"level":   {"ok": "正常", "unknown": "未知", "warning": "警告", "failure": "失败"},
	"status": {
		"planned": "筹备中", "open": "进行中", "closed": "已关闭", "ended": "已结束",
		"in use": "使用中", "stopped": "已停用", "erasing": "待擦除", "posted": "已发布擦除", "erased": "已擦除",
	},
	"where": {"file": "密钥文件", "offline": "已离线", "destroyed": "已销毁", "never here": "从未在此"},
}

var nodeKindsZH = map[string]string{"voter": "投票节点", "mirror": "镜像节点", "non-voter": "候补投票节点", "removed": "已退出"}

var typesZH = map[string]string{
	"case": "病例", "genetics": "遗传", "follow-up": "随访", "alias": "身份关联", "consent": "同意", "correction": "更正", "query": "质疑", "reply": "质疑答复", "biobank": "样本库", "collection": "样本集", "cohort": "队列", "intake": "接收汇总", "letter": "质量函", "check": "原始病历核对",
	"specimen": "样本", "treatment": "治疗", "death": "死亡", "referral": "转诊",
	"admission": "准入", "ceremony": "密钥仪式", "allowance": "补录额度", "replacement": "密钥更换", "revocation": "密钥吊销", "withdrawal": "撤回",
	"promotion": "升为投票节点", "demotion": "降为镜像节点", "removal": "移出", "enrolment": "增加节点", "settings": "网络设置", "feature level": "功能级别", "edition": "病种目录版次", "reader rights": "读取权",
}
