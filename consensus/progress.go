package consensus

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// transport is Raft's transport with a record of what each follower has
// stored. Heartbeats alone do not tell: a follower whose disk refuses to store
// answers them for ever (hashicorp/raft#612, #503).
type transport struct {
	*raft.NetworkTransport
	now func() time.Time

	mu        sync.Mutex
	progress  map[raft.ServerID]Follower
	installed map[raft.ServerID]install
}

// install is the last snapshot that a follower took.
type install struct {
	index uint64
	at    time.Time
}

// installPause is how soon a follower may be sent the same snapshot again.
const installPause = 2 * time.Second

var errInstalled = errors.New("the follower has just taken this snapshot")

// InstallSnapshot sends a snapshot to a follower, but not one that it has just
// taken: if it then refuses to store what follows, and the leader's log begins
// at the snapshot, Raft would send it without end and without a pause. The
// error makes Raft back off.
func (t *transport) InstallSnapshot(id raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	t.mu.Lock()
	last := t.installed[id]
	t.mu.Unlock()
	if last.index == args.LastLogIndex && time.Since(last.at) < installPause {
		return errInstalled
	}
	err := t.NetworkTransport.InstallSnapshot(id, target, args, resp, data)
	if err == nil && resp.Success {
		t.mu.Lock()
		t.installed[id] = install{args.LastLogIndex, time.Now()}
		t.mu.Unlock()
	}
	return err
}

// Follower is how far a follower has come, as this leader knows.
type Follower struct {
	Node    string
	Stored  uint64    // Raft index up to which it has stored the leader's log
	Moved   time.Time // when Stored last grew
	Refused bool      // its last answer was no: it could not store, or its log differs yet
}

// AppendEntries sends entries to a follower and records what it made of them.
func (t *transport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	err := t.NetworkTransport.AppendEntries(id, target, args, resp)
	if heartbeat := args.PrevLogEntry == 0 && len(args.Entries) == 0; err != nil || heartbeat {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.progress[id]
	f.Node, f.Refused = string(id), !resp.Success
	if stored := args.PrevLogEntry + uint64(len(args.Entries)); resp.Success && stored > f.Stored {
		f.Stored, f.Moved = stored, t.now()
	}
	t.progress[id] = f
	return nil
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
