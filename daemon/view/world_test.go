package view

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a network with one copy of its log.
type world struct {
	*foundingtest.Network
	t    testing.TB
	m    *machine.Machine
	rng  *mathrand.Rand
	day  uint64 // of the log, from the founding
	last uint64 // entry ids given
}

func newWorld(t testing.TB, seed uint64) *world {
	t.Helper()
	w := &world{Network: foundingtest.New(t, 3), t: t, rng: mathrand.New(mathrand.NewPCG(seed, 1))}
	var err error
	w.m, err = machine.Open(t.TempDir(), w.Genesis)
	must(t, err)
	t.Cleanup(func() { must(t, w.m.Close()) })
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// View, Machine and Wait make the world a node.
func (w *world) View() *state.State        { return w.m.View() }
func (w *world) Machine() *machine.Machine { return w.m }
func (w *world) Wait(ctx context.Context, cond func(*state.State) bool) (*state.State, error) {
	return w.m.Wait(ctx, cond)
}

func (w *world) reader(m *foundingtest.Member) *reader.Reader {
	return reader.New(reader.Config{
		Node: w, Institution: m.Number, Sealing: func() []*seal.ReaderPrivate { return []*seal.ReaderPrivate{m.Sealing} }, Logger: slog.New(slog.DiscardHandler),
	})
}

// view opens a member's view, which follows the log until the test ends. change
// may be nil.
func (w *world) view(m *foundingtest.Member, change func(*Config)) *View {
	w.t.Helper()
	cfg := Config{
		Node: w, Reader: w.reader(m), Institution: m.Number, Dir: w.t.TempDir(), Patience: 5 * time.Minute, Logger: slog.New(slog.DiscardHandler),
		Catalogue: func() (*catalog.Catalog, error) { return catalog.Current(), nil },
	}
	if change != nil {
		change(&cfg)
	}
	v, err := Open(cfg)
	must(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.Run(ctx)
	}()
	w.t.Cleanup(func() {
		cancel()
		<-done
		must(w.t, v.Close())
	})
	return v
}

// link is the next place in a member's chain.
func (w *world) link(m *foundingtest.Member) envelope.Link {
	member, _ := w.m.View().Member(m.Number)
	return envelope.Link{
		Network: w.ID, Hospital: m.Number, Sequence: member.Chain.Sequence + 1, Attempt: 1, Previous: member.Chain.ID,
		SignedAt: foundingtest.SignedAt,
	}
}

func (w *world) accept(e *envelope.Envelope) uint64 {
	w.t.Helper()
	out, err := w.m.Apply(e.Marshal(), foundingtest.SignedAt+1000+w.day*24*3600*1000)
	must(w.t, err)
	if out.Refusal != nil {
		w.t.Fatal(out.Refusal)
	}
	return out.First
}

// send puts entries of a hospital into the log, and returns their indexes.
func (w *world) send(m *foundingtest.Member, entries ...entry.Entry) []uint64 {
	w.t.Helper()
	var plains []envelope.Plain
	for _, e := range entries {
		raw, err := entry.Encode(e)
		must(w.t, err)
		part := seal.Clinical
		if e.IsGenetic() {
			part = seal.Genetic
		}
		plains = append(plains, envelope.Plain{Part: part, CBOR: raw})
	}
	set, _ := w.m.View().ReadersFor(m.Number)
	e, places, err := envelope.BuildEntries(w.link(m), set, plains, m.Envelope, rand.Reader)
	must(w.t, err)
	first := w.accept(e)
	indexes := make([]uint64, len(places))
	for i, p := range places {
		indexes[i] = first + uint64(p)
	}
	return indexes
}

// withdraw has a hospital's entries erased.
func (w *world) withdraw(m *foundingtest.Member, indexes ...uint64) {
	w.t.Helper()
	a := act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: act.Withdrawal{Hospital: m.Number, Entries: spansOf(indexes)}.Marshal()}
	e, err := envelope.BuildAct(w.link(m), a.Marshal(), m.Envelope)
	must(w.t, err)
	w.accept(e)
}

func spansOf(ascending []uint64) (spans []act.Span) {
	for _, i := range ascending {
		if n := len(spans); n > 0 && spans[n-1].End() == i {
			spans[n-1].Count++
			continue
		}
		spans = append(spans, act.Span{First: i, Count: 1})
	}
	return spans
}

