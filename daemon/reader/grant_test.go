package reader

import (
	"crypto/rand"
	"errors"
	"slices"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
)

// postAct puts a member's act into the log and returns its envelope number.
func (w *world) postAct(m *member, a act.Act) uint64 {
	w.t.Helper()
	e, err := envelope.BuildAct(w.link(m), a.Marshal(), m.envelope)
	must(w.t, err)
	_, number := w.accept(e)
	return number
}

// admit lets a new reader in.
func (w *world) admit(i act.Institution) *member {
	w.t.Helper()
	number := len(w.node.View().Members) + 1
	i.Role = act.RoleReader
	m, err := newMember(number, i)
	must(w.t, err)
	node := m.card.Nodes[0]
	node.Institution, node.Addresses = m.number, nil
	w.postAct(w.a, w.approved(act.TypeAdmission, (&act.Admission{Institution: m.card.Institution, Nodes: []act.Node{node}}).Marshal()))
	return m
}

// approved is an act that every hospital approves.
func (w *world) approved(kind act.Type, payload []byte) act.Act {
	w.t.Helper()
	view := w.node.View()
	a := act.Act{Version: act.Version, Type: kind, RosterVersion: view.RosterVersion, Expiry: signedAt + 1_000_000, Payload: payload}
	for _, m := range []*member{w.a, w.b, w.c} {
		if got, _ := view.Member(m.number); !got.Lead {
			continue
		}
		p, err := a.Approve(view.Network, m.number, m.envelope)
		must(w.t, err)
		a.Approvals = append(a.Approvals, p)
	}
	return a
}

// grant has a member grant a range of envelopes to another.
func (w *world) grant(by, to *member, from, end uint64) (last Granting) {
	w.t.Helper()
	must(w.t, w.reader(by, w.t.TempDir(), nil).Grant(w.t.Context(), to.number, from, end, func(a act.Act) error {
		w.postAct(by, a)
		return nil
	}, func(p Granting) { last = p }))
	return last
}

// opened returns what a member opens, and what of it has a problem.
func (w *world) opened(m *member) (indexes []uint64, problems map[uint64]string) {
	w.t.Helper()
	problems = map[uint64]string{}
	for o, err := range w.reader(m, w.t.TempDir(), nil).Entries(w.t.Context(), 0, 0) {
		must(w.t, err)
		if o.Problem != "" {
			problems[o.Index] = o.Problem
			continue
		}
		indexes = append(indexes, o.Index)
	}
	return indexes, problems
}

func TestANewReaderOpensWhatItIsGrantedAndNothingElse(t *testing.T) {
	w := newWorld(t)
	plains := plaintexts(t)
	var first, number [4]uint64
	for i := range first {
		first[i], number[i] = w.post([]*member{w.a, w.b}[i%2], plains)
	}
	size := uint64(len(plains))
	fresh := w.admit(act.Institution{Rights: act.RightNational | act.RightGenetics})
	if got, problems := w.opened(fresh); len(got)+len(problems) != 0 {
		t.Fatalf("before any grant it opens %v, problems %v", got, problems)
	}
	others, _ := w.opened(w.prov31)
	if p := w.grant(w.genetic, fresh, number[1], number[3]); p.Envelopes != 2 || p.Closed+p.Had != 0 {
		t.Errorf("granted %+v", p)
	}
	var want []uint64
	for i := 1; i <= 2; i++ {
		for n := range size {
			want = append(want, first[i]+n)
		}
	}
	if got, problems := w.opened(fresh); !slices.Equal(got, want) || len(problems) != 0 {
		t.Errorf("opens %v, want %v; problems %v", got, want, problems)
	}
	if got, _ := w.opened(w.prov31); !slices.Equal(got, others) || len(got) == 0 {
		t.Errorf("another reader opens %v, want what it did before: %v", got, others)
	}
	if p := w.grant(w.genetic, fresh, 0, 1<<40); p.Envelopes != 2 || p.Had != 2 {
		t.Errorf("granted again: %+v, want the two that were left", p)
	}
	if p := w.grant(w.genetic, fresh, 0, 1<<40); p.Envelopes != 0 || p.Had != 4 {
		t.Errorf("granted a third time: %+v, want nothing new", p)
	}
	if got, problems := w.opened(fresh); len(got) != int(4*size) || len(problems) != 0 {
		t.Errorf("opens %d entries in the end, want %d; problems %v", len(got), 4*size, problems)
	}
	w.post(w.a, plains)
	if p := w.grant(w.genetic, fresh, 0, 1<<40); p.Envelopes != 0 || p.Had != 5 {
		t.Errorf("what was sealed to it: %+v, want nothing new", p)
	}
}

