package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

// must0 runs a command that is to succeed, and returns what it printed.
func (n *network) must0(args ...string) string {
	n.t.Helper()
	out, errs, code := n.run(args...)
	if code != 0 {
		n.t.Fatalf("%s: exit code %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return string(out) + string(errs)
}

// inEpoch waits until every node of a list knows the key of an epoch, and that
// its holders answer as those before.
func (n *network) inEpoch(epoch uint32, some ...*demo.Process) {
	n.t.Helper()
	n.eventually(fmt.Sprintf("epoch %d", epoch), func() error {
		for _, p := range some {
			k, err := p.Client.Key(n.ctx)
			if err == nil && (k.Epoch != epoch || !k.Canary) {
				err = fmt.Errorf("%s is in epoch %d, canary %v, ceremony %+v", p.Node, k.Epoch, k.Canary, k.Ceremony)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// TestAPatientStaysOneThroughAReshare founds a network of five processes, has
// the holders make their key, registers a patient, moves the key to other
// holders, and registers the patient elsewhere.
func TestAPatientStaysOneThroughAReshare(t *testing.T) {
	t.Parallel()
	n := foundNetwork(t, 5, 5)
	n.startKeyless(3 * time.Minute)
	visit := madeUpVisits(t, 1, 1)[0]
	if _, err := n.Hospitals[0].Client.Submit(n.ctx, admin.Submission{Files: []admin.File{visit.file}}); err == nil || !strings.Contains(err.Error(), "no pseudonymisation key yet") {
		t.Errorf("a submission before there is a key: %v", err)
	}
	for _, p := range []*demo.Process{n.Hospitals[0], n.Reader} {
		if s, err := p.Client.Status(n.ctx); err != nil || !strings.Contains(strings.Join(s.Warnings, "\n"), "ceremony start") {
			t.Errorf("%s warns %q, %v", p.Node, s.Warnings, err)
		}
	}
	if said := n.must0("ceremony", "start", "-c", n.Hospitals[1].Config()); !strings.Contains(said, "the key is in force: epoch 1, 3 of 5") {
		t.Errorf("ceremony start said\n%s", said)
	}
	n.inEpoch(1, n.Processes()...)
	first := n.personAt(n.Hospitals[0], visit)

	var proposed admin.Proposal
	out, errs, code := n.run("ceremony", "reshare", "--holder", "4", "--holder", "5", "--holder", "3", "--reason", "two hospitals leave",
		"-o", "json", "-c", n.Hospitals[0].Config())
	if code != 0 || json.Unmarshal(out, &proposed) != nil {
		t.Fatalf("ceremony reshare: exit code %d\n%s%s", code, out, errs)
	}
	for _, p := range n.Hospitals[:proposed.Needed] {
		n.approve(p, proposed.ID)
	}
	n.eventually("the new holders to join", func() error {
		k, err := n.Hospitals[0].Client.Key(n.ctx)
		if err == nil && (k.Ceremony == nil || !strings.Contains(k.Ceremony.Waits, "contribute")) {
			err = fmt.Errorf("the ceremony is %+v", k.Ceremony)
		}
		return err
	})
	for _, i := range []int{1, 2, 4} { // two are silent
		n.eventually("contribution", func() error {
			_, errs, code := n.run("ceremony", "contribute", "--yes", "-c", n.Hospitals[i].Config())
			if code != 0 {
				return fmt.Errorf("exit code %d: %s", code, errs)
			}
			return nil
		})
	}
	n.inEpoch(2, n.Processes()...)
	for i, want := range []admin.ShareNumber{0, 0, 3, 1, 2} {
		n.eventually("the shares of epoch 2", func() error {
			k, err := n.Hospitals[i].Client.Key(n.ctx)
			if err == nil && k.Share != want {
				err = fmt.Errorf("%s holds share %d, want %d", n.Hospitals[i].Node, k.Share, want)
			}
			return err
		})
	}
	if again := n.personAt(n.Hospitals[3], visit); again != first {
		t.Error("the patient has another pseudonym after the reshare")
	}
	must(t, n.Hospitals[0].Stop())
	must(t, n.Hospitals[1].Stop()) // who held shares of epoch 1, and hold none now
	n.convergeOf(append(n.Hospitals[2:5:5], n.Reader))
	n.wantPatience(n.Hospitals[3], n.Hospitals[2], n.Hospitals[4])
}

// wantPatience kills a holder and the voters that still run, and starts the
// holder alone: its copy begins before the key was made, and it must wait and not
// say that there is none, or that its share is wrong.
func (n *network) wantPatience(holder *demo.Process, others ...*demo.Process) {
	n.t.Helper()
	before, err := holder.Client.Status(n.ctx)
	must(n.t, err)
	for _, p := range append(others, holder) {
		must(n.t, p.Kill())
	}
	must(n.t, holder.Start())
	now, err := holder.WaitStatus(n.ctx, func(admin.Status) bool { return true })
	must(n.t, err)
	if now.Ready || now.Envelopes >= before.Envelopes {
		n.t.Errorf("it is ready: %v, with %d envelopes of %d: nothing to wait for", now.Ready, now.Envelopes, before.Envelopes)
	}
	if said := strings.Join(now.Warnings, "\n"); strings.Contains(said, "pseudonymisation key") || strings.Contains(said, "ceremony") {
		n.t.Errorf("it warns of the key while it waits:\n%s", said)
	}
	if out, errs, code := n.run("ceremony", "status", "-c", holder.Config()); code != 4 || !strings.Contains(string(errs), now.Why) {
		n.t.Errorf("ceremony status: exit code %d, want 4 and why it waits (%s)\n%s%s", code, now.Why, out, errs)
	}
}

// personAt registers a visit at a hospital, and returns the pseudonym under
// which the coordinator finds the case.
func (n *network) personAt(p *demo.Process, v visit) string {
	n.t.Helper()
	r, err := p.Client.Submit(n.ctx, admin.Submission{Files: []admin.File{v.file}, Wait: true})
	must(n.t, err)
	if r.Files[0].Outcome != "accepted" {
		n.t.Fatalf("%s at %s: %s %v", v.file.Name, p.Node, r.Files[0].Outcome, r.Files[0].Findings)
	}
	person := ""
	n.eventually("the case at the coordinator", func() error {
		for _, e := range n.entries(n.Reader) {
			if e.Hospital == uint32(p.Number) && e.Type == "case" {
				person = e.Person
				return nil
			}
		}
		return fmt.Errorf("no case of institution %d", p.Number)
	})
	return person
}

// TestAKilledHolderVoidsTheCeremonyOrResumesIt kills a holder somewhere in the
// ceremony, which ends one way or the other; another then makes the key.
func TestAKilledHolderVoidsTheCeremonyOrResumesIt(t *testing.T) {
	t.Parallel()
	n := foundNetwork(t, 3, 3)
	n.startKeyless(3 * time.Minute)
	n.must0("ceremony", "start", "--no-wait", "-c", n.Hospitals[0].Config())
	must(t, n.Hospitals[2].Kill())
	must(t, n.Hospitals[2].Start())
	n.eventually("an end of the ceremony", func() error {
		k, err := n.Hospitals[0].Client.Key(n.ctx)
		if err == nil && k.Ceremony.Open {
			err = fmt.Errorf("it waits %s", k.Ceremony.Waits)
		}
		return err
	})
	must(t, n.MakeKey(n.ctx))
	n.inEpoch(1, n.Processes()...)
	n.wantNothingHeldUp()
}