func (w *world) pick(n int) int             { return w.rng.IntN(n) }
func (w *world) sometimes(percent int) bool { return w.rng.IntN(100) < percent }

// blank is an entry of a type with an id of its own.
func (w *world) blank(t entry.Type, pseudonym entry.Pseudonym) entry.Entry {
	w.last++
	return entry.Entry{
		Type: t, Profile: entry.Report, ID: sha256.Sum256(fmt.Append(nil, "entry ", w.last)), Pseudonym: pseudonym, Strength: entry.StrengthStrong,
		Source: entry.SourceCSV, Basis: entry.BasisStatutory, Facts: entry.Blank(t),
	}
}

func (w *world) date(years int) entry.Date {
	d := entry.DateOf(time.UnixMilli(foundingtest.SignedAt).AddDate(-years, -w.pick(12), -w.pick(28)))
	switch w.pick(10) {
	case 0:
		d.Day = 0
	case 1:
		d = entry.Date{}
	}
	return d
}

// person is a made-up one, p in the pseudonym.
func person(n int) entry.Pseudonym {
	return entry.Pseudonym{Present: true, Value: sha256.Sum256(fmt.Append(nil, "person ", n))}
}

// registration is a case with what belongs to it.
func (w *world) registration(p entry.Pseudonym) []entry.Entry {
	e := w.blank(entry.TypeCase, p)
	e.Profile, e.Strength = entry.Profile(1+w.pick(3)), entry.Strength(1+w.pick(3))
	e.EventDate = w.date(w.pick(9))
	w.fill(e.Case)
	all := []entry.Entry{e}
	for _, t := range []entry.Type{entry.TypeGenetics, entry.TypeFollowUp, entry.TypeFollowUp, entry.TypeSpecimen, entry.TypeTreatment, entry.TypeDeath, entry.TypeReferral} {
		if w.sometimes(30) {
			one := w.blank(t, p)
			one.EventDate = w.date(w.pick(2))
			w.fillPart(&one)
			one.Facts = one.Under(e.ID)
			all = append(all, one)
		}
	}
	return all
}

func (w *world) fill(c *entry.Case) {
	lists := catalog.Current().All()
	d := lists[w.pick(20)]
	c.Verification, c.Sex, c.Life.Status = entry.Verification(w.pick(5)), entry.Sex(w.pick(5)), entry.Vital(w.pick(6))
	c.Birth = w.date(5 + w.pick(70)).YearMonth()
	c.FirstContact = w.date(1)
	one := entry.Disease{Text: "something rare"}
	switch w.pick(6) {
	case 0:
		one.Codes = []string{"ORPHA:999999"}
	case 1:
	default:
		one.Codes = []string{entry.ListCode(d.List, d.Number)}
	}
	switch w.pick(4) {
	case 0:
		one.Onset = entry.When{Kind: entry.WhenAge, A: fmt.Sprintf("P%dY%dM", w.pick(5), w.pick(12))}
	case 1:
		one.Onset = entry.When{Kind: entry.WhenAtBirth}
	case 2:
		one.Onset = entry.When{Kind: entry.WhenDate, A: "2015-03"}
	}
	if w.sometimes(95) {
		c.Diseases = []entry.Disease{one}
	}
	if w.sometimes(50) {
		c.Department, c.Province = "neurology", "31"
	}
	for range w.pick(3) {
		c.Features = append(c.Features, entry.Feature{Type: entry.Term{ID: "HP:0001250", Label: "Seizure"}, Excluded: w.sometimes(50)})
	}
}

