package consensus

import (
	"cmp"
	"hash/fnv"
	"slices"
	"time"

	"github.com/raresync/raresync/crypto/tlog"
)

// failedWait is how long a mirror asks a peer last that it asked in vain: each
// attempt at one that is gone costs seconds, which the log goes on meanwhile.
const failedWait = time.Minute

// helpersInTurn returns whom a mirror asks for news, and whom of them it spares as
// long as any other answers: the leader, "" if none is known or somebody has failed
// for a while. Hundreds of mirrors are not to weigh on the voter that orders
// everybody's envelopes, nor all on one of the others: each begins with one that
// its own name picks, or goes on with the one that helped last.
func (n *Node) helpersInTurn() (peers []string, spared string) {
	peers, leader := n.peersInTurn(), n.leaderSeen()
	if last := n.lastHelper.Load(); last == nil || *last == leader {
		peers = turned(peers, n.cfg.Self)
	}
	failed := func(peer string) bool { return n.mirror.failed[peer].lately() }
	if !slices.ContainsFunc(peers, func(peer string) bool { return n.mirror.failed[peer].again() }) {
		spared = leader
	}
	return ranked(peers, leader, spared, failed), spared
}

// A failure is when a peer was asked in vain, without an answer in between.
type failure struct{ first, last time.Time }

// lately reports whether the peer is asked last.
func (f failure) lately() bool { return time.Since(f.last) < failedWait }

// again reports whether the peer has failed for a while, and not once, as one that is
// busy may.
func (f failure) again() bool { return f.lately() && f.last.Sub(f.first) >= failedWait/2 }

// noted adds a failure at this moment.
func (f failure) noted() failure {
	at := time.Now()
	if !f.lately() {
		f.first = at
	}
	f.last = at
	return f
}

// ranked puts the leader behind the others, and behind it who has failed; a leader that
// is spared stands last.
func ranked(peers []string, leader, spared string, failed func(string) bool) []string {
	rank := func(peer string) int {
		switch {
		case peer == spared:
			return 3
		case failed(peer):
			return 2
		case peer == leader:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(peers, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return peers
}

// turned begins a list at a place that depends on a name.
func turned(list []string, name string) []string {
	if len(list) == 0 {
		return nil
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // a hash takes anything
	at := int(h.Sum32() % uint32(len(list)))
	return append(list[at:len(list):len(list)], list[:at]...)
}

// leaderSeen returns the voter whose log key is under the newest checkpoint: it
// led then.
func (n *Node) leaderSeen() string {
	sc := n.Checkpoint()
	for _, v := range n.View().Voters() {
		key, err := tlog.NewVKey(sc.Origin, tlog.LogEd25519, v.Log.Ed25519())
		if err == nil && slices.ContainsFunc(sc.Signatures, func(s tlog.NoteSignature) bool { return s.Name == key.Name() && s.KeyID == key.KeyID() }) {
			return v.ID
		}
	}
	return ""
}
