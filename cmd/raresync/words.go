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
	"github.com/raresync/raresync/crypto/offline"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
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
	{errPartly, words{"", "部分文件被拒绝", "请按上面的说明更正这些文件后重新提交；已接受的文件再次提交无妨"}},
	{errNothing, words{"", "没有文件被接受", "请按上面的说明更正后重新提交"}},
	{errNotApproved, words{"", "未赞同该提案", "请输入 yes，或使用 --yes"}},
	{errUnread, words{"", "本程序无法读懂该提案的内容，请勿赞同", "请使用更新的版本，或询问提案方"}},
	{errAliasRefused, words{"", "操作被拒绝，没有发送任何内容", "请按上面的说明处理后重试"}},
	{errIdentity, words{"", "该证件被拒绝", "请按上面的说明更正后重试"}},
	{errNoTerminal, words{
		"name a file with --documents; - is standard input", "没有可供输入的终端", "请用 --documents 指定文件；- 表示标准输入"}},
	{errTypedApart, words{"type the number again", "两次输入的号码不一致", "请重新输入"}},
	{errWrongDigit, words{"case numbers have the digits 0-9 and the letters A-Z without I, L, O and U", "病例号中有不可能出现的字符", "病例号只含数字 0-9 和字母 A-Z（没有 I、L、O、U）"}},
	{errTooFewDigits, words{"copy the number again from the paper: XXXX-XXXX-XXXX-CC", "病例号位数不足", "请对照纸质材料重新抄录：XXXX-XXXX-XXXX-CC"}},
	{errTooManyDigits, words{"copy the number again from the paper: XXXX-XXXX-XXXX-CC", "病例号位数过多", "请对照纸质材料重新抄录：XXXX-XXXX-XXXX-CC"}},
	{errSwappedDigits, words{"compare these two digits with the paper", "病例号中有两个相邻字符可能写反了", "请对照纸质材料核对这两位"}},
	{errWrongCheck, words{"copy the number again from the paper; one digit or more is mistyped", "病例号校验位不符", "请对照纸质材料重新抄录；至少有一位写错"}},
	{errUndeclared, words{
		"an act has to be accepted first: is the daemon running and ready?",
		"没有生成备份：未能先向网络申报", "请确认节点服务正在运行且已就绪（raresync status），然后重试"}},
	{errVoid, words{"", "密钥仪式没有产生密钥", "请查明原因后重新运行 raresync ceremony start"}},
	{admin.ErrUnreachable, words{
		"is the daemon running? start it with: raresync serve",
		"节点服务没有响应", "请确认服务正在运行，或用 raresync serve 启动"}},
	{context.DeadlineExceeded, words{"try again, or wait longer with --timeout", "等待超时", "请稍后再试，或用 --timeout 延长等待时间"}},
	{context.Canceled, words{"", "操作已中断", ""}},
	{backup.ErrNotBackup, words{"name the file that raresync backup save made", "不是备份文件", "请指定由 raresync backup save 生成的文件"}},
	{audit.ErrUnverified, words{"", "验证失败", "请勿使用这份副本或收据，并告知网络运维人员"}},
	{audit.ErrSaltless, words{
		"it was restored from a backup without salts, and raresync serve fetches them from its peers: try again when raresync status says ready",
		"这份副本还没有取回盐，暂时无法验证", "它由不含盐的备份恢复而来；请用 raresync serve 启动节点，它会从其他节点取得盐，就绪后再试"}},
	{home.ErrInUse, words{
		"stop the daemon first, or use the command that talks to it",
		"数据目录正被另一个进程使用", "请先停止该节点的服务"}},
	{home.ErrHalfRestored, words{
		"restore it again with: raresync backup restore FILE; or remove the folder that is left, to pull the whole log from the other nodes",
		"上次从备份恢复没有完成", "请重新运行 raresync backup restore FILE；或删除残留的目录，改为从其他节点获取全部日志"}},
	{home.ErrKeyring, words{"raresync key list shows the present, next and former keys", "现在不能进行该密钥操作", "请用 raresync key list 查看当前、待用和以前的密钥"}},
	{home.ErrCredential, words{
		"make another with the service manager, as docs/OPERATIONS.md says under Keys",
		"文件密钥由服务管理器保管，本命令不能更换", "请按 docs/OPERATIONS.md 的 Keys 一节更换"}},
	{home.ErrParts, words{
		"two of the three files of one --custody are needed, each with its own passphrase",
		"这些保管文件不能恢复密钥", "需要同一次 --custody 产生的三个文件中的任意两个及各自的口令"}},
	{term.ErrNoTerminal, words{"give --passphrase-file for each file, or run it at a terminal", "没有可输入口令的终端", "请为每个文件提供 --passphrase-file，或在终端中运行"}},
	{errUnchanged, words{"", "没有做任何更改", "请输入 yes 确认，或使用 --yes"}},
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
	{consensus.ErrQuarantined, words{
		"keep the data directory, and rebuild this node from its peers under a new id; docs/OPERATIONS.md, \"As a service\", exit code 74",
		"本节点的副本已被隔离", "请保留数据目录，并以新的节点名从其他节点重建；参见 docs/OPERATIONS.md 中 As a service 一节的退出码 74"}},
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
	{fs.ErrNotExist, words{"", "文件或目录不存在", "请核对路径"}},
}

// problemWords holds the words for the daemon's own codes.
var problemWords = map[string]words{
	admin.CodeNotFound:    {zh: "没有找到", zhHint: "请核对编号"},
	admin.CodeNotYet:      {zh: "本节点正在追赶，暂时无法回答", zhHint: "请稍后再试"},
	admin.CodeNoLeader:    {zh: "网络暂时没有领导节点", zhHint: "请稍后再试；可用 raresync status 查看"},
	admin.CodeNoRoom:      {zh: "本节点磁盘空间不足，暂不接收新文件", zhHint: "请通知运维人员腾出磁盘空间，然后重新提交同样的文件；无需重启"},
	admin.CodeInvalid:     {zh: "请求无效"},
	admin.CodeNotAllowed:  {zh: "不允许此操作"},
	admin.CodeRefused:     {zh: "网络拒绝了该操作"},
	admin.CodeTooLarge:    {zh: "提交的内容过大", zhHint: "请分批提交"},
	admin.CodeUnavailable: {zh: "服务暂时不可用", zhHint: "请稍后再试"},
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
	if w.zhHint != "" {
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
