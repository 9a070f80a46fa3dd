package consensus

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/machine"
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
	withdrawals []simWithdrawal      // of these
	receipts    []seenReceipt
	cosigned    map[string]map[uint64]tlog.Hash // by voter and size
	checkpoints []tlog.Checkpoint
	audits      []audit
	elapsed     time.Duration // simulated
	fills       atomic.Int64  // questions by voters with a gap
	pulled      map[pulledEnvelope]bool
}

// pulledEnvelope is an envelope that a node gave to a peer.
type pulledEnvelope struct {
	number, logTime uint64
	hash            [sha256.Size]byte
}

// served takes note of what a node gave to a peer.
func (w *witness) served(from uint64, list []Pulled) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, p := range list {
		w.pulled[pulledEnvelope{from + uint64(i), p.LogTime, sha256.Sum256(p.Envelope)}] = true
	}
}

type seenReceipt struct {
	node  string // that gave it
	index uint64
	leaf  []byte
	proof []byte
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

func (w *witness) receipted(r seenReceipt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.receipts = append(w.receipts, r)
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
	err := errors.Join(a.addLedger(filepath.Join(dir, "ledger")), a.addLog(filepath.Join(dir, "raft")))
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

func (a *audit) addLog(dir string) error {
	store, err := logstore.Open(filepath.Join(dir, "log.db"), logstore.Options{Fatal: func(error) {}})
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
	snapshots, err := logstore.OpenSnapshots(dir, logstore.SnapshotOptions{
		Written: func(raft.SnapshotMeta) {}, Fatal: func(error) {}})
	if err != nil {
		return err
	}
	if newest, found := snapshots.Newest(); found && first > newest.Index {
		return fmt.Errorf("the log starts at %d, the snapshot at %d has lost its record", first, newest.Index)
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
	state     *state.State
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
	d := &derived{state: s, roots: map[uint64]tlog.Hash{}}
	d.add(s, genesis, genesis.SignedAt, first)
	for n := uint64(1); n < l.Lengths().Envelopes; n++ {
		e, given, err := machine.Read(l, n, blankIn(l))
		if err != nil {
			return nil, fmt.Errorf("envelope %d: %w", n, err)
		}
		commitments := e.Commitments()
		logTime, refusal := s.Admit(e, given, commitments)
		if refusal != nil || logTime != given {
			return nil, fmt.Errorf("envelope %d: refusal %v, log time %d of %d", n, refusal, given, logTime)
		}
		d.add(s, e, logTime, s.Accept(e, logTime, commitments))
	}
	if err := onlyWithdrawnIsBlank(l, s); err != nil {
		return nil, err
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
// of the nodes left running. What the package pages promise is checked here, or
// at once while the scenario runs:
//
//	consensus 1  a receipt survives: verifyAnswers; that a majority has it on
//	             disk under a receipt: verifyAudits, at each kill and power cut
//	consensus 2  one root for a size: verifyCopies, verifyRoots
//	consensus 3  in order and once, whoever sends it: verifyOnce, verifyAnswers,
//	             hospitals that send again (check, sendAgain)
//	consensus 4  cosigned is on disk, and for one root: verifyAudits, cosigned
//	consensus 5  erased is in no file and never sent: wantForgotten at each kill
//	             and audit, wantErasedLeftOut, verifyErasures; the tree: derive
//	ledger 1     whole envelopes after a crash: every start after a kill or a
//	             power cut (open), derive
//	ledger 2     what Sync covered is there: examine reads it, and a power cut
//	             leaves no more (cutBack)
//	ledger 3     reads beside appends: receipts and verifyServed
//	machine 1    an error means a failure here: none may come (revive)
//	machine 2    answers are what was applied, none from a gap: verifyServed
//	logstore 1   records come back: addLog, every start
//	logstore 2   a refusal changes nothing: "store refusal", with its audit
//	logstore 4   the snapshot's record stays, nothing uncovered goes: addLog,
//	             verifyAudits
//
// Ledger 4 and logstore 3 are about disks that fail; the packages' own tests
// and integration check them.
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
	s.verifyServed(d)
	s.verifyErasures()
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
		e, err := envelope.DecodeHeld(x.raw)
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
// given, and every receipt its leaf, and the signatures of those who voted then.
func (s *sim) verifyAnswers(d *derived) {
	for _, a := range s.seen.acks {
		out := a.out
		out.Duplicate = false
		if out.Number >= uint64(len(d.envelopes)) {
			s.violate("acknowledged envelope %d is lost: the log ends at %d", out.Number, len(d.envelopes))
		} else if x := d.envelopes[out.Number]; x.out != out || !bytes.Equal(x.raw, s.seen.left(a)) {
			s.violate("acknowledged envelope %d is not where it was said to be: %+v, said %+v", out.Number, x.out, out)
		}
	}
	for _, r := range s.seen.receipts {
		if r.index >= uint64(len(d.leaves)) || !bytes.Equal(d.leaves[r.index], r.leaf) {
			s.violate("entry %d has a receipt and is lost", r.index)
		}
		s.seen.checkpoints = append(s.seen.checkpoints, r.under)
		policy, err := PolicyAt(d.state, r.under.Size)
		if err == nil {
			_, _, err = tlog.VerifyReceipt(r.leaf, r.proof, policy)
		}
		if err != nil {
			s.violate("receipt %d of %s: %v", r.index, r.node, err)
		}
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

// verifyServed checks that whatever a node gave to a peer is in the log, as it
// was sent or as it is left.
func (s *sim) verifyServed(d *derived) {
	forms := map[uint64][][sha256.Size]byte{}
	for _, a := range s.seen.acks {
		forms[a.out.Number] = append(forms[a.out.Number], sha256.Sum256(a.raw))
	}
	for p := range s.seen.pulled {
		if p.number >= uint64(len(d.envelopes)) || d.envelopes[p.number].out.LogTime != p.logTime ||
			sha256.Sum256(d.envelopes[p.number].raw) != p.hash && !slices.Contains(forms[p.number], p.hash) {
			s.violate("envelope %d that a node gave to a peer is not in the log", p.number)
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
