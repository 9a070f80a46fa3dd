package daemon

import (
	"io/fs"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/space"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/meter"
)

// one is a gauge without labels.
func one(name, help string, value float64) meter.Gauge {
	return meter.Gauge{Name: name, Help: help, Samples: []meter.Sample{{Value: value}}}
}

// fact is a gauge of 1 whose labels say something.
func fact(name, help string, labels, values []string) meter.Gauge {
	return meter.Gauge{Name: name, Help: help, Labels: labels, Samples: []meter.Sample{{Labels: values, Value: 1}}}
}

func yes(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// gauges are the figures that a monitoring system may know, as they are now:
// nothing of a patient, of an entry's content, or of another hospital's work.
func (s *service) gauges() []meter.Gauge {
	st, view := s.node.Status(), s.node.View()
	pending, alarm := s.outbox.Pending()
	files, _ := s.quotas.spool.Waiting()
	list := []meter.Gauge{
		fact("build_info", "The version that runs.", []string{"version", "commit", "goversion", "format"},
			[]string{s.version, commit(), runtime.Version(), strconv.Itoa(state.Format)}),
		fact("node_info", "This node and its part.", []string{"node", "role"}, []string{st.Node, st.Kind.String()}),
		one("ready", "Whether this node is a current copy that knows its leader, or the voter it pulls from.", yes(st.Ready)),
		one("log_tree_size", "Entries and acts applied.", float64(st.Size)),
		one("log_envelopes", "Envelopes applied.", float64(st.Envelopes)),
		one("log_checkpoint_size", "Tree size of the newest checkpoint.", float64(st.Checkpoint.Size)),
		one("log_gap_envelopes", "Envelopes that this copy lacks.", float64(st.GapTo-min(st.GapTo, st.GapFrom))),
		one("log_damaged", "Whether damage of this copy is being repaired.", yes(st.Damage != "")),
		one("outbox_envelopes", "Envelopes without a receipt yet.", float64(pending)),
		one("outbox_alarm", "Whether something keeps the outbox from going on.", yes(alarm != "")),
		one("spool_files", "Files that wait for another day's quota.", float64(files)),
		one("warnings", "Warnings that raresync status shows.", float64(len(s.warnings(st, view)))),
	}
	list = append(list, s.raftGauges(st, view)...)
	list = append(list, s.checkpointGauges(s.node.Checkpoint())...)
	list = append(list, s.shareGauges(view)...)
	list = append(list, s.peerGauges()...)
	list = append(list, s.inboxGauges()...)
	return append(append(list, erasureGauges(view)), s.diskGauges()...)
}

// commit is what this program was built from, if the builder knew.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}

func (s *service) raftGauges(st consensus.Status, view *state.State) []meter.Gauge {
	p, voters, reached := s.node.Progress(), view.Voters(), 0
	here := s.reachable()
	for _, v := range voters {
		if v.ID == s.self.ID || here[v.ID] {
			reached++
		}
	}
	list := []meter.Gauge{
		one("raft_has_leader", "Whether a leader is known; a mirror knows none.", yes(st.Leader != "")),
		one("raft_is_leader", "Whether this node leads.", yes(st.Leader == st.Node)),
		one("raft_term", "Raft's term; 0 on a mirror.", float64(st.Term)),
		one("raft_voters", "Voters in the roster.", float64(len(voters))),
		one("raft_voters_reached", "Voters that this node has a session with, itself included if it votes.", float64(reached)),
		one("raft_commit_index", "Raft's last committed record; 0 on a mirror.", float64(p.CommitIndex)),
		one("raft_applied_index", "Raft's last applied record; 0 on a mirror.", float64(p.AppliedIndex)),
		one("raft_apply_lag_entries", "Records committed and not applied here.", float64(p.CommitIndex-min(p.CommitIndex, p.AppliedIndex))),
		one("mirror_lag_entries", "Entries under a checkpoint that this copy has not taken over yet.", float64(p.Behind)),
		one("snapshot_pending_bytes", "Envelopes applied since the last snapshot; a start applies them again.", float64(p.Unsaved)),
	}
	if p.LastContact >= 0 {
		list = append(list, one("raft_last_contact_seconds", "Since the leader was heard; 0 on the leader.", p.LastContact.Seconds()))
	}
	if !p.Saved.IsZero() {
		list = append(list, one("snapshot_last_timestamp_seconds", "When the state was last saved, in Unix time.", float64(p.Saved.Unix())))
	}
	return list
}

func (s *service) checkpointGauges(cp tlog.SignedCheckpoint) []meter.Gauge {
	if cp.Size == 0 {
		return nil
	}
	policy, err := s.node.Policy(cp.Size)
	if err != nil {
		return nil
	}
	cosignatures, err := policy.Verify(cp)
	if err != nil {
		return nil
	}
	age := s.clock().Sub(time.Unix(int64(tlog.MedianTime(cosignatures)), 0))
	return []meter.Gauge{
		one("log_checkpoint_age_seconds", "Age of the newest checkpoint; an idle log's is cosigned again after an hour.", age.Seconds()),
		one("log_cosigners", "Voters that cosigned the newest checkpoint.", float64(len(cosignatures))),
	}
}

// shareGauges tell of the holders of the pseudonymisation key.
func (s *service) shareGauges(view *state.State) []meter.Gauge {
	available, here := 0, s.connected(view)
	for _, holder := range view.Holders {
		if here[holder] {
			available++
		}
	}
	return []meter.Gauge{
		one("oprf_shares_available", "Share holders that this node has a session with, itself included.", float64(available)),
		one("oprf_shares_needed", "Share holders that must answer; 0 while there is no key.", float64(view.OPRF.Threshold)),
		one("dkg_epoch", "Epoch of the shares; 0 while there is no key.", float64(view.OPRF.Epoch)),
	}
}

func (s *service) peerGauges() []meter.Gauge {
	rtt := meter.Gauge{Name: "peer_rtt_seconds", Help: "Round trip of the last keep-alive, by session.", Labels: []string{"peer", "class"}}
	skew := meter.Gauge{Name: "clock_skew_seconds", Help: "By how much a node's clock was ahead at its last answer, to a second.", Labels: []string{"peer"}}
	told := map[string]bool{}
	for _, p := range s.mesh.Connected() {
		rtt.Samples = append(rtt.Samples, meter.Sample{Labels: []string{p.Node, p.Class.String()}, Value: p.RTT.Seconds()})
		if ahead, ok := s.peers.Skew(p.Node); ok && !told[p.Node] {
			told[p.Node] = true
			skew.Samples = append(skew.Samples, meter.Sample{Labels: []string{p.Node}, Value: ahead.Seconds()})
		}
	}
	behind := meter.Gauge{Name: "raft_follower_behind_entries", Help: "Raft records that a follower lacks; on the leader alone.", Labels: []string{"peer"}}
	followers, last := s.node.Followers()
	for _, f := range followers {
		behind.Samples = append(behind.Samples, meter.Sample{Labels: []string{f.Node}, Value: float64(last - min(last, f.Stored))})
	}
	received, sent := s.mesh.Traffic()
	moved := meter.Gauge{Name: "peer_bytes_total", Help: "Bytes of all connections with other nodes.", Labels: []string{"direction"}, Counts: true}
	moved.Samples = []meter.Sample{{Labels: []string{"received"}, Value: float64(received)}, {Labels: []string{"sent"}, Value: float64(sent)}}
	return []meter.Gauge{
		rtt, skew, behind, moved,
		one("peers_unreached", "Nodes that this one dials in vain.", float64(len(s.mesh.Troubles()))),
	}
}

// erasureGauges tell of the withdrawals in the log.
func erasureGauges(view *state.State) meter.Gauge {
	g := meter.Gauge{Name: "erasures", Help: "Withdrawals in the log, by whether every node has declared them.", Labels: []string{"state"}}
	open := 0
	for _, w := range view.Withdrawals {
		for _, n := range view.Entitled {
			if r, found := view.ErasureReceipt(n.Node); n.To == 0 && (!found || r.Through < w.Envelope) {
				open++
				break
			}
		}
	}
	g.Samples = []meter.Sample{
		{Labels: []string{"declared"}, Value: float64(len(view.Withdrawals) - open)},
		{Labels: []string{"open"}, Value: float64(open)},
	}
	return g
}

// inboxGauges tell of the inbox, once it is open.
func (s *service) inboxGauges() []meter.Gauge {
	box := s.inbox.Load()
	if box == nil {
		return nil
	}
	t := box.Tally()
	files := meter.Gauge{Name: "inbox_files", Help: "Files that wait in the inbox, by folder.", Labels: []string{"state"}}
	for _, state := range []string{"new", "work"} {
		files.Samples = append(files.Samples, meter.Sample{Labels: []string{state}, Value: float64(t.Waiting[state])})
	}
	filed := meter.Gauge{Name: "inbox_filed_total", Help: "Files that left the inbox since the start, by folder.", Labels: []string{"state"}, Counts: true}
	for _, state := range []string{"done", "quarantine"} {
		filed.Samples = append(filed.Samples, meter.Sample{Labels: []string{state}, Value: float64(t.Filed[state])})
	}
	oldest := 0.0
	if !t.Oldest.IsZero() {
		oldest = max(0, s.clock().Sub(t.Oldest).Seconds())
	}
	return []meter.Gauge{files, filed, one("inbox_oldest_seconds", "For how long the first of the files that wait has been there.", oldest)}
}

func (s *service) diskGauges() (list []meter.Gauge) {
	dir := home.LogDir(s.cfg)
	if free, total, err := space.Disk(dir)(); err == nil {
		list = append(list, one("disk_free_bytes", "Bytes free on the data directory's disk.", float64(free)),
			one("disk_size_bytes", "Size of that disk.", float64(total)))
	}
	var stored int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // gone since it was listed
		}
		if info, err := d.Info(); err == nil {
			stored += info.Size()
		}
		return nil
	})
	if err == nil {
		list = append(list, one("store_size_bytes", "Size of the log, Raft's own included; erased bodies count.", float64(stored)))
	}
	return list
}
