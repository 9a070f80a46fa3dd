package doctor

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/space"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
)

// directory examines the data directory, and whether the node may run in it.
func (r *report) directory() {
	dir := r.Config.Node.DataDir
	info, err := os.Stat(dir)
	switch {
	case err != nil || !info.IsDir():
		r.add(Failure, "directory", say("there is no data directory %s that this user may enter", "数据目录 %s 不存在，或当前用户无权进入", dir),
			Text{"check data_dir under [node]; make a node with raresync init; run this as the daemon's user", "请检查 [node] 中的 data_dir；用 raresync init 新建节点；请以服务的用户运行本命令"})
		return
	case info.Mode().Perm()&0o077 != 0:
		r.add(Warning, "directory", say("%s has mode %#o: others on this machine may look into it", "%s 的权限为 %#o：本机其他用户可以查看", dir, info.Mode().Perm()),
			say("chmod 0700 %s", "执行 chmod 0700 %s", dir))
	default:
		r.good("directory", "%s is this node's alone", "%s 仅供本节点使用", dir)
	}
	if kind := remote(dir); kind != "" {
		r.add(Failure, "directory", say("%s lies on a network file system (%s), which does not keep what an fsync promised", "%s 位于网络文件系统（%s），fsync 的承诺得不到保证", dir, kind),
			Text{"move the data directory to a local disk", "请将数据目录移到本地磁盘"})
	}
	if other := foreignFile(dir); other != "" {
		r.add(Failure, "directory", say("%s belongs to another user than the data directory, as after a command that root ran", "%s 与数据目录不属于同一用户，可能由 root 运行过命令", other),
			say("chown -R --reference=%[1]s %[1]s, and run commands as the daemon's user", "执行 chown -R --reference=%[1]s %[1]s，并以服务的用户运行命令", dir))
	}
	if reason, is := consensus.Quarantined(home.LogDir(r.Config)); is {
		r.add(Failure, "directory", say("this node is quarantined: %s", "本节点已被隔离：%s", oneLine(reason)),
			Text{"do not start it again; keep the directory and make a new node: OPERATIONS.md, exit code 74", "请勿再次启动；保留该目录并新建节点：见 OPERATIONS.md 退出码 74"})
	}
	if err := home.CheckRestored(r.Config); err != nil {
		r.add(Failure, "directory", say("a restore was cut short: %v", "恢复未完成：%v", err), Text{"restore again: raresync backup restore", "请重新恢复：raresync backup restore"})
	}
}

