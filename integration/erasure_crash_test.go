package integration

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/daemon/admin"
)

// The steps from a patient's decision to the end of its
// erasure: those of the patient's hospital, and those of every voter.
var (
	deskSteps = []fault.Step{
		fault.WithdrawKept, fault.WithdrawConsented, fault.WithdrawHandedOver, fault.WithdrawPosted,
		fault.ForgetWritten, fault.ForgetRenamed, fault.ForgetKnown, fault.ForgetReceipts,
	}
	nodeSteps = []fault.Step{
		fault.EraseOwed, fault.EraseCovered, fault.EraseSalts, fault.EraseBodies, fault.RewriteCopied, fault.RewriteLinked,
		fault.RewriteSwapped, fault.RewriteZeroed, fault.EraseLog, fault.EraseScanned, fault.EraseDone,
	}
)

// TestAnErasureKilledAtAStepIsFinished kills one node of three at a step of an
// erasure on a network where nothing else happens, and starts it again: all
// nodes declare, what is submitted then reaches all of them, and nothing of the
// entries is left, their ids at their hospital included: in no file and, where
// the test has root, nowhere on the disks. It takes the step in RARESYNC_STEP, or
// draws one; PROVE=1 takes all, the voters' at the leader and at another.
func TestAnErasureKilledAtAStepIsFinished(t *testing.T) {
	t.Parallel()
	if mayMount() && !withOwnMounts(t) {
		return // it went on in a process of its own
	}
	path, err := crashing()
	must(t, err)
	kills := drawKills(t)
	n := foundNetworkOf(t, path, 3, 3)
	disks := n.onDisks()
	n.startWithin(time.Duration(2+len(kills)) * time.Minute)
	visits := madeUpVisits(t, 20+8*len(kills), 3)
	later := slices.DeleteFunc(slices.Clone(visits), func(v visit) bool { return v.hospital == 0 })
	later = later[len(later)-len(kills):]
	visits = slices.DeleteFunc(visits, func(v visit) bool {
		return slices.ContainsFunc(later, func(l visit) bool { return l.file.Name == v.file.Name && l.hospital == v.hospital })
	})
	n.register(visits)
	n.converge()
	patients := slices.DeleteFunc(patientsOf(visits, len(visits), -1), func(v visit) bool { return v.hospital != 0 })
	if len(patients) < len(kills) {
		t.Fatalf("%d patients at h1, want %d", len(patients), len(kills))
	}
	needles := pieces{}
	for i, k := range kills {
		needles.addErased(n, n.decide(patients[i], true).Entries)
		n.eraseAndKill(k, patients[i], i+1)
		n.register(later[i : i+1])
		if got := later[i].result.Outcome; got != "accepted" {
			t.Errorf("a file after the end at %s: %s", k.step, got)
		}
		n.converge()
	}
	var lasting []uint64
	for _, e := range later[0].result.Entries {
		lasting = append(lasting, e.Index)
	}
	stays := n.needlesOf(n.Reader, lasting)
	must(t, n.Stop())
	for _, p := range n.Processes() {
		if found := searchPieces(t, p.Dir, needles); len(found) > 0 {
			t.Errorf("%s still holds %d pieces, the first in %s", p.Node, len(found), found[0])
		}
	}
	disks.wantNone(t, needles, stays)
	t.Logf("proof: killed at %d steps of an erasure, %d disks searched", len(kills), len(disks))
}

// addErased adds what must be nowhere once entries are erased: their bodies,
// their salts, and the ids by which their hospital knew them.
func (p pieces) addErased(n *network, entries []admin.Entry) {
	n.t.Helper()
	for first, list := range n.needlesOf(n.Reader, indexesOf(entries)) {
		p[first] = append(p[first], list...)
	}
	ids := pieces{}
	for _, e := range entries {
		id, err := hex.DecodeString(e.ID)
		must(n.t, err)
		ids.add(id)
		p.add(id)
	}
	if found := searchPieces(n.t, n.Hospitals[0].Dir, ids); len(found) == 0 {
		n.t.Fatal("the hospital does not know its entries: the search finds nothing")
	}
}

