package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/catalog"
)

// exitTooOld is the exit code of a node that the network has left behind.
const exitTooOld = 76

// update stops a hospital's node and starts it with another build.
func (n *network) update(hospital int, binary string) {
	n.t.Helper()
	old := n.Hospitals[hospital]
	must(n.t, old.Stop())
	p, err := demo.Open(binary, old.Node, old.Dir)
	must(n.t, err)
	p.Number, p.Env, p.Within = old.Number, old.Env, old.Within
	n.Hospitals[hospital] = p
	must(n.t, p.Start())
	n.eventually(p.Node+" to be ready", func() error {
		s, err := p.Client.Status(n.ctx)
		if err == nil && !s.Ready {
			err = fmt.Errorf("not ready: %s", s.Why)
		}
		return err
	})
}

// during registers visits while something else happens.
func (n *network) during(visits []visit, what func()) {
	n.t.Helper()
	done := make(chan struct{})
	m := *n
	m.Network = &demo.Network{Dir: n.Dir, Binary: n.Binary, Reader: n.Reader, Hospitals: append([]*demo.Process{}, n.Hospitals...)}
	go func() {
		defer close(done)
		m.register(visits)
	}()
	what()
	<-done
}

// handTo has a voter lead.
func (n *network) handTo(p *demo.Process) {
	n.t.Helper()
	n.eventually(p.Node+" to lead", func() error {
		leader, err := n.Leader(n.ctx)
		if err != nil || leader == p {
			return err
		}
		_, err = leader.Client.TransferLeadership(n.ctx, admin.Transfer{To: p.Node})
		return errors.Join(err, fmt.Errorf("%s leads", leader.Node))
	})
}

// refusedWith wants a command at a node refused with a text.
func (n *network) refusedWith(text string, p *demo.Process, command ...string) {
	n.t.Helper()
	if out, errs, code := n.run(append(command, "-c", p.Config())...); code == 0 || !bytes.Contains(errs, []byte(text)) {
		n.t.Errorf("%s at %s: exit code %d, want %q\n%s%s", strings.Join(command, " "), p.Node, code, text, out, errs)
	}
}

// counted returns the registrations by the lists of an edition, as the coordinator
// counts them.
func (n *network) counted(edition string) map[int]int {
	n.t.Helper()
	p, err := n.Reader.Client.PersonsBy(n.ctx, edition)
	must(n.t, err)
	cases := map[int]int{}
	for _, l := range p.Lists {
		cases[l.List] = l.Cases
	}
	return cases
}

// ofThirdList makes a visit one with a disease that only the test's own list has.
func ofThirdList(t *testing.T, v visit) visit {
	t.Helper()
	var packet map[string]any
	must(t, json.Unmarshal(v.file.Data, &packet))
	disease := map[string]any{"id": "LIST:3.1", "label": "测试病甲"}
	packet["diseases"].([]any)[0].(map[string]any)["term"] = disease
	if read, ok := packet["interpretations"].([]any); ok {
		read[0].(map[string]any)["diagnosis"].(map[string]any)["disease"] = disease
	}
	raw, err := json.Marshal(packet)
	must(t, err)
	v.file.Data, v.file.Name = raw, "third-"+v.file.Name
	return v
}

// wantOutcome hands a visit in and wants it accepted, or refused with a code.
func (n *network) wantOutcome(v visit, refused string) {
	n.t.Helper()
	p := n.Hospitals[v.hospital]
	r, err := p.Client.Submit(n.ctx, admin.Submission{Files: []admin.File{v.file}, Wait: refused == ""})
	must(n.t, err)
	got := r.Files[0]
	if refused == "" && got.Outcome == "accepted" {
		return
	}
	for _, f := range got.Findings {
		if f.Code == refused && got.Outcome == "refused" {
			return
		}
	}
	n.t.Errorf("%s at %s: %s, %+v; want refused with %q", v.file.Name, p.Node, got.Outcome, got.Findings, refused)
}

