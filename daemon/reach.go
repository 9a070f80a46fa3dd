package daemon

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/mesh"
	"github.com/raresync/raresync/daemon/peer"
)

// Proxy is a node's way out as configured; nil if it is direct.
func Proxy(cfg config.Config) *mesh.Proxy {
	if cfg.Network.Proxy == "" {
		return nil
	}
	p := &mesh.Proxy{Address: cfg.Network.ProxyAddress()}
	if cfg.Network.ProxyLogin != "" {
		p.Login = func() (string, string, error) { return home.ProxyLogin(cfg) }
	}
	return p
}

func (s *service) openMesh(roster *state.State) error {
	var err error
	s.mesh, err = mesh.New(mesh.Config{
		Self: s.self.ID, Key: s.keys.TLS.Ed25519(), FormerKey: otherTLS(s.keys), Listen: s.cfg.Listen.Node, Logger: s.log, Proxy: Proxy(s.cfg),
		Lookup: func(key [32]byte) (string, bool) { return s.nodeOfKey(s.roster(roster), key) },
		KeyOf:  func(node string) ([32]byte, bool) { return keyByNode(s.roster(roster), node) },
		Guest:  s.guestDesk(),
		Twin: func(peer string) {
			if node := s.opened.Load(); node != nil { // else it will be said again
				node.HearTwin(peer)
			}
		},
	})
	if err != nil {
		return err
	}
	s.mesh.SetPeers(s.targets(roster))
	s.peers = peer.NewClient(func(ctx context.Context, node string) (net.Conn, error) {
		return s.mesh.Dial(ctx, node, mesh.ClassAPI)
	})
	return nil
}

// wayWarnings tell what stands between this node and the others, which the
// hospital's network department can move: one warning for each obstacle.
func (s *service) wayWarnings() (list []warning) {
	nodes := map[warning][]string{}
	var met []warning
	for _, trouble := range s.mesh.Troubles() {
		w, ok := obstacle(trouble.Err, s.cfg.Network.ProxyAddress())
		if !ok {
			continue
		}
		if nodes[w] == nil {
			met = append(met, w)
		}
		nodes[w] = append(nodes[w], trouble.Node)
	}
	for _, w := range met {
		names := strings.Join(nodes[w], ", ")
		list = append(list, warning{"no way to " + names + ": " + w.en, "无法连接 " + names + "：" + w.zh})
	}
	return list
}

// obstacle says what to do about a node that is not reached, if the reason lies
// on the way to it.
func obstacle(err error, proxy string) (warning, bool) {
	var opened *mesh.OpenedError
	switch {
	case errors.As(err, &opened):
		return warning{opened.Error(), openedZH(opened)}, true
	case errors.Is(err, mesh.ErrProxyUnreachable):
		return warn("the proxy %s cannot be reached: check proxy under [network], and whether this machine may connect to it",
			"无法连接代理服务器 %s：请检查 [network] 中的 proxy，以及本机能否访问它", proxy), true
	case errors.Is(err, mesh.ErrProxyLogin):
		return warn("the proxy %s does not take this node's name and password (407): mend the file named by proxy_login; no restart is needed (%v)",
			"代理服务器 %s 不接受本节点的用户名和密码（407）：请更正 proxy_login 所指的文件，无需重启（%v）", proxy, reason(err, mesh.ErrProxyLogin)), true
	case errors.Is(err, mesh.ErrProxyForbids):
		return warn("the proxy %s forbids the connection (403): ask the network department to allow CONNECT to the voters' addresses and ports",
			"代理服务器 %s 禁止该连接（403）：请网络部门放行到投票节点地址和端口的 CONNECT", proxy), true
	case errors.Is(err, mesh.ErrProxy):
		return warn("the proxy %s makes no connection (%v): ask the network department, or whether the other node runs",
			"代理服务器 %s 未能建立连接（%v）：请询问网络部门，或确认对方节点是否在运行", proxy, reason(err, mesh.ErrProxy)), true
	}
	return warning{}, false
}

// reason is what an error says after a sentinel's own text.
func reason(err, sentinel error) string {
	_, after, _ := strings.Cut(err.Error(), sentinel.Error()+": ")
	return after
}

func openedZH(e *mesh.OpenedError) string {
	return "途中的代理或防火墙解密了 TLS 并冒充对方节点应答，其证书颁发者为 " + e.Issuer +
		"；请网络部门对 " + e.Address + " 免除 TLS 检查"
}
