package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/mesh"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

const (
	hospitals = 11 // as many as a genesis holds beside the coordinator
	voters    = 3

	entriesPerEnvelope = 93
	plaintextBytes     = 480 // pads to 512
)

// network is raresync under measurement: the voters as processes, the other
// hospitals in this program.
type network struct {
	*crew
	procs   []*demo.Process // the voters
	founded *state.State
	policy  *tlog.Policy
	chains  []*chain // by hospital

	envelopes, bytes int64 // sealed so far
}

// chain is a hospital's end of its sequence and what signs the next envelope.
type chain struct {
	link envelope.Link // of the next envelope
	set  *envelope.ReaderSet
	key  *sign.PrivateKey
}

func startNetwork(ctx context.Context, dir, binary string) (*network, error) {
	made, err := demo.Found(dir, binary, hospitals, voters)
	if err != nil {
		return nil, err
	}
	n := &network{procs: made.Hospitals[:voters]}
	if err := n.enlist(made.Hospitals); err != nil {
		return nil, errors.Join(err, n.close())
	}
	for _, p := range n.procs {
		err = errors.Join(err, p.Start())
	}
	for _, p := range n.procs {
		if err == nil {
			err = p.WaitReady(ctx)
		}
	}
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// enlist reads the hospitals' keys, and opens sessions for those that do not
// vote.
func (n *network) enlist(all []*demo.Process) error {
	var mirrors []identity
	for i, p := range all {
		cfg, err := config.Load(p.Config())
		if err != nil {
			return err
		}
		keys, _, err := home.LoadKeys(cfg)
		if err != nil {
			return err
		}
		if n.founded == nil {
			if err := n.readGenesis(cfg); err != nil {
				return err
			}
		}
		c, err := n.newChain(p.Number, keys.Envelope)
		if err != nil {
			return err
		}
		n.chains = append(n.chains, c)
		if i >= voters {
			mirrors = append(mirrors, identity{p.Node, keys.TLS.Ed25519()})
		}
	}
	var err error
	n.crew, err = newCrew(mirrors, n.targets(), n.nodeByKey)
	return err
}

func (n *network) readGenesis(cfg config.Config) error {
	genesis, err := home.ReadGenesis(cfg)
	if err != nil {
		return err
	}
	if n.founded, _, err = state.Found(genesis); err != nil {
		return err
	}
	n.policy, err = consensus.PolicyOf(n.founded)
	return err
}

func (n *network) newChain(number uint32, key *sign.PrivateKey) (*chain, error) {
	m, known := n.founded.Member(number)
	set, readers := n.founded.ReadersFor(number)
	if !known || !readers {
		return nil, fmt.Errorf("hospital %d is not in the genesis", number)
	}
	return &chain{set: set, key: key, link: envelope.Link{
		Network: n.founded.Network, Hospital: number, Attempt: 1,
		Sequence: m.Chain.Sequence + 1, Previous: m.Chain.ID,
	}}, nil
}

func (n *network) targets() []mesh.Target {
	var out []mesh.Target
	for _, v := range n.founded.Voters() {
		out = append(out, mesh.Target{Node: v.ID, Addresses: v.Addresses})
	}
	return out
}

func (n *network) nodeByKey(key [32]byte) (string, bool) {
	i := slices.IndexFunc(n.founded.Nodes, func(node act.Node) bool { return node.TLS.ID() == key })
	if i < 0 {
		return "", false
	}
	return n.founded.Nodes[i].ID, true
}

// seal makes so many envelopes, spread over the hospitals, each hospital's in
// its chain.
func (n *network) seal(envelopes int) ([][][]byte, error) {
	work := make([][][]byte, hospitals)
	problems := make([]error, hospitals)
	var wg sync.WaitGroup
	for h, count := range spreadOver(envelopes, hospitals) {
		wg.Go(func() { work[h], problems[h] = n.chains[h].seal(count) })
	}
	wg.Wait()
	n.count(work...)
	return work, errors.Join(problems...)
}

// sealFor makes the next envelopes of one hospital.
func (n *network) sealFor(hospital, count int) ([][]byte, error) {
	work, err := n.chains[hospital].seal(count)
	n.count(work)
	return work, err
}

func (n *network) count(work ...[][]byte) {
	for _, list := range work {
		for _, raw := range list {
			n.envelopes++
			n.bytes += int64(len(raw))
		}
	}
}

func (c *chain) seal(count int) ([][]byte, error) {
	plain := make([]envelope.Plain, entriesPerEnvelope)
	for i := range plain {
		plain[i] = envelope.Plain{Part: seal.Clinical, CBOR: randomBytes(plaintextBytes)}
	}
	var out [][]byte
	for range count {
		c.link.SignedAt = uint64(time.Now().UnixMilli())
		e, _, err := envelope.BuildEntries(c.link, c.set, plain, c.key, rand.Reader)
		if err != nil {
			return nil, err
		}
		c.link.Sequence, c.link.Previous = c.link.Sequence+1, e.ID()
		out = append(out, e.Marshal())
	}
	return out, nil
}

// aim finds the leader.
func (n *network) aim(ctx context.Context) error {
	for {
		for _, p := range n.procs {
			if s, err := p.Client.Status(ctx); err == nil && s.Leader == p.Node {
				n.crew.aim(p.Node)
				return nil
			}
		}
		if !pause(ctx, statusPause) {
			return ctx.Err()
		}
	}
}

// statusPause is how often a process is asked for its status.
const statusPause = 5 * time.Millisecond

// awaitStatus waits until a process says what cond wants.
func awaitStatus(ctx context.Context, p *demo.Process, cond func(admin.Status) bool) (admin.Status, error) {
	for {
		s, err := p.Client.Status(ctx)
		if err == nil && cond(s) {
			return s, nil
		}
		if !p.Running() {
			return s, fmt.Errorf("%s has ended: see %s", p.Node, p.Log())
		}
		if !pause(ctx, statusPause) {
			return s, ctx.Err()
		}
	}
}

// awaitReceipt waits for a checkpoint of at least size and verifies it.
func (n *network) awaitReceipt(ctx context.Context, size uint64) error {
	note, err := n.client(0).Checkpoint(ctx, n.leader(), size-1)
	if err != nil {
		return err
	}
	c, err := tlog.ParseSignedCheckpoint(note)
	if err != nil {
		return err
	}
	if c.Size < size {
		return fmt.Errorf("checkpoint of %d entries, want %d", c.Size, size)
	}
	_, err = n.policy.Verify(c)
	return err
}

// receiptLag returns how long after the last commit everything committed was
// under a receipt.
func (n *network) receiptLag(ctx context.Context, last time.Time) (time.Duration, error) {
	size := uint64(0)
	for _, p := range n.procs {
		s, err := p.Client.Status(ctx)
		if err != nil {
			return 0, err
		}
		size = max(size, s.Size)
	}
	err := n.awaitReceipt(ctx, size)
	return time.Since(last), err
}

func (n *network) pids() []int {
	var out []int
	for _, p := range n.procs {
		out = append(out, p.PID())
	}
	return out
}

func (n *network) close() error {
	var problems []error
	if n.crew != nil {
		problems = append(problems, n.crew.close())
	}
	for _, p := range n.procs {
		problems = append(problems, p.Stop())
	}
	return errors.Join(problems...)
}
