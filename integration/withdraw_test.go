package integration

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

// passport is the second identity of the patient who withdraws.
var passport = admin.Document{Type: "PP", Issuer: "FRA", Value: "X7654321"}

// TestAPatientWithdraws takes a patient with two identities and a corrected
// entry through everything that a patient may decide, at the hospital's side:
// the entries are found without its own records, and the hospital knows the
// patient again after it has lost them.
func TestAPatientWithdraws(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 3, 3)
	visits := madeUpVisits(t, 6, len(n.Hospitals))
	n.register(visits)
	p := n.patient(visits)
	first := p.mustDecide("stop", admin.Withdrawal{DryRun: true})
	p.link()
	p.correct(first.Entries, visits)

	stopped := p.mustDecide("stop", admin.Withdrawal{})
	if stopped.Status != "stopped" || len(stopped.Cases) != 2 || len(stopped.Entries) != len(first.Entries)+2 {
		t.Errorf("stopped: %d entries of %v, want %d with a link and a correction", len(stopped.Entries), stopped.Cases, len(first.Entries)+2)
	}
	p.wantRefused("CN001")
	n.converge()
	if got, err := n.Reader.Client.Persons(n.ctx); err != nil || got.Stopped != len(first.Entries) {
		t.Errorf("the coordinator leaves out %d entries, %v; want %d", got.Stopped, err, len(first.Entries))
	}
	p.wantReport(stopped.Entries)

	p.mustDecide("erase", admin.Withdrawal{Now: true})
	p.awaitErased()
	gone := indexesOf(stopped.Entries)
	n.converge()
	for _, node := range n.Processes() {
		for _, e := range n.entries(node) {
			if slices.Contains(gone, e.Index) {
				t.Errorf("%s still reads entry %d", node.Node, e.Index)
			}
		}
	}
	p.wantRefused("CN004")
	p.wantForgottenIDs(stopped.Entries)

	p.loseRecords()
	p.awaitErased()
	p.wantRefused("CN004")
	if r := p.report(passport); len(r.Erasures) != len(gone) || r.Decision == nil || r.Decision.Status != "erased" {
		t.Errorf("the report by the other identity: %d of %d erasures, %+v", len(r.Erasures), len(gone), r.Decision)
	}

	p.mustDecide("resume", admin.Withdrawal{Again: true})
	again := p.visit
	must(t, n.submit(p.at(), []*visit{&again}))
	if again.result.Outcome != "accepted" || slices.ContainsFunc(again.result.Entries, func(e admin.EntryRef) bool { return e.InLog }) {
		t.Errorf("registered anew: %+v", again.result)
	}
}

// patient is one patient at one hospital.
type patient struct {
	*network
	visit
	document admin.Document
}

// at returns the patient's hospital.
func (p patient) at() *demo.Process { return p.Hospitals[p.visit.hospital] }

func (n *network) patient(visits []visit) patient {
	n.t.Helper()
	for _, v := range patientsOf(visits, 1, -1) {
		for _, d := range v.file.Identities {
			return patient{n, v, d}
		}
	}
	n.t.Fatal("no patient")
	return patient{}
}

func (p patient) mustDecide(action string, w admin.Withdrawal) admin.WithdrawalResult {
	p.t.Helper()
	w.Action, w.Document, w.By, w.Scope, w.Wait = action, &p.document, "self", []string{"all"}, !w.DryRun
	r, err := p.at().Client.Withdraw(p.ctx, w)
	must(p.t, err)
	if r.Outcome != "accepted" && !w.DryRun {
		p.t.Fatalf("%s: %+v", action, r)
	}
	return r
}

// link says that the patient has a passport as well.
func (p patient) link() {
	p.t.Helper()
	r, err := p.at().Client.Alias(p.ctx, admin.Alias{Action: "link", Reason: "other", Old: p.document, New: passport, Wait: true})
	must(p.t, err)
	if r.Outcome != "accepted" {
		p.t.Fatalf("link: %+v", r)
	}
}

// correct corrects the patient's case to what another's file says.
func (p patient) correct(entries []admin.Entry, visits []visit) {
	p.t.Helper()
	at := slices.IndexFunc(entries, func(e admin.Entry) bool { return e.Type == "case" })
	other := slices.IndexFunc(visits, func(v visit) bool { return v.file.Name != p.file.Name })
	r, err := p.at().Client.Correct(p.ctx, entries[at].Index, admin.Correction{
		File: admin.File{Name: "corrected.json", Data: visits[other].file.Data}, Reason: "mistyped", Wait: true,
	})
	must(p.t, err)
	if r.Outcome != "accepted" {
		p.t.Fatalf("correct: %+v", r)
	}
}

