package reader

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding"
	"github.com/raresync/raresync/registry/generate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const signedAt = 1_790_000_000_000

// member is an institution with its keys.
type member struct {
	number   uint32
	card     founding.Card
	envelope *sign.PrivateKey
	sealing  *seal.ReaderPrivate
	former   []*seal.ReaderPrivate
}

// network has hospital a in province 11 and hospitals b and c in 31, a
// national reader with and one without the genetics right, and the reader of
// province 31.
type network struct {
	genesis                            *envelope.Envelope
	a, b, c, genetic, clinical, prov31 *member
}

var founded = sync.OnceValues(found)

func found() (*network, error) {
	n := &network{}
	hospital := func(province string) act.Institution {
		return act.Institution{Role: act.RoleHospital, Province: province, Lead: true}
	}
	reader := func(rights act.Rights, province string) act.Institution {
		return act.Institution{Role: act.RoleReader, Rights: rights, Province: province}
	}
	var cards []founding.Card
	var members []*member
	for i, who := range []struct {
		m **member
		i act.Institution
	}{
		{&n.a, hospital("11")}, {&n.b, hospital("31")}, {&n.c, hospital("31")},
		{&n.genetic, reader(act.RightNational|act.RightGenetics, "")}, {&n.clinical, reader(act.RightNational, "")},
		{&n.prov31, reader(act.RightProvince, "31")},
	} {
		m, err := newMember(i+1, who.i)
		if err != nil {
			return nil, err
		}
		*who.m = m
		cards, members = append(cards, m.card), append(members, m)
	}
	draft, err := founding.NewDraft(founding.Plan{
		Dealt: true,
		Name:  "test.example/network", Demo: true, Policy: act.DefaultPolicy(), Cards: cards,
		Identity: pseudonym.Params{KDF: 1, Time: 1, MemoryKiB: 64, Parallelism: 1}, Catalogue: act.Catalogue{Edition: "test"},
	}, rand.Reader)
	if err != nil {
		return nil, err
	}
	var approvals []act.Approval
	for _, m := range members {
		p, err := draft.Approve(m.number, m.envelope)
		if err != nil {
			return nil, err
		}
		approvals = append(approvals, p)
	}
	n.genesis, err = draft.Finish(approvals, signedAt, n.a.envelope)
	return n, err
}

func newMember(number int, i act.Institution) (*member, error) {
	m := &member{number: uint32(number)}
	keys := map[sign.Purpose]*sign.PrivateKey{}
	for _, p := range []sign.Purpose{
		sign.PurposeEnvelope, sign.PurposeRequest, sign.PurposeResponse, sign.PurposeTLS, sign.PurposeLog, sign.PurposeCosign,
	} {
		var err error
		if keys[p], err = sign.Generate(p); err != nil {
			return nil, err
		}
	}
	var err error
	if m.sealing, err = seal.GenerateReader(); err != nil {
		return nil, err
	}
	m.envelope = keys[sign.PurposeEnvelope]
	i.Entity, i.NameEN = fmt.Sprint("entity-", number), fmt.Sprint("Institution ", number)
	i.Envelope, i.Request, i.Response = m.envelope.Public(), keys[sign.PurposeRequest].Public(), keys[sign.PurposeResponse].Public()
	i.Sealing = m.sealing.Public()
	kind := act.Voter
	if i.Role == act.RoleReader {
		kind = act.Mirror
	}
	m.card = founding.Card{Institution: i, Nodes: []act.Node{{
		ID: fmt.Sprint("n", number), Kind: kind, Addresses: []string{"127.0.0.1:8470"}, TLS: keys[sign.PurposeTLS].Public(),
		Log: keys[sign.PurposeLog].Public(), Cosign: keys[sign.PurposeCosign].Public(),
	}}}
	return m, nil
}

// node is a copy of the log.
type node struct{ m *machine.Machine }

func (n node) View() *state.State        { return n.m.View() }
func (n node) Machine() *machine.Machine { return n.m }
func (n node) Wait(ctx context.Context, cond func(*state.State) bool) (*state.State, error) {
	return n.m.Wait(ctx, cond)
}

// world is the network with one copy of its log.
type world struct {
	*network
	t    *testing.T
	node node
}

func newWorld(t *testing.T) *world {
	t.Helper()
	n, err := founded()
	must(t, err)
	m, err := machine.Open(t.TempDir(), n.genesis)
	must(t, err)
	t.Cleanup(func() { must(t, m.Close()) })
	return &world{network: n, t: t, node: node{m}}
}

