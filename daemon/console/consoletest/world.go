package consoletest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/password"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/console"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// Password is that of every account.
const Password = "correct horse battery"

// Hostile is what could do harm on a page: tags, a formula, a mark that turns the
// writing round, and characters of four bytes.
const Hostile = "=1+1<script>alert('x')</script>\"><img src=x onerror=alert(1)>\u202eevil\u202c𠮷🧬"

// World is a console and what it stands on.
type World struct {
	*foundingtest.Network
	Console  *console.Console
	Accounts *site.Accounts
	t        testing.TB
	m        *machine.Machine
	view     *view.View
	last     uint64 // entry ids given
	days     uint64 // of the log, from the founding

	mu     sync.Mutex // guards what follows
	trail  []string
	reads  []string
	denied error // what the audit answers
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// New makes a world with an account for each role, of the role's name, and one of
// each province: beijing and shanghai.
func New(t testing.TB) *World {
	t.Helper()
	w := &World{Network: foundingtest.New(t, 3), t: t}
	var err error
	w.m, err = machine.Open(t.TempDir(), w.Genesis)
	must(t, err)
	t.Cleanup(func() { must(t, w.m.Close()) })
	w.fill()
	w.openView()
	w.openConsole()
	return w
}

// Over opens a console over a log and a view that are there already.
func Over(t testing.TB, m *machine.Machine, v *view.View) *World {
	t.Helper()
	w := &World{t: t, m: m, view: v}
	w.openConsole()
	return w
}

// View, Machine and Wait make the world a node.
func (w *World) View() *state.State { return w.m.View() }

// Machine is the copy of the log.
func (w *World) Machine() *machine.Machine { return w.m }

// Wait waits for a state.
func (w *World) Wait(ctx context.Context, cond func(*state.State) bool) (*state.State, error) {
	return w.m.Wait(ctx, cond)
}

func (w *World) openView() {
	w.t.Helper()
	log := slog.New(slog.DiscardHandler)
	r := reader.New(reader.Config{Node: w, Institution: w.Reader.Number, Sealing: func() []*seal.ReaderPrivate { return []*seal.ReaderPrivate{w.Reader.Sealing} }, Logger: log})
	v, err := view.Open(view.Config{
		Node: w, Reader: r, Institution: w.Reader.Number, Dir: w.t.TempDir(), Patience: 5 * time.Minute, Logger: log,
		Catalogue: func() (*catalog.Catalog, error) { return catalog.Current(), nil },
	})
	must(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { v.Run(ctx) })
	w.t.Cleanup(func() {
		cancel()
		running.Wait()
		must(w.t, v.Close())
	})
	w.view = v
}

func (w *World) openConsole() {
	w.t.Helper()
	dir, small := w.t.TempDir(), password.Params{Time: 1, MemoryKiB: 64, Threads: 1}
	w.Accounts = site.AccountsIn(dir, console.Kind(), small)
	for _, role := range console.Kind().Roles {
		must(w.t, w.Accounts.Add(role, role, "", Password, time.Now()))
	}
	must(w.t, w.Accounts.Add("beijing", console.Coordinator, "11", Password, time.Now()))
	must(w.t, w.Accounts.Add("shanghai", console.Coordinator, "31", Password, time.Now()))
	var err error
	w.Console, err = console.Open(console.Config{
		DataDir: dir, Node: node{w}, Read: w.view.ReadIn, Report: w.report, Audit: w.audit, Record: w.record,
		Catalogue: func() (*catalog.Catalog, error) { return catalog.Current(), nil }, MinCell: func() int { return 11 },
		Institution: [2]string{"National coordinator", "国家协调中心"}, Number: 4, Hash: small, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	must(w.t, err)
}

func (w *World) report(r *http.Request, province string) (made report.Report, err error) {
	o := report.Options{Disease: r.URL.Query().Get("disease"), Nodes: []report.Node{{ID: Hostile, Behind: -1}}, Withdrawals: []report.Withdrawal{{Hospital: Hostile}}}
	return made, w.view.ReadIn(r.Context(), province, func(q view.Query) error {
		made, err = report.Make(q, r.PathValue("name"), o)
		return err
	})
}

func (w *World) audit(ctx context.Context, a site.Account, what string) (context.Context, func(), error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.denied == nil {
		w.reads = append(w.reads, a.Name+": "+what)
	}
	return ctx, func() {}, w.denied
}

func (w *World) record(what string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trail = append(w.trail, what)
	return nil
}

// Deny has no read recorded from now on.
func (w *World) Deny() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.denied = errors.New("the disk is full")
}

// Said returns what was recorded: sign-ins, and reads.
func (w *World) Said() (trail, reads []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.trail...), append([]string(nil), w.reads...)
}

// fill has the hospitals register 60 patients, some at two of them.
func (w *World) fill() {
	w.t.Helper()
	odd := w.admit("odd", Hostile)
	lists := catalog.Current().All()
	for n := range 60 {
		w.days += 6
		by := w.Hospitals[n%3]
		if n%10 == 9 {
			by = odd
		}
		w.register(by, n, lists[n*n%len(lists)], n)
		if n%6 == 0 {
			w.register(w.Hospitals[(n/6+1)%3], n, lists[n*n%len(lists)], n+100)
		}
	}
}

// admit takes a hospital in that is not among the founders.
func (w *World) admit(id, name string) *foundingtest.Member {
	w.t.Helper()
	m := foundingtest.Newcomer(w.t, id, uint32(len(w.m.View().Members)+1))
	m.Card.Institution.NameEN, m.Card.Institution.NameZH = name, "第四"+name
	a := act.Act{
		Version: act.Version, Type: act.TypeAdmission, RosterVersion: w.m.View().RosterVersion, Expiry: foundingtest.SignedAt + 1_000_000,
		Payload: (&act.Admission{Institution: m.Card.Institution, Nodes: m.Card.Nodes}).Marshal(),
	}
	for _, h := range w.Hospitals {
		p, err := a.Approve(w.ID, h.Number, h.Envelope)
		must(w.t, err)
		a.Approvals = append(a.Approvals, p)
	}
	e, err := envelope.BuildAct(w.link(w.Hospitals[0]), a.Marshal(), w.Hospitals[0].Envelope)
	must(w.t, err)
	w.accept(e)
	return m
}

func (w *World) link(m *foundingtest.Member) envelope.Link {
	member, _ := w.m.View().Member(m.Number)
	return envelope.Link{Network: w.ID, Hospital: m.Number, Sequence: member.Chain.Sequence + 1, Attempt: 1, Previous: member.Chain.ID, SignedAt: foundingtest.SignedAt}
}

func (w *World) accept(e *envelope.Envelope) {
	w.t.Helper()
	out, err := w.m.Apply(e.Marshal(), foundingtest.SignedAt+1000+w.days*24*3600*1000)
	must(w.t, err)
	if out.Refusal != nil {
		w.t.Fatal(out.Refusal)
	}
}

// register has a hospital register a patient, with a treatment now and then.
func (w *World) register(m *foundingtest.Member, patient int, d catalog.Disease, n int) {
	w.t.Helper()
	pseudonym := entry.Pseudonym{Present: true, Value: sha256.Sum256(fmt.Append(nil, "patient ", patient))}
	blank := func(t entry.Type) entry.Entry {
		w.last++
		return entry.Entry{
			Type: t, Profile: entry.Report, ID: sha256.Sum256(fmt.Append(nil, "entry ", w.last)), Pseudonym: pseudonym, Strength: entry.StrengthStrong,
			Source: entry.SourceCSV, Basis: entry.BasisStatutory, Facts: entry.Blank(t),
		}
	}
	e := blank(entry.TypeCase)
	e.EventDate = entry.DateOf(time.UnixMilli(foundingtest.SignedAt).AddDate(0, -n%40, -n%27))
	c := e.Case
	c.Verification, c.Sex, c.Life.Status = entry.Verification(n%5), entry.Sex(n%3), entry.Alive
	c.Birth = entry.Date{Year: uint16(1950 + n%70), Month: 5}
	c.Department, c.Province = Hostile, "31"
	one := entry.Disease{Text: Hostile, Onset: entry.When{Kind: entry.WhenDate, A: "2015-03"}}
	if n%7 != 3 {
		one.Codes = []string{entry.ListCode(d.List, d.Number)}
	}
	c.Diseases = []entry.Disease{one}
	if n%2 == 0 {
		c.Features = []entry.Feature{{Type: entry.Term{ID: "HP:0001250", Label: Hostile}}}
	}
	all := []entry.Entry{e}
	if n%4 == 0 {
		t := blank(entry.TypeTreatment)
		t.Treatment.Agent, t.Treatment.Status = entry.Term{Label: Hostile}, entry.TreatmentStarted
		t.Facts = t.Under(e.ID)
		all = append(all, t)
	}
	w.send(m, all...)
}

func (w *World) send(m *foundingtest.Member, entries ...entry.Entry) {
	w.t.Helper()
	var plains []envelope.Plain
	for _, e := range entries {
		raw, err := entry.Encode(e)
		must(w.t, err)
		plains = append(plains, envelope.Plain{Part: seal.Clinical, CBOR: raw})
	}
	set, _ := w.m.View().ReadersFor(m.Number)
	e, _, err := envelope.BuildEntries(w.link(m), set, plains, m.Envelope, rand.Reader)
	must(w.t, err)
	w.accept(e)
}
