package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

// forgetting is how large the proof of erasure is: hospitals, voters among them,
// patients of the network, and of those the ones that withdraw. make erasure
// runs it at its full size.
type forgetting struct {
	hospitals, voters  int
	patients, withdraw int
	within             time.Duration
}

func forgettingSize() forgetting {
	if os.Getenv("PROVE") == "1" {
		return forgetting{hospitals: 6, voters: 5, patients: 7000, withdraw: 50, within: 60 * time.Minute} // 24,800 entries
	}
	return forgetting{hospitals: 4, voters: 3, patients: 24, withdraw: 3, within: 6 * time.Minute}
}

// receiptsWithin is how soon after the last node's return all receipts are in.
const receiptsWithin = 60 * time.Second

// TestAPatientIsForgottenOnEveryNode has patients withdraw while one node is
// away and two backups from before exist. Where the test has root, each node has
// a disk of its own, whose every byte is searched in the end.
func TestAPatientIsForgottenOnEveryNode(t *testing.T) {
	t.Parallel()
	if mayMount() && !withOwnMounts(t) {
		return // it went on in a process of its own
	}
	size := forgettingSize()
	n := foundNetwork(t, size.hospitals, size.voters)
	disks := n.onDisks()
	n.startWithin(size.within)
	away, mirror := n.Hospitals[size.voters-1], n.Hospitals[size.voters]
	visits := madeUpVisits(t, size.patients, size.hospitals)
	enlarge(visits, size.voters-1)
	n.register(visits[:len(visits)/2])
	n.rotateSealing()
	n.register(visits[len(visits)/2:])
	n.converge()
	gone := n.withdrawing(visits, size)
	needles := n.needlesOf(n.Reader, gone)
	stays := n.needlesOf(n.Reader, []uint64{n.otherThan(gone)})
	for _, p := range n.Processes() {
		if found := searchPieces(t, p.Dir, needles); len(found) == 0 {
			t.Fatalf("%s never had the entries: the search finds nothing", p.Node)
		}
	}
	before := n.backups(mirror)

	must(t, away.Stop())
	n.withdraw(visits, size)
	n.eventually("receipts of all but one", func() error { return n.declaredBut(away) })
	if found := searchPieces(t, away.Dir, needles); len(found) == 0 {
		t.Error("the node that was stopped does not hold the entries any more: the control fails")
	}
	disks.wantOn(t, away, needles)
	must(t, away.Start())
	returned := time.Now()
	n.eventually("all receipts", func() error { return n.declaredBut(nil) })
	if took := time.Since(returned); took > receiptsWithin {
		t.Errorf("the last receipt came %s after the last node", took.Round(time.Second))
	}
	n.converge()
	n.wantErased(gone)
	n.wantCertificate(gone[0])
	for _, p := range n.Processes() {
		must(t, p.Stop())
	}
	n.wantNowhere(needles, stays)
	searched := disks.wantNone(t, needles, stays)
	before.wantUnreadable(gone)
	t.Logf("proof: %d entries of %d patients erased on %d nodes, %d of whose disks were searched, %d MiB",
		len(gone), size.withdraw, len(n.Processes()), len(disks), searched>>20)
}

// enlarge makes the file of the first patient that will withdraw a large one:
// only of a body of several blocks a file system gives any back.
func enlarge(visits []visit, but int) {
	at := slices.IndexFunc(visits, func(v visit) bool { return v.hospital != but })
	text := bytes.Repeat([]byte("a long finding, "), 40<<10/16)
	old, more := []byte(`"department":`), fmt.Appendf(nil, `"finding": %q, "department":`, text)
	visits[at].file.Data = bytes.Replace(visits[at].file.Data, old, more, 1)
}

// wantNowhere looks for what was erased in every file of every node, which must
// hold the rest of the log and let it be verified.
func (n *network) wantNowhere(needles, stays pieces) {
	n.t.Helper()
	policy := filepath.Join(n.Dir, "policy.txt")
	for _, p := range n.Processes() {
		if found := searchPieces(n.t, p.Dir, needles); len(found) > 0 {
			n.t.Errorf("%s still holds %d pieces, the first in %s", p.Node, len(found), found[0])
		}
		if found := searchPieces(n.t, filepath.Join(p.Dir, "node", "ledger"), stays); len(found) == 0 {
			n.t.Errorf("%s has lost an entry that nobody has withdrawn", p.Node)
		}
		if out, errs, code := n.run("log", "verify", filepath.Join(p.Dir, "node"), "--policy", policy); code != 0 {
			n.t.Errorf("the copy of %s: exit code %d, %s%s", p.Node, code, out, errs)
		}
	}
}

// patientsOf returns the first visits, each of another patient, to any hospital
// but one, whose node is stopped meanwhile.
func patientsOf(visits []visit, count, but int) []visit {
	var out []visit
	seen := map[string]bool{}
	for _, v := range visits {
		for _, d := range v.file.Identities {
			if len(out) < count && !seen[d.Value] && v.hospital != but && len(v.result.Entries) > 0 {
				out = append(out, v)
			}
			seen[d.Value] = true
		}
	}
	return out
}

