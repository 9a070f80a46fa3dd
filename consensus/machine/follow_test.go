package machine_test

import (
	"errors"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// post has a member send an act: the history gets an envelope more.
func (h *history) post(t testing.TB, m *foundingtest.Member, a act.Act) error {
	t.Helper()
	view := h.voter.View()
	member, _ := view.Member(m.Number)
	e, err := envelope.BuildAct(envelope.Link{
		Network: view.Network, Hospital: m.Number, Sequence: member.Chain.Sequence + 1, Attempt: 1, Previous: member.Chain.ID, SignedAt: now,
	}, a.Marshal(), m.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.voter.Apply(e.Marshal(), now+9_000)
	if err == nil && out.Refusal != nil {
		t.Fatal(out.Refusal)
	}
	return err
}

// TestAnActBeyondThisBuildStopsItWhereItIs has a network agree on a level that
// no build has yet.
func TestAnActBeyondThisBuildStopsItWhereItIs(t *testing.T) {
	h := newHistory(t)
	const beyond = act.SupportedLevel + 1
	for i, id := range []string{"h1", "h2", "h3"} {
		d := act.Support{Node: id, Level: beyond}
		if err := h.post(t, h.net.Hospitals[i], act.Act{Version: act.Version, Type: act.TypeSupport, Payload: d.Marshal()}); err != nil {
			t.Fatal(err)
		}
	}
	before := snapshot(t, h.voter)
	raise := act.Act{
		Version: act.Version, Type: act.TypeFeature, RosterVersion: 1, Expiry: now + 60_000, Payload: act.Feature{Level: beyond}.Marshal(),
	}
	for _, m := range h.net.Hospitals[:2] {
		p, err := raise.Approve(h.net.ID, m.Number, m.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		raise.Approvals = append(raise.Approvals, p)
	}
	if err := h.post(t, h.net.Hospitals[0], raise); !errors.Is(err, state.ErrTooOld) {
		t.Fatalf("got %v, want %v", err, state.ErrTooOld)
	}
	mustEqual(t, h.voter, before)
	if err := h.voter.Save(before); err != nil {
		t.Errorf("its copy cannot be saved: %v", err)
	}
}
