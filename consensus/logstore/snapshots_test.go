package logstore

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
)

func openSnapshots(t *testing.T, dir string) (*Snapshots, *[]uint64) {
	t.Helper()
	var written []uint64
	s, err := OpenSnapshots(dir, SnapshotOptions{
		Written: func(m raft.SnapshotMeta) { written = append(written, m.Index) },
		Fatal:   func(err error) { t.Errorf("fatal: %v", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, &written
}

var oneServer = raft.Configuration{Servers: []raft.Server{{ID: "a", Address: "a"}}}

func create(t *testing.T, s *Snapshots, index, term uint64) raft.SnapshotSink {
	t.Helper()
	_, trans := raft.NewInmemTransport("a")
	k, err := s.Create(1, index, term, oneServer, 1, trans)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(k, "state of the network"); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAClosedSnapshotIsTheNewestAndReadable(t *testing.T) {
	dir := t.TempDir()
	s, written := openSnapshots(t, dir)
	if _, found := s.Newest(); found || s.Check() != nil {
		t.Error("a snapshot in an empty folder")
	}
	for index := uint64(10); index <= 40; index += 10 {
		k := create(t, s, index, 2)
		if newest, _ := s.Newest(); newest.Index == index {
			t.Errorf("snapshot %d counts before it is closed", index)
		}
		for range 2 { // raft and the state machine both close
			if err := k.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.Cancel(); err != nil {
			t.Fatal(err)
		}
	}
	if len(*written) != 4 || (*written)[3] != 40 {
		t.Errorf("written: %v, want each once", *written)
	}
	s, _ = openSnapshots(t, dir)
	newest, found := s.Newest()
	if !found || newest.Index != 40 || newest.Term != 2 {
		t.Fatalf("newest after a restart: %+v", newest)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	list, err := s.List()
	if err != nil || len(list) != 2 {
		t.Fatalf("%d snapshots kept, %v, want 2", len(list), err)
	}
	_, content, err := s.Open(newest.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	if b, err := io.ReadAll(content); err != nil || string(b) != "state of the network" {
		t.Errorf("content: %q, %v", b, err)
	}
}

func TestACancelledSnapshotLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s, written := openSnapshots(t, dir)
	k := create(t, s, 10, 1)
	if err := k.Cancel(); err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err == nil {
		t.Error("closing a cancelled snapshot succeeds")
	}
	create(t, s, 11, 1) // and the process is killed here
	s, _ = openSnapshots(t, dir)
	if _, found := s.Newest(); found || len(*written) != 0 {
		t.Error("a snapshot came out of nothing")
	}
	if names, err := os.ReadDir(filepath.Join(dir, snapshotRoot)); err != nil || len(names) != 0 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

func TestASnapshotOlderThanTheNewestIsRefused(t *testing.T) {
	s, written := openSnapshots(t, t.TempDir())
	slow := create(t, s, 10, 1)
	if err := create(t, s, 20, 1).Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := slow.Close(); !errors.Is(err, ErrStaleSnapshot) {
			t.Errorf("closed after a newer one: got %v, want ErrStaleSnapshot", err)
		}
	}
	_, trans := raft.NewInmemTransport("a")
	if _, err := s.Create(1, 19, 1, oneServer, 1, trans); !errors.Is(err, ErrStaleSnapshot) {
		t.Errorf("created after a newer one: got %v, want ErrStaleSnapshot", err)
	}
	if err := create(t, s, 20, 1).Close(); err != nil {
		t.Errorf("the same snapshot, received again: %v", err)
	}
	if newest, _ := s.Newest(); newest.Index != 20 || len(*written) != 2 {
		t.Errorf("newest %d, written %v", newest.Index, *written)
	}
}

func TestASnapshotThatFailedToCloseStaysFailed(t *testing.T) {
	dir := t.TempDir()
	s, written := openSnapshots(t, dir)
	k := create(t, s, 10, 1)
	if err := os.RemoveAll(filepath.Join(dir, snapshotRoot)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := k.Close(); err == nil {
			t.Error("raft's second close is told that the snapshot is there")
		}
	}
	if _, found := s.Newest(); found || len(*written) != 0 {
		t.Error("a failed snapshot counts")
	}
}

func TestEveryFlippedByteOfASnapshotIsSeen(t *testing.T) {
	for _, name := range []string{"state.bin", metaFile, metaSumFile} {
		dir := t.TempDir()
		s, _ := openSnapshots(t, dir)
		k := create(t, s, 10, 1)
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, snapshotRoot, k.ID(), name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range good {
			bad := append([]byte(nil), good...)
			bad[i] ^= 1
			write(t, path, string(bad))
			if err := s.Check(); !errors.Is(err, ErrDamaged) {
				t.Fatalf("%s byte %d: got %v, want ErrDamaged", name, i, err)
			}
		}
		write(t, path, string(good))
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADamagedSnapshotIsDroppedAndTheOneBeforeIsTheNewest(t *testing.T) {
	dir := t.TempDir()
	s, _ := openSnapshots(t, dir)
	var ids []string
	for index := uint64(10); index <= 20; index += 10 {
		k := create(t, s, index, 1)
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, k.ID())
	}
	for i, want := range []uint64{10, 0} {
		id := ids[len(ids)-1-i]
		write(t, filepath.Join(dir, snapshotRoot, id, []string{"state.bin", metaFile}[i]), "cut")
		dropped, err := s.DropDamaged()
		if err != nil || len(dropped) != 1 || dropped[0] != id {
			t.Fatalf("dropped %v, %v, want %s", dropped, err, id)
		}
		if newest, found := s.Newest(); newest.Index != want || found != (want > 0) {
			t.Errorf("newest at %d, %v, want %d", newest.Index, found, want)
		}
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}
