package logstore

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
)

func openVotes(t *testing.T, path string) (*Stable, *fatals) {
	t.Helper()
	f := &fatals{}
	s, err := OpenStable(path, StableOptions{Fatal: f.add})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, f
}

func TestTermAndVoteSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stable.db")
	s, f := openVotes(t, path)
	if _, err := s.GetUint64([]byte("CurrentTerm")); err == nil || err.Error() != "not found" {
		t.Fatalf("a key never set: got %v, raft compares the text", err)
	}
	for _, term := range []uint64{1, 7, 7, 1 << 40} {
		if err := s.SetUint64([]byte("CurrentTerm"), term); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Set([]byte("LastVoteCand"), []byte("node-3")); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := s.Set([]byte("LastVoteCand"), nil); !errors.Is(err, ErrStopped) {
		t.Errorf("set after close: %v", err)
	}
	s, f2 := openVotes(t, path)
	if term, err := s.GetUint64([]byte("CurrentTerm")); err != nil || term != 1<<40 {
		t.Errorf("term: got %d, %v", term, err)
	}
	if vote, err := s.Get([]byte("LastVoteCand")); err != nil || string(vote) != "node-3" {
		t.Errorf("vote: got %q, %v", vote, err)
	}
	f.want(t, nil)
	f2.want(t, nil)
}

func TestAFlippedBitInTermOrVoteIsSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stable.db")
	s, _ := openVotes(t, path)
	vote := []byte("hospital-seventeen")
	if err := s.Set([]byte("LastVoteCand"), vote); err != nil {
		t.Fatal(err)
	}
	s.Close()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(vote) + 4 {
		bad := append([]byte(nil), good...)
		for _, at := range copies(good, vote) {
			bad[at+i] ^= 4
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		s, _ := openVotes(t, path)
		if got, err := s.Get([]byte("LastVoteCand")); !errors.Is(err, ErrDamaged) || bytes.Equal(got, vote) {
			t.Errorf("byte %d: got %q, %v, want ErrDamaged", i, got, err)
		}
		s.Close()
	}
}

func TestAVoteThatCannotBeWrittenStopsTheProcess(t *testing.T) {
	s, f := openVotes(t, filepath.Join(t.TempDir(), "stable.db"))
	if err := s.SetUint64([]byte("CurrentTerm"), 1); err != nil {
		t.Fatal(err)
	}
	s.db.Close() // the disk goes away
	for range 2 {
		if err := s.SetUint64([]byte("CurrentTerm"), 2); !errors.Is(err, ErrStorage) {
			t.Fatalf("got %v, want ErrStorage", err)
		}
	}
	f.want(t, ErrStorage)
}

func TestRaftBoltdbItselfReturnsFlippedBits(t *testing.T) { // the control
	path := filepath.Join(t.TempDir(), "stable.db")
	db, err := raftboltdb.NewBoltStore(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Set([]byte("LastVoteCand"), []byte("hospital-seventeen")); err != nil {
		t.Fatal(err)
	}
	db.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(bytes.ReplaceAll(b, []byte("seventeen"), []byte("seventeem"))))
	if db, err = raftboltdb.NewBoltStore(path); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if got, err := db.Get([]byte("LastVoteCand")); err != nil || string(got) != "hospital-seventeem" {
		t.Errorf("got %q, %v; the checksum is no longer needed", got, err)
	}
}
