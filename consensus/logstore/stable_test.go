package logstore

import (
	"bytes"
	"errors"
	"fmt"
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

// vote stores a term and a vote in it as Raft does.
func vote(t *testing.T, s *Stable, term uint64, candidate string) {
	t.Helper()
	err := errors.Join(s.SetUint64([]byte(KeyTerm), term), s.SetUint64([]byte(keyVoteTerm), term), s.Set([]byte(keyCandidate), []byte(candidate)))
	if err != nil {
		t.Fatal(err)
	}
}

func wantVote(t *testing.T, s *Stable, term uint64, candidate string) {
	t.Helper()
	got, err1 := s.GetUint64([]byte(KeyTerm))
	voted, err2 := s.GetUint64([]byte(keyVoteTerm))
	who, err3 := s.Get([]byte(keyCandidate))
	if err := errors.Join(err1, err2, err3); err != nil || got != term || voted != term || string(who) != candidate {
		t.Errorf("term %d, vote in %d for %q, %v, want %d for %q", got, voted, who, err, term, candidate)
	}
}

func TestTermAndVoteSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stable.db")
	s, f := openVotes(t, path)
	for _, key := range []string{KeyTerm, keyVoteTerm, keyCandidate} {
		if _, err := s.Get([]byte(key)); err == nil || err.Error() != "not found" {
			t.Fatalf("%s, never set: got %v, raft compares the text", key, err)
		}
	}
	for _, term := range []uint64{1, 7, 7, 1 << 40} {
		if err := s.SetUint64([]byte(KeyTerm), term); err != nil {
			t.Fatal(err)
		}
	}
	vote(t, s, 1<<41, "node-3")
	s.Close()
	if err := s.Set([]byte(keyCandidate), []byte("node-4")); !errors.Is(err, ErrStopped) {
		t.Errorf("set after close: %v", err)
	}
	s, f2 := openVotes(t, path)
	wantVote(t, s, 1<<41, "node-3")
	if s.Term() != 1<<41 {
		t.Errorf("term: %d", s.Term())
	}
	for name, err := range map[string]error{
		"a number": s.SetUint64([]byte("epoch"), 1), "bytes": s.Set([]byte("epoch"), nil),
	} {
		if err == nil {
			t.Errorf("%s of an unknown key were taken and would be lost", name)
		}
	}
	f.want(t, nil)
	f2.want(t, nil)
}

// Raft stores the term of a vote and then its candidate. A crash in between
// must not leave the candidate of an older vote: it would be given the new one
// without a look at its log.
func TestACrashWithinAVoteGivesItToNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stable.db")
	s, _ := openVotes(t, path)
	vote(t, s, 4, "old-candidate")
	if err := errors.Join(s.SetUint64([]byte(KeyTerm), 5), s.SetUint64([]byte(keyVoteTerm), 5)); err != nil {
		t.Fatal(err)
	}
	s.Close() // killed here
	s, _ = openVotes(t, path)
	if got, err := s.Get([]byte(keyCandidate)); err == nil {
		t.Errorf("vote of term 5 went to %q", got)
	}
	if voted, err := s.GetUint64([]byte(keyVoteTerm)); err != nil || voted != 5 {
		t.Errorf("vote term: %d, %v", voted, err)
	}
	vote(t, s, 5, "new-candidate")
	wantVote(t, s, 5, "new-candidate")
}

// damages are what a disk may do to a file.
var damages = map[string]func(good []byte) []byte{
	"flipped":        func(b []byte) []byte { b = bytes.Clone(b); b[3] ^= 4; b[4096+3] ^= 4; return b },
	"cut":            func(b []byte) []byte { return b[:5000] },
	"cut to nothing": func([]byte) []byte { return nil },
	"zeros":          func(b []byte) []byte { return make([]byte, len(b)) },
}

func TestADamagedStableFileIsMadeAnewFromTheOther(t *testing.T) {
	for name, damage := range damages {
		for _, twin := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, twin %v", name, twin), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "stable.db")
				s, _ := openVotes(t, path)
				vote(t, s, 7, "hospital-seventeen")
				s.Close()
				first, second := path, TwinPath(path)
				if twin {
					first, second = second, first
				}
				for _, file := range []string{first, second} { // each in turn: the healed one heals the other
					good, err := os.ReadFile(file)
					if err != nil {
						t.Fatal(err)
					}
					write(t, file, string(damage(good)))
					s, f := openVotes(t, path)
					wantVote(t, s, 7, "hospital-seventeen")
					s.Close()
					f.want(t, nil)
				}
			})
		}
	}
}

func TestAMissingStableFileIsMadeAnewFromTheOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stable.db")
	s, _ := openVotes(t, path)
	vote(t, s, 7, "h1")
	s.Close()
	for _, file := range []string{path, TwinPath(path)} {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		s, _ := openVotes(t, path)
		wantVote(t, s, 7, "h1")
		s.Close()
	}
}

func TestTermAndVoteLostInBothFilesAreNotGuessed(t *testing.T) {
	for name, damage := range damages {
		path := filepath.Join(t.TempDir(), "stable.db")
		s, _ := openVotes(t, path)
		vote(t, s, 7, "h1")
		s.Close()
		for _, file := range []string{path, TwinPath(path)} {
			good, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			write(t, file, string(damage(good)))
		}
		if s, err := OpenStable(path, StableOptions{Fatal: func(error) {}}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, want %v", name, err, ErrDamaged)
			if err == nil {
				s.Close()
			}
		}
	}
}

// A crash between the two writes leaves the twin one step ahead.
func TestACrashBetweenTheTwinAndTheFileKeepsTheNewerVote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stable.db")
	s, _ := openVotes(t, path)
	vote(t, s, 7, "h1")
	if err := s.files.twin.Store(ballot{term: 8, voteTerm: 8, candidate: "h2"}.marshal()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	for _, file := range []string{TwinPath(path), path} {
		s, _ := openVotes(t, path)
		wantVote(t, s, 8, "h2")
		s.Close()
		write(t, file, "gone")
	}
}

func TestTwoVotesInOneTermAreDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stable.db")
	s, _ := openVotes(t, path)
	vote(t, s, 7, "h1")
	if err := s.files.twin.Store(ballot{term: 7, voteTerm: 7, candidate: "h2"}.marshal()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := OpenStable(path, StableOptions{Fatal: func(error) {}}); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v, want %v", err, ErrDamaged)
	}
}

func TestAVoteThatCannotBeWrittenStopsTheProcess(t *testing.T) {
	s, f := openVotes(t, filepath.Join(t.TempDir(), "stable.db"))
	if err := s.SetUint64([]byte(KeyTerm), 1); err != nil {
		t.Fatal(err)
	}
	s.files.main.Close() // the disk goes away
	for range 2 {
		if err := s.SetUint64([]byte(KeyTerm), 2); !errors.Is(err, ErrStorage) {
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