func TestAGrantGivesNoMoreThanTheRecipientsRights(t *testing.T) {
	w := newWorld(t)
	plains := plaintexts(t)
	genetics := 0
	for _, p := range plains {
		if p.Part == seal.Genetic {
			genetics++
		}
	}
	_, a := w.post(w.a, plains)
	_, b := w.post(w.b, plains)
	clinical := w.admit(act.Institution{Rights: act.RightNational})
	regional := w.admit(act.Institution{Rights: act.RightProvince | act.RightGenetics, Province: "11"})
	w.grant(w.genetic, clinical, a, b+1)
	w.grant(w.a, regional, 0, b+1)
	for name, tc := range map[string]struct {
		m    *member
		want int
	}{
		"without the genetics right":         {clinical, 2 * (len(plains) - genetics)},
		"of one province, from its hospital": {regional, len(plains)},
	} {
		got, problems := w.opened(tc.m)
		if len(got) != tc.want || len(problems) != 0 {
			t.Errorf("%s: opens %d entries, want %d; problems %v", name, len(got), tc.want, problems)
		}
	}
	env, _, err := w.node.m.Envelope(a)
	must(t, err)
	r := w.reader(clinical, t.TempDir(), nil)
	keys, granted, err := r.unlock(w.node.View(), a, env, seal.Rights{Clinical: true})
	if err != nil || !granted || keys.HasGenetic {
		t.Errorf("unlocked %t, genetic key there: %t, %v", granted, keys.HasGenetic, err)
	}
	err = w.reader(w.genetic, t.TempDir(), nil).Grant(t.Context(), w.a.number, 0, 1, nil, nil)
	if !errors.Is(err, ErrRecipient) {
		t.Errorf("a grant to a hospital: %v, want ErrRecipient", err)
	}
}

func TestAWrongKeyInAGrantIsRefusedByNameAndAccusesNoHospital(t *testing.T) {
	w := newWorld(t)
	plains := plaintexts(t)[:1]
	index, number := w.post(w.a, plains)
	fresh := w.admit(act.Institution{Rights: act.RightNational})
	env, _, err := w.node.m.Envelope(number)
	must(t, err)
	honest, err := env.Unwrap(w.clinical.sealing)
	must(t, err)
	wrong := honest
	wrong.Clinical[0] ^= 1
	giver := w.clinical.sealing.Public().ID()
	post := func(by *member, keys seal.Opened, spoil func(*act.Grant)) {
		g := act.Grant{Recipient: fresh.number, From: by.sealing.Public().ID(), To: fresh.sealing.Public().ID(), Keys: []act.Granted{{Envelope: number}}}
		g.Keys[0].Wrap, err = env.Grant(g.From).Wrap(fresh.sealing.Public(), keys, seal.Rights{Clinical: true}, rand.Reader)
		must(t, err)
		spoil(&g)
		w.postAct(by, act.Act{Version: act.Version, Type: act.TypeGrant, Payload: g.Marshal()})
	}
	for name, spoil := range map[string]func(*act.Grant){
		"a wrong key":            func(*act.Grant) {},
		"a wrap that is damaged": func(g *act.Grant) { g.Keys[0].Wrap[3] ^= 1 },
	} {
		post(w.clinical, wrong, spoil)
		if got, problems := w.opened(fresh); len(got) != 0 || problems[index] != "SEAL003" {
			t.Errorf("%s: opens %v, problems %v, want SEAL003", name, got, problems)
		}
	}
	p := &poster{}
	r := w.reader(fresh, t.TempDir(), p)
	must(t, r.try(t.Context(), w.node.View(), number))
	if len(p.acts) != 0 {
		t.Error("the hospital is accused of what the giver did")
	}
	post(w.b, honest, func(*act.Grant) {}) // a hospital gives what is not its own
	if got, _ := w.opened(fresh); len(got) != 0 {
		t.Error("a key from a hospital that did not send the envelope was used")
	}
	post(w.clinical, honest, func(*act.Grant) {})
	if got, problems := w.opened(fresh); !slices.Equal(got, []uint64{index}) || len(problems) != 0 {
		t.Errorf("after an honest grant by %s: opens %v, problems %v", giver, got, problems)
	}
}

