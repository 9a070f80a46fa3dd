//go:build faults

package machine_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/raresync/raresync/consensus/fault/kill"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/registry/envelope"
)

// kept is a history as another process reads it.
type kept struct {
	Genesis []byte
	Log     []keptEnvelope
	At      [][]byte // snapshots
}

type keptEnvelope struct {
	Raw     []byte
	LogTime uint64
}

func (h *history) keep(t *testing.T, dir string) {
	k := kept{Genesis: h.net.Genesis.Marshal()}
	for _, e := range h.log {
		k.Log = append(k.Log, keptEnvelope{e.raw, e.logTime})
	}
	for _, s := range h.at {
		k.At = append(k.At, s.Marshal())
	}
	raw, err := json.Marshal(k)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "history"), raw, 0o600))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// recall reads what keep wrote, with the genesis apart.
func recall(t *testing.T, dir string) (*history, *envelope.Envelope) {
	raw, err := os.ReadFile(filepath.Join(dir, "history"))
	must(t, err)
	var k kept
	must(t, json.Unmarshal(raw, &k))
	genesis, err := envelope.Decode(k.Genesis)
	must(t, err)
	h := &history{}
	for _, e := range k.Log {
		h.log = append(h.log, sent{e.Raw, e.LogTime})
	}
	for _, raw := range k.At {
		s, err := machine.DecodeSnapshot(raw)
		must(t, err)
		h.at = append(h.at, s)
	}
	return h, genesis
}

func TestARepairKilledAtAStepIsDoneAgain(t *testing.T) {
	kill.Each(t, func(dir string) {
		h := newHistory(t)
		must(t, h.follower(t, filepath.Join(dir, "whole"), 6).Close())
		must(t, os.CopyFS(filepath.Join(dir, "node"), os.DirFS(filepath.Join(dir, "whole"))))
		m := open(t, filepath.Join(dir, "node"), h.net.Genesis)
		h.keep(t, dir) // from here on there is something to repair
		for _, name := range []string{"bodies", "leaves", "hashes.0"} {
			edit(t, filepath.Join(dir, "node"), name, flipAt(200))
		}
		_, err := repair(t, m, h.honest)
		must(t, err)
	}, func(dir string) {
		h, genesis := recall(t, dir)
		node := filepath.Join(dir, "node")
		m := open(t, node, genesis)
		if _, _, err := m.Examine(0, 1<<40); err != nil {
			t.Fatal(err)
		}
		_, err := repair(t, m, func(n uint64) sent { return h.log[n-1] })
		must(t, err)
		mustEqual(t, m, h.at[6])
		want := contents(t, filepath.Join(dir, "whole"))
		for name, got := range contents(t, node) {
			if !bytes.Equal(got, want[name]) {
				t.Errorf("%s is repaired to other bytes", name)
			}
		}
	})
}

func TestAGapKilledAtAStepIsFilledAllTheSame(t *testing.T) {
	kill.Each(t, func(dir string) {
		h := newHistory(t)
		h.keep(t, dir)
		m := h.withGap(t, filepath.Join(dir, "node"))
		for _, e := range h.log[1:] {
			fill(t, m, []sent{e})
			must(t, m.SaveProgress())
		}
	}, func(dir string) {
		h, genesis := recall(t, dir)
		m := open(t, filepath.Join(dir, "node"), genesis)
		must(t, m.Restore(h.at[6]))
		if from, _, open := m.Gap(); open {
			fill(t, m, h.log[from-1:])
		}
		mustEqual(t, m, h.at[6])
	})
}
