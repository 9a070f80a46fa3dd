package machine_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

func TestRestartGoesBackToTheLastSave(t *testing.T) {
	h := newHistory(t)
	dir := t.TempDir()
	m := h.follower(t, dir, 3)
	for _, e := range h.log[3:] {
		apply(t, m, e.raw, e.logTime)
	}
	for name, from := range map[string]string{"a power cut": crash(t, dir), "an orderly stop": dir} {
		if name == "an orderly stop" {
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
		}
		again := open(t, from, h.net.Genesis)
		mustEqual(t, again, h.at[3])
		for _, e := range h.log[3:] { // comes again, from Raft's log
			apply(t, again, e.raw, e.logTime)
		}
		mustEqual(t, again, h.at[6])
	}
}

func TestFreshDirectoryIsFoundedOnce(t *testing.T) {
	h := newHistory(t)
	dir := t.TempDir()
	m := open(t, dir, h.net.Genesis)
	mustEqual(t, m, h.at[0])
	if err := os.Remove(filepath.Join(dir, "state")); err != nil { // stopped before its first save
		t.Fatal(err)
	}
	mustEqual(t, open(t, crash(t, dir), h.net.Genesis), h.at[0])
}

func TestRewindGoesBackToTheGenesis(t *testing.T) {
	h := newHistory(t)
	dir := t.TempDir()
	m := h.follower(t, dir, 4)
	if err := m.Restore(h.at[6]); err != nil { // opens a gap, which goes too
		t.Fatal(err)
	}
	if err := m.Rewind(h.net.Genesis); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, m, h.at[0])
	mustEqual(t, open(t, crash(t, dir), h.net.Genesis), h.at[0])
	for _, e := range h.log {
		apply(t, m, e.raw, e.logTime)
	}
	mustEqual(t, m, h.at[6])
	if err := m.Rewind(foundingtest.New(t, 1).Genesis); !errors.Is(err, machine.ErrDiverged) && !errors.Is(err, ledger.ErrDamaged) {
		t.Errorf("rewind to another network: %v", err)
	}
}

// TestRewindOfADamagedLedgerBeginsItAnew flips bytes that say where the genesis
// ends, cuts the files or takes them away.
func TestRewindOfADamagedLedgerBeginsItAnew(t *testing.T) {
	h := newHistory(t)
	for name, harm := range map[string]func(path string) error{
		"its index record":                 func(dir string) error { return flip(filepath.Join(dir, "envelopes.idx"), 5) },
		"a length of its bodies, by much":  func(dir string) error { return flip(filepath.Join(dir, "bodies.idx"), 2) },
		"a length of its bodies, by a bit": func(dir string) error { return flip(filepath.Join(dir, "bodies.idx"), 7) },
		"no index":                         func(dir string) error { return os.Remove(filepath.Join(dir, "envelopes.idx")) },
		"no body index":                    func(dir string) error { return os.Remove(filepath.Join(dir, "bodies.idx")) },
		"no ledger":                        func(dir string) error { return os.RemoveAll(dir) },
		"an empty index":                   func(dir string) error { return os.Truncate(filepath.Join(dir, "envelopes.idx"), 0) },
		"an envelope":                      func(dir string) error { return flip(filepath.Join(dir, "envelopes"), 30) },
		"everything else":                  func(dir string) error { return os.Truncate(filepath.Join(dir, "leaves"), 1) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := h.follower(t, dir, 4).Close(); err != nil {
				t.Fatal(err)
			}
			if err := harm(filepath.Join(dir, "ledger")); err != nil {
				t.Fatal(err)
			}
			m := open(t, dir, h.net.Genesis)
			if err := m.Rewind(h.net.Genesis); err != nil {
				t.Fatal(err)
			}
			for _, e := range h.log {
				apply(t, m, e.raw, e.logTime)
			}
			mustEqual(t, m, h.at[6])
			if err := m.Save(snapshot(t, m)); err != nil {
				t.Fatal(err)
			}
			mustEqual(t, open(t, crash(t, dir), h.net.Genesis), h.at[6])
		})
	}
}

