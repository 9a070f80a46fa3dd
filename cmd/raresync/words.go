package main

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/backup"
	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyfile"
	"github.com/raresync/raresync/crypto/offline"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/daemon/staticcopy"
	"github.com/raresync/raresync/daemon/trail"
	"github.com/raresync/raresync/registry/founding"
)

// words say what an error means to the person at the keyboard.
type words struct {
	hint   string // English advice, where the error has none of its own
	zh     string // what happened
	zhHint string
}

var noRoom = words{"make room on that disk, or choose another", "磁盘空间不足", "请腾出磁盘空间，或换一个磁盘"}

// meanings holds the words for errors that a clerk or an operator meets; the
// first that fits counts.
var meanings = []struct {
	err error
	words
}{
	{founding.ErrToken, words{"copy the whole token again, or ask for another: raresync member invite", "邀请码不完整或有误", "请重新复制完整的邀请码，或请对方重新发出：raresync member invite"}},
	{errExpired, words{"ask the hospital that invited for another: raresync member invite", "邀请已过期", "请邀请方重新发出：raresync member invite"}},
	{errNobodyAsked, words{"raresync member list shows who waits", "没有申请方在等待", "raresync member list 显示等待中的申请"}},
	{errIll, words{"mend what is called a failure above, from the top, and run it again", "有问题妨碍本节点工作", "请自上而下处理上面的失败项，然后重新运行"}},
	{errPartly, words{"", "部分文件被拒绝", "请按上面的说明更正这些文件后重新提交；已接受的文件再次提交无妨"}},
	{errNothing, words{"", "没有文件被接受", "请按上面的说明更正后重新提交"}},
	{errNotApproved, words{"", "未赞同该提案", "请输入 yes，或使用 --yes"}},
	{errUnread, words{"", "本程序无法读懂该提案的内容，请勿赞同", "请使用更新的版本，或询问提案方"}},
	{errAliasRefused, words{"", "操作被拒绝，没有发送任何内容", "请按上面的说明处理后重试"}},
	{trail.ErrBroken, words{
		"keep the file as evidence, move it away, and restart the node: it begins a new one",
		"操作记录的链条断裂：有人改动过", "请保留该文件作为证据并移走，然后重启节点：它会新建一个"}},
	{errCardRefused, words{"", "卡片被拒绝，没有登记", "请按上面的说明更正后重试"}},
	{errNoCard, words{"", "没有该卡片", "raresync card list 列出所有卡片"}},
	{errReadsDiffer, words{"have the reader explain each act without a record: something was read that it does not show", "记录与公告不符", "请要求读取方解释每一条没有记录的公告"}},
	{errQueryRefused, words{"", "操作被拒绝，没有提出或答复任何质疑", "请按上面的说明处理后重试"}},
	{errNotCorrected, words{"", "没有更正任何条目", "请按上面的说明处理后重试"}},
	{errNotDecided, words{"", "没有做出任何决定", "请输入 yes 确认，或使用 --yes"}},
	{errIdentity, words{"", "该证件被拒绝", "请按上面的说明更正后重试"}},
	{errNoRecord, words{
		"name a file with --from; - is standard input", "没有可供输入的终端", "请用 --from 指定文件；- 表示标准输入"}},
	{errNoTerminal, words{
		"name a file with --documents; - is standard input", "没有可供输入的终端", "请用 --documents 指定文件；- 表示标准输入"}},
	{errNoPassword, words{
		"name a file with --password-from; - is standard input", "没有可供输入密码的终端", "请用 --password-from 指定文件；- 表示标准输入"}},
	{errPasswords, words{"type it again", "两次输入的密码不一致", "请重新输入"}},
	{site.ErrPassword, words{"a few words make a good one", "密码须为 12 至 128 个字符，且不得与账号相同", "可用几个词组成密码"}},
	{site.ErrAccountName, words{"", "账号须为 1 至 32 个字符（a-z 0-9 . _ -），以字母或数字开头", "请换一个账号名"}},
	{site.ErrRole, words{"", "没有该角色", "--help 列出所有角色，请更正 --role"}},
	{site.ErrLimit, words{"--province goes with --role coordinator, two digits of GB/T 2260", "只有协调员可限于一省", "--province 与 --role coordinator 合用，为 GB/T 2260 前两位"}},
	{site.ErrThere, words{"raresync page user list, of a reader raresync console user list, shows the accounts", "已有同名账号", "raresync page user list（读取机构为 raresync console user list）显示所有账号"}},
	{site.ErrNoAccount, words{"raresync page user list, of a reader raresync console user list, shows the accounts", "没有该账号", "raresync page user list（读取机构为 raresync console user list）显示所有账号"}},
	{errTypedApart, words{"type the number again", "两次输入的号码不一致", "请重新输入"}},
	{errWrongDigit, words{"case numbers have the digits 0-9 and the letters A-Z without I, L, O and U", "病例号中有不可能出现的字符", "病例号只含数字 0-9 和字母 A-Z（没有 I、L、O、U）"}},
	{errTooFewDigits, words{"copy the number again from the paper: XXXX-XXXX-XXXX-CC", "病例号位数不足", "请对照纸质材料重新抄录：XXXX-XXXX-XXXX-CC"}},
	{errTooManyDigits, words{
		"copy the number again from the paper: XXXX-XXXX-XXXX-CC; a document's number is typed when it is asked for, never an argument",
		"病例号位数过多", "请对照纸质材料重新抄录：XXXX-XXXX-XXXX-CC；证件号码只在提示时输入，不要写在命令行中"}},
	{errSwappedDigits, words{"compare these two digits with the paper", "病例号中有两个相邻字符可能写反了", "请对照纸质材料核对这两位"}},
	{errWrongCheck, words{"copy the number again from the paper; one digit or more is mistyped", "病例号校验位不符", "请对照纸质材料重新抄录；至少有一位写错"}},
	{errUndeclared, words{
		"an act has to be accepted first: is the daemon running and ready?",
		"没有生成备份：未能先向网络申报", "请确认节点服务正在运行且已就绪（raresync status），然后重试"}},
	{errNotShown, words{
		"keep the file, and let the lead hospitals see it: either the holder counted wrongly or this hospital's request key is another's too",
		"所示请求与持有方公告的用量不符", "请保存该文件并交牵头医院查看：或是持有方统计有误，或是本院请求密钥被他人使用"}},
	{errCeremonyGoesOn, words{
		"raresync ceremony status says what it waits for",
		"密钥仪式仍在进行，本命令不再等待", "raresync ceremony status 显示在等待什么"}},
	{errVoid, words{"", "密钥仪式没有产生密钥", "请查明原因后重新运行 raresync ceremony start"}},
	{admin.ErrUnreachable, words{
		"is the daemon running? start it with: raresync serve",
		"节点服务没有响应", "请确认服务正在运行，或用 raresync serve 启动"}},
	{context.DeadlineExceeded, words{"try again, or wait longer with --timeout", "等待超时", "请稍后再试，或用 --timeout 延长等待时间"}},
	{term.ErrUnanswered, words{"nothing was decided; run it again", "提问时操作被中断，没有做出任何决定", "请重新运行"}},
	{context.Canceled, words{"it was interrupted; what the daemon has begun goes on", "操作已中断", "节点服务已开始的操作会继续"}},
	{staticcopy.ErrOther, words{
		"name another folder; nothing in this one was changed", "目录中是其他内容，而不是本日志的静态副本", "请换一个目录；该目录未作更改"}},
	{staticcopy.ErrBodies, words{
		"run it as it was begun, with or without --bodies, or name another folder", "静态副本或全含正文，或全不含", "请按最初的方式运行（带或不带 --bodies），或换一个目录"}},
	{staticcopy.ErrBusy, words{"let the other run end first", "另一个进程正在写该静态副本", "请等待其结束"}},
	{backup.ErrNotBackup, words{"name the file that raresync backup save made", "不是备份文件", "请指定由 raresync backup save 生成的文件"}},
	{audit.ErrUnverified, words{"", "验证失败", "请勿使用这份副本或收据，并告知网络运维人员"}},
	{staticcopy.ErrAbsent, words{
		"name the folder or address under which copy.json and checkpoint lie, as raresync log export writes them", "该处没有静态副本", "请指定 copy.json 和 checkpoint 所在的目录或地址（由 raresync log export 生成）"}},
	{audit.ErrSaltless, words{
		"it was restored from a backup without salts, and raresync serve fetches them from its peers: try again when raresync status says ready",
		"这份副本还没有取回盐，暂时无法验证", "它由不含盐的备份恢复而来；请用 raresync serve 启动节点，它会从其他节点取得盐，就绪后再试"}},
	{home.ErrInUse, words{
		"stop the daemon first, or use the command that talks to it",
		"数据目录正被另一个进程使用", "请先停止该节点的服务"}},
	{home.ErrHalfRestored, words{
		"restore it again with: raresync backup restore FILE; or remove the folder that is left, to pull the whole log from the other nodes",
		"上次从备份恢复没有完成", "请重新运行 raresync backup restore FILE；或删除残留的目录，改为从其他节点获取全部日志"}},
	{errSamePassphrase, words{"have each keeper choose another", "两位保管人的口令相同，一人即可恢复密钥", "请各保管人使用不同的口令"}},
	{errTypedTwice, words{"type it again", "两次输入的口令不一致", "请重新输入"}},
	{errShort, words{"six random words will do", "口令太短", "至少 16 个字符；六个随机词即可"}},
	{home.ErrPassphrase, words{
		"type the passphrase with which that file was sealed, or name the file that it belongs to",
		"口令打不开该文件", "请输入封存该文件时所用的口令，或指定与口令对应的文件"}},
	{home.ErrParts, words{
		"two of the three files of one --custody are needed, each with its own passphrase",
		"这些保管文件不能恢复密钥", "需要同一次 --custody 产生的三个文件中的任意两个及各自的口令"}},
	{home.ErrCopy, words{
		"name another copy that raresync key protect --copy made: this one is of no use, and nothing was changed",
		"该副本不能恢复密钥文件，没有做任何更改", "请换用另一份由 raresync key protect --copy 生成的副本"}},
	{keyfile.ErrDamaged, words{
		"a damaged keys.age is made again from its copy: move it away, then raresync key protect --put-back FILE",
		"密钥文件已损坏", "请移走损坏的 keys.age，再用副本恢复：raresync key protect --put-back FILE"}},
	{keyfile.ErrWrongKey, words{
		"keys.age and the file key belong together: put both back as they were, or make keys.age again from its copy: raresync key protect --put-back FILE",
		"文件密钥打不开密钥文件", "keys.age 与文件密钥须成对：请一起恢复，或用副本恢复：raresync key protect --put-back FILE"}},
	{home.ErrKeyring, words{"raresync key list shows the present, next and former keys", "现在不能进行该密钥操作", "请用 raresync key list 查看当前、待用和以前的密钥"}},
	{home.ErrCredential, words{
		"make another with the service manager, as docs/OPERATIONS.md says under Keys",
		"文件密钥由服务管理器保管，本命令不能更换", "请按 docs/OPERATIONS.md 的 Keys 一节更换"}},
	{term.ErrNoTerminal, words{"give --passphrase-file for each file, or run it at a terminal", "没有可输入口令的终端", "请为每个文件提供 --passphrase-file，或在终端中运行"}},
	{errNotApprovedDraft, words{"", "未赞同该草案", "请输入 yes，或使用 --yes"}},
	{errUnchanged, words{"", "没有做任何更改", "请输入 yes 确认，或使用 --yes"}},
	{home.ErrNoKeys, words{
		"make it again from its copy: raresync key protect --put-back FILE; without one, docs/OPERATIONS.md, \"A lost key\"",
		"密钥文件不见了", "请用副本恢复：raresync key protect --put-back FILE；没有副本时参见 docs/OPERATIONS.md 中 A lost key 一节"}},
	{home.ErrKeys, words{"", "节点密钥无法使用", "请检查密钥文件的位置和权限（0600）"}},
	{home.ErrNoGenesis, words{
		"take the network's genesis file with: raresync found adopt genesis.pem",
		"该节点尚未加入任何网络", "请用 raresync found adopt genesis.pem 导入网络的创世文件"}},
	{home.ErrOtherGenesis, words{
		"adopt the genesis of the network this node was founded in, or make a new node with: raresync init DIR",
		"该节点属于另一个网络", "请导入该节点所属网络的创世文件，或用 raresync init 建立新节点"}},
	{backup.ErrNoSalts, words{"leave --identity out", "该备份不含盐，无需密钥", "请去掉 --identity 再运行；恢复后节点会从其他节点取得盐"}},
	{backup.ErrVoter, words{"", "投票节点不能从备份恢复", "请直接启动该节点，它会从其他节点追上；若磁盘已丢失，请用 raresync init 建立新节点"}},
	{backup.ErrHasLog, words{"", "该节点已有日志", "无需恢复：用 raresync serve 启动，它会自行追上"}},
	{errShared, words{
		"on a disk that knows no modes, such as most sticks: copy the key into a folder of your own, chmod 600 it there, and destroy the copy afterwards",
		"本机其他用户可以读写该密钥文件", "请将权限改为 0600；若介质不支持权限（如多数 U 盘），请复制到自己的目录，执行 chmod 600，用完后销毁该副本"}},
	{offline.ErrWrongKey, words{"", "密钥不匹配", "请用封存该备份时所用的离线密钥"}},
	{offline.ErrKey, words{"", "不是离线密钥文件", "离线密钥由 raresync backup key 生成"}},
	{offline.ErrRecipient, words{"make one with: raresync backup key FILE", "不是离线密钥的公钥", "公钥由 raresync backup key 打印"}},
	{home.ErrOccupied, words{"choose a new directory", "目录不是空的", "请换一个新目录"}},
	{consensus.ErrTwin, words{
		"find the copy of this data directory and stop it for good; docs/OPERATIONS.md, \"When a node runs twice\"",
		"本节点有另一个实例正在运行（数据目录被复制）", "请找到并永久停用另一份数据目录，然后按 docs/OPERATIONS.md 中 When a node runs twice 一节处理"}},
	{errNoRoom, noRoom},
	{errNeedsRepair, words{
		"start the node with raresync serve, or restart it if it runs: it repairs its ledger from its peers; then save again",
		"本节点的账本需要修复", "请用 raresync serve 启动节点，已在运行则重启；它会从其他节点修复账本，然后重新备份"}},
	{consensus.ErrHalfBegun, words{
		"run raresync raft recover apply with the same file again: it goes on where it stopped",
		"本节点的新纪元只开始了一半", "请用同一文件再次运行 raresync raft recover apply，它会从中断处继续"}},
	{consensus.ErrContradiction, words{
		"keep both data directories as evidence, and find out which node was set back or changed before anything goes on",
		"两个副本互相矛盾", "请保留两份数据目录作为证据，查明哪个节点被回退或改动之后再继续"}},
	{consensus.ErrNotLongest, words{"draft at the node that is named", "另一个节点的副本更长", "请在所示节点上起草"}},
	{consensus.ErrMajorityLeft, words{"", "多数投票节点仍在，无需恢复", "请直接启动这些节点"}},
	{consensus.ErrSurvey, words{"survey the node again with raresync raft recover survey", "勘查文件不可用", "请用 raresync raft recover survey 重新勘查该节点"}},
	{consensus.ErrBeyondCut, words{
		"survey this node again, and draft with its survey; if the others have begun already, rebuild it under a new id",
		"本节点的副本与切点不符", "请重新勘查本节点并据此重新起草；若其他节点已经开始，请以新的节点名重建"}},
	{consensus.ErrShortCopy, words{
		"start it if it is a mirror: it pulls the rest from a voter that it knows; else draft again with its survey",
		"本节点的副本太短", "镜像节点可直接启动，从已知的投票节点补齐；否则请勘查后重新起草"}},
	{errLeftAlone, words{"", "没有做任何更改", "请输入 yes 确认，或使用 --yes"}},
	{consensus.ErrLeftBehind, words{
		"keep the data directory until its hospital has sent again what was lost, then enrol a new node; docs/OPERATIONS.md, \"When the majority is lost\"",
		"网络已在没有本节点的情况下继续", "请保留数据目录，待医院重新发送丢失的内容后登记新节点；参见 docs/OPERATIONS.md 中 When the majority is lost 一节"}},
	{consensus.ErrQuarantined, words{
		"keep the data directory, and rebuild this node from its peers under a new id; docs/OPERATIONS.md, \"As a service\", exit code 74",
		"本节点的副本已被隔离", "请保留数据目录，并以新的节点名从其他节点重建；参见 docs/OPERATIONS.md 中 As a service 一节的退出码 74"}},
	{state.ErrTooOld, words{
		"install a newer raresync on this node and start it again: it goes on where it is",
		"本程序版本过旧，网络已采用新的功能级别", "请在本节点安装更新的 raresync 并重新启动：它会从当前位置继续"}},
	{ledger.ErrDamaged, words{"rebuild this node from its peers under a new id", "本地账本已损坏", "请以新的节点名从其他节点重建"}},
	{ledger.ErrStorage, words{"look at the disk; then rebuild this node from its peers", "磁盘读写失败", "请检查磁盘，然后从其他节点重建本节点"}},
	{logstore.ErrDamaged, words{"rebuild this node from its peers under a new id", "Raft 日志已损坏", "请以新的节点名从其他节点重建"}},
	{logstore.ErrStorage, words{"look at the disk; then rebuild this node under a new id", "磁盘读写失败", "请检查磁盘，然后以新的节点名重建"}},
	{syscall.ENOSPC, noRoom}, // of a command: what the node's own files lack is ErrStorage
	{errNoConfig, words{
		"name one with --config, or make a node with: raresync init DIR",
		"找不到配置文件", "请用 --config 指定，或用 raresync init 建立节点"}},
	{errNoDirectory, words{"", "这是一个文件，而日志副本是一个目录", "请指定数据目录或账本的副本；备份文件请用 raresync backup verify FILE 验证"}},
	{fs.ErrPermission, words{"run the command as the daemon's user", "没有权限", "请以节点服务的用户身份运行"}},
	{fs.ErrExist, words{"nothing is overwritten: choose another name", "文件已存在", "不会覆盖已有文件，请换一个文件名"}},
	{errNoFiles, words{"", "文件夹中没有 *.json 文件", "请核对路径"}},
	{fs.ErrNotExist, words{"", "文件或目录不存在", "请核对路径"}},
}

