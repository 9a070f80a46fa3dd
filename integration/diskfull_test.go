package integration

import (
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

// TestADiskFillsUpUnderALeader fills the file system of one of three hospitals,
// the leader, step by step, and gives the room back. Nobody else may notice
// but by the change of the leader, and nothing is restarted.
func TestADiskFillsUpUnderALeader(t *testing.T) {
	t.Parallel()
	if !withOwnMounts(t) {
		return
	}
	n := foundNetwork(t, 3, 3)
	volumes := map[*demo.Process]*volume{}
	for _, p := range n.Hospitals {
		volumes[p] = onVolume(t, p, ext4)
	}
	n.startWithin(patience)
	visits := madeUpVisits(t, 60, 3)
	n.register(visits[:10])
	p := n.leader()
	v, at, pid := volumes[p], slices.Index(n.Hospitals, p), p.PID()
	var own, others []visit
	for _, one := range visits[10:] {
		if one.hospital == at {
			own = append(own, one)
		} else {
			others = append(others, one)
		}
	}
	elsewhere := func(count int) { n.register(others[:count]); others = others[count:] }

	v.leave(t, 140)
	n.warns(p, "make room")
	if _, errs, _ := n.run("status", "--config", p.Config()); !strings.Contains(string(errs), "warning: the disk has") {
		t.Errorf("status says %q", errs)
	}
	n.register(own[:2])

	v.leave(t, 80)
	n.warns(p, "this hospital's new files are refused")
	n.refusesForWantOfRoom(t, p, own[2])
	elsewhere(4)

	v.leave(t, 30)
	n.warns(p, "this node does not lead")
	n.eventually("another leader", func() error {
		if leader := n.leader(); leader == p {
			return fmt.Errorf("%s still leads", leader.Node)
		}
		return nil
	})
	elsewhere(4)
	n.converge() // it follows, and stores

	v.leave(t, 5)
	n.warns(p, "nothing new is stored")
	if _, err := os.Stat(filepath.Join(p.Dir, "node", "reserve")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the reserve: %v, want it given up", err)
	}
	elsewhere(8)

	v.leave(t, 1000)
	n.eventually("no warning", func() error {
		s, err := p.Client.Status(n.ctx)
		if w := strings.Join(s.Warnings, "; "); strings.Contains(w, "the disk has") {
			return errors.New(w)
		}
		return err
	})
	n.register(own[2:])
	s := n.converge()
	t.Logf("%d entries on every node, root %.16s; %s was never restarted", s.Size, s.Root, p.Node)
	if p.PID() != pid {
		t.Errorf("%s runs as process %d, before as %d", p.Node, p.PID(), pid)
	}
	n.eventually("the reserve", func() error {
		_, err := os.Stat(filepath.Join(p.Dir, "node", "reserve"))
		return err
	})
	t.Run("every node has the same log under a valid checkpoint", n.sameLog)
}

// TestANodeStartsOnADiskThatIsFull fills what is beside the reserve to the last
// byte while nodes are down: they start, say so, and go on when there is room.
func TestANodeStartsOnADiskThatIsFull(t *testing.T) {
	t.Parallel()
	if !withOwnMounts(t) {
		return
	}
	n := foundNetwork(t, 3, 3)
	full := map[*demo.Process]*volume{}
	for _, p := range []*demo.Process{n.Hospitals[2], n.Reader} {
		full[p] = onVolume(t, p, ext4)
	}
	n.startWithin(patience)
	visits := madeUpVisits(t, 20, 2)
	n.register(visits[:10])
	n.converge()
	for p, v := range full {
		must(t, p.Stop())
		v.fill(t)
		must(t, p.Start())
		n.warns(p, "nothing new is stored")
	}
	n.register(visits[10:])
	for _, v := range full {
		v.leave(t, 1000)
	}
	n.converge()
	t.Run("every node has the same log under a valid checkpoint", n.sameLog)
}

// warns waits for a warning about a node's disk.
func (n *network) warns(p *demo.Process, text string) {
	n.t.Helper()
	n.eventually("a warning of "+p.Node, func() error {
		s, err := p.Client.Status(n.ctx)
		if w := strings.Join(s.Warnings, "; "); err == nil && !strings.Contains(w, text) {
			return fmt.Errorf("warnings are %q, want %q", w, text)
		}
		return err
	})
}

// refusesForWantOfRoom hands a file in, to the daemon and by the command, as a
// clerk would.
func (n *network) refusesForWantOfRoom(t *testing.T, p *demo.Process, v visit) {
	_, err := p.Client.Submit(n.ctx, admin.Submission{Files: []admin.File{v.file}, Wait: true})
	var problem *admin.Problem
	if !errors.As(err, &problem) || problem.Code != admin.CodeNoRoom {
		t.Errorf("a new file: %v, want %s", err, admin.CodeNoRoom)
	}
	path := filepath.Join(n.Dir, "case.json")
	must(t, os.WriteFile(path, v.file.Data, 0o600))
	for lang, want := range map[string]string{"en": "hint: have room made", "zh": "提示：请通知运维人员腾出磁盘空间"} {
		_, errs, code := n.run("submit", "--config", p.Config(), "--lang", lang, path)
		if code != 4 || !strings.Contains(string(errs), want) {
			t.Errorf("submit: exit %d: %s; want 4 and %q", code, errs, want)
		}
	}
}