func oneLine(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ") }

// disk examines the room that is left.
func (r *report) disk() {
	dir := home.LogDir(r.Config)
	if _, err := os.Stat(dir); err != nil { // a node that never ran
		dir = r.Config.Node.DataDir
	}
	level, free, total, err := space.Config{Probe: space.Disk(dir), LowBytes: uint64(r.Config.Disk.WarnMiB) << 20}.Judge()
	room := say("%.1f of %.1f GiB are free", "剩余 %.1f GiB，共 %.1f GiB", gib(free), gib(total))
	fix := Text{"make room on that disk, or enlarge it", "请腾出磁盘空间，或扩容"}
	switch {
	case err != nil:
		r.add(Unknown, "disk", say("the room on the disk cannot be seen: %v", "无法得知磁盘空间：%v", err), Text{"run this as the daemon's user", "请以服务的用户运行本命令"})
	case level == space.Ample:
		r.add(Good, "disk", room, Text{})
	case level == space.Full:
		r.add(Failure, "disk", Text{room.EN + ": the node stores nothing more", room.ZH + "：节点不再存储任何内容"}, fix)
	default:
		r.add(Warning, "disk", Text{room.EN + ": too little (" + level.String() + ")", room.ZH + "：空间不足"}, fix)
	}
}

func gib(bytes uint64) float64 { return float64(bytes) / (1 << 30) }

// keys examines whether the node's secrets open, and who else may read them.
func (r *report) keys() {
	_, warnings, err := home.LoadKeys(r.Config)
	name, credential := r.Config.Credential()
	switch {
	case err == nil:
		r.good("keys", "the key file opens", "密钥文件可以打开")
	case credential && os.Getenv("CREDENTIALS_DIRECTORY") == "":
		r.add(Unknown, "keys", say("the file key is credential %s, which only the service manager hands out", "文件密钥为凭据 %s，仅由服务管理器提供", name),
			say("look at the journal of the service; to try it: systemd-run --pty -p LoadCredential=%s:FILE raresync doctor", "请查看服务日志；或用 systemd-run --pty -p LoadCredential=%s:FILE raresync doctor 检查", name))
	default:
		r.add(Failure, "keys", say("%v", "密钥不可用：%v", err),
			Text{"give the files mode 0600 and to the daemon's user; check file and key under [keys]; bring lost keys back from custody", "请将文件权限设为 0600 并归属服务用户；检查 [keys] 中的 file 和 key；密钥丢失时从保管处取回"})
	}
	for _, w := range warnings {
		r.add(Warning, "keys", Text{w, "文件密钥 " + r.Config.Keys.Key + " 与它打开的密钥文件同在一个目录：目录的副本即等于本节点"}, Text{"name a credential: key = \"credential:NAME\" under [keys]", "请使用凭据：[keys] 中 key = \"credential:NAME\""})
	}
	if r.Config.Network.ProxyLogin == "" {
		return
	}
	if name, ok := config.Credential(r.Config.Network.ProxyLogin); ok && os.Getenv("CREDENTIALS_DIRECTORY") == "" {
		r.add(Unknown, "proxy", say("the proxy's password is credential %s, which only the service manager hands out", "代理密码为凭据 %s，仅由服务管理器提供", name),
			Text{"raresync status names a password that is refused", "密码被拒绝时 raresync status 会说明"})
	} else if _, _, err := home.ProxyLogin(r.Config); err != nil {
		r.add(Failure, "proxy", say("%v", "代理的用户名和密码无法读取：%v", err),
			Text{"write one line name:password into that file, with mode 0600", "请在该文件中写一行 用户名:密码，权限 0600"})
	}
}

// network examines the genesis, and returns whom this node is to reach.
func (r *report) network() []node {
	nodes := map[string]node{}
	if pins, err := home.ReadPins(r.Config); err == nil {
		for _, p := range pins {
			nodes[p.Node] = node{p.Node, p.TLS, p.Addresses}
		}
	}
	founded, err := r.founded()
	if err != nil {
		r.add(Failure, "network", say("%v", "网络创世文件不可用：%v", err),
			Text{"ask a founder for genesis.pem, then: raresync found adopt genesis.pem; or join with an invitation: raresync join TOKEN", "请向创始方索取 genesis.pem 并执行 raresync found adopt genesis.pem；或凭邀请加入：raresync join TOKEN"})
	} else {
		r.good("network", "%s, founded with %d nodes", "%s，创始时共 %d 个节点", founded.Name, len(founded.Nodes))
		for _, n := range founded.Nodes {
			if n.ID != r.Config.Node.ID && n.Kind != act.Mirror && len(n.Addresses) > 0 {
				nodes[n.ID] = node{n.ID, n.TLS.ID(), n.Addresses}
			}
		}
	}
	for id, addresses := range r.Config.Peers {
		if n, ok := nodes[id]; ok && len(addresses) > 0 {
			n.addresses = addresses
			nodes[id] = n
		} else if len(addresses) > 0 && id != r.Config.Node.ID {
			nodes[id] = node{id: id, addresses: addresses}
		}
	}
	var out []node
	for _, id := range slices.Sorted(maps.Keys(nodes)) {
		out = append(out, nodes[id])
	}
	return out
}

func (r *report) founded() (*state.State, error) {
	genesis, err := home.ReadGenesis(r.Config)
	if err != nil {
		return nil, err
	}
	founded, _, err := state.Found(genesis)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Config.Network.Genesis, err)
	}
	return founded, nil
}

// daemon examines whether the service runs, and if not, what keeps it.
func (r *report) daemon() {
	start := Text{"start it: systemctl start raresync; what keeps it from starting stands in journalctl -u raresync", "请启动：systemctl start raresync；无法启动的原因见 journalctl -u raresync"}
	if r.Answer == nil {
		r.good("daemon", "the daemon answers", "节点服务有响应")
		return
	}
	switch err := home.CheckFree(r.Config.Node.DataDir); {
	case err == nil:
		r.add(Failure, "daemon", Text{"the daemon does not run", "节点服务未运行"}, start)
	case errors.Is(err, home.ErrInUse):
		r.add(Failure, "daemon", say("a process has the data directory, and does not answer at %s", "数据目录正被占用，但 %s 无响应", r.Config.Listen.AdminSocket),
			Text{"it may be starting: wait; if not, compare admin_socket under [listen] with the daemon's, and run this as its user", "可能正在启动，请稍候；否则请核对 [listen] 中的 admin_socket，并以服务的用户运行本命令"})
	default:
		r.add(Unknown, "daemon", say("%v", "无法判断服务是否运行：%v", err), Text{"run this as the daemon's user", "请以服务的用户运行本命令"})
	}
}

// foreignFile returns a file right in a directory that is not of its owner.
func foreignFile(dir string) string {
	owner, ok := ownerOf(dir)
	files, err := os.ReadDir(dir)
	if err != nil || !ok {
		return ""
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		if other, ok := ownerOf(path); ok && other != owner {
			return path
		}
	}
	return ""
}
