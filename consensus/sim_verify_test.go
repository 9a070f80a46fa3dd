package consensus

import (
	"bytes"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/slot"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

// witness is what was seen from outside the nodes while a scenario ran.
type witness struct {
	mu          sync.Mutex
	built       map[envelope.ID]bool // by hospitals
	acks        []sent               // what hospitals were answered
	receipts    []seenReceipt
	cosigned    map[string]map[uint64]tlog.Hash // by voter and size
	checkpoints []tlog.Checkpoint
	audits      []audit
	elapsed     time.Duration // simulated
	fills       atomic.Int64  // questions by voters with a gap
}

type seenReceipt struct {
	index uint64
	leaf  []byte
	under tlog.Checkpoint
}

// audit is what a voter's files held at some moment.
type audit struct {
	node  string
	size  uint64 // largest it had cosigned
	holds map[envelope.ID]bool
}

func (w *witness) sent(id envelope.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.built[id] = true
}

func (w *witness) acknowledge(raw []byte, out Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acks = append(w.acks, sent{raw, out})
}

// any returns an envelope that was acknowledged.
func (w *witness) any(rng *mathrand.Rand) (sent, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.acks) == 0 {
		return sent{}, false
	}
	return w.acks[rng.IntN(len(w.acks))], true
}

func (w *witness) receipted(index uint64, leaf []byte, under tlog.SignedCheckpoint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.receipts = append(w.receipts, seenReceipt{index, leaf, under.Checkpoint})
}

// cosigned takes note of a cosignature that left a voter.
func (s *sim) cosigned(node string, c tlog.Checkpoint) {
	w := &s.seen
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cosigned[node] == nil {
		w.cosigned[node] = map[uint64]tlog.Hash{}
	}
	if before, ok := w.cosigned[node][c.Size]; ok && before != c.Root {
		s.violate("%s cosigned two roots for size %d", node, c.Size)
	}
	w.cosigned[node][c.Size] = c.Root
}

// noted takes note of a checkpoint that left a node.
func (s *sim) noted(node string, note []byte) {
	sc, err := tlog.ParseSignedCheckpoint(note)
	if err != nil {
		s.violate("checkpoint of %s: %v", node, err)
		return
	}
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	s.seen.checkpoints = append(s.seen.checkpoints, sc.Checkpoint)
}

func (w *witness) largestCosigned(node string) (largest uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for size := range w.cosigned[node] {
		largest = max(largest, size)
	}
	return largest
}

// audit looks at a running voter's files as they are at this moment.
func (s *sim) audit(id string) {
	if s.node(id) == nil {
		return
	}
	dir := s.photograph(id)
	s.examine(id, dir)
	if err := os.RemoveAll(dir); err != nil {
		s.t.Error(err)
	}
}

// examine notes which envelopes a voter's files hold whatever happens to its
// machine: the fsynced part of its ledger, and its Raft log.
func (s *sim) examine(id, dir string) {
	cosigned := s.seen.largestCosigned(id)
	if cosigned == 0 {
		return
	}
	a := audit{node: id, size: cosigned, holds: map[envelope.ID]bool{}}
	err := errors.Join(a.addLedger(filepath.Join(dir, "ledger")), a.addLog(filepath.Join(dir, "raft", "log.db")))
	recorded, readErr := readCosigned(dir)
	if err = errors.Join(err, readErr); err != nil {
		s.violate("files of %s: %v", id, err)
		return
	}
	if recorded.Size < cosigned {
		s.violate("%s has cosigned %d, but its files say %d", id, cosigned, recorded.Size)
	}
	s.seen.audits = append(s.seen.audits, a)
}

// readCosigned reads what a voter's files say that it cosigned last.
func readCosigned(dir string) (cosigned, error) {
	raw, err := slot.Read(cosignedPath(dir))
	if err != nil {
		return cosigned{}, err
	}
	return decodeCosigned(raw)
}

func (a *audit) addLedger(dir string) error {
	l, err := ledger.OpenReadOnly(dir)
	if err != nil {
		return err
	}
	defer l.Close()
	for n := range l.SyncedLengths().Envelopes {
		meta, err := l.Meta(n)
		if err != nil {
			return err
		}
		a.holds[meta.ID] = true
	}
	return nil
}

func (a *audit) addLog(path string) error {
	store, err := logstore.Open(path, logstore.Options{Fatal: func(error) {}})
	if err != nil {
		return err
	}
	defer store.Close()
	first, err := store.FirstIndex()
	if err != nil {
		return err
	}
	last, err := store.LastIndex()
	if err != nil {
		return err
	}
	for i := max(first, 1); i <= last; i++ {
		var l raft.Log
		if err := store.GetLog(i, &l); err != nil {
			return err
		}
		if l.Type != raft.LogCommand || len(l.Data) == 0 {
			continue
		}
		_, raw, err := decodeCommand(l.Data)
		if err != nil {
			return err
		}
		e, err := envelope.Decode(raw)
		if err != nil {
			return err
		}
		a.holds[e.ID()] = true
	}
	return nil
}

// derived is a log derived again from the envelopes in a node's files.
type derived struct {
	envelopes []sent
	ids       []envelope.ID
	leaves    [][]byte
	roots     map[uint64]tlog.Hash // by size, at the end of each envelope
}

