package evaluation

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/daemon/peer"
	"github.com/raresync/raresync/registry/act"
)

// shown says which of the lies others can be shown.
var shown = []string{"evaluated with another share", "a proof of nothing", "the blinded elements sent back"}

// unsigned are answers that nobody may have signed: no holder is accused.
var unsigned = []string{"another holder's answer", "a signature with a flipped bit", "the other half of the signature flipped", "nothing"}

func TestALyingHolderIsNamedWithEvidenceThatOthersCheck(t *testing.T) {
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, five())
			w.bend["h2"] = func(_ context.Context, e, honest peer.Evaluation) (peer.Evaluation, error) { return lie(w, e, honest) }
			w.pseudonyms("h1", identities(2))
			w.services["h1"].suspects.workers.Wait()
			alarms := w.alarms("h1")
			switch {
			case slices.Contains(shown, name):
				if len(w.acts) != 1 || !strings.Contains(alarms, "share holder Hospital 2 (2) (epoch 1)") || !strings.Contains(alarms, "evidence is posted") {
					t.Fatalf("%d acts, alarms: %s", len(w.acts), alarms)
				}
				f, err := act.DecodeFalsehood(w.acts[0].Payload)
				must(t, err)
				if holder, epoch, err := w.node.view.CheckFalsehood(f); err != nil || holder != 2 || epoch != 1 || w.acts[0].Type != act.TypeFalsehood {
					t.Errorf("the evidence shows holder %d in epoch %d: %v", holder, epoch, err)
				}
			case slices.Contains(unsigned, name):
				if len(w.acts) != 0 || alarms != "" {
					t.Errorf("what nobody signed: %d acts, alarms: %s", len(w.acts), alarms)
				}
			default:
				if len(w.acts) != 0 || !strings.Contains(alarms, "others cannot be shown") {
					t.Errorf("%d acts, alarms: %s", len(w.acts), alarms)
				}
			}
		})
	}
}

// liesFrom makes holder 2 answer falsely to batches of at least n elements.
func (w *world) liesFrom(n int) {
	w.bend["h2"] = func(_ context.Context, e, honest peer.Evaluation) (peer.Evaluation, error) {
		if len(e.Elements) < n {
			return honest, nil
		}
		return lies["a proof of nothing"](w, e, honest)
	}
}

func TestAHolderThatLiesToALargeBatchIsAskedAgainForOneElement(t *testing.T) {
	for name, tc := range map[string]struct {
		from, acts int
		alarm      string
	}{
		"and lies again":         {1, 1, "evidence is posted"},
		"and is right about few": {65, 0, "asked again for one element it was right"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, five())
			w.liesFrom(tc.from)
			w.pseudonyms("h1", identities(act.MaxFalsehoodElements+1))
			w.services["h1"].suspects.workers.Wait()
			alarms := w.alarms("h1")
			if len(w.acts) != tc.acts || !strings.Contains(alarms, tc.alarm) || !strings.Contains(w.logged.text(), tc.alarm) {
				t.Errorf("%d acts, alarms: %s", len(w.acts), alarms)
			}
			if tc.acts == 1 {
				f, err := act.DecodeFalsehood(w.acts[0].Payload)
				must(t, err)
				if _, _, err := w.node.view.CheckFalsehood(f); err != nil || len(f.Elements) != 1 {
					t.Errorf("evidence of %d elements: %v", len(f.Elements), err)
				}
			}
		})
	}
}

// alarms joins what a hospital says of holders in English, and fails where it
// does not say it in Chinese too.
func (w *world) alarms(hospital string) (all string) {
	w.t.Helper()
	for _, a := range w.services[hospital].Alarms() {
		if !strings.Contains(a.ZH, "作出虚假应答") || strings.Count(a.ZH, "；") == 0 {
			w.t.Errorf("in Chinese %q is %q", a.EN, a.ZH)
		}
		all += a.EN + "\n"
	}
	return all
}

func TestAHolderIsAccusedOnceAndNotIfTheLogHasIt(t *testing.T) {
	w := newWorld(t, five())
	w.liesFrom(1)
	for range 3 {
		w.pseudonyms("h1", identities(2))
		w.services["h1"].suspects.workers.Wait()
	}
	if len(w.acts) != 1 {
		t.Errorf("%d acts by one hospital, want 1", len(w.acts))
	}
	w.node.view.Falsehoods = []state.Falsehood{{Epoch: 1, Holder: 2, Reporter: 1, Envelope: 7}}
	w.pseudonyms("h3", identities(2))
	w.services["h3"].suspects.workers.Wait()
	if len(w.acts) != 1 || len(w.services["h3"].Alarms()) != 0 {
		t.Errorf("%d acts, alarms %v, though the log has it", len(w.acts), w.services["h3"].Alarms())
	}
}

// resharing is a node whose network's shares may be replaced at any time.
type resharing struct {
	*testNode
	epoch atomic.Uint32
}

func (n *resharing) View() *state.State {
	view := *n.view
	view.OPRF.Epoch = n.epoch.Load()
	return &view
}

// refusing is a line to holders that count who asked for which epoch, and
// refuse.
type refusing func(epoch uint32)

func (r refusing) Evaluate(_ context.Context, _ string, e peer.Evaluation) (peer.Evaluation, error) {
	req, err := pseudonym.DecodeRequest(e.Message)
	if err == nil {
		r(req.Epoch)
	}
	return peer.Evaluation{}, errDown
}

func TestAnEpochThatChangesInMidBatchIsAskedAgainOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		changes uint32         // of the epoch, each while its holders are asked
		want    map[uint32]int // requests of each epoch, to the others of five holders
	}{
		"never": {0, map[uint32]int{1: 4}},
		"once":  {1, map[uint32]int{1: 4, 2: 5}},
		"twice": {2, map[uint32]int{1: 4, 2: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, five())
			node := &resharing{testNode: w.node}
			node.epoch.Store(1)
			var mu sync.Mutex
			got := map[uint32]int{}
			c := w.services["h1"].Config
			c.Node, c.Asker = node, refusing(func(epoch uint32) {
				mu.Lock()
				defer mu.Unlock()
				got[epoch]++
				if epoch <= tc.changes {
					node.epoch.Store(epoch + 1)
				}
			})
			s := New(c)
			defer s.Close()
			if _, err := s.Pseudonyms(t.Context(), identities(1)); !errors.Is(err, ErrHolders) || !maps.Equal(got, tc.want) {
				t.Errorf("asked %v, want %v; %v", got, tc.want, err)
			}
		})
	}
}
