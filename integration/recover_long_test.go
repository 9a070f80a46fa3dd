package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

// goOn surveys the stopped nodes that are left, drafts at whichever has the longest
// copy, has hospitals approve it, applies it everywhere, and starts them.
func (n *network) goOn(name string, left, approvers []*demo.Process, promote ...string) {
	n.t.Helper()
	var surveys []string
	for _, p := range left {
		path := n.pathOf(name + "-survey-" + p.Node + ".pem")
		n.ok("raft", "recover", "survey", "-f", path, "-c", p.Config())
		surveys = append(surveys, path)
	}
	draft, file := n.pathOf(name+"-draft.pem"), n.pathOf(name+".pem")
	var base *demo.Process
	for _, p := range left {
		args := append([]string{"raft", "recover", "draft", "-f", draft, "-c", p.Config()}, surveys...)
		for _, id := range promote {
			args = append(args, "--promote", id)
		}
		out, errs, code := n.run(args...)
		if code == 0 {
			n.t.Logf("%s: drafted at %s\n%s%s", name, p.Node, out, errs)
			base = p
			break
		}
		if code != 6 || !strings.Contains(string(errs), "another copy is longer") {
			n.t.Fatalf("draft at %s: exit code %d\n%s", p.Node, code, errs)
		}
	}
	if base == nil {
		n.t.Fatal("no copy is the longest")
	}
	finish := []string{"raft", "recover", "finish", draft, "-f", file, "-c", base.Config()}
	for _, p := range approvers {
		path := n.pathOf(fmt.Sprintf("%s-approval-%d.pem", name, p.Number))
		n.ok("raft", "recover", "approve", "--yes", draft, "-f", path, "-c", p.Config())
		finish = append(finish, path)
	}
	n.ok(finish...)
	for _, p := range left {
		n.ok("raft", "recover", "apply", "--yes", file, "-c", p.Config())
		must(n.t, p.Start())
	}
}

// TestANetworkIsRecoveredTwice loses three of five voters under load, goes on, and
// loses two of the three that vote then. What a surviving hospital had a receipt for
// is in the log, or its daemon says that it is lost.
func TestANetworkIsRecoveredTwice(t *testing.T) {
	t.Parallel()
	if os.Getenv("PROVE") != "1" {
		t.Skip("minutes: set PROVE=1; TestANetworkThatLostItsMajorityGoesOn is its short form")
	}
	n := newNetwork(t, 7, 5)
	h := n.Hospitals
	visits := madeUpVisits(t, 60, 7)
	third := len(visits) / 3
	n.register(visits[:third])
	n.converge()
	known := &acknowledged{refs: map[string][]admin.EntryRef{}}
	var load sync.WaitGroup
	cut := make(chan struct{})
	for _, p := range []*demo.Process{h[0], h[1], h[5], h[6]} {
		load.Go(func() {
			for i := third; i < 2*third; i++ {
				if n.submitOnce(p, visits[i], known) != nil {
					return
				}
				if p == h[0] && i == third+3 {
					close(cut)
				}
			}
		})
	}
	select {
	case <-cut:
	case <-n.ctx.Done():
		t.Fatal("no load")
	}
	for _, p := range h[2:5] {
		must(t, p.Kill())
		must(t, os.RemoveAll(filepath.Join(p.Dir, "node")))
	}
	left := []*demo.Process{h[0], h[1], h[5], h[6], n.Reader}
	for _, p := range left {
		must(t, p.Stop())
	}
	load.Wait()
	n.goOn("first", left, []*demo.Process{h[0], h[1], h[5], h[6]}, "h6")
	n.wantVoters(h[0], h[1], h[5])
	n.keepsItsWord(left, known)

	n.registerWithoutIdentities(visits[2*third:], []int{0, 1, 5, 6})
	n.convergeOf(left)
	for _, p := range []*demo.Process{h[1], h[5]} {
		must(t, p.Kill())
	}
	must(t, os.RemoveAll(filepath.Join(h[5].Dir, "node")))
	rest := []*demo.Process{h[0], h[6], n.Reader}
	for _, p := range rest {
		must(t, p.Stop())
	}
	n.goOn("second", rest, []*demo.Process{h[0], h[1], h[5], h[6]}, "h7") // two sign with their keys, and what they have
	n.wantVoters(h[0], h[6])
	n.registerWithoutIdentities(visits[:third], []int{0, 6})
	last := n.convergeOf(rest)
	n.keepsItsWord(rest, known)
	n.wantReceipts()
	if said := n.ok("log", "head", "-o", "json", "-c", h[0].Config()); !strings.Contains(said, "/3\"") {
		t.Errorf("the head of %d entries: %s", last.Size, said)
	}
	must(t, h[1].Start()) // a voter of the epoch before
	n.eventually("h2 to end", func() error {
		if h[1].Running() {
			return fmt.Errorf("it runs")
		}
		return nil
	})
	n.wantCopiesVerify(rest)
}

// acknowledged is what hospitals have receipts for.
type acknowledged struct {
	mu   sync.Mutex
	refs map[string][]admin.EntryRef // by node; guarded by mu
}

// count returns how many entries that is.
func (a *acknowledged) count() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, refs := range a.refs {
		n += len(refs)
	}
	return n
}

// submitOnce hands in one file, without identities, and notes what is acknowledged.
func (n *network) submitOnce(p *demo.Process, v visit, known *acknowledged) error {
	v.file.Identities = nil
	ctx, cancel := context.WithTimeout(n.ctx, 5*time.Second)
	defer cancel()
	r, err := p.Client.Submit(ctx, admin.Submission{Wait: true, Files: []admin.File{v.file}})
	if err != nil {
		return err
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	for _, f := range r.Files {
		for _, ref := range f.Entries {
			if ref.Receipt {
				known.refs[p.Node] = append(known.refs[p.Node], ref)
			}
		}
	}
	return nil
}

// registerWithoutIdentities hands in files at some of the hospitals in turn.
func (n *network) registerWithoutIdentities(visits []visit, hospitals []int) {
	n.t.Helper()
	visits = slices.Clone(visits)
	for i := range visits {
		visits[i].hospital = hospitals[i%len(hospitals)]
		visits[i].file.Identities = nil
	}
	n.register(visits)
}

// keepsItsWord looks up what hospitals have receipts for: it is in their log, or
// their daemon says that it is lost.
func (n *network) keepsItsWord(left []*demo.Process, known *acknowledged) {
	n.t.Helper()
	n.convergeOf(left)
	kept := 0
	for _, p := range left {
		refs := known.refs[p.Node]
		if len(refs) == 0 {
			continue
		}
		ids := map[string]bool{}
		for _, e := range n.entries(p) {
			ids[e.ID] = true
		}
		s, err := p.Client.Status(n.ctx)
		must(n.t, err)
		said := strings.Contains(fmt.Sprint(s.Warnings), "were lost at the recovery")
		for _, ref := range refs {
			switch {
			case ids[ref.ID]:
				kept++
			case !said:
				n.t.Errorf("%s had a receipt for entry %s, which is not in its log, and does not say so: %v", p.Node, ref.ID, s.Warnings)
			}
		}
	}
	n.t.Logf("%d acknowledged entries are kept", kept)
	if kept == 0 {
		n.t.Error("nothing was acknowledged")
	}
}
