package machine_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
)

// files are the ledger's, and what lies beside them.
var files = []string{"leaves", "hashes.0", "hashes.8", "envelopes", "envelopes.idx", "bodies", "bodies.idx", "salts"}

// contents returns the bytes of the ledger's files.
func contents(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, name := range files {
		b, err := os.ReadFile(filepath.Join(dir, "ledger", name))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = b
	}
	return out
}

// edit changes a file under a machine that may be open: by pieces that differ,
// so that the file stays the same one.
func edit(t testing.TB, dir, name string, change func([]byte) []byte) {
	t.Helper()
	path := filepath.Join(dir, "ledger", name)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	after := change(bytes.Clone(b))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(int64(len(after))); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(after, 0); err != nil {
		t.Fatal(err)
	}
}

func flipAt(i int) func([]byte) []byte {
	return func(b []byte) []byte { b[i] ^= 0x10; return b }
}

func zeroFrom(i, n int) func([]byte) []byte {
	return func(b []byte) []byte { clear(b[i : i+n]); return b }
}

// repair does what a node does, with one peer that sends each envelope through
// send. It returns how many it was asked for.
func repair(t testing.TB, m *machine.Machine, send func(n uint64) sent) (asked int, err error) {
	t.Helper()
	for range 10 {
		numbers, err := m.Survey()
		if err != nil {
			return asked, err
		}
		for _, n := range numbers {
			if m.MendAlone(n) == nil {
				continue
			}
			asked++
			p := send(n)
			if err := m.Mend(n, p.raw, p.logTime); err != nil {
				return asked, err
			}
		}
		if err = m.Settle(); !errors.Is(err, ledger.ErrDamaged) {
			return asked, err
		}
	}
	return asked, errors.New("it finds more damage each time")
}

// honest sends what the log holds.
func (h *history) honest(n uint64) sent {
	if n == 0 {
		return sent{h.net.Genesis.Marshal(), h.net.Genesis.SignedAt}
	}
	return h.log[n-1]
}

// damaged returns a machine with the whole history, saved, in dir.
func (h *history) damaged(t testing.TB, dir string, harm func()) *machine.Machine {
	t.Helper()
	m := h.follower(t, dir, 6)
	harm()
	return m
}

func TestEveryFlippedByteIsNoticedAndRepairedToTheSameBytes(t *testing.T) {
	t.Parallel() // its time is fsync
	h := newHistory(t)
	dir := t.TempDir()
	m := h.follower(t, dir, 6)
	want := contents(t, dir)
	random := rand.New(rand.NewPCG(3, 9))
	for _, name := range files {
		asked := 0
		for range 12 {
			at := random.IntN(len(want[name]))
			edit(t, dir, name, flipAt(at))
			if _, _, err := m.Examine(0, 1<<40); err != nil {
				t.Fatal(err)
			}
			if m.Damage() == nil && name != "hashes.8" { // which the end of a pass compares
				t.Errorf("%s, byte %d: not noticed", name, at)
			}
			n, err := repair(t, m, h.honest)
			if err != nil || m.Damage() != nil {
				t.Fatalf("%s, byte %d: not repaired: %v, %v", name, at, err, m.Damage())
			}
			if got := contents(t, dir); !bytes.Equal(got[name], want[name]) {
				t.Fatalf("%s, byte %d: repaired to other bytes", name, at)
			}
			asked += n
		}
		// What follows from other files is not asked for.
		if local := name == "leaves" || strings.HasPrefix(name, "hashes"); local && asked > 0 {
			t.Errorf("%s: a peer was asked for %d envelopes", name, asked)
		}
	}
	mustEqual(t, m, h.at[6])
}

