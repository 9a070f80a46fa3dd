package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/integration/chaos"
)

// TestANetworkLivesThroughAllThatHappens has the processes of a network in
// network namespaces, one hospital behind a router that translates addresses and one
// behind a proxy that wants a password. From three voters it grows to seven and five
// mirrors, shrinks to five, replaces a dead voter, removes a hospital, has a node
// sleep through rotations of its peers' keys, is updated node by node, and loses its
// majority and goes on; hospitals submit all the while.
func TestANetworkLivesThroughAllThatHappens(t *testing.T) {
	if os.Getenv("PROVE") != "1" {
		t.Skip("minutes, and root: make network; its parts have short tests of their own")
	}
	needsChaos(t)
	if chaos.Inside() == "" {
		must(t, enclose(t, t.Output()))
		return
	}
	must(t, chaos.Arrive())
	l := &life{began: time.Now()}
	old, err := older()
	must(t, err)
	newer, err := program()
	must(t, err)
	t.Logf("both builds: %v", time.Since(l.began).Round(time.Second))
	l.country = newCountry(t, old, 13, 4, 3)
	must(t, l.lan.Hide(3)) // h4
	l.step("founded with 3 voters, one hospital behind NAT", func() {
		l.startWithin(10 * time.Minute)
		l.register(madeUpVisits(t, 12, 4))
		l.converge()
	})
	l.step("grown to 7 voters and 5 mirrors, one behind a proxy", l.grow)
	l.step("shrunk to 5 voters", l.shrink)
	l.step("a dead voter replaced, from which it comes back as a mirror", l.replace)
	l.step("a hospital removed", l.remove)
	l.step("a node slept through rotations of keys", l.sleep)
	l.step("updated node by node", func() { l.updateAll(newer) })
	l.step("lost the majority and recovered", l.recover)
}

// life is what happens to a network in a country.
type life struct {
	*country
	began time.Time
}

func (l *life) step(what string, happens func()) {
	began := time.Now()
	happens()
	l.t.Logf("%s: %v, %v in all", what, time.Since(began).Round(time.Second), time.Since(l.began).Round(time.Second))
}

// node returns the process that has a node's directory now.
func (l *life) node(id string) *demo.Process {
	l.t.Helper()
	i := slices.IndexFunc(l.Hospitals, func(p *demo.Process) bool { return p.Node == id })
	if i < 0 {
		l.t.Fatalf("no node %s", id)
	}
	return l.Hospitals[i]
}

func (l *life) nodes(ids ...string) (some []*demo.Process) {
	l.t.Helper()
	for _, id := range ids {
		some = append(some, l.node(id))
	}
	return some
}

func (l *life) grow() {
	lead := l.nodes("h1", "h2", "h4")
	l.joins("h5", 6, lead)
	l.busy(l.nodes("h1", "h4", "h5"), func() {
		for i := 6; i <= 11; i++ {
			l.arrives(fmt.Sprintf("h%d", i), i+1, lead)
		}
		votes := []string{"h1", "h2", "h3"}
		for _, id := range []string{"h4", "h6", "h7", "h8"} {
			l.decideTogether(lead, "member", "promote", id)
			votes = append(votes, id)
			l.wantVoters(l.nodes(votes...)...)
		}
	})
	if mirrors := len(l.Processes()) - 7; mirrors != 5 {
		l.t.Errorf("%d mirrors", mirrors)
	}
	v := make([]visit, len(l.Hospitals))
	for i := range v {
		v[i] = l.file()
		v[i].hospital = i
	}
	l.register(v) // with identities, from behind both walls too
	for _, one := range v {
		if one.result.Outcome != "accepted" {
			l.t.Errorf("%s at h%d: %+v", one.file.Name, one.hospital+1, one.result)
		}
	}
	l.converge()
}

func (l *life) shrink() {
	lead := l.nodes("h1", "h2", "h4")
	l.busy(l.nodes("h5", "h6", "h8", "h9"), func() {
		l.decideTogether(lead, "member", "demote", "h8")
		l.wantVoters(l.nodes("h1", "h2", "h3", "h4", "h6", "h7")...)
		l.decideTogether(lead, "member", "demote", "h7")
		l.wantVoters(l.nodes("h1", "h2", "h3", "h4", "h6")...)
	})
	l.converge()
}

