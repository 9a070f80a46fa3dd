package foundingtest

import (
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding"
)

// SignedAt is the genesis' signed-at, and so the first log time, in ms.
const SignedAt = 1_790_000_000_000

// Member is an institution with its secret keys and its one node's.
type Member struct {
	Number   uint32
	Card     founding.Card
	Envelope *sign.PrivateKey
	Request  *sign.PrivateKey
	Response *sign.PrivateKey
	Sealing  *seal.ReaderPrivate
	Node     string
	TLS      *sign.PrivateKey
	Log      *sign.PrivateKey
	Cosign   *sign.PrivateKey
	Share    keyshare.Share // hospitals only
}

// Network is a founded demo network: hospitals 1..n with a voter each (node
// "h1", "h2", ...), then one national reader with the genetics right and a
// mirror (node "reader").
type Network struct {
	Genesis   *envelope.Envelope
	ID        [32]byte
	Hospitals []*Member
	Reader    *Member
}

// New founds a network of the given number of hospitals, which must be odd.
func New(t testing.TB, hospitals int) *Network {
	t.Helper()
	return NewWithMirrors(t, hospitals, 1)
}

// NewWithMirrors founds a network whose reader has up to four mirrors: node
// "reader", then "reader2", "reader3" and "reader4".
func NewWithMirrors(t testing.TB, hospitals, mirrors int) *Network {
	t.Helper()
	return newNetwork(t, hospitals, mirrors, true)
}

// NewKeyless founds a network as New does, whose hospitals have not made their
// key yet: they hold no shares.
func NewKeyless(t testing.TB, hospitals int) *Network {
	t.Helper()
	return newNetwork(t, hospitals, 1, false)
}

func newNetwork(t testing.TB, hospitals, mirrors int, dealt bool) *Network {
	t.Helper()
	n := &Network{}
	var cards []founding.Card
	for i := range hospitals {
		m := newMember(t, fmt.Sprintf("h%d", i+1), act.Voter, act.Institution{
			Role: act.RoleHospital, Entity: fmt.Sprintf("entity-%d", i+1),
			NameZH: fmt.Sprintf("第%d医院", i+1), NameEN: fmt.Sprintf("Hospital %d", i+1), Province: province(i), Lead: true,
		})
		m.Number = uint32(i + 1)
		n.Hospitals = append(n.Hospitals, m)
		cards = append(cards, m.Card)
	}
	n.Reader = newMember(t, "reader", act.Mirror, act.Institution{
		Role: act.RoleReader, Entity: "entity-reader", NameZH: "国家协调中心", NameEN: "National coordinator",
		Rights: act.RightNational | act.RightGenetics,
	})
	n.Reader.Number = uint32(hospitals + 1)
	for i := 2; i <= mirrors; i++ {
		more := newMember(t, fmt.Sprintf("reader%d", i), act.Mirror, act.Institution{})
		n.Reader.Card.Nodes = append(n.Reader.Card.Nodes, more.Card.Nodes...)
	}
	n.found(t, append(cards, n.Reader.Card), dealt)
	return n
}

// province is that of a founder: the third is elsewhere.
func province(i int) string {
	if i == 2 {
		return "31"
	}
	return "11"
}

// Newcomer returns a hospital that is not among the founders, with a mirror and
// the number it would be admitted under.
func Newcomer(t testing.TB, node string, number uint32) *Member {
	t.Helper()
	m := newMember(t, node, act.Mirror, act.Institution{
		Role: act.RoleHospital, Entity: "entity-" + node, NameZH: "新医院", NameEN: "New hospital", Province: "11",
	})
	m.Number = number
	m.Card.Nodes[0].Institution, m.Card.Nodes[0].Addresses = number, nil
	return m
}

func newMember(t testing.TB, node string, kind act.NodeKind, i act.Institution) *Member {
	t.Helper()
	m := &Member{Node: node}
	for p, k := range map[sign.Purpose]**sign.PrivateKey{
		sign.PurposeEnvelope: &m.Envelope, sign.PurposeRequest: &m.Request, sign.PurposeResponse: &m.Response,
		sign.PurposeTLS: &m.TLS, sign.PurposeLog: &m.Log, sign.PurposeCosign: &m.Cosign,
	} {
		var err error
		if *k, err = sign.Generate(p); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if m.Sealing, err = seal.GenerateReader(); err != nil {
		t.Fatal(err)
	}
	i.Envelope, i.Request, i.Response = m.Envelope.Public(), m.Request.Public(), m.Response.Public()
	i.Sealing = m.Sealing.Public()
	m.Card = founding.Card{Institution: i, Nodes: []act.Node{{
		ID: node, Kind: kind, Addresses: []string{"127.0.0.1:8470"},
		TLS: m.TLS.Public(), Log: m.Log.Public(), Cosign: m.Cosign.Public(),
	}}}
	return m
}

func (n *Network) found(t testing.TB, cards []founding.Card, dealt bool) {
	t.Helper()
	draft, err := founding.NewDraft(founding.Plan{
		Dealt: dealt,
		Name:  "test.example/network", Demo: true, Policy: act.DefaultPolicy(), Cards: cards,
		Identity:  pseudonym.Params{KDF: 1, Time: 1, MemoryKiB: 64, Parallelism: 1},
		Catalogue: act.Catalogue{Edition: "test"},
	}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var approvals []act.Approval
	for _, m := range append(n.Hospitals, n.Reader) {
		p, err := draft.Approve(m.Number, m.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		approvals = append(approvals, p)
		if m == n.Reader {
			continue
		}
		if m.Share, _, err = draft.Share(m.Number, m.Sealing); err != nil {
			t.Fatal(err)
		}
	}
	if n.Genesis, err = draft.Finish(approvals, SignedAt, n.Hospitals[0].Envelope); err != nil {
		t.Fatal(err)
	}
	n.ID = draft.Act.NetworkID()
}
