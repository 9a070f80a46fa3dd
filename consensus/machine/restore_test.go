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

func TestDirectoryThatContradictsItselfDoesNotOpen(t *testing.T) {
	t.Parallel() // its time is fsync
	h := newHistory(t)
	origin := t.TempDir()
	if err := h.follower(t, origin, 6).Close(); err != nil {
		t.Fatal(err)
	}
	edit := func(name string, change func([]byte) []byte) func(string) error {
		return func(dir string) error {
			path := filepath.Join(dir, filepath.FromSlash(name))
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, change(b), 0o600)
		}
	}
	half := func(b []byte) []byte { return b[:len(b)/2] }
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	genesis := h.net.Genesis
	for name, tc := range map[string]struct {
		change func(string) error
		want   error
	}{
		"as it was closed":            {func(string) error { return nil }, nil},
		"leaves cut":                  {edit("ledger/leaves", half), ledger.ErrDamaged},
		"envelopes cut":               {edit("ledger/envelopes", half), ledger.ErrDamaged},
		"envelope index cut":          {edit("ledger/envelopes.idx", half), ledger.ErrDamaged},
		"bodies cut":                  {edit("ledger/bodies", half), ledger.ErrDamaged},
		"salts cut":                   {edit("ledger/salts", half), ledger.ErrDamaged},
		"hashes cut":                  {edit("ledger/hashes.0", half), ledger.ErrDamaged},
		"a file removed":              {func(d string) error { return os.Remove(filepath.Join(d, "ledger", "bodies")) }, ledger.ErrDamaged},
		"the ledger removed":          {func(d string) error { return os.RemoveAll(filepath.Join(d, "ledger")) }, ledger.ErrDamaged},
		"a hash near the end changed": {edit("ledger/hashes.0", func(b []byte) []byte { b[len(b)-1] ^= 1; return b }), machine.ErrDiverged},
		"state changed":               {edit("state", flip), ledger.ErrDamaged},
		"state cut":                   {edit("state", half), ledger.ErrDamaged},
	} {
		dir := crash(t, origin)
		if err := tc.change(dir); err != nil {
			t.Fatal(err)
		}
		m, err := machine.Open(dir, genesis)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
		if err == nil {
			_ = m.Close()
		}
	}
	if _, err := machine.Open(crash(t, origin), foundingtest.New(t, 1).Genesis); !errors.Is(err, machine.ErrDiverged) {
		t.Errorf("with the genesis of another network: got %v", err)
	}
	if _, err := machine.Open(t.TempDir(), entries(t, h.voter.View(), h.net.Hospitals[0], 1, 1)); err == nil {
		t.Error("founded by an envelope that is no genesis")
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
