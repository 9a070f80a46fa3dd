package page

import "fmt"

// sayIn puts values into what a key says in a language, "zh" or any other for
// English. A key that is not there says itself; a test looks for those.
func sayIn(lang, key string, values ...any) string {
	said, ok := words[key]
	text := said.en
	switch {
	case !ok:
		return key
	case lang == "zh":
		text = said.zh
	}
	return fmt.Sprintf(text, values...)
}

type text struct{ en, zh string }

// words are what the page says.
var words = map[string]text{
	"product": {"raresync", "raresync"}, "about": {"Rare disease registry", "罕见病登记"}, "skip": {"Skip to the content", "跳到正文"},
	"other": {"中文", "English"}, "signedInAs": {"Signed in as", "当前账号"}, "signOut": {"Sign out", "退出登录"},
	"signIn": {"Sign in", "登录"}, "name": {"Account", "账号"}, "passwordField": {"Password", "密码"}, "menu": {"Menu", "菜单"},
	"home": {"Deliveries", "交付"}, "accounts": {"Accounts", "账号管理"}, "password": {"Change password", "修改密码"}, "problem": {"Not done", "未完成"},
	"noAccountYet": {"Accounts are kept by the administrator of this node.", "账号由本节点的管理员维护。"},

	"upload":      {"Hand in a file", "提交文件"},
	"uploadHint":  {"A table (CSV, TSV, XLSX), FHIR R4 or phenopackets (JSON, NDJSON), or a ZIP of these two, as the inbox takes them. Nothing leaves the hospital before you confirm.", "表格（CSV、TSV、XLSX）、FHIR R4 或 phenopacket（JSON、NDJSON），或后两者的 ZIP 压缩包，与收件箱接受的格式相同。确认之前，任何内容都不会离开本院。"},
	"chooseFile":  {"File", "文件"},
	"check":       {"Check and preview", "检查并预览"},
	"past":        {"My deliveries", "我的交付"},
	"none":        {"Nothing has been handed in yet.", "尚未提交过文件。"},
	"keptFor":     {"What became of a file is kept sealed on this node for a while; the file itself is destroyed with the answer.", "处理结果会密封保存在本节点一段时间；文件本身在得到结果后即被销毁。"},
	"file":        {"File", "文件"},
	"handedIn":    {"Handed in", "提交时间"},
	"status":      {"Status", "状态"},
	"entries":     {"Entries", "条目"},
	"refusedRows": {"Refused rows", "被拒绝的行"},

	"state.checking": {"Checking", "检查中"}, "state.checked": {"Preview", "预览"}, "state.sending": {"On its way", "上报中"},
	"state.stuck": {"Waits", "等待中"}, "state.done": {"Result", "结果"},
	"outcome.accepted": {"Accepted", "已接受"}, "outcome.known": {"Nothing new in it", "没有新内容"}, "outcome.partly accepted": {"Partly accepted", "部分接受"},
	"outcome.refused": {"Refused", "已拒绝"}, "outcome.waiting": {"Taken in, waits for another day's quota", "已收下，等待另一天的配额"},

	"checkingNow":   {"The file is being read and checked. This page looks again by itself.", "正在读取并检查文件。本页会自动刷新。"},
	"sendingNow":    {"The entries are being pseudonymised, sealed and sent. This page looks again by itself; you may leave it.", "条目正在假名化、密封并上报。本页会自动刷新，您也可以离开。"},
	"soFar":         {"Patients taken in so far: %s", "已处理患者：%s"},
	"lookAgain":     {"Look again", "刷新"},
	"nothingLeft":   {"Nothing has left the hospital yet.", "目前没有任何内容离开本院。"},
	"wouldBe":       {"What would become of the patients in it", "其中患者将如何处理"},
	"added":         {"New", "新增"},
	"addedHint":     {"your hospital has sent nothing of them", "本院此前未上报过"},
	"changed":       {"Changed", "有变化"},
	"changedHint":   {"sent before with other content", "此前以不同内容上报过"},
	"linked":        {"Linked", "将关联"},
	"linkedHint":    {"something new of a patient known here", "已知患者的新内容"},
	"known":         {"Known", "已有"},
	"knownHint":     {"nothing new, nothing is sent", "没有新内容，不会上报"},
	"refused":       {"Refused", "被拒绝"},
	"refusedHint":   {"stay here, to be mended", "留在本院，待修改"},
	"wholeRefused":  {"The whole file is refused. Mend what is listed and hand it in again.", "整个文件被拒绝。请按下列说明修改后重新提交。"},
	"allKnown":      {"All of it was sent before: there is nothing to send.", "其中内容此前都已上报，无需再次上报。"},
	"confirm":       {"Confirm and send", "确认并上报"},
	"confirmSome":   {"Confirm and send the accepted", "确认并上报已通过的部分"},
	"again":         {"Try again", "重试"},
	"discard":       {"Discard the file", "放弃该文件"},
	"discardHint":   {"Discarded or unconfirmed for an hour, the file is destroyed.", "放弃后，或一小时内未确认，文件即被销毁。"},
	"stuckNow":      {"It did not go through. What was sent before is safe, and is known when you try again.", "未能完成。此前已上报的内容是安全的，重试时会被识别。"},
	"reason":        {"What happened: %s", "原因：%s"},
	"doneHead":      {"What became of it", "处理结果"},
	"inLog":         {"Entries in the national log under a receipt", "已进入全国登记日志并有回执的条目"},
	"before":        {"Entries that the log had before", "日志中原已有的条目"},
	"later":         {"Entries that go later by themselves", "稍后自动上报的条目"},
	"receipts":      {"Receipts", "回执"},
	"receiptsHint":  {"Each proves that an entry is in the log, and is verified offline: raresync log verify --policy POLICY --proof FILE.", "每个回执证明一个条目已在日志中，可离线验证：raresync log verify --policy 策略文件 --proof 文件。"},
	"indexes":       {"Entries %s", "条目 %s"},
	"rejectsHead":   {"Refused, to be mended", "被拒绝的内容，待修改"},
	"rejectsHint":   {"A file with what was refused alone; in a table, what to mend stands in each row. Document numbers, names and telephones are masked: fill them in from your own system, and hand the file in.", "仅含被拒绝内容的文件；表格的每行都注明需修改之处。证件号码、姓名和电话已遮盖，请从本院系统补入后重新提交该文件。"},
	"rejectsFile":   {"Download file %d", "下载文件 %d"},
	"toMend":        {"To be mended", "需要修改"},
	"toNote":        {"To be looked at (accepted all the same)", "请留意（仍会接受）"},
	"byRule":        {"By rule", "按规则"},
	"times":         {"Times", "次数"},
	"rowAt":         {"Row %d", "第 %d 行"},
	"column":        {"Column", "列"},
	"place":         {"Place", "位置"},
	"rule":          {"Rule", "规则"},
	"what":          {"What is found", "问题"},
	"value":         {"Detail (masked)", "详情（已遮盖）"},
	"todo":          {"What to do", "处理方法"},
	"more":          {"%s more findings are not shown here; the table of refused rows has those of its rows.", "另有 %s 条未在此显示；被拒绝行的表格中列有各行的问题。"},
	"back":          {"Back to all deliveries", "返回全部交付"},
	"noFindings":    {"The rules found nothing.", "规则检查未发现问题。"},
	"previewLimits": {"A patient who is known by another document, or has stopped the use of entries, shows only when the file is sent.", "以其他证件登记过的患者，或已停用条目的患者，要到上报时才能识别。"},

	"role": {"Role", "角色"}, "role.clerk": {"Clerk", "录入员"}, "role.admin": {"Administrator", "管理员"}, "created": {"Created", "创建时间"},
	"open": {"Open", "可登录"}, "locked": {"Locked", "已锁定"}, "actions": {"Actions", "操作"}, "lock": {"Lock", "锁定"}, "unlock": {"Unlock", "解锁"},
	"remove": {"Remove", "删除"}, "addAccount": {"Add an account", "新增账号"}, "add": {"Add", "新增"}, "setFor": {"Set another account's password", "重设其他账号的密码"},
	"set": {"Set the password", "设置密码"}, "oldPassword": {"Present password", "当前密码"}, "newPassword": {"New password", "新密码"}, "againPassword": {"New password again", "再次输入新密码"},
	"nameHint":     {"1 to 32 of a-z 0-9 . _ -", "1 至 32 个字符：a-z 0-9 . _ -"},
	"passwordHint": {"at least 12 characters; a few words do well", "至少 12 个字符；可用几个词组成"},
	"changeHint":   {"You sign in anew afterwards, everywhere.", "修改后，所有已登录处都需重新登录。"},

	"wrong": {"The name or the password is wrong, or the account is locked.", "账号或密码错误，或账号已被锁定。"},
	"wait":  {"Too many failures. Try again in %d minutes.", "失败次数过多，请在 %d 分钟后重试。"}, "waitOwn": {"Too many failures. Try again later.", "失败次数过多，请稍后重试。"},
	"notFound": {"There is no such page, or it is not yours.", "没有该页面，或您无权查看。"}, "notYours": {"Your account may not do this.", "您的账号无权进行此操作。"},
	"notNow":        {"This cannot be done with the delivery now. Look at it again.", "该交付当前不能进行此操作，请刷新后查看。"},
	"full":          {"Too many files wait for a confirmation. Confirm or discard some first.", "等待确认的文件过多，请先确认或放弃一些。"},
	"stopping":      {"the node is stopping", "节点正在停止"},
	"strayPapers":   {"the file of documents names a file that is neither the one uploaded nor in it", "证件文件中的文件名既不是所上传的文件，也不在其中"},
	"badPapers":     {"The file of documents cannot be used: %s.", "证件文件无法使用：%s。"},
	"choosePapers":  {"Documents of the patients (CSV; only for phenopackets)", "患者证件文件（CSV，仅用于 phenopacket）"},
	"papersHint":    {"Columns: file, subject, type, issuer, value. Without it these patients are known by their subject id.", "列：file, subject, type, issuer, value。不提供时，这些患者只以 subject id 识别。"},
	"busy":          {"The node is busy. Try again in a moment.", "节点正忙，请稍后重试。"},
	"large":         {"The file is larger than 64 MiB. Divide it.", "文件超过 64 MiB，请拆分。"},
	"noFile":        {"No file came in, or it is empty. Choose one.", "没有收到文件，或文件为空，请选择文件。"},
	"internal":      {"The node failed at this. Its log says why; tell the administrator.", "节点处理失败，原因见其日志，请告知管理员。"},
	"otherOrigin":   {"The form came from another page. Open this one anew and try again.", "该表单来自其他页面，请重新打开本页后重试。"},
	"twoPasswords":  {"The two passwords differ.", "两次输入的密码不一致。"},
	"wrongPassword": {"The present password is wrong.", "当前密码错误。"},
	"badPassword":   {"A password has 12 to 128 characters and is not the account's name.", "密码须为 12 至 128 个字符，且不得与账号相同。"},
	"badName":       {"An account's name has 1 to 32 of a-z 0-9 . _ - and begins with a letter or digit.", "账号须为 1 至 32 个字符（a-z 0-9 . _ -），以字母或数字开头。"},
	"badRole":       {"Choose a role.", "请选择角色。"}, "there": {"There is an account of that name.", "已有同名账号。"}, "noAccount": {"There is no account of that name.", "没有该账号。"},
	"lastAdmin": {"It is the last administrator that can sign in.", "这是最后一个可登录的管理员。"},
}
