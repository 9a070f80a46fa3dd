package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
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
	hospitals = 16 // that submit
	founders  = 11 // of them: as many as a genesis holds beside the coordinator
	voters    = 3
)

// network is raresync under measurement: the voters as processes, the other
// hospitals in this program.
type network struct {
	*crew
	procs   []*demo.Process // the voters
	spare   *demo.Process   // a hospital's mirror, which does not run yet
	made    *demo.Network
	founded *state.State
	genesis *envelope.Envelope
	policy  *tlog.Policy
	chains  []*chain // by hospital

	committed, bytes atomic.Int64 // envelopes
}

// startNetwork founds a network, starts its voters, and lets the hospitals in
// for which the genesis has no room.
func startNetwork(ctx context.Context, dir, binary string) (*network, error) {
	n, err := foundNetwork(dir, binary)
	if err != nil {
		return nil, err
	}
	err = n.start(ctx)
	if err == nil {
		err = n.admitOthers(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// foundNetwork founds a network of processes that do not run yet. The last
// founder's sessions are left to its own process.
func foundNetwork(dir, binary string) (*network, error) {
	return foundNetworkWith(act.DefaultPolicy(), dir, binary)
}

func foundNetworkWith(policy act.Policy, dir, binary string) (*network, error) {
	made, err := demo.FoundWith(policy, demo.FreeAddress, dir, binary, founders, voters)
	if err != nil {
		return nil, err
	}
	n := &network{made: made, procs: made.Hospitals[:voters], spare: made.Hospitals[founders-1]}
	for _, p := range append(n.procs[:voters:voters], n.spare) {
		// The bound that protects a hospital's line would be all that is measured.
		if err := set(p.Config(), "fetch_kib_per_second", 2048, 0); err != nil {
			return nil, err
		}
	}
	if err := n.enlist(made.Hospitals); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// set gives a node another value for a setting, which its configuration shows
// with the default as a comment, or has from the last time.
func set(path, key string, from, to int) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	line := fmt.Sprintf("%s = %d\n", key, from)
	changed := strings.Replace(string(text), "#"+line, line, 1)
	changed = strings.Replace(changed, line, fmt.Sprintf("%s = %d\n", key, to), 1)
	if changed == string(text) {
		return fmt.Errorf("%s has no %s", path, key)
	}
	return os.WriteFile(path, []byte(changed), 0o600)
}

// start starts the voters and waits until all are ready.
func (n *network) start(ctx context.Context) error {
	for _, p := range n.procs {
		if err := p.Start(); err != nil {
			return err
		}
	}
	for _, p := range n.procs {
		if _, err := awaitStatus(ctx, p, func(s admin.Status) bool { return s.Ready }); err != nil {
			return err
		}
	}
	return nil
}

// enlist reads the founders' keys, and opens sessions for those that do not
// vote.
func (n *network) enlist(all []*demo.Process) error {
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
		if i < voters || p == n.spare {
			continue
		}
		if err := n.join(identity{p.Node, keys.TLS.Ed25519()}); err != nil {
			return err
		}
	}
	return nil
}

func (n *network) readGenesis(cfg config.Config) (err error) {
	if n.genesis, err = home.ReadGenesis(cfg); err != nil {
		return err
	}
	if n.founded, _, err = state.Found(n.genesis); err != nil {
		return err
	}
	n.crew = newCrew(n.targets(), n.nodeByKey)
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
		out = append(out, mesh.Target{Node: v.ID, Addresses: v.Addresses, NoRaft: true})
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

// commit sends an envelope until it is committed; a refusal is an error.
func (n *network) commit(ctx context.Context, client int, raw []byte) (consensus.Outcome, error) {
	out, err := n.submit(ctx, client, raw)
	if err == nil && out.Refusal != nil {
		err = out.Refusal
	}
	if err == nil {
		n.committed.Add(1)
		n.bytes.Add(int64(len(raw)))
	}
	return out, err
}

// window lets every hospital commit its envelopes, or as many as the limit has
// time for.
func (n *network) window(ctx context.Context, work [][][]byte, limit time.Duration) (window, error) {
	w, err := measureWindow(ctx, n.pids(), counts(work), limit, func(ctx context.Context, client, i int) error {
		_, err := n.commit(ctx, client, work[client][i])
		return err
	})
	for client, done := range w.done {
		n.chains[client].rewind(done)
	}
	return w, err
}

// load commits so many envelopes of all hospitals.
func (n *network) load(ctx context.Context, envelopes int) error {
	work, err := n.seal(envelopes)
	if err != nil {
		return err
	}
	_, err = n.window(ctx, work, 0)
	return err
}

// pids returns the voters' processes, those that run.
func (n *network) pids() []int {
	var out []int
	for _, p := range n.procs {
		if p.Running() {
			out = append(out, p.PID())
		}
	}
	return out
}

func (n *network) close() error {
	var problems []error
	if n.crew != nil {
		problems = append(problems, n.crew.close())
	}
	for _, p := range append(n.procs, n.spare) {
		problems = append(problems, p.Stop())
	}
	return errors.Join(problems...)
}
