package integration

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/mesh"
	"github.com/raresync/raresync/daemon/peer"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/phenopacket"
)

// guest is a mirror that runs inside the test in place of a hospital's daemon,
// with its keys and its copy of the log: it can send what no daemon would.
type guest struct {
	n      *network
	keys   *home.Keys
	number uint32 // of its institution
	mesh   *mesh.Mesh
	peers  *peer.Client
	node   *consensus.Node
	stolen *home.Keys // of hospital 1
	reader *home.Keys // of the coordinator

	chain *chain
}

// chain is the end of a hospital's sequence.
type chain struct {
	sequence uint64
	previous envelope.ID
}

func newGuest(t *testing.T, n *network, p *demo.Process) *guest {
	t.Helper()
	must(t, p.Stop())
	cfg, err := config.Load(p.Config())
	must(t, err)
	genesis, err := home.ReadGenesis(cfg)
	must(t, err)
	roster, _, err := state.Found(genesis)
	must(t, err)
	g := &guest{n: n, number: p.Number, keys: keysOf(t, p), stolen: keysOf(t, n.Hospitals[0]), reader: keysOf(t, n.Reader)}
	g.mesh, err = mesh.New(mesh.Config{Self: p.Node, Key: g.keys.TLS.Ed25519(), Lookup: func(key [32]byte) (string, bool) {
		for _, node := range roster.Nodes {
			if node.TLS.ID() == key {
				return node.ID, true
			}
		}
		return "", false
	}})
	must(t, err)
	var voters []mesh.Target
	for _, v := range roster.Voters() {
		voters = append(voters, mesh.Target{Node: v.ID, Addresses: v.Addresses})
	}
	g.mesh.SetPeers(voters)
	g.peers = peer.NewClient(func(ctx context.Context, node string) (net.Conn, error) { return g.mesh.Dial(ctx, node, mesh.ClassAPI) })
	g.node, err = consensus.Open(consensus.Config{
		Self: p.Node, Dir: filepath.Join(p.Dir, "node"), Genesis: genesis, Peers: g.peers,
		Logger: slog.New(slog.DiscardHandler), Now: time.Now, Fatal: func(err error) { t.Error(err) },
	})
	must(t, err)
	t.Cleanup(g.leave)
	n.eventually("the guest", func() error {
		if s := g.node.Status(); !s.Ready {
			return errors.New(s.Why)
		}
		return nil
	})
	self, ok := g.node.View().Member(g.number)
	if !ok || self.Chain.Sequence == 0 {
		t.Fatalf("institution %d has not sent anything yet", g.number)
	}
	g.chain = &chain{self.Chain.Sequence, self.Chain.ID}
	return g
}

// with returns the guest for a subtest to work with, which shares its place in
// the hospital's sequence.
func (g *guest) with(t *testing.T) *guest {
	h := *g
	h.n = g.n.with(t)
	return &h
}

func keysOf(t *testing.T, p *demo.Process) *home.Keys {
	t.Helper()
	cfg, err := config.Load(p.Config())
	must(t, err)
	keys, _, err := home.LoadKeys(cfg)
	must(t, err)
	return keys
}

// leave gives the place back to the hospital's daemon.
func (g *guest) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := errors.Join(g.node.Close(ctx), g.mesh.Close()); err != nil {
		g.n.t.Error(err)
	}
	g.peers.Close()
}

// link is the place of the hospital's next envelope.
func (g *guest) link() envelope.Link {
	return envelope.Link{
		Network: g.node.View().Network, Hospital: g.number, Sequence: g.chain.sequence + 1, Attempt: 1,
		Previous: g.chain.previous, SignedAt: uint64(time.Now().UnixMilli()),
	}
}

// build seals a made-up case.
func (g *guest) build(t *testing.T, l envelope.Link, key *sign.PrivateKey) *envelope.Envelope {
	t.Helper()
	f := madeUpVisits(t, 27, 1)[26].file
	packets, err := phenopacket.Read(f.Name, bytes.NewReader(f.Data), phenopacket.Limits{})
	must(t, err)
	made, err := packets[0].Entries(phenopacket.Options{Key: g.keys.EntryID, Catalog: catalog.Current(), Basis: entry.BasisStatutory})
	must(t, err)
	made.SetPseudonym([32]byte{1}, entry.StrengthLocal)
	plain, err := entry.Encode(made.Case)
	must(t, err)
	set, ok := g.node.View().ReadersFor(g.number)
	if !ok {
		t.Fatal("no readers")
	}
	e, _, err := envelope.BuildEntries(l, set, []envelope.Plain{{Part: seal.Clinical, CBOR: plain}}, key, rand.Reader)
	must(t, err)
	return e
}

// forge changes an envelope's header and signs it again.
func (g *guest) forge(t *testing.T, e *envelope.Envelope, change func(*envelope.Header)) []byte {
	t.Helper()
	h := e.Header
	h.Wraps = slices.Clone(h.Wraps)
	change(&h)
	sig, err := g.keys.Envelope.Sign(e.Kind.Label(), h.Marshal())
	must(t, err)
	return assemble(h.Marshal(), sig.Ed25519[:], sig.MLDSA, e.Bodies)
}

// assemble puts an envelope together from parts that need not fit.
func assemble(header, ed25519, mldsa []byte, bodies []seal.Body) []byte {
	b := cbor.AppendArray(nil, 4)
	b = cbor.AppendBytes(b, header)
	b = cbor.AppendBytes(b, ed25519)
	b = cbor.AppendBytes(b, mldsa)
	b = cbor.AppendArray(b, len(bodies))
	for _, body := range bodies {
		b = cbor.AppendArray(b, 3)
		b = cbor.AppendBytes(b, body.Salt[:])
		b = cbor.AppendBytes(b, body.Tag[:])
		b = cbor.AppendBytes(b, body.Ciphertext)
	}
	return b
}

// everywhere submits the same bytes to each voter and through the mirror.
func (g *guest) everywhere(t *testing.T, raw []byte) map[string]consensus.Outcome {
	t.Helper()
	out := map[string]consensus.Outcome{}
	for _, p := range g.n.Hospitals[:3] {
		g.n.eventually("submit to "+p.Node, func() (err error) {
			out[p.Node], err = g.peers.Submit(g.n.ctx, p.Node, raw)
			return err
		})
	}
	g.n.eventually("submit through the mirror", func() (err error) {
		out["the mirror"], err = g.node.Submit(g.n.ctx, raw)
		return err
	})
	return out
}

// refusedAlike submits bytes everywhere and returns the code they are refused
// with, "" if the answers are not alike.
func (g *guest) refusedAlike(t *testing.T, raw []byte) state.Code {
	t.Helper()
	var code state.Code
	for where, out := range g.everywhere(t, raw) {
		switch {
		case out.Refusal == nil:
			t.Errorf("%s accepted it: %+v", where, out)
			return ""
		case code != "" && out.Refusal.Code != code:
			t.Errorf("%s says %s, another says %s", where, out.Refusal.Code, code)
			return ""
		}
		code = out.Refusal.Code
	}
	return code
}