func (w *world) fillPart(e *entry.Entry) {
	switch {
	case e.Genetics != nil:
		e.Genetics.Test, e.Genetics.Stated = entry.TestExome, entry.Result(w.pick(5))
	case e.FollowUp != nil:
		e.FollowUp.Vital, e.FollowUp.Disease = entry.Vital(w.pick(6)), entry.StatusStable
	case e.Specimen != nil:
		e.Specimen.Kind, e.Specimen.Status, e.Specimen.Consent = entry.SpecimenBlood, entry.SpecimenStatus(w.pick(6)), entry.Answer(w.pick(4))
	case e.Treatment != nil:
		e.Treatment.Agent = entry.Term{Label: "Drug " + string(rune('A'+w.pick(3)))}
		e.Treatment.Status, e.Treatment.Reason, e.Treatment.MonthsWaiting = entry.TreatmentStatus(w.pick(5)), entry.StopReason(w.pick(9)), entry.CountOf(uint32(w.pick(30)))
	case e.Referral != nil:
		e.Referral.To, e.Referral.Reason = "entity-1", entry.ReferralDrug
	}
}

// sent is what a hospital has sent.
type sent struct {
	by    *foundingtest.Member
	index uint64
	entry entry.Entry
}

// live has a network register persons, correct, link, stop and withdraw.
func (w *world) live(persons int) (all []sent) {
	w.t.Helper()
	for n := range persons {
		w.day += uint64(w.pick(13))
		for range 1 + w.pick(2) {
			h := w.Hospitals[w.pick(len(w.Hospitals))]
			entries := w.registration(person(n))
			for i, index := range w.send(h, entries...) {
				all = append(all, sent{h, index, entries[i]})
			}
		}
		if n%4 == 0 {
			e := w.blank(entry.TypeIntake, entry.Pseudonym{})
			e.EventDate, e.Strength = entry.Date{Year: 2026, Month: 9, Day: 1}, entry.StrengthNone
			bad := uint32(w.pick(9)) + 1
			e.Intake = &entry.Intake{Offered: []entry.Offered{{Source: entry.SourceCSV, Accepted: 20, Refused: bad}, {Source: entry.SourceFHIR, Known: 3}},
				Refused: []entry.RuleUsed{{Rule: "DX001", Count: 1}, {Rule: "ID002", Count: bad}}}
			w.send(w.Hospitals[w.pick(len(w.Hospitals))], e)
		}
		if n%5 == 4 {
			w.change(all, n)
		}
	}
	return all
}

// change says something of what was sent.
func (w *world) change(all []sent, n int) {
	w.t.Helper()
	w.say(all[w.pick(len(all))], all, n, w.pick(4))
}

// say corrects, stops, links or withdraws.
func (w *world) say(s sent, all []sent, n, what int) {
	w.t.Helper()
	switch what {
	case 0:
		if w.m.View().Withdrawn(s.by.Number, s.index) {
			return
		}
		right := s.entry
		right.EventDate = w.date(1)
		switch {
		case right.Case != nil:
			right.Case = &entry.Case{}
			w.fill(right.Case)
		default:
			right.Facts = entry.Blank(right.Type)
			w.fillPart(&right)
			right.Facts = right.Under(s.entry.BelongsTo())
		}
		e, err := entry.Correct([32]byte{byte(n)}, s.index, s.entry, right, entry.Mistyped, [32]byte{})
		must(w.t, err)
		w.send(s.by, e)
	case 1:
		w.stop(s, entry.Scope(1<<w.pick(6)))
	case 2:
		e := w.blank(entry.TypeAlias, s.entry.Pseudonym)
		e.EventDate = entry.Date{Year: 2026, Month: 9, Day: 1}
		e.Alias = &entry.Alias{Action: entry.Link, Reason: entry.ReasonOther, Old: s.entry.Pseudonym.Value, New: person(10_000 + n).Value, OldType: 1, NewType: 5}
		if w.sometimes(60) {
			e.Alias.New = all[w.pick(len(all))].entry.Pseudonym.Value
		}
		if e.Alias.New != e.Alias.Old {
			w.send(s.by, e)
		}
	case 3:
		w.withdraw(s.by, s.index)
	}
}

// stop has a patient stop some uses of one entry.
func (w *world) stop(s sent, uses entry.Scope) {
	w.t.Helper()
	e := w.blank(entry.TypeConsent, entry.Pseudonym{})
	e.EventDate = entry.Date{Year: 2026, Month: 9, Day: 1}
	e.Consent = &entry.Consent{Status: entry.Stopped, Scope: uses, By: entry.BySelf, Marks: [][32]byte{sha256.Sum256(s.entry.Pseudonym.Value[:])}, Indexes: []uint64{s.index}}
	w.send(s.by, e)
}