// wantRefused checks that the patient's file is refused by name of a rule.
func (p patient) wantRefused(code string) {
	p.t.Helper()
	v := p.visit
	must(p.t, p.submit(p.at(), []*visit{&v}))
	if v.result.Outcome != "refused" || !slices.ContainsFunc(v.result.Findings, func(f admin.Finding) bool { return f.Code == code }) {
		p.t.Errorf("the file again: %+v, want %s", v.result, code)
	}
}

func (p patient) report(d admin.Document) admin.SubjectReport {
	p.t.Helper()
	r, err := p.at().Client.ReportSubject(p.ctx, admin.Subject{Document: &d})
	must(p.t, err)
	return r
}

// wantReport checks what the patient is told, and that it is recorded.
func (p patient) wantReport(entries []admin.Entry) {
	p.t.Helper()
	r := p.report(p.document)
	if len(r.Entries) != len(entries) || len(r.Consents) != 1 || r.Decision == nil || r.Decision.Status != "stopped" {
		p.t.Errorf("the report has %d of %d entries, %d consents, %+v", len(r.Entries), len(entries), len(r.Consents), r.Decision)
	}
	corrected := 0
	for _, e := range r.Entries {
		if len(e.Readers) != 1 || e.Slots != 2 || e.Content == nil || e.Person != "" {
			p.t.Errorf("entry %d: readers %+v, %d slots", e.Index, e.Readers, e.Slots)
		}
		if e.CorrectedBy != 0 && e.Corrected != nil {
			corrected++
		}
	}
	if corrected != 1 {
		p.t.Errorf("%d entries are corrected, want 1", corrected)
	}
	trail, err := os.ReadFile(filepath.Join(p.at().Dir, "audit", "trail.jsonl"))
	must(p.t, err)
	if !strings.Contains(string(trail), `"subject report","case_numbers":["`+r.Cases[0]) || strings.Contains(string(trail), p.document.Value) {
		p.t.Errorf("the trail says %s", trail)
	}
}

// awaitErased waits until the hospital lists the withdrawal as carried out, and
// every node has declared it.
func (p patient) awaitErased() {
	p.t.Helper()
	p.eventually("the withdrawal", func() error {
		list, err := p.at().Client.Withdrawals(p.ctx)
		if err != nil {
			return err
		}
		if len(list.List) != 1 || list.List[0].Status != "erased" {
			return fmt.Errorf("listed as %+v, %s", list.List, list.Problem)
		}
		for _, e := range p.report(p.document).Erasures {
			if e.Declared != e.Nodes || e.Nodes != len(p.Processes()) {
				return fmt.Errorf("entry %d: %d of %d nodes declare", e.Index, e.Declared, e.Nodes)
			}
		}
		return nil
	})
}

func indexesOf(entries []admin.Entry) (out []uint64) {
	for _, e := range entries {
		out = append(out, e.Index)
	}
	return out
}

// wantForgottenIDs searches the hospital's own files for the ids of erased
// entries; those of another entry are there.
func (p patient) wantForgottenIDs(erased []admin.Entry) {
	p.t.Helper()
	ids, other := pieces{}, pieces{}
	for _, e := range erased {
		id, err := hex.DecodeString(e.ID)
		must(p.t, err)
		ids.add(id)
	}
	for _, e := range p.entries(p.at()) {
		if e.Hospital == uint32(p.visit.hospital+1) && e.Type != "consent" {
			id, err := hex.DecodeString(e.ID)
			must(p.t, err)
			other.add(id)
		}
	}
	if found := searchPieces(p.t, p.at().Dir, other); len(other) > 0 && len(found) == 0 {
		p.t.Error("the search finds nothing that is there")
	}
	p.eventually("forgotten ids", func() error {
		if found := searchPieces(p.t, p.at().Dir, ids); len(found) > 0 {
			return fmt.Errorf("ids of erased entries are in %s", strings.Join(found, ", "))
		}
		return nil
	})
}

// loseRecords lets the hospital lose everything of its own but its keys and its
// copy of the log.
func (p patient) loseRecords() {
	p.t.Helper()
	must(p.t, p.at().Stop())
	must(p.t, errors.Join(os.RemoveAll(filepath.Join(p.at().Dir, "outbox")), os.Remove(filepath.Join(p.at().Dir, "withdrawals"))))
	must(p.t, p.at().Start())
	must(p.t, p.at().WaitReady(p.ctx))
}