// erasureKill is a node's end at a step: of the patient's hospital, of the
// leader, or of one that is neither.
type erasureKill struct {
	step fault.Step
	who  string
}

const (
	patientsHospital = "the patient's hospital"
	theLeader        = "the leader"
	aFollower        = "a follower"
)

// drawKills returns the kills that are asked for.
func drawKills(t *testing.T) (kills []erasureKill) {
	for _, s := range deskSteps {
		kills = append(kills, erasureKill{s, patientsHospital})
	}
	for _, s := range nodeSteps {
		kills = append(kills, erasureKill{s, theLeader}, erasureKill{s, aFollower})
	}
	only := fault.Step(os.Getenv("RARESYNC_STEP"))
	if only == "" && os.Getenv("PROVE") == "1" {
		return kills
	}
	if only == "" {
		only = kills[rand.IntN(len(kills))].step
		t.Logf("RARESYNC_STEP=%s; PROVE=1 for all", only)
	}
	kills = slices.DeleteFunc(kills, func(k erasureKill) bool { return k.step != only })
	if len(kills) == 0 {
		t.Fatalf("an erasure has no step %q", only)
	}
	at := rand.IntN(len(kills))
	return kills[at : at+1]
}

// eraseAndKill has a patient of h1 withdraw, as the count'th, and sees one node
// end at a step, come back, and everybody declare.
func (n *network) eraseAndKill(k erasureKill, v visit, count int) {
	n.t.Helper()
	victim := n.victim(k.who)
	must(n.t, victim.Stop())
	victim.Env = []string{"RARESYNC_CRASH_AT=" + string(k.step)}
	must(n.t, victim.Start())
	must(n.t, victim.WaitReady(n.ctx))
	if k.who == theLeader {
		n.lead(victim)
	}
	n.converge()
	for _, d := range v.file.Identities {
		// What it answers, if it lives to answer, was checked elsewhere.
		_, _ = n.Hospitals[0].Client.Withdraw(n.ctx, admin.Withdrawal{Action: "erase", Document: &d, By: "self", Now: true})
	}
	n.eventually(fmt.Sprintf("the end of %s (%s) at %s", victim.Node, k.who, k.step), func() error {
		if victim.Running() {
			return fmt.Errorf("it goes on")
		}
		return nil
	})
	if code := victim.ExitCode(); code != byKernel {
		n.t.Fatalf("%s: %s ended with exit code %d: %s", k.step, victim.Node, code, lastWords(victim.Log()))
	}
	victim.Env = nil
	must(n.t, victim.Start())
	must(n.t, victim.WaitReady(n.ctx))
	began := time.Now()
	n.eventually(fmt.Sprintf("receipts after the end of %s at %s", k.who, k.step), func() error {
		list, err := n.Reader.Client.Erasures(n.ctx)
		if err == nil && len(list) < count {
			err = fmt.Errorf("%d withdrawals in the log, want %d", len(list), count)
		}
		if err != nil {
			return err
		}
		return n.declaredBut(nil)
	})
	n.t.Logf("%s ended at %s; all receipts %v after it was back", k.who, k.step, time.Since(began).Round(time.Millisecond))
}

// victim returns the node that is to end.
func (n *network) victim(who string) *demo.Process {
	n.t.Helper()
	if who == patientsHospital {
		return n.Hospitals[0]
	}
	leader, err := n.Leader(n.ctx)
	must(n.t, err)
	if who == theLeader {
		return leader
	}
	followers := slices.DeleteFunc(slices.Clone(n.Hospitals), func(p *demo.Process) bool { return p == leader })
	return followers[rand.IntN(len(followers))]
}

// lead kills whoever leads, until the others have elected the given node: a
// leader that ends in good order would choose its successor.
func (n *network) lead(p *demo.Process) {
	n.t.Helper()
	for {
		leader, err := n.Leader(n.ctx)
		must(n.t, err)
		if leader == p {
			return
		}
		must(n.t, leader.Kill())
		_, err = n.Leader(n.ctx)
		must(n.t, err)
		must(n.t, leader.Start())
		must(n.t, leader.WaitReady(n.ctx))
	}
}
