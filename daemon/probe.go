package daemon

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/registry/act"
)

// maxSkew is how far this node's clock may be from the others': a voter further
// behind the log does not cosign.
const maxSkew = 5 * time.Minute

// check is one condition of readiness, with what is wrong, if anything.
type check struct{ name, wrong string }

// answerLive says whether this process lives: its heart still passes through
// the locks of what applies envelopes, as the service manager's watchdog asks.
func (s *service) answerLive(w http.ResponseWriter, _ *http.Request) {
	stuck := ""
	if since, alive := s.heart.alive(); !alive {
		stuck = fmt.Sprintf("no sign of life for %s: something that applies envelopes is stuck", since.Round(time.Second))
	}
	tellProbe(w, []check{{"apply-loop", stuck}}, true)
}

// answerReady says whether this node is of use, with ?verbose why not.
func (s *service) answerReady(w http.ResponseWriter, r *http.Request) {
	_, verbose := r.URL.Query()["verbose"]
	tellProbe(w, s.readiness(s.node.Status()), verbose)
}

// tellProbe writes the word that raresync health would begin with, and with
// verbose a line for each check.
func tellProbe(w http.ResponseWriter, checks []check, verbose bool) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	word, status := "OK", http.StatusOK
	var lines strings.Builder
	for _, c := range checks {
		if c.wrong == "" {
			fmt.Fprintf(&lines, "[+]%s ok\n", c.name)
			continue
		}
		word, status = "CRITICAL", http.StatusServiceUnavailable
		fmt.Fprintf(&lines, "[-]%s: %s\n", c.name, c.wrong)
	}
	w.WriteHeader(status)
	if !verbose {
		lines.Reset()
	}
	_, _ = fmt.Fprintf(w, "%s\n%s", word, lines.String()) // the asker has gone if it fails
}

// readiness looks at what this node needs to be of use.
func (s *service) readiness(st consensus.Status) []check {
	leader := ""
	if st.Leader == "" && st.Via == "" {
		leader = "no leader known, and no voter pulled from"
	}
	caughtUp := ""
	if !st.Ready && leader == "" {
		caughtUp = st.Why
	}
	store := ""
	if s.node.Full() {
		store = "too little room on the disk: nothing new is stored"
	}
	return []check{{"leader", leader}, {"caught-up", caughtUp}, {"store-writable", store}, {"clock", s.clockTrouble()}, {"key-share", s.shareTrouble(st)}}
}

// clockTrouble compares this node's clock with the log's and the others'. The
// median counts: one node that says nonsense changes nothing.
func (s *service) clockTrouble() string {
	if ahead := time.Duration(int64(s.node.View().LogTime)-s.clock().UnixMilli()) * time.Millisecond; ahead > maxSkew {
		return fmt.Sprintf("the log is %s ahead of this node's clock", ahead.Round(time.Second))
	}
	var skews []time.Duration
	for node := range s.reachable() {
		if ahead, ok := s.peers.Skew(node); ok {
			skews = append(skews, ahead)
		}
	}
	if len(skews) == 0 {
		return ""
	}
	slices.Sort(skews)
	if median := skews[len(skews)/2]; median.Abs() > maxSkew {
		return fmt.Sprintf("the other nodes' clocks are %s ahead of this one", median.Round(time.Second))
	}
	return ""
}

// shareTrouble says why this node does not do its part as a share holder; ""
// also if it has none.
func (s *service) shareTrouble(st consensus.Status) string {
	view := s.node.View()
	holds := st.Ready && st.Kind == act.Voter && view.OPRF.Holders != 0 && slices.Contains(view.Holders, s.self.Institution)
	switch {
	case holds && s.shares.Of(view.OPRF.Epoch) == nil:
		return fmt.Sprintf("this node's share of epoch %d is not in its key file", view.OPRF.Epoch)
	case holds && s.quotas.damaged != nil:
		return "this holder evaluates nothing: " + s.quotas.damaged.Error()
	}
	return ""
}