func TestARotatedReaderOpensOldEntriesUntilTheKeyIsOffline(t *testing.T) {
	w := newWorld(t)
	plains := plaintexts(t)[:1]
	before, number := w.post(w.a, plains)
	old := w.clinical.sealing
	fresh, err := seal.GenerateReader()
	must(t, err)
	w.postAct(w.clinical, act.Act{Version: act.Version, Type: act.TypeRotation, Payload: (&act.Rotation{
		Institution: w.clinical.number, Sealing: fresh.Public(),
	}).Marshal()})
	after, _ := w.post(w.a, plains)
	m := *w.clinical
	m.sealing, m.former = fresh, []*seal.ReaderPrivate{old}
	if got, problems := w.opened(&m); !slices.Equal(got, []uint64{before, after}) || len(problems) != 0 {
		t.Errorf("with both keys it opens %v, want %v; problems %v", got, []uint64{before, after}, problems)
	}
	m.former = nil
	got, problems := w.opened(&m)
	if !slices.Equal(got, []uint64{after}) || problems[before] != "SEAL004" {
		t.Errorf("with the old key offline it opens %v, problems %v, want SEAL004 for %d", got, problems, before)
	}
	p := &poster{}
	must(t, w.reader(&m, t.TempDir(), p).try(t.Context(), w.node.View(), number))
	if len(p.acts) != 0 {
		t.Error("the hospital is accused of a key that is offline")
	}
}

func TestEntriesOfARevokedKeyAreFlagged(t *testing.T) {
	w := newWorld(t)
	plains := plaintexts(t)[:1]
	var numbers [3]uint64
	for i := range numbers {
		_, numbers[i] = w.post(w.a, plains)
	}
	w.postAct(w.a, act.Act{Version: act.Version, Type: act.TypeRevoke, Payload: act.Revocation{
		Institution: w.a.number, Key: w.a.envelope.Public().ID(), Since: numbers[1],
	}.Marshal()})
	var got []bool
	for o, err := range w.reader(w.clinical, t.TempDir(), nil).Entries(t.Context(), 0, 0) {
		must(t, err)
		if o.Entry.Type == entry.TypeGenetics || o.Problem != "" {
			t.Errorf("entry %d: %+v", o.Index, o.Problem)
		}
		got = append(got, o.Doubtful)
	}
	if !slices.Equal(got, []bool{false, true, true}) {
		t.Errorf("doubtful: %v, want all but the first", got)
	}
}

func TestAGrantOfManyEnvelopesTakesSeveralActs(t *testing.T) {
	w := newWorld(t)
	plains := plaintexts(t)[:1]
	const n = act.MaxGranted + 2
	for range n {
		w.post(w.a, plains)
	}
	fresh := w.admit(act.Institution{Rights: act.RightNational})
	acts := 0
	must(t, w.reader(w.clinical, t.TempDir(), nil).Grant(t.Context(), fresh.number, 0, 1<<40, func(a act.Act) error {
		acts++
		w.postAct(w.clinical, a)
		return nil
	}, func(Granting) {}))
	if acts != 2 {
		t.Errorf("%d acts for %d envelopes", acts, n)
	}
	if got, problems := w.opened(fresh); len(got) != n || len(problems) != 0 {
		t.Errorf("opens %d entries of %d, problems %v", len(got), n, problems)
	}
}
