package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/envelope"
)

// stocked returns a running network whose voters found a log of so many
// envelopes, each of so many entries, when they started. No Raft made it: this
// program applied the envelopes to the first voter's machine, which verified
// them as ever, put a Raft snapshot beside it, and gave the others the same
// files by hard links. So nothing may be submitted to it. The ciphertexts are
// random bytes, which nobody but a reader can tell.
func (b *bench) stocked(ctx context.Context, dir string, envelopes, entries int) (*network, error) {
	n, err := foundNetwork(dir, b.binary)
	if err != nil {
		return nil, err
	}
	first := filepath.Join(n.procs[0].Dir, "node")
	began := time.Now()
	snapshot, err := n.stock(first, envelopes, entries)
	if err == nil {
		b.results.add(fmt.Sprintf("applied in one process, %d entries each", entries), "entries/s",
			float64(envelopes*entries)/time.Since(began).Seconds())
	}
	for _, p := range n.procs {
		dir := filepath.Join(p.Dir, "node")
		if err == nil && dir != first {
			err = linkTree(first, dir)
		}
	}
	for _, p := range n.procs {
		if err == nil {
			err = n.writeRaft(filepath.Join(p.Dir, "node", "raft"), snapshot)
		}
	}
	if err == nil {
		err = n.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// appliedAtOnce is how many envelopes are made and verified side by side.
const appliedAtOnce = 64

// stock applies envelopes to a new machine and returns its snapshot.
func (n *network) stock(dir string, envelopes, entries int) ([]byte, error) {
	m, err := machine.Open(dir, n.genesis)
	if err != nil {
		return nil, err
	}
	snapshot, err := n.fill(m, envelopes, entries)
	return snapshot, errors.Join(err, m.Close())
}

func (n *network) fill(m *machine.Machine, envelopes, entries int) ([]byte, error) {
	made := make(chan []machine.Command, 2*runtime.NumCPU())
	silent := n.silent()
	failed := make(chan error, len(silent))
	var makers sync.WaitGroup
	for h, count := range spreadOver(envelopes, len(silent)) {
		makers.Go(func() { failed <- silent[h].imitate(made, count, entries) })
	}
	go func() { makers.Wait(); close(made) }()
	var problem error
	for commands := range made {
		if problem != nil {
			continue // the makers end
		}
		outs, err := m.ApplyBatch(commands)
		for _, out := range outs {
			if out.Refusal != nil {
				err = out.Refusal
			}
		}
		problem = err
	}
	for range silent {
		problem = errors.Join(problem, <-failed)
	}
	if problem != nil {
		return nil, problem
	}
	s, err := m.Snapshot()
	if err != nil {
		return nil, err
	}
	return s.Marshal(), m.Save(s)
}

// silent returns the hospitals without a process. One that finds envelopes of
// its own in the log, and nothing of them in its outbox, takes them in, which is
// not what is measured.
func (n *network) silent() (out []*chain) {
	for _, c := range n.chains {
		own := func(p *demo.Process) bool { return p.Number == c.link.Hospital }
		if !slices.ContainsFunc(n.procs, own) && (n.spare == nil || !own(n.spare)) {
			out = append(out, c)
		}
	}
	return out
}

// imitate makes envelopes as [chain.seal] does, with wraps of one that was
// sealed and random ciphertexts: the network cannot tell, and it is faster.
func (c *chain) imitate(made chan<- []machine.Command, count, entries int) error {
	model, _, err := envelope.BuildEntries(c.link, c.set, []envelope.Plain{{Part: seal.Clinical, CBOR: randomBytes(plaintextBytes)}}, c.key, rand.Reader)
	if err != nil {
		return err
	}
	now := uint64(time.Now().UnixMilli())
	for count > 0 {
		commands := make([]machine.Command, min(count, appliedAtOnce))
		for i := range commands {
			e, err := c.imitation(model, entries, now)
			if err != nil {
				return err
			}
			commands[i] = machine.Command{Raw: e.Marshal(), LeaderTime: now}
		}
		count -= len(commands)
		made <- commands
	}
	return nil
}

func (c *chain) imitation(model *envelope.Envelope, entries int, now uint64) (*envelope.Envelope, error) {
	h := model.Header
	h.Sequence, h.Previous, h.SignedAt, h.Count = c.link.Sequence, c.link.Previous, now, uint32(entries)
	bodies := make([]seal.Body, entries)
	random := randomBytes(entries * len(model.Bodies[0].Ciphertext))
	for i := range bodies {
		bodies[i].Ciphertext = random[i*len(model.Bodies[0].Ciphertext) : (i+1)*len(model.Bodies[0].Ciphertext)]
		copy(bodies[i].Salt[:], bodies[i].Ciphertext)
		copy(bodies[i].Tag[:], bodies[i].Ciphertext[32:])
	}
	unsigned := envelope.Envelope{Header: h, Bodies: bodies}
	h.BodiesHash = seal.BodiesHash(unsigned.Commitments())
	header := h.Marshal()
	sig, err := c.key.Sign(h.Kind.Label(), header)
	if err != nil {
		return nil, err
	}
	e, err := envelope.Assemble(header, sig, bodies)
	if err == nil {
		c.follow(e)
	}
	return e, err
}

// stockIndex and stockTerm are the end of a stocked network's Raft log.
const stockIndex, stockTerm = 2, 1

// writeRaft writes what Raft would have left: a term, a log that begins at the
// snapshot, and the snapshot.
func (n *network) writeRaft(dir string, snapshot []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ignore := func(error) {} // the error returned says the same
	stable, err := logstore.OpenStable(filepath.Join(dir, "stable.db"), logstore.StableOptions{Fatal: ignore})
	if err != nil {
		return err
	}
	if err := errors.Join(stable.SetUint64([]byte(logstore.KeyTerm), stockTerm), stable.Close()); err != nil {
		return err
	}
	log, err := logstore.Open(filepath.Join(dir, "log.db"), logstore.Options{Fatal: ignore})
	if err != nil {
		return err
	}
	_, err = log.Anchor(stockIndex, stockTerm)
	if err := errors.Join(err, log.Close()); err != nil {
		return err
	}
	return n.writeSnapshot(dir, snapshot)
}

func (n *network) writeSnapshot(dir string, snapshot []byte) error {
	store, err := logstore.OpenSnapshots(dir, logstore.SnapshotOptions{Written: func(raft.SnapshotMeta) {}, Fatal: func(error) {}})
	if err != nil {
		return err
	}
	var servers []raft.Server
	for _, v := range n.founded.Voters() {
		servers = append(servers, raft.Server{Suffrage: raft.Voter, ID: raft.ServerID(v.ID), Address: raft.ServerAddress(v.ID)})
	}
	_, names := raft.NewInmemTransport("") // writes the names of peers as every transport does
	sink, err := store.Create(raft.SnapshotVersionMax, stockIndex, stockTerm, raft.Configuration{Servers: servers}, 1, names)
	if err != nil {
		return err
	}
	if _, err := sink.Write(snapshot); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

// linkTree makes a directory with the files of another under the same names.
func linkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		return os.Link(path, filepath.Join(to, rel))
	})
}
