package logstore

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// A member is one node of an in-memory network over the real stores: its
// state machine is the list of commands, its snapshot that list.
type member struct {
	id        raft.ServerID
	dir       string
	f         *fatals
	log       *Store
	votes     *Stable
	snapshots *Snapshots
	trans     *raft.InmemTransport
	raft      *raft.Raft

	mu       sync.Mutex
	commands []string
	restores int
}

func (m *member) Apply(l *raft.Log) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commands = append(m.commands, string(l.Data))
	m.log.SetApplied(l.Index)
	return nil
}

func (m *member) Snapshot() (raft.FSMSnapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return listSnapshot(slices.Clone(m.commands)), nil
}

func (m *member) Restore(content io.ReadCloser) error {
	b, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commands = strings.Split(string(b), "\n")
	m.restores++
	newest, _ := m.snapshots.Newest()
	_, err = m.log.Anchor(newest.Index, newest.Term)
	return err
}

func (m *member) list() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.commands)
}

type listSnapshot []string

func (s listSnapshot) Persist(k raft.SnapshotSink) error {
	if _, err := io.WriteString(k, strings.Join(s, "\n")); err != nil {
		return err
	}
	return k.Close()
}

func (listSnapshot) Release() {}

// start opens the stores in the order that the package doc gives.
func (m *member) start(t *testing.T) {
	t.Helper()
	m.f = &fatals{}
	m.commands = nil
	var err error
	if m.log, err = Open(filepath.Join(m.dir, "log.db"), Options{Fatal: m.f.add, CacheBytes: 500}); err != nil {
		t.Fatal(err)
	}
	if m.votes, err = OpenStable(filepath.Join(m.dir, "stable.db"), StableOptions{Fatal: m.f.add}); err != nil {
		t.Fatal(err)
	}
	m.snapshots, err = OpenSnapshots(m.dir, SnapshotOptions{
		Written: func(meta raft.SnapshotMeta) { m.log.SetSnapshot(meta.Index) }, Fatal: m.f.add})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.snapshots.Check(); err != nil {
		t.Fatal(err)
	}
	newest, found := m.snapshots.Newest()
	if found {
		if _, err := m.log.Anchor(newest.Index, newest.Term); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.log.Check(newest.Index + 1); err != nil {
		t.Fatal(err)
	}
	_, m.trans = raft.NewInmemTransport(raft.ServerAddress(m.id))
	c := raft.DefaultConfig()
	c.LocalID, c.Logger = m.id, hclog.NewNullLogger()
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = 400*time.Millisecond, 400*time.Millisecond, 300*time.Millisecond
	c.CommitTimeout, c.SnapshotInterval, c.TrailingLogs = 5*time.Millisecond, time.Hour, 4
	if m.raft, err = raft.NewRaft(c, m, m.log, m.votes, m.snapshots, m.trans); err != nil {
		t.Fatal(err)
	}
}

func (m *member) stop(t *testing.T) {
	t.Helper()
	if err := m.raft.Shutdown().Error(); err != nil {
		t.Error(err)
	}
	m.log.Close()
	m.votes.Close()
}

// until waits for a condition, with a deadline.
func until(t *testing.T, what string, met func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !met() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// connect links every running member with every other.
func connect(members []*member) {
	for _, a := range members {
		for _, b := range members {
			if a != b {
				a.trans.Connect(raft.ServerAddress(b.id), b.trans)
			}
		}
	}
}

func leader(t *testing.T, members []*member) (found *member) {
	t.Helper()
	until(t, "a leader", func() bool {
		for _, m := range members {
			if m.raft.VerifyLeader().Error() == nil {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

func submit(t *testing.T, members []*member, from, to int) {
	t.Helper()
	l := leader(t, members)
	for i := from; i < to; i++ {
		if err := l.raft.Apply(fmt.Appendf(nil, "command %d", i), 10*time.Second).Error(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestThreeNodesAgreeAcrossSnapshotsRestartsAndAnInstalledSnapshot(t *testing.T) {
	var all []*member
	var servers []raft.Server
	for _, id := range []raft.ServerID{"a", "b", "c"} {
		all = append(all, &member{id: id, dir: t.TempDir()})
		servers = append(servers, raft.Server{ID: id, Address: raft.ServerAddress(id)})
	}
	for _, m := range all {
		m.start(t)
	}
	connect(all)
	if err := all[0].raft.BootstrapCluster(raft.Configuration{Servers: servers}).Error(); err != nil {
		t.Fatal(err)
	}
	submit(t, all, 0, 20)

	var away *member // a follower sleeps past the trailing records
	for _, m := range all {
		if m != leader(t, all) {
			away = m
		}
	}
	until(t, "the follower to have records", func() bool { return len(away.list()) == 20 })
	away.stop(t)
	rest := slices.DeleteFunc(slices.Clone(all), func(m *member) bool { return m == away })
	submit(t, rest, 20, 60)
	for _, m := range rest {
		if err := m.raft.Snapshot().Error(); err != nil {
			t.Fatal(err)
		}
		first, _ := m.log.FirstIndex()
		last, _ := m.log.LastIndex()
		if newest, found := m.snapshots.Newest(); !found || first > newest.Index || last-first > 6 {
			t.Errorf("log %d..%d with a snapshot at %d", first, last, newest.Index)
		}
	}
	submit(t, rest, 60, 65)
	away.start(t)
	connect(all)
	until(t, "the sleeper to catch up", func() bool { return len(away.list()) == 65 })
	if away.restores == 0 {
		t.Error("the sleeper caught up without a snapshot; the test shows nothing")
	}

	submit(t, all, 65, 70) // everybody restarts
	for _, m := range all {
		m.stop(t)
	}
	for _, m := range all {
		m.start(t)
	}
	connect(all)
	submit(t, all, 70, 75)
	for _, m := range all {
		until(t, "node "+string(m.id)+" to have all", func() bool { return len(m.list()) == 75 })
		for i, command := range m.list() {
			if want := fmt.Sprintf("command %d", i); command != want {
				t.Fatalf("node %s, command %d: got %q", m.id, i, command)
			}
		}
	}
	for _, m := range all {
		m.stop(t)
		m.f.want(t, nil)
	}
}