func (l *life) replace() {
	l.busy(l.nodes("h1", "h4", "h5", "h7"), func() {
		must(l.t, l.node("h3").Kill())
		l.decideTogether(l.nodes("h1", "h2", "h4"), "member", "promote", "h9", "--in-place-of", "h3")
		l.wantVoters(l.nodes("h1", "h2", "h4", "h6", "h9")...)
		must(l.t, l.node("h3").Start())
		l.eventually("h3 to be a mirror", func() error {
			s, err := l.node("h3").Client.Status(l.ctx)
			if err == nil && (s.Kind != "mirror" || !s.Ready) {
				err = fmt.Errorf("a %s, %s", s.Kind, s.Why)
			}
			return err
		})
	})
	l.converge()
}

func (l *life) remove() {
	gone := l.node("h11")
	l.decideTogether(l.nodes("h1", "h2", "h4"), "member", "remove", fmt.Sprint(gone.Number))
	began := time.Now()
	l.Hospitals = slices.DeleteFunc(l.Hospitals, func(p *demo.Process) bool { return p == gone })
	l.wantRefused(gone.Node, l.Processes())
	took := time.Since(began)
	if took > 5*time.Second {
		l.t.Errorf("refused everywhere after %v", took)
	}
	l.t.Logf("refused by %d nodes after %v", len(l.Processes()), took.Round(time.Millisecond))
	must(l.t, gone.Stop())
}

// sleep stops a mirror and rotates the TLS keys of all voters but one once, of the
// first twice, and its other keys.
func (l *life) sleep() {
	asleep := l.node("h10")
	must(l.t, asleep.Stop())
	rotate := func(id string, more ...string) {
		l.ok(append([]string{"key", "rotate", "--yes", "-c", l.node(id).Config()}, more...)...)
	}
	l.busy(l.nodes("h1", "h5", "h6"), func() {
		for _, id := range []string{"h1", "h2", "h4", "h6", "h9", "h1"} {
			rotate(id, "--tls")
			l.wantVoters(l.nodes("h1", "h2", "h4", "h6", "h9")...)
		}
		rotate("h1", "--envelope", "--request", "--response", "--sealing")
		l.ok("key", "rotate", "--yes", "--sealing", "-c", l.Reader.Config())
	})
	must(l.t, asleep.Start())
	must(l.t, asleep.WaitReady(l.ctx))
	v := l.file()
	v.hospital = slices.Index(l.Hospitals, asleep)
	l.register([]visit{v})
	l.converge()
}

func (l *life) updateAll(binary string) {
	l.busy(l.nodes("h1", "h4", "h5", "h8", "h10"), func() {
		for i := range l.Hospitals {
			l.update(i, binary)
		}
		must(l.t, l.Reader.Stop())
		reader, err := demo.Open(binary, l.Reader.Node, l.Reader.Dir)
		must(l.t, err)
		reader.Within = l.Reader.Within
		l.Reader = reader
		must(l.t, reader.Start())
		must(l.t, reader.WaitReady(l.ctx))
	})
	l.Binary = binary
	for _, p := range l.Processes() {
		if s, err := p.Client.Status(l.ctx); err != nil || s.SupportedLevel != 3 || s.FeatureLevel != 1 {
			l.t.Errorf("%s supports level %d, of the network's %d, %v", p.Node, s.SupportedLevel, s.FeatureLevel, err)
		}
	}
	l.converge()
}

// recover loses three of five voters for good, under load.
func (l *life) recover() {
	lost := l.nodes("h2", "h6", "h9")
	l.busy(l.nodes("h1", "h3", "h4", "h5", "h6"), func() {
		l.acknowledges(10)
		for _, p := range lost {
			must(l.t, p.Kill())
			must(l.t, os.RemoveAll(filepath.Join(p.Dir, "node")))
		}
	})
	l.Hospitals = slices.DeleteFunc(l.Hospitals, func(p *demo.Process) bool { return slices.Contains(lost, p) })
	left := l.Processes()
	for _, p := range left {
		must(l.t, p.Stop())
	}
	l.goOn("recovery", left, l.nodes("h1", "h3", "h4"), "h7")
	l.wantVoters(l.nodes("h1", "h4", "h7")...)
	l.keepsItsWord(left, l.known)
	for i := range l.Hospitals {
		v := l.file()
		v.file.Identities, v.hospital = nil, i
		l.register([]visit{v})
	}
	last := l.convergeOf(left)
	l.wantReceipts()
	if said := l.ok("log", "head", "-o", "json", "-c", l.node("h1").Config()); !strings.Contains(said, "/2\"") {
		l.t.Errorf("the head is not of the second log epoch: %s", said)
	}
	l.t.Logf("%d nodes, %d entries, root %.16s", len(left), last.Size, last.Root)
	l.wantCopiesVerify(left)
}
