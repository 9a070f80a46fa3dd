package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/mesh"
	"github.com/raresync/raresync/registry/act"
)

// errPart says that the node has to be opened again: an act has made a voter of
// a mirror, or the other way round.
var errPart = errors.New("this node is to take another part in the network")

const (
	voterTick = time.Second
	// voterDead is after how long without a session a voter is reported: longer
	// than a restart of its machine takes.
	voterDead = 5 * time.Minute
	// maxVoterRTT is how slow the way from a voter to a majority may be.
	maxVoterRTT = 200 * time.Millisecond
)

// watchedVoters is what this node has seen of the others.
type watchedVoters struct {
	mu    sync.Mutex
	lost  map[string]time.Time // voters without a session, since when; guarded by mu
	waits error                // why this node does not vote yet, nil if it does or is to stay a mirror; guarded by mu
}

// watchVoters notes since when other voters have no session with this node. It
// ends with the context.
func (s *service) watchVoters(ctx context.Context) {
	tick := time.NewTicker(voterTick)
	defer tick.Stop()
	for {
		s.noteVoters()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *service) noteVoters() {
	connected := s.reachable()
	now := s.clock()
	s.heard.note(now, connected)
	s.voters.mu.Lock()
	defer s.voters.mu.Unlock()
	lost := map[string]time.Time{}
	for _, v := range s.node.View().Voters() {
		if v.ID == s.self.ID || connected[v.ID] {
			continue
		}
		lost[v.ID] = now
		if since, was := s.voters.lost[v.ID]; was {
			lost[v.ID] = since
		}
	}
	s.voters.lost = lost
}

// reachable tells with which nodes there is a session that carries questions.
func (s *service) reachable() map[string]bool {
	out := map[string]bool{}
	for _, p := range s.mesh.Connected() {
		if p.Class == mesh.ClassAPI {
			out[p.Node] = true
		}
	}
	return out
}

// up tells which nodes answer, this one among them.
func (s *service) up() map[string]bool {
	out := s.reachable()
	out[s.self.ID] = true
	return out
}

// stateOf says whether a node can be reached from here.
func (s *service) stateOf(connected map[string]bool, node string) string {
	switch {
	case node == s.self.ID:
		return "this node"
	case connected[node]:
		return "connected"
	}
	return "not connected"
}

// deadSince tells of the voters that were not reached for long since when.
func (s *service) deadSince() map[string]time.Time {
	s.voters.mu.Lock()
	defer s.voters.mu.Unlock()
	since := map[string]time.Time{}
	for id, at := range s.voters.lost {
		if s.clock().Sub(at) >= voterDead {
			since[id] = at
		}
	}
	return since
}

// deadVoters lists the voters that were not reached for long, each with the command
// that replaces it.
func (s *service) deadVoters(view *state.State) (list []admin.DeadVoter) {
	since, up := s.deadSince(), s.up()
	for _, id := range slices.Sorted(maps.Keys(since)) {
		list = append(list, deadVoter(view, id, since[id].UTC().Format(time.RFC3339), up))
	}
	return list
}

// deadVoter says what to do about one voter.
func deadVoter(view *state.State, id, since string, up map[string]bool) admin.DeadVoter {
	d := admin.DeadVoter{Node: id, Since: since}
	var w warning
	best := standIn(view, id, up)
	switch c := slices.IndexFunc(view.Candidates, func(c state.Candidate) bool { return c.InPlaceOf == id }); {
	case c >= 0:
		w = warn("voter %s was not reached since %s; %s takes its place once it has all of the log",
			"投票节点 %s 自 %s 起无法连接；%s 取得全部日志后将取代它", id, since, view.Candidates[c].Node)
	case best == "":
		w = warn("voter %s was not reached since %s, and no hospital has a mirror to take its place: let one in (raresync member invite), "+
			"or give an institution another node (raresync act propose node)",
			"投票节点 %s 自 %s 起无法连接，且没有医院的镜像节点可以取代它：请邀请新机构（raresync member invite），或为机构增加节点（raresync act propose node）", id, since)
	default:
		d.Command = "raresync member promote " + best + " --in-place-of " + id
		w = warn("voter %s was not reached since %s; if it does not come back: %s",
			"投票节点 %s 自 %s 起无法连接；若不再恢复：%s", id, since, d.Command)
	}
	d.Says, d.SaysZH = w.en, w.zh
	return d
}

// voterWarnings tell of voters that are dead, with the command that replaces
// each, and of what a change of the voters waits for.
func (s *service) voterWarnings(view *state.State) (list []warning) {
	for _, d := range s.deadVoters(view) {
		list = append(list, warning{d.Says, d.SaysZH})
	}
	s.voters.mu.Lock()
	waits := s.voters.waits
	s.voters.mu.Unlock()
	if waits != nil {
		zh := "尚未取得全部日志"
		if errors.Is(waits, errSlow) {
			zh = fmt.Sprintf("须有多数投票节点在 %s 内应答", maxVoterRTT)
		}
		list = append(list, warning{"this node is to become a voter, and waits: " + waits.Error(), "本节点即将成为投票节点，正在等待：" + zh})
	}
	if n := len(view.Voters()); n%2 == 0 && len(view.Candidates) == 0 {
		list = append(list, warn("there are %d voters: an even number survives no more losses than one fewer; promote one more, or demote one",
			"投票节点共 %d 个：偶数并不比少一个更能容忍故障；请增加或减少一个", n))
	}
	if view.ReshareDue() && view.OPRF.Holders != 0 {
		list = append(list, warn("an institution that holds a share was removed, and may have kept it: move the key to others, raresync ceremony reshare",
			"一个份额持有机构已被移出，可能仍留有份额：请重新分发密钥，raresync ceremony reshare"))
	}
	return list
}

// standIn names a mirror that could take a voter's place: one that is connected,
// of the same institution if there is one, and has an address; "" if there is none.
func standIn(view *state.State, dead string, up map[string]bool) string {
	lost, _ := view.Node(dead)
	best, rank := "", 0
	for _, n := range view.Nodes {
		m, ok := view.Member(n.Institution)
		if n.Kind != act.Mirror || !ok || m.Role != act.RoleHospital {
			continue
		}
		r := 1
		if up[n.ID] {
			r += 4
		}
		if len(n.Addresses) > 0 {
			r += 2
		}
		if lost != nil && n.Institution == lost.Institution {
			r++
		}
		if r > rank {
			best, rank = n.ID, r
		}
	}
	return best
}

// errQuorum says that too few of the voters that would be left can be reached.
var errQuorum = errors.New("too few of the voters that would be left answer this node")

// checkQuorumLeft refuses to take votes away when the rest, as far as this node
// sees them, could not commit: the network would stand still. A voter that is
// dead itself is no loss.
func (s *service) checkQuorumLeft(view *state.State, a *act.Act) error {
	return quorumLeft(view, a, s.up())
}

func quorumLeft(view *state.State, a *act.Act, up map[string]bool) error {
	taken := votesTaken(view, a)
	if len(taken) == 0 {
		return nil
	}
	left, answering := 0, 0
	for _, v := range view.Voters() {
		if taken[v.ID] {
			continue
		}
		left++
		if up[v.ID] {
			answering++
		}
	}
	if answering < left/2+1 {
		return fmt.Errorf("%w: %d of %d", errQuorum, answering, left)
	}
	return nil
}

// votesTaken returns the voters that an act takes the vote of.
func votesTaken(view *state.State, a *act.Act) map[string]bool {
	taken := map[string]bool{}
	switch a.Type {
	case act.TypeDemotion:
		if d, err := act.DecodeDemotion(a.Payload); err == nil {
			taken[d.Node] = true
		}
	case act.TypeRemoval:
		d, err := act.DecodeRemoval(a.Payload)
		for _, n := range view.Nodes {
			if err == nil && n.Institution == d.Institution && (d.Node == "" || d.Node == n.ID) {
				taken[n.ID] = true
			}
		}
	}
	for id := range taken {
		if n, ok := view.Node(id); !ok || n.Kind != act.Voter {
			delete(taken, id)
		}
	}
	return taken
}

// runReadiness says on the log that this node votes from now on, once it was
// promoted and has all of the log over ways that are fast enough. It ends with
// the context.
func (s *service) runReadiness(ctx context.Context) {
	tick := time.NewTicker(voterTick)
	defer tick.Stop()
	for {
		var waits error
		if self, ok := s.node.View().Node(s.self.ID); ok && self.Kind == act.NonVoter {
			waits = s.becomeVoter(ctx)
		}
		s.voters.mu.Lock()
		s.voters.waits = waits
		s.voters.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *service) becomeVoter(ctx context.Context) error {
	if err := s.node.ReadyToVote(); err != nil {
		return err
	}
	if err := s.checkWays(ctx); err != nil {
		return err
	}
	a := act.Act{Version: act.Version, Type: act.TypeReadiness, Payload: act.Readiness{Node: s.self.ID}.Marshal()}
	if err := s.postAct(ctx, a); err != nil {
		return fmt.Errorf("say that it is ready: %w", err)
	}
	_, err := s.node.Wait(ctx, func(v *state.State) bool {
		self, ok := v.Node(s.self.ID)
		return !ok || self.Kind != act.NonVoter
	})
	if err == nil {
		s.log.Info("this node has all of the log, and votes from now on")
	}
	return err
}

// errSlow says why a node that has all of the log does not vote.
var errSlow = errors.New("too few voters answer fast enough")

// checkWays asks every voter for what it has at hand: a majority must answer in
// maxVoterRTT.
func (s *service) checkWays(ctx context.Context) error {
	voters := s.node.View().Voters()
	fast := 0
	for _, v := range voters {
		if rtt, err := s.roundTrip(ctx, v.ID); err == nil && rtt <= maxVoterRTT {
			fast++
		}
	}
	if need := len(voters)/2 + 1; fast < need {
		return fmt.Errorf("%w: %d of %d within %s, and %d have to", errSlow, fast, len(voters), maxVoterRTT, need)
	}
	return nil
}

// roundTrip is the fastest of three questions to a node: the first may have to
// open a stream.
func (s *service) roundTrip(ctx context.Context, node string) (best time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*maxVoterRTT)
	defer cancel()
	for try := range 3 {
		began := time.Now()
		if _, err := s.peers.Lengths(ctx, node, 1); err != nil {
			return 0, err
		}
		if took := time.Since(began); try == 0 || took < best {
			best = took
		}
	}
	return best, nil
}