// TestANetworkIsUpdatedNodeByNodeAndCountsByNewLists has a network of older builds,
// of three voters and two mirrors. Its voters are updated one after the other under
// load, the feature level is raised when the last one is, and an edition of the
// disease lists and limits come, which need that level. A mirror that nobody has updated
// stops at the act that raises the level, and goes on once it is; so does a voter
// that is set back.
func TestANetworkIsUpdatedNodeByNodeAndCountsByNewLists(t *testing.T) {
	t.Parallel()
	newer, err := program()
	must(t, err)
	old, err := older()
	must(t, err)
	n := foundNetworkOf(t, old, 4, 3)
	n.startWithin(patience)
	n.Binary = newer
	visits := madeUpVisits(t, 20, 4)
	part := func(i, without int) (some []visit) {
		for _, v := range visits[i*len(visits)/5 : (i+1)*len(visits)/5] {
			if v.hospital != without {
				some = append(some, v)
			}
		}
		return some
	}
	n.register(part(0, -1))
	n.during(part(1, 0), func() { n.update(0, newer) })
	n.handTo(n.Hospitals[0])
	n.during(part(2, 1), func() { n.update(1, newer) })
	n.handTo(n.Hospitals[2]) // one of the older build
	n.register(part(3, -1))

	table := filepath.Join(n.Dir, "lists.csv")
	var lists bytes.Buffer
	must(t, catalog.Current().WriteTable(&lists))
	lists.WriteString("3,1,测试病甲,Test disease A,999001,exact,,,\n")
	must(t, os.WriteFile(table, lists.Bytes(), 0o600))
	edition := []string{"act", "propose", "catalogue", table, "--edition", "test-2026/1", "--reason", "third list"}
	n.refusedWith("ACT002", n.Hospitals[0], edition...)
	n.refusedWith("ACT002", n.Hospitals[2], edition...)
	limits := []string{"act", "propose", "settings", "--salts-days", "7", "--spread-hours", "24", "--declare-minutes", "30", "--least-quota", "50", "--reason", "decided"}
	n.refusedWith("ACT002", n.Hospitals[0], limits...)
	n.refusedWith("ACT002", n.Hospitals[2], limits...)

	out, errs, code := n.run("act", "propose", "feature", "2", "--reason", "all run it", "-o", "json", "-c", n.Hospitals[0].Config())
	var raise admin.Proposal
	if code != 0 || json.Unmarshal(out, &raise) != nil {
		t.Fatalf("act propose feature: exit code %d\n%s%s", code, out, errs)
	}
	n.eventually("the updated voters to say what they support", func() error {
		members, err := n.Hospitals[1].Client.Members(n.ctx)
		if err == nil && (members[0].Parts[0].Supports != 3 || members[1].Parts[0].Supports != 3 || members[2].Parts[0].Supports != 0) {
			err = fmt.Errorf("they say %+v", members)
		}
		return err
	})
	n.eventually("an older node to warn of the level", func() error {
		s, err := n.Hospitals[3].Client.Status(n.ctx)
		if err == nil && !strings.Contains(strings.Join(s.Warnings, "\n"), "feature level 2 is proposed, and this node's raresync supports 1") {
			err = fmt.Errorf("it warns of %q", s.Warnings)
		}
		return err
	})
	n.refusedWith(`FEA001: voter "h3" supports feature level 1, not 2`, n.Hospitals[0], "act", "approve", raise.ID, "--yes")
	n.during(part(4, 2), func() { n.update(2, newer) })
	n.handTo(n.Hospitals[2])
	must(t, n.Reader.Stop())
	if n.Reader, err = demo.Open(newer, n.Reader.Node, n.Reader.Dir); err == nil {
		err = n.Reader.Start()
	}
	must(t, err)
	n.converge()
	byOld := n.counted(catalog.EditionCurrent)
	n.eventually("the raise to be in force", func() error {
		for _, h := range n.Hospitals[:raise.Needed] {
			if a, err := h.Client.Approve(n.ctx, raise.ID, admin.NewApproval{}); err != nil {
				return err
			} else if a.Proposal.State == "fulfilled" {
				break
			}
		}
		s, err := n.Hospitals[0].Client.Status(n.ctx)
		if err == nil && s.FeatureLevel != 2 {
			err = fmt.Errorf("level %d", s.FeatureLevel)
		}
		return err
	})

	mirror := n.Hospitals[3]
	done, err := n.Hospitals[0].Client.Proposal(n.ctx, raise.ID)
	must(t, err)
	act := fmt.Sprintf("envelope %d raises the network to feature level 2, and this build knows level 1", done.Ended)
	n.wantLeftBehind(mirror, act)
	must(t, mirror.Start()) // again: as before
	n.wantLeftBehind(mirror, act)
	back := n.Hospitals[1]
	must(t, back.Stop())
	setBack, err := demo.Open(old, back.Node, back.Dir)
	must(t, err)
	must(t, setBack.Start())
	n.wantLeftBehind(setBack, "this build is too old for the network")
	must(t, back.Start())
	must(t, back.WaitReady(n.ctx))
	third := make([]visit, 4)
	for i := range third {
		third[i] = ofThirdList(t, madeUpVisits(t, 4, 1)[i])
		third[i].hospital = i
	}
	for _, v := range third[:3] {
		n.wantOutcome(v, "DX008")
	}
	n.decideTogether(n.Hospitals[:3], edition...)
	n.decideTogether(n.Hospitals[:3], limits...)
	p, err := demo.Open(newer, mirror.Node, mirror.Dir)
	must(t, err)
	p.Number = mirror.Number
	n.Hospitals[3] = p
	must(t, p.Start())
	n.converge()
	for _, v := range third {
		n.wantOutcome(v, "")
	}
	n.converge()
	for _, p := range n.Processes() {
		s, err := p.Client.Status(n.ctx)
		if want := "spread_hours=24 declare_minutes=30 salts_days=7 least_quota=50"; err != nil || !strings.Contains(s.Policy, want) {
			t.Errorf("%s goes by %q, %v; want %s", p.Node, s.Policy, err, want)
		}
	}
	for _, e := range n.entries(n.Reader) {
		if e.Listed == "3.1" && e.Disease != "测试病甲" {
			t.Errorf("entry %d is of 3.1, called %q", e.Index, e.Disease)
		}
	}
	if said := n.ok("catalog", "editions", "-c", p.Config()); !strings.Contains(said, "test-2026/1") {
		t.Errorf("the editions are\n%s", said)
	}
	n.ok("entry", "count", "--edition", "test-2026/1", "-c", n.Reader.Config())
	preview := filepath.Join(n.Dir, "third.json")
	must(t, os.WriteFile(preview, third[0].file.Data, 0o600))
	if out, errs, code := n.run("validate", preview, "-c", n.Hospitals[0].Config()); code != 7 || !bytes.Contains(out, []byte("DX008")) {
		t.Errorf("validate by the program's edition: exit code %d\n%s%s", code, out, errs)
	}
	if out, errs, code := n.run("validate", preview, "--edition", "test-2026/1", "-c", n.Hospitals[0].Config()); code != 0 {
		t.Errorf("validate by the new edition: exit code %d\n%s%s", code, out, errs)
	}
	byBoth := map[string]map[int]int{"by the old edition": n.counted(catalog.EditionCurrent), "by the new": n.counted("test-2026/1")}
	for _, list := range []int{1, 2} {
		for name, got := range byBoth {
			if got[list] != byOld[list] {
				t.Errorf("list %d %s: %d registrations, %d before", list, name, got[list], byOld[list])
			}
		}
	}
	if a, b := byBoth["by the old edition"], byBoth["by the new"]; a[3] != 0 || a[0] != byOld[0]+4 || b[3] != 4 || b[0] != byOld[0] {
		t.Errorf("by the old edition %v, by the new %v, before %v", a, b, byOld)
	}
	n.wantCopiesVerify([]*demo.Process{p, n.Reader})
}

// wantLeftBehind waits for a node of an older build to end because of an act that
// it does not know, with words for it.
func (n *network) wantLeftBehind(p *demo.Process, words string) {
	n.t.Helper()
	n.eventually(p.Node+" to stop", func() error {
		if p.Running() {
			return fmt.Errorf("it runs")
		}
		return nil
	})
	log, err := os.ReadFile(p.Log())
	must(n.t, err)
	if code := p.ExitCode(); code != exitTooOld || !bytes.Contains(log, []byte(words)) {
		n.t.Errorf("%s ended with code %d", p.Node, code)
	}
}