// problemWords holds the words for the daemon's own codes.
var problemWords = map[string]words{
	admin.CodeNotFound:    {zh: "没有找到", zhHint: "请核对编号"},
	admin.CodeNotYet:      {zh: "本节点尚未就绪，暂时无法回答", zhHint: "请稍后再试"},
	admin.CodeNoLeader:    {zh: "网络暂时没有领导节点", zhHint: "请稍后再试；可用 raresync status 查看"},
	admin.CodeNoRoom:      {zh: "本节点磁盘空间不足，暂不接收新文件", zhHint: "请通知运维人员腾出磁盘空间，然后重新提交同样的文件；无需重启"},
	admin.CodeInvalid:     {zh: "请求无效"},
	admin.CodeNotAllowed:  {zh: "不允许此操作"},
	admin.CodeRefused:     {zh: "网络拒绝了该操作"},
	admin.CodeKeys:        {zh: "本机构的密钥已更换、被吊销或不被其他节点接受，本节点签名的内容网络一概不收，未作任何更改"},
	admin.CodeTooLarge:    {zh: "提交的内容过大", zhHint: "请分批提交"},
	admin.CodeUnavailable: {zh: "服务暂时不可用", zhHint: "请稍后再试"},
	admin.CodeNoEntries:   {zh: "本院没有该患者的条目", zhHint: "请核对证件；可用 raresync pseudonym check 查看本院在该证件下的登记"},
	admin.CodeErasing:     {zh: "该患者的条目等待擦除", zhHint: "可用 raresync withdraw cancel 取消擦除；取消后仍停止使用，直到 withdraw resume"},
	admin.CodePosted:      {zh: "擦除已经发布，不能撤销", zhHint: "可用 raresync withdraw list 查看进度"},
	admin.CodeErased:      {zh: "该患者的条目已擦除", zhHint: "若患者同意重新登记，请用 withdraw resume --again 登记，再提交文件"},
	admin.CodeNotErasing:  {zh: "没有等待擦除的条目", zhHint: "可用 raresync withdraw list 查看"},
	admin.CodeInternal:    {zh: "节点内部错误", zhHint: "请查看服务日志"},
}

func advice(err error) words {
	var problem *admin.Problem
	var wrong *config.Problems
	if errors.As(err, &problem) {
		return problemWords[problem.Code]
	}
	if errors.As(err, &wrong) {
		return words{zh: "配置文件有误", zhHint: "请逐项更正后用 raresync config check 检查"}
	}
	for _, m := range meanings {
		if errors.Is(err, m.err) {
			return m.words
		}
	}
	return words{}
}

// chinese puts what an error means in front of its own text.
func chinese(err error, text, hint string) (string, string) {
	w := advice(err)
	var usage usageError
	if errors.As(err, &usage) {
		w = words{zh: "命令用法有误"}
	}
	if w.zh != "" {
		text = w.zh + "：" + text
	}
	switch said := hintsZH[hint]; {
	case said != "":
		hint = said
	case w.zhHint != "":
		hint = w.zhHint
	}
	return text, strings.TrimSpace(hint)
}

// language returns the language to report errors in, as far as flags and
// configuration can be read.
func (l line) language() string {
	if lang := l.values["lang"]; lang != "" {
		return lang
	}
	if path, err := configPath(l.values["config"]); err == nil {
		if cfg, err := config.Load(path); err == nil {
			return cfg.Language
		}
	}
	return config.Default().Language
}
