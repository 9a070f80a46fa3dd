package consensus

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/logstore"
)

// transport is Raft's transport with a record of what each follower has
// stored. Heartbeats alone do not tell: a follower whose disk refuses to store
// answers them for ever (hashicorp/raft#612, #503).
type transport struct {
	*raft.NetworkTransport
	now func() time.Time

	withhold func() bool   // this voter may not vote; nil: it may
	passed   chan raft.RPC // what passOn lets through, nil if everything is
	full     func() bool   // this voter's disk is; nil: it is not
	outdated chan struct{} // takes a value when a follower has a newer snapshot than this leader

	mu        sync.Mutex
	progress  map[raft.ServerID]Follower
	installed map[raft.ServerID]install
}

func newTransport(net *raft.NetworkTransport, now func() time.Time) *transport {
	return &transport{
		NetworkTransport: net, now: now, outdated: make(chan struct{}, 1),
		progress: map[raft.ServerID]Follower{}, installed: map[raft.ServerID]install{},
	}
}

// install is the last snapshot that a follower took.
type install struct {
	index uint64
	at    time.Time
}

// installPause is how soon a follower may be sent the same snapshot again.
const installPause = 2 * time.Second

var errInstalled = errors.New("the follower has just taken this snapshot")

// Follower is how far a follower has come, as this leader knows.
type Follower struct {
	Node    string
	Stored  uint64    // Raft index up to which it has stored the leader's log
	Moved   time.Time // when Stored last grew
	Heard   time.Time // when it last answered anything
	Refused bool      // its last answer was no: it could not store, or its log differs yet
	Stalled bool      // it answers, and has not moved for long: see [Node.runWatchdog]

	term       uint64 // the leader's, to which all this belongs
	installing bool   // a snapshot is on its way to it
}

// AppendEntries sends entries to a follower and records what it made of them.
func (t *transport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	err := t.NetworkTransport.AppendEntries(id, target, args, resp)
	if err != nil {
		return err
	}
	now := t.now()
	t.record(id, args.Term, func(f *Follower) {
		f.Heard = now
		if heartbeat := args.PrevLogEntry == 0 && len(args.Entries) == 0; heartbeat {
			return
		}
		f.Refused = !resp.Success
		if stored := args.PrevLogEntry + uint64(len(args.Entries)); resp.Success && stored > f.Stored {
			f.Stored, f.Moved = stored, now
		}
	})
	if couldNotStore(args, resp) {
		return errNotStored
	}
	return nil
}

var errNotStored = errors.New("the follower could not store")

// couldNotStore tells a follower that refuses to store from one whose log
// differs. Raft takes both for a log that differs and goes back by a record each
// time; after some hours of a full disk it would come to where its own log
// begins, and set the follower back to an older snapshot than it has applied.
// As an error, it makes Raft try the same records again later.
func couldNotStore(args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) bool {
	return len(args.Entries) > 0 && !resp.Success && !resp.NoRetryBackoff && resp.Term <= args.Term
}

// InstallSnapshot sends a snapshot to a follower, which counts as moving, but
// not one that it has just taken: if it then refuses to store what follows, and
// the leader's log begins at the snapshot, Raft would send it without end and
// without a pause. The error makes Raft back off.
func (t *transport) InstallSnapshot(id raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest,
	resp *raft.InstallSnapshotResponse, data io.Reader) error {
	t.mu.Lock()
	last := t.installed[id]
	t.mu.Unlock()
	if last.index == args.LastLogIndex && t.now().Sub(last.at) < installPause {
		return errInstalled
	}
	t.record(id, args.Term, func(f *Follower) { f.installing = true })
	err := t.NetworkTransport.InstallSnapshot(id, target, args, resp, data)
	now := t.now()
	took := err == nil && resp.Success
	t.record(id, args.Term, func(f *Follower) {
		f.installing = false
		if took && args.LastLogIndex > f.Stored {
			f.Stored, f.Moved, f.Heard = args.LastLogIndex, now, now
		}
		if took {
			t.installed[id] = install{args.LastLogIndex, now}
		}
	})
	if hasNewer(err) {
		select {
		case t.outdated <- struct{}{}:
		default: // one is asked for already
		}
	}
	return err
}

// hasNewer reports whether a follower refused a snapshot because it has a newer
// one, from the last leader, or has applied more. Raft would send the same again
// for ever; a new one of this leader's holds what both have.
func hasNewer(err error) bool {
	return err != nil && (strings.Contains(err.Error(), logstore.ErrStaleSnapshot.Error()) || strings.Contains(err.Error(), errSetBack.Error()))
}

// record changes what is known of a follower. What an earlier term of this
// leader knew is forgotten.
func (t *transport) record(id raft.ServerID, term uint64, change func(*Follower)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.progress[id]
	if f.term != term {
		f = Follower{Node: string(id), term: term}
	}
	change(&f)
	t.progress[id] = f
}

// stalled marks a follower, or takes the mark away.
func (t *transport) stalled(id raft.ServerID, is bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f, ok := t.progress[id]; ok {
		f.Stalled = is
		t.progress[id] = f
	}
}

// followers returns the record in order of node id.
func (t *transport) followers() []Follower {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]Follower, 0, len(t.progress))
	for _, f := range t.progress {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b Follower) int { return strings.Compare(a.Node, b.Node) })
	return list
}

// Followers returns how far each follower has come, if this node leads; its own
// log's end is the measure.
func (n *Node) Followers() (list []Follower, last uint64) {
	if !n.Leading() {
		return nil, 0
	}
	return n.transport.followers(), n.raft.LastIndex()
}

var _ raft.WithPreVote = (*transport)(nil)