func TestADamagedDirectoryOpensAndIsRepaired(t *testing.T) {
	t.Parallel() // its time is fsync
	h := newHistory(t)
	origin := t.TempDir()
	if err := h.follower(t, origin, 6).Close(); err != nil {
		t.Fatal(err)
	}
	want := contents(t, origin)
	harms := map[string]func(dir string){
		"the ledger removed": func(dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "ledger")); err != nil {
				t.Fatal(err)
			}
		},
		"half of the state":   func(dir string) { edit(t, dir, "../state", func(b []byte) []byte { return b[:len(b)/2] }) },
		"a byte of the state": func(dir string) { edit(t, dir, "../state", flipAt(100)) },
		"the synced mark":     func(dir string) { edit(t, dir, "synced", flipAt(3)) },
		"the format":          func(dir string) { edit(t, dir, "FORMAT", flipAt(3)) },
	}
	for _, name := range files {
		size := len(want[name])
		harms[name+" removed"] = func(dir string) {
			if err := os.Remove(filepath.Join(dir, "ledger", name)); err != nil {
				t.Fatal(err)
			}
		}
		harms[name+" empty"] = func(dir string) { edit(t, dir, name, func([]byte) []byte { return nil }) }
		harms[name+" cut to a third"] = func(dir string) { edit(t, dir, name, func(b []byte) []byte { return b[:size/3] }) }
		harms[name+" without its last byte"] = func(dir string) { edit(t, dir, name, func(b []byte) []byte { return b[:size-1] }) }
		harms[name+" zeroed at the end"] = func(dir string) { edit(t, dir, name, zeroFrom(size*2/3, size-size*2/3)) }
		harms[name+" with another last byte"] = func(dir string) { edit(t, dir, name, flipAt(size-1)) }
		harms[name+" with another first byte"] = func(dir string) { edit(t, dir, name, flipAt(0)) }
	}
	for what, harm := range harms {
		dir := crash(t, origin)
		harm(dir)
		m, err := machine.Open(dir, h.net.Genesis)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if _, _, err := m.Examine(0, 1<<40); err != nil {
			t.Errorf("%s: examine: %v", what, err)
		}
		if _, err := repair(t, m, h.honest); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		mustEqual(t, m, h.at[6])
		for name, got := range contents(t, dir) {
			if !bytes.Equal(got, want[name]) {
				t.Errorf("%s: %s is repaired to other bytes", what, name)
			}
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestADamagedMachineAppliesAndAnswersNotYet(t *testing.T) {
	h := newHistory(t)
	dir := t.TempDir()
	m := h.follower(t, dir, 5)
	edit(t, dir, "bodies", flipAt(0))
	if _, _, err := m.Envelope(0); !errors.Is(err, machine.ErrGap) || errors.Is(err, ledger.ErrDamaged) {
		t.Errorf("envelope: %v, want ErrGap", err)
	}
	if err := m.Damage(); err == nil || !strings.Contains(err.Error(), "1 damaged envelope") {
		t.Errorf("damage: %v", err)
	}
	apply(t, m, h.log[5].raw, h.log[5].logTime)
	if _, err := repair(t, m, h.honest); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, m, h.at[6])
	if e, _, err := m.Envelope(0); err != nil || e.ID() != h.net.Genesis.ID() {
		t.Errorf("after the repair: %v", err)
	}
}

func TestApplyWaitsForTheIndexThatItLooksUp(t *testing.T) {
	h := newHistory(t)
	dir := t.TempDir()
	m := h.follower(t, dir, 6)
	edit(t, dir, "envelopes.idx", flipAt(5*80+20)) // of hospital 1's last envelope
	if _, err := m.Check(h.log[0].raw, now); !errors.Is(err, machine.ErrGap) {
		t.Errorf("check: %v, want ErrGap", err)
	}
	answer := make(chan machine.Outcome, 1)
	go func() {
		out, err := m.Apply(h.log[0].raw, now) // sent again: it walks the index
		if err != nil {
			t.Error(err)
		}
		answer <- out
	}()
	if _, err := repair(t, m, h.honest); err != nil {
		t.Fatal(err)
	}
	for len(answer) == 0 { // it may have met the damage after the repair of the first
		if _, err := repair(t, m, h.honest); err != nil {
			t.Fatal(err)
		}
	}
	if out := <-answer; !out.Duplicate || out.Number != 1 {
		t.Errorf("got %+v, want the original place", out)
	}
}

func TestALyingPeerRepairsNothing(t *testing.T) {
	t.Parallel() // its time is fsync
	h := newHistory(t)
	third := entries(t, h.follower(t, t.TempDir(), 2).View(), h.net.Hospitals[0], 101, 2) // for envelope 3, another attempt
	broken := bytes.Clone(h.log[2].raw)
	broken[len(broken)-1] ^= 1
	for name, tc := range map[string]struct {
		file string
		lie  sent
	}{
		"another envelope of the same sender and size": {"bodies", sent{third.Marshal(), h.log[2].logTime}},
		"another envelope into a lost index":           {"envelopes.idx", sent{third.Marshal(), h.log[2].logTime}},
		"another log time":                             {"envelopes", sent{h.log[2].raw, h.log[2].logTime + 1}},
		"another place's envelope":                     {"bodies", h.log[4]},
		"a broken envelope":                            {"salts", sent{broken, h.log[2].logTime}},
		"garbage":                                      {"envelopes", sent{[]byte("garbage"), now}},
	} {
		dir := t.TempDir()
		m := h.damaged(t, dir, func() {
			at, err := h.voter.Ledger().LengthsAt(3)
			if err != nil {
				t.Fatal(err)
			}
			off := map[string]uint64{"bodies": at.BodiesBytes, "envelopes": at.EnvelopesBytes,
				"envelopes.idx": at.IndexBytes, "salts": at.SaltsBytes}[tc.file]
			edit(t, dir, tc.file, flipAt(int(off)+5))
			if tc.file == "envelopes.idx" { // and what could mend it
				edit(t, dir, "envelopes", flipAt(int(at.EnvelopesBytes)+9))
			}
		})
		if _, _, err := m.Examine(0, 1<<40); err != nil {
			t.Fatal(err)
		}
		if _, err := repair(t, m, func(uint64) sent { return tc.lie }); !errors.Is(err, machine.ErrMended) {
			t.Errorf("%s: got %v, want ErrMended", name, err)
		}
		if m.Damage() == nil {
			t.Errorf("%s: taken for repaired", name)
		}
		if _, _, err := m.Envelope(3); !errors.Is(err, machine.ErrGap) {
			t.Errorf("%s: served: %v", name, err)
		}
		again := open(t, crash(t, dir), h.net.Genesis) // the lie lies on the disk, and is forgotten
		if _, _, err := again.Examine(0, 1<<40); err != nil {
			t.Fatal(err)
		}
		for what, m := range map[string]*machine.Machine{"": m, ", after a crash": again} {
			_, err := repair(t, m, h.honest)
			if errors.Is(err, machine.ErrMended) { // it took the lie for its own
				_, err = repair(t, m, h.honest)
			}
			if err != nil {
				t.Errorf("%s%s: an honest peer does not help: %v", name, what, err)
			}
			mustEqual(t, m, h.at[6])
		}
	}
}

func TestAnotherLogsLedgerIsNoDamage(t *testing.T) {
	h := newHistory(t)
	m := h.follower(t, t.TempDir(), 4)
	if err := m.Settle(); err != nil {
		t.Errorf("a sound ledger: %v", err)
	}
	if err := m.Noticed(fmt.Errorf("a proof that fails: %w", ledger.ErrDamaged)); !errors.Is(err, machine.ErrGap) {
		t.Errorf("noticed: %v", err)
	}
	if asked, err := repair(t, m, h.honest); err != nil || asked != 0 || m.Damage() != nil {
		t.Errorf("a false alarm: %d asked, %v", asked, err)
	}
}