func (n *network) decide(v visit, dry bool) admin.WithdrawalResult {
	n.t.Helper()
	var r admin.WithdrawalResult
	for _, d := range v.file.Identities {
		var err error
		r, err = n.Hospitals[v.hospital].Client.Withdraw(n.ctx, admin.Withdrawal{
			Action: "erase", Document: &d, By: "self", Now: true, DryRun: dry, Wait: true,
		})
		must(n.t, err)
	}
	return r
}

// withdrawing returns the indexes of the entries that will be withdrawn.
func (n *network) withdrawing(visits []visit, size forgetting) []uint64 {
	n.t.Helper()
	var indexes []uint64
	for _, v := range patientsOf(visits, size.withdraw, size.voters-1) {
		r := n.decide(v, true)
		if len(r.Entries) == 0 {
			n.t.Fatalf("nothing to withdraw: %+v", r)
		}
		for _, e := range r.Entries {
			indexes = append(indexes, e.Index)
		}
	}
	slices.Sort(indexes)
	return slices.Compact(indexes)
}

func (n *network) withdraw(visits []visit, size forgetting) {
	n.t.Helper()
	for _, v := range patientsOf(visits, size.withdraw, size.voters-1) {
		if r := n.decide(v, false); r.Outcome != "accepted" {
			n.t.Fatalf("withdraw: %+v", r)
		}
	}
}

// declaredBut wants every node but one to have declared every withdrawal.
func (n *network) declaredBut(but *demo.Process) error {
	want := len(n.Processes())
	if but != nil {
		want--
	}
	list, err := n.Hospitals[0].Client.Erasures(n.ctx)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return errors.New("no withdrawal in the log")
	}
	for _, e := range list {
		if e.Declared < want || e.Nodes != len(n.Processes()) {
			return fmt.Errorf("envelope %d: %d of %d nodes have declared, want %d", e.Envelope, e.Declared, e.Nodes, want)
		}
	}
	return nil
}

// otherThan returns the index of an entry that is not among these.
func (n *network) otherThan(gone []uint64) uint64 {
	n.t.Helper()
	for _, e := range n.entries(n.Reader) {
		if !slices.Contains(gone, e.Index) {
			return e.Index
		}
	}
	n.t.Fatal("all entries are withdrawn")
	return 0
}

// wantErased wants entries to be refused as erased, and their proofs to hold.
func (n *network) wantErased(gone []uint64) {
	n.t.Helper()
	for _, e := range n.entries(n.Reader) {
		if slices.Contains(gone, e.Index) {
			n.t.Errorf("the coordinator still reads entry %d", e.Index)
		}
	}
	_, err := n.Reader.Client.Entry(n.ctx, gone[0])
	var problem *admin.Problem
	if !errors.As(err, &problem) || problem.Status != 410 || problem.Code != admin.CodeErased {
		n.t.Errorf("entry %d: got %v, want 410 %s", gone[0], err, admin.CodeErased)
	}
	receipt := filepath.Join(n.Dir, "erased.receipt")
	config := n.Reader.Config()
	if out, errs, code := n.run("log", "prove", fmt.Sprint(gone[0]), "-f", receipt, "-c", config); code != 0 {
		n.t.Fatalf("prove an erased entry: %s%s", out, errs)
	}
	if out, errs, code := n.run("log", "verify", "--proof", receipt, "--policy", n.policy()); code != 0 {
		n.t.Errorf("the proof of an erased entry: exit code %d, %s%s", code, out, errs)
	}
}

// wantCertificate has a certificate made, checked offline, and refused once a
// word in it is another.
func (n *network) wantCertificate(index uint64) {
	n.t.Helper()
	path := filepath.Join(n.Dir, "certificate.txt")
	if out, errs, code := n.run("erasure", "show", fmt.Sprint(index), "--copy", path, "-c", n.Hospitals[1].Config()); code != 0 {
		n.t.Fatalf("erasure show: exit code %d, %s%s", code, out, errs)
	}
	verify := func(path string) (r struct{ Declared []string }, code int) {
		out, _, code := n.run("log", "verify", "--certificate", path, "--policy", n.policy(), "-o", "json")
		if code == 0 {
			must(n.t, json.Unmarshal(out, &r))
		}
		return r, code
	}
	if r, code := verify(path); code != 0 || len(r.Declared) != len(n.Processes()) {
		n.t.Errorf("the certificate: exit code %d, %v declare", code, r.Declared)
	}
	file, err := os.ReadFile(path)
	must(n.t, err)
	all := fmt.Sprintf("%d of %d nodes", len(n.Processes()), len(n.Processes()))
	if !strings.Contains(string(file), all) {
		n.t.Errorf("the certificate does not say %q:\n%s", all, file[:min(len(file), 2000)])
	}
	forged := bytes.Replace(file, []byte("institution 1 "), []byte("institution 2 "), 1)
	must(n.t, os.WriteFile(path, forged, 0o600))
	if _, code := verify(path); code != 5 {
		n.t.Errorf("a certificate with a changed word: exit code %d, want 5", code)
	}
}
