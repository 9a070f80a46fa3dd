package reader

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// watch runs a member's watch until it has seen the whole log.
func (w *world) watch(m *member, dir string, p *poster) {
	w.t.Helper()
	r := w.reader(m, dir, p)
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	seen := &seenAll{node: w.node, cancel: cancel}
	r.cfg.Node = seen
	must(w.t, r.Watch(ctx))
	if !seen.done && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		w.t.Error("the watch did not come to the end of the log")
	}
}

// seenAll ends the watch when it waits for what is not there yet.
type seenAll struct {
	node
	cancel context.CancelFunc
	done   bool
}

func (s *seenAll) Wait(ctx context.Context, cond func(*state.State) bool) (*state.State, error) {
	if !cond(s.View()) {
		s.done = true
		s.cancel()
	}
	return s.node.Wait(ctx, cond)
}

func TestEachBadEnvelopeIsReportedOnce(t *testing.T) {
	for name, c := range cheats {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			plains := plaintexts(t)
			w.post(w.a, plains)
			_, number := w.accept(c.make(w, plains))
			w.post(w.b, plains)
			dir, p := t.TempDir(), &poster{}
			w.watch(w.genetic, dir, p)
			if len(p.acts) != 1 {
				t.Fatalf("%d acts are posted, want 1: %v", len(p.acts), p.acts)
			}
			u := p.acts[0]
			if u.Envelope != number || u.Code != c.code || u.Reader != w.genetic.sealing.Public().ID() || (u.Place == act.WholeEnvelope) != c.all {
				t.Errorf("posted %+v, want %s of envelope %d, whole: %v", u, c.code, number, c.all)
			}
			calls := p.calls
			w.watch(w.genetic, dir, p)
			if len(p.acts) != 1 || p.calls != calls {
				t.Errorf("after a restart %d acts and %d calls, want 1 and %d", len(p.acts), p.calls, calls)
			}
			w.accept(c.make(w, plains))
			w.watch(w.genetic, dir, p)
			if len(p.acts) != 2 {
				t.Errorf("after a second bad envelope %d acts, want 2", len(p.acts))
			}
		})
	}
}

func TestACrashBetweenReportAndPlaceReportsNothingTwice(t *testing.T) {
	w := newWorld(t)
	plains := plaintexts(t)
	bad := cheats["another key for the reader than for the others"]
	for range 3 {
		w.accept(bad.make(w, plains))
	}
	dir, p := t.TempDir(), &poster{}
	for range 3 { // each run dies right after its first act
		ctx, cancel := context.WithCancel(t.Context())
		p.after = cancel
		must(t, w.reader(w.genetic, dir, p).Watch(ctx))
		cancel()
	}
	p.after = nil
	w.watch(w.genetic, dir, p)
	if len(p.acts) != 3 || p.acts[0].Envelope == p.acts[1].Envelope || p.acts[1].Envelope == p.acts[2].Envelope {
		t.Errorf("reported %+v, want three envelopes, each once", p.acts)
	}
}

func TestGoodEnvelopesAreNotReportedWhateverTheRights(t *testing.T) {
	w := newWorld(t)
	plains := plaintexts(t)
	for _, m := range []*member{w.a, w.b, w.c, w.a} {
		w.post(m, plains)
	}
	for name, m := range map[string]*member{"national": w.genetic, "without genetics": w.clinical, "province": w.prov31} {
		p := &poster{}
		dir := t.TempDir()
		w.watch(m, dir, p)
		if p.calls != 0 {
			t.Errorf("%s: reported %+v", name, p.acts)
		}
		if _, err := os.Stat(filepath.Join(dir, "watched")); err != nil {
			t.Errorf("%s: no place is kept: %v", name, err)
		}
	}
}

func TestAProvinceReaderDoesNotJudgeOtherProvinces(t *testing.T) {
	w := newWorld(t)
	w.accept(w.forge(w.a, w.build(w.a, plaintexts(t), nil), func(h *envelope.Header, _ []seal.Body) {
		for i := range h.Wraps {
			h.Wraps[i].Data[1199] ^= 1
		}
	}))
	p := &poster{}
	w.watch(w.prov31, t.TempDir(), p)
	if p.calls != 0 {
		t.Errorf("reported %+v", p.acts)
	}
	w.watch(w.clinical, t.TempDir(), p)
	if len(p.acts) != 1 {
		t.Errorf("the national reader reported %+v, want one act", p.acts)
	}
}

func TestAHospitalReportsNothing(t *testing.T) {
	w := newWorld(t)
	plains := plaintexts(t)
	for _, c := range cheats {
		w.accept(c.make(w, plains))
	}
	p := &poster{}
	w.watch(w.c, t.TempDir(), p)
	if p.calls != 0 {
		t.Errorf("%d acts are posted", p.calls)
	}
}

func TestADamagedPlaceIsNamed(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "watched"), []byte("damaged"), 0o600))
	if err := w.reader(w.genetic, dir, &poster{}).Watch(t.Context()); err == nil {
		t.Error("a damaged place is read over")
	}
}
