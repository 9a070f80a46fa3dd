package daemon

import (
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/raresync/raresync/daemon/admin"
)

// errNotIn reports a command to a node that the roster does not know yet.
var errNotIn = errors.New("this node waits to be let in, and answers raresync status alone until then")

// Why a newcomer's node is not ready.
var (
	whyNotIn = warning{
		"not let in yet: q lead hospitals approve its admission, which any hospital proposes with raresync act propose admission CARD",
		"尚未获准加入：须由任一医院提议（raresync act propose admission CARD），并由 q 家牵头医院赞同",
	}
	whyReplay  = warning{"taking in the log again from the voters, before anything else", "正在从投票节点重新取得日志，完成前不提供其他服务"}
	whyNoVoter = warning{
		whyNotIn.en + "; and no voter answers: compare the addresses under [peers] or in the genesis",
		whyNotIn.zh + "；且没有投票节点应答：请核对 [peers] 或创世文件中的地址",
	}
)

// waitingMux answers commands while nobody has let this node in: what it waits
// for, and with whom it has sessions. Everything else is refused by name.
func (s *service) waitingMux() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /v1/status", answer(s.waitingStatus))
	mux.Handle("/", answer(func(*http.Request) (struct{}, error) { return struct{}{}, errNotIn }))
	return mux
}

// waitingStatus is the status of a node that belongs to no institution yet. It
// reads nothing that the admission changes.
func (s *service) waitingStatus(*http.Request) (admin.Status, error) {
	st, view := s.node.Status(), s.node.View()
	out := admin.Status{
		Node: st.Node, Kind: st.Kind.String(), Network: view.Name, NetworkID: hex.EncodeToString(view.Network[:]), Demo: view.Demo,
		Via: st.Via, Why: whyNotIn.en, WhyZH: whyNotIn.zh, Envelopes: st.Envelopes, Size: st.Size, Root: hex.EncodeToString(st.Root[:]),
		Checkpoint: st.Checkpoint.Size, Version: s.version, Peers: s.sessions(),
	}
	if s.node.Replaying() {
		out.Why, out.WhyZH = whyReplay.en, whyReplay.zh
	} else if len(s.mesh.RefusedBy()) == 0 && len(out.Peers) == 0 { // a voter that refuses its key answers
		out.Why, out.WhyZH = whyNoVoter.en, whyNoVoter.zh
	}
	tell(&out, s.nodeWarnings(st, view))
	return out, nil
}
