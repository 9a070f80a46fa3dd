package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/mesh"
)

// beforeThis is a moment before which no clock that is kept can be.
var beforeThis = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// clock examines the machine's time.
func (r *report) clock() {
	fix := Text{"have NTP keep it: timedatectl set-ntp true, or chrony with the hospital's time server", "请启用 NTP：timedatectl set-ntp true，或用 chrony 指向院内时间服务器"}
	switch yes, known := synchronised(); {
	case r.Now().Before(beforeThis):
		r.add(Failure, "clock", say("the clock says %s", "时钟显示 %s", r.Now().UTC().Format(time.RFC3339)), fix)
	case !known:
		r.add(Unknown, "clock", Text{"the kernel does not say whether the clock is kept", "无法得知时钟是否已同步"}, Text{"compare it: chronyc tracking, or timedatectl", "请核对：chronyc tracking 或 timedatectl"})
	case !yes:
		r.add(Warning, "clock", Text{"nobody keeps the clock: a voter that falls 5 minutes behind stops cosigning, envelopes 10 minutes ahead are refused", "时钟未同步：投票节点落后 5 分钟即停止会签，超前 10 分钟的信封会被驳回"}, fix)
	default:
		r.good("clock", "the clock is kept", "时钟已同步")
	}
}

// port examines the address that the node listens on, if the daemon does not.
func (r *report) port() {
	address := r.Config.Listen.Node
	if address == "" || r.Answer == nil {
		return
	}
	l, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		l.Close()
		r.good("port", "%s is free for the daemon", "%s 可供服务监听", address)
	case errors.Is(err, syscall.EADDRINUSE):
		r.add(Failure, "port", say("another process listens on %s", "%s 已被其他进程占用", address),
			say("find it with: ss -ltnp; or choose another port for node under [listen], and tell the network", "请用 ss -ltnp 查找；或更改 [listen] 中的 node 并告知网络各方"))
	default:
		r.add(Failure, "port", say("the node cannot listen on %s: %v", "无法监听 %s：%v", address, err),
			Text{"name an address of this machine, or \"0.0.0.0:8470\", as node under [listen]; ports below 1024 are root's", "请在 [listen] 的 node 中填写本机地址或 \"0.0.0.0:8470\"；1024 以下端口需要 root"})
	}
}

// way examines names, proxy and the other nodes, all at once.
func (r *report) way(ctx context.Context, nodes []node) {
	if len(nodes) == 0 {
		r.add(Warning, "peers", Text{"no address of another node is known here", "此处没有任何其他节点的地址"},
			Text{"write addresses under [peers], unless this is the network's only voter", "请在 [peers] 中填写地址，除非本节点是唯一的投票节点"})
	}
	found := make([][]Finding, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() {
			for _, address := range n.addresses {
				found[i] = append(found[i], r.look(ctx, n, address))
			}
		})
	}
	wg.Wait()
	for _, list := range found {
		r.found = append(r.found, list...)
	}
}

// lookTimeout bounds one look at one address.
const lookTimeout = 8 * time.Second

// look finds out who answers at a node's address.
func (r *report) look(ctx context.Context, n node, address string) Finding {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	if f, ok := r.lookUp(ctx, n, address); !ok {
		return f
	}
	seen, err := mesh.Look(ctx, r.Proxy, address)
	what := "peer " + n.id
	var opened *mesh.OpenedError
	proxy := r.Config.Network.ProxyAddress()
	switch {
	case errors.As(err, &opened):
		return Finding{what, Failure, say("TLS is opened on the way to %s: the certificate there is issued by %q", "到 %s 的 TLS 在途中被解密：其证书颁发者为 %q", address, opened.Issuer),
			say("ask the network department to exempt %s from TLS inspection; if nobody inspects, another service listens there", "请网络部门对 %s 免除 TLS 检查；若无检查，则该地址上是别的服务", address)}
	case errors.Is(err, mesh.ErrProxyUnreachable):
		return Finding{"proxy", Failure, say("the proxy %s cannot be reached", "无法连接代理服务器 %s", proxy), Text{"check proxy under [network], and whether this machine may connect to it", "请检查 [network] 中的 proxy，以及本机能否访问它"}}
	case errors.Is(err, mesh.ErrProxyLogin):
		return Finding{"proxy", Failure, say("%v", "代理服务器不接受本节点：%v", err), Text{"mend the file that proxy_login under [network] names", "请更正 [network] 中 proxy_login 所指的文件"}}
	case errors.Is(err, mesh.ErrProxyForbids):
		return Finding{"proxy", Failure, say("the proxy %s forbids connections to %s", "代理服务器 %s 禁止连接 %s", proxy, address), say("ask the network department to allow CONNECT to %s", "请网络部门放行到 %s 的 CONNECT", address)}
	case err != nil:
		return Finding{what, Failure, say("%s is not reached: %v", "无法连接 %s：%v", address, err),
			say("ask whether node %s runs, and the network department whether %s is open outward", "请确认节点 %s 是否在运行，并请网络部门确认可以访问 %s", n.id, address)}
	case n.key != (sign.KeyID{}) && seen != n.key:
		return Finding{what, Warning, say("at %s another key answers than the one known here", "%s 上的密钥与此处记录的不同", address),
			say("if node %[1]s rotated its key, nothing; else ask its people: another node may listen at %[2]s", "若节点 %[1]s 已轮换密钥则无需处理；否则请询问对方：%[2]s 上可能是另一个节点", n.id, address)}
	}
	return Finding{Check: what, Level: Good, Says: say("a node answers at %s", "%s 有节点应答", address)}
}

// lookUp looks up the name in an address, which is the proxy's business if there
// is one.
func (r *report) lookUp(ctx context.Context, n node, address string) (Finding, bool) {
	host, _, err := net.SplitHostPort(address)
	if err != nil || r.Proxy != nil {
		return Finding{}, true
	}
	if _, err := net.DefaultResolver.LookupHost(ctx, host); err != nil {
		return Finding{"dns", Failure, say("the name of node %s is not found: %s", "找不到节点 %s 的域名：%s", n.id, fmt.Sprint(err)),
			say("check %s and the name server in /etc/resolv.conf; or write an address in numbers under [peers]", "请核对 %s 和 /etc/resolv.conf 中的域名服务器；或在 [peers] 中填写 IP 地址", host)}, false
	}
	return Finding{}, true
}