// flip changes a byte of a file.
func flip(path string, at int) error {
	raw, err := os.ReadFile(path)
	if err == nil {
		raw[at] ^= 1
		err = os.WriteFile(path, raw, 0o600)
	}
	return err
}

func TestLedgerLongerThanTheSnapshotIsCut(t *testing.T) {
	h := newHistory(t)
	dir := t.TempDir()
	m := h.follower(t, dir, 6)
	for _, n := range []int{6, 4, 1} {
		if err := m.Restore(h.at[n]); err != nil {
			t.Fatal(err)
		}
		mustEqual(t, m, h.at[n])
	}
	for _, e := range h.log[1:] {
		apply(t, m, e.raw, e.logTime)
	}
	mustEqual(t, m, h.at[6])
}

func TestSnapshotOfAnotherLogIsNotRestored(t *testing.T) {
	t.Parallel() // its time is fsync
	h := newHistory(t)
	other := open(t, t.TempDir(), h.net.Genesis)
	for _, n := range []int{1, 0} { // the same envelopes in another order
		apply(t, other, h.log[n].raw, now)
	}
	stranger := newHistory(t)
	for name, s := range map[string]machine.Snapshot{
		"envelopes in another order": snapshot(t, other),
		"another network":            stranger.at[2],
	} {
		m := h.follower(t, t.TempDir(), 6)
		if err := m.Restore(s); !errors.Is(err, machine.ErrDiverged) && !errors.Is(err, ledger.ErrDamaged) {
			t.Errorf("%s: got %v, want ErrDiverged or ErrDamaged", name, err)
		}
	}
}

func TestDirectoryOfAnotherNetworkDoesNotOpen(t *testing.T) {
	h := newHistory(t)
	origin := t.TempDir()
	if err := h.follower(t, origin, 6).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := machine.Open(crash(t, origin), foundingtest.New(t, 1).Genesis); !errors.Is(err, machine.ErrDiverged) {
		t.Errorf("with the genesis of another network: got %v", err)
	}
	if _, err := machine.Open(t.TempDir(), entries(t, h.voter.View(), h.net.Hospitals[0], 1, 1)); err == nil {
		t.Error("founded by an envelope that is no genesis")
	}
	other := t.TempDir()
	m := open(t, other, h.net.Genesis)
	for _, n := range []int{1, 0} { // the same envelopes in another order
		apply(t, m, h.log[n].raw, now)
	}
	if err := m.Save(snapshot(t, m)); err != nil {
		t.Fatal(err)
	}
	mixed := crash(t, origin)
	for _, name := range []string{"state", "state.copy"} {
		b, err := os.ReadFile(filepath.Join(other, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(mixed, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := machine.Open(mixed, h.net.Genesis); !errors.Is(err, machine.ErrDiverged) {
		t.Errorf("with the state of another log: got %v, want ErrDiverged", err)
	}
}

func TestSnapshotEncodesBackToTheSameBytes(t *testing.T) {
	for n, s := range newHistory(t).at {
		raw := s.Marshal()
		got, err := machine.DecodeSnapshot(raw)
		if err != nil || !bytes.Equal(got.Marshal(), raw) || got.At != s.At {
			t.Errorf("after envelope %d: %v", n, err)
		}
	}
}

func TestSnapshotWithLengthsOfAnotherStateIsRefused(t *testing.T) {
	h := newHistory(t)
	mixed := machine.Snapshot{State: h.at[3].State, At: h.at[4].At}
	if _, err := machine.DecodeSnapshot(mixed.Marshal()); !errors.Is(err, machine.ErrDiverged) {
		t.Errorf("got %v, want ErrDiverged", err)
	}
	if _, err := machine.DecodeSnapshot(append(h.at[3].Marshal(), 0)); err == nil {
		t.Error("a byte after the end was read over")
	}
}

func FuzzDecodeSnapshot(f *testing.F) {
	h := newHistory(f)
	f.Add(h.at[0].Marshal())
	f.Add(h.at[3].Marshal())
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := machine.DecodeSnapshot(in)
		if err == nil && !bytes.Equal(s.Marshal(), in) {
			t.Error("a snapshot that decodes encodes to other bytes")
		}
	})
}