// derive applies the envelopes of a ledger to a new state and compares every
// leaf and the root.
func derive(dir string, genesis *envelope.Envelope) (*derived, error) {
	l, err := ledger.OpenReadOnly(filepath.Join(dir, "ledger"))
	if err != nil {
		return nil, err
	}
	defer l.Close()
	s, first, err := state.Found(genesis)
	if err != nil {
		return nil, err
	}
	d := &derived{roots: map[uint64]tlog.Hash{}}
	d.add(s, genesis, genesis.SignedAt, first)
	for n := uint64(1); n < l.Lengths().Envelopes; n++ {
		p, err := ReadEnvelope(l, n)
		if err != nil {
			return nil, err
		}
		e, err := envelope.Decode(p.Envelope)
		if err != nil {
			return nil, fmt.Errorf("envelope %d: %w", n, err)
		}
		commitments := e.Commitments()
		logTime, refusal := s.Admit(e, p.LogTime, commitments)
		if refusal != nil || logTime != p.LogTime {
			return nil, fmt.Errorf("envelope %d: refusal %v, log time %d of %d", n, refusal, p.LogTime, logTime)
		}
		d.add(s, e, logTime, s.Accept(e, logTime, commitments))
	}
	for i, want := range d.leaves {
		if leaf, err := l.Leaf(uint64(i)); err != nil || !bytes.Equal(leaf, want) {
			return nil, fmt.Errorf("leaf %d is not its envelope's: %v", i, err)
		}
	}
	if root, err := tlog.RootAt(l, uint64(len(d.leaves))); err != nil || root != s.Tree.Root() {
		return nil, fmt.Errorf("root is not the leaves': %v", err)
	}
	return d, nil
}

func (d *derived) add(s *state.State, e *envelope.Envelope, logTime uint64, a state.Accepted) {
	d.envelopes = append(d.envelopes, sent{e.Marshal(), Outcome{
		Number: a.Number, First: a.First, Count: e.Count, LogTime: logTime, ID: e.ID()}})
	d.ids = append(d.ids, e.ID())
	d.leaves = append(d.leaves, a.Leaves...)
	d.roots[s.Tree.Size()] = s.Tree.Root()
}

// verify judges a scenario from its files and from what was seen, with nothing
// of the nodes left running.
func (s *sim) verify() {
	d, err := derive(s.dirs[s.ids[0]], s.founded.Genesis)
	if err != nil {
		s.violate("log of %s: %v", s.ids[0], err)
		return
	}
	s.verifyCopies()
	s.verifyOnce(d)
	s.verifyAnswers(d)
	s.verifyRoots(d)
	s.verifyAudits(d)
}

// verifyCopies compares all nodes' ledgers, byte for byte.
func (s *sim) verifyCopies() {
	for _, name := range []string{"leaves", "hashes.0", "hashes.8", "hashes.16", "hashes.24",
		"envelopes", "envelopes.idx", "bodies", "bodies.idx", "salts"} {
		want, err := os.ReadFile(filepath.Join(s.dirs[s.ids[0]], "ledger", name))
		for _, id := range s.ids[1:] {
			got, err2 := os.ReadFile(filepath.Join(s.dirs[id], "ledger", name))
			if err := errors.Join(err, err2); err != nil || !bytes.Equal(got, want) {
				s.violate("%s of %s is not that of %s: %v", name, id, s.ids[0], err)
			}
		}
	}
}

// verifyOnce checks that the log holds each hospital's chain in order and once,
// and nothing that no hospital built.
func (s *sim) verifyOnce(d *derived) {
	next := map[uint32]uint64{}
	for n, x := range d.envelopes {
		e, err := envelope.Decode(x.raw)
		if err != nil {
			s.violate("envelope %d: %v", n, err)
			return
		}
		if next[e.Hospital]++; e.Sequence != next[e.Hospital] {
			s.violate("envelope %d is hospital %d's #%d, want #%d", n, e.Hospital, e.Sequence, next[e.Hospital])
		}
		if n > 0 && !s.seen.built[d.ids[n]] {
			s.violate("envelope %d was built by no hospital", n)
		}
	}
}

// verifyAnswers checks that every acknowledged envelope has the place it was
// given, and every receipt its leaf.
func (s *sim) verifyAnswers(d *derived) {
	for _, a := range s.seen.acks {
		out := a.out
		out.Duplicate = false
		if out.Number >= uint64(len(d.envelopes)) {
			s.violate("acknowledged envelope %d is lost: the log ends at %d", out.Number, len(d.envelopes))
		} else if x := d.envelopes[out.Number]; x.out != out || !bytes.Equal(x.raw, a.raw) {
			s.violate("acknowledged envelope %d is not where it was said to be: %+v, said %+v", out.Number, x.out, out)
		}
	}
	for _, r := range s.seen.receipts {
		if r.index >= uint64(len(d.leaves)) || !bytes.Equal(d.leaves[r.index], r.leaf) {
			s.violate("entry %d has a receipt and is lost", r.index)
		}
		s.seen.checkpoints = append(s.seen.checkpoints, r.under)
	}
}

// verifyRoots checks that whatever was cosigned or announced for a size is the
// root of the log at that size.
func (s *sim) verifyRoots(d *derived) {
	for node, sizes := range s.seen.cosigned {
		for size, root := range sizes {
			if d.roots[size] != root {
				s.violate("%s cosigned another root for size %d than the log has", node, size)
			}
		}
	}
	for _, c := range s.seen.checkpoints {
		if d.roots[c.Size] != c.Root {
			s.violate("a checkpoint at %d has another root than the log", c.Size)
		}
	}
}

// verifyAudits checks that at each audit the voter's files held every envelope
// below what it had cosigned.
func (s *sim) verifyAudits(d *derived) {
	for _, a := range s.seen.audits {
		for n, x := range d.envelopes {
			if x.out.First < a.size && !a.holds[d.ids[n]] {
				s.violate("%s has cosigned %d, but envelope %d is not in its files", a.node, a.size, n)
				break
			}
		}
	}
}