// keys are the member's sealing keys on its node.
func (m *member) keys() []*seal.ReaderPrivate {
	return append([]*seal.ReaderPrivate{m.sealing}, m.former...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// reader returns a member's reader, whose watch keeps its place in dir.
func (w *world) reader(m *member, dir string, p Poster) *Reader {
	return New(Config{
		Node: w.node, Institution: m.number, Sealing: m.keys, Dir: dir, Poster: p, Logger: slog.New(slog.DiscardHandler),
	})
}

// link is the next place in a hospital's chain.
func (w *world) link(m *member) envelope.Link {
	member, _ := w.node.View().Member(m.number)
	return envelope.Link{
		Network: w.node.View().Network, Hospital: m.number, Sequence: member.Chain.Sequence + 1, Attempt: 1,
		Previous: member.Chain.ID, SignedAt: signedAt,
	}
}

// build seals plaintexts as a hospital does, to a reader set that change bends.
func (w *world) build(m *member, plains []envelope.Plain, change func(*envelope.ReaderSet)) *envelope.Envelope {
	w.t.Helper()
	set, _ := w.node.View().ReadersFor(m.number)
	set.National = append([]envelope.Reader(nil), set.National...)
	if change != nil {
		change(set)
	}
	e, _, err := envelope.BuildEntries(w.link(m), set, plains, m.envelope, rand.Reader)
	must(w.t, err)
	return e
}

// forge lets a sender change an envelope, commit to it and sign it.
func (w *world) forge(m *member, e *envelope.Envelope, change func(*envelope.Header, []seal.Body)) *envelope.Envelope {
	w.t.Helper()
	out := envelope.Envelope{Header: e.Header, Bodies: append([]seal.Body(nil), e.Bodies...)}
	out.Wraps = append([]seal.Wrap(nil), e.Wraps...)
	change(&out.Header, out.Bodies)
	out.BodiesHash = seal.BodiesHash(out.Commitments())
	header := out.Header.Marshal()
	sig, err := m.envelope.Sign(out.Kind.Label(), header)
	must(w.t, err)
	env, err := envelope.Assemble(header, sig, out.Bodies)
	must(w.t, err)
	return env
}

// accept puts an envelope into the log and returns its first index.
func (w *world) accept(e *envelope.Envelope) (first, number uint64) {
	w.t.Helper()
	out, err := w.node.m.Apply(e.Marshal(), signedAt+1000)
	must(w.t, err)
	if out.Refusal != nil {
		w.t.Fatal(out.Refusal)
	}
	return out.First, out.Number
}

// post seals plaintexts and puts them into the log.
func (w *world) post(m *member, plains []envelope.Plain) (first, number uint64) {
	w.t.Helper()
	return w.accept(w.build(m, plains, nil))
}

// plaintexts are the entries of a made-up patient with genetics and visits,
// the case first.
func plaintexts(t *testing.T) []envelope.Plain {
	t.Helper()
	for f := range generate.Files(generate.Options{
		Seed: 7, Hospitals: 1, Patients: 50, Today: entry.Date{Year: 2026, Month: 11, Day: 22}, Catalog: catalog.Current(),
	}) {
		taken := &keeper{}
		in := intake.New(intake.Config{Pseudonymiser: taken, Outbox: taken, Now: func() time.Time { return time.UnixMilli(signedAt) }})
		_, err := in.Take(t.Context(), []intake.File{{Name: f.Name, Data: f.Raw}}, 0)
		must(t, err)
		if len(taken.plains) >= 4 && strings.Contains(string(f.Raw), "interpretations") {
			return taken.plains
		}
	}
	t.Fatal("no patient with genetics and visits")
	return nil
}

type keeper struct{ plains []envelope.Plain }

func (k *keeper) Pseudonyms(_ context.Context, identities [][]byte) (out []pseudonym.Pseudonym, err error) {
	for _, x := range identities {
		out = append(out, sha256.Sum256(x))
	}
	return out, nil
}

func (k *keeper) AddEntries(_ context.Context, groups [][]outbox.Entry) ([][]outbox.Placed, error) {
	out := make([][]outbox.Placed, len(groups))
	for i, g := range groups {
		out[i] = make([]outbox.Placed, len(g))
		for _, e := range g {
			k.plains = append(k.plains, e.Plain)
		}
	}
	return out, nil
}

// poster takes an act once, as the outbox does.
type poster struct {
	acts  []act.Unopenable
	known map[[32]byte]bool
	calls int
	after func() // called after each act
}

func (p *poster) AddAct(ctx context.Context, a act.Act) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	p.calls++
	id := sha256.Sum256(a.Marshal())
	if p.known[id] {
		return 0, nil
	}
	if p.known == nil {
		p.known = map[[32]byte]bool{}
	}
	p.known[id] = true
	u, err := act.DecodeUnopenable(a.Payload)
	p.acts = append(p.acts, u)
	if p.after != nil {
		p.after()
	}
	return uint64(len(p.acts)), err
}
