package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/integration/chaos"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/generate"
)

// country is a network whose nodes have a network namespace each, joined by a
// LAN. Processes of it start within theirs, whoever starts them.
type country struct {
	*network
	lan   *chaos.LAN
	next  int // place of the LAN that is free
	known *acknowledged

	mu    sync.Mutex
	files func() (generate.File, bool) // guarded by mu
}

// countryPort is where every voter listens.
const countryPort = 8470

// newCountry founds a network in a LAN of so many places, with a program of the
// test's own. Nothing runs yet.
func newCountry(t *testing.T, path string, places, hospitals, voters int) *country {
	t.Helper()
	lan, err := chaos.NewLAN(places)
	must(t, err)
	t.Cleanup(func() { must(t, lan.Close()) })
	c := &country{lan: lan, known: &acknowledged{refs: map[string][]admin.EntryRef{}}}
	dir, err := os.MkdirTemp("", "rr")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	var end func()
	c.files, end = iter.Pull(madeUpFiles(chaosPatients, hospitals))
	t.Cleanup(end)
	place := 0
	founded, err := demo.FoundWith(act.DefaultPolicy(), func() (string, error) {
		place++
		return c.address(place - 1), nil
	}, dir, path, hospitals, voters)
	must(t, err)
	c.network = &network{Network: founded, t: t, ctx: t.Context()}
	t.Cleanup(c.end)
	for _, p := range c.Processes() {
		p.Within = c.settle()
	}
	return c
}

// settle takes a place that is free, and returns what runs something there.
func (c *country) settle() func(func() error) error {
	place := c.next
	c.next++
	return func(f func() error) error { return c.lan.In(place, f) }
}

// address is where a voter at a place listens.
func (c *country) address(place int) string {
	return netip.AddrPortFrom(c.lan.Address(place), countryPort).String()
}

// proxy starts a proxy with a login at a place of its own, and returns both.
func (c *country) proxy(login string) (place int, url string) {
	c.t.Helper()
	place = c.next
	here := c.settle()
	var l net.Listener
	must(c.t, here(func() (err error) {
		l, err = net.Listen("tcp", net.JoinHostPort(c.lan.Address(place).String(), "3128"))
		return err
	}))
	url, _ = startProxyAt(c.t, l, func(network, address string) (conn net.Conn, err error) {
		err = here(func() error {
			conn, err = net.DialTimeout(network, address, 5*time.Second)
			return err
		})
		return conn, err
	}, login)
	return place, url
}

// joins has a hospital join behind a proxy, with an invitation of another, and be
// let in by lead hospitals. It reaches nothing but the proxy.
func (c *country) joins(id string, number int, by []*demo.Process) *demo.Process {
	c.t.Helper()
	place, url := c.proxy(id + ":secret")
	own := c.next
	within := c.settle()
	must(c.t, c.lan.Fence(own, place))
	login := c.pathOf(id + ".login")
	must(c.t, os.WriteFile(login, []byte(id+":secret\n"), 0o600))
	invitation := c.invited(by[0])
	var dir string
	must(c.t, within(func() error {
		made, errs, code := c.join(invitation.Token, id, "--proxy", url, "--proxy-login", login)
		if code != 0 {
			return fmt.Errorf("join of %s: exit code %d\n%s", id, code, errs)
		}
		dir = made
		return nil
	}))
	p, err := demo.Open(c.Binary, id, dir)
	must(c.t, err)
	p.Number, p.Within = uint32(number), within
	c.Hospitals = append(c.Hospitals, p)
	must(c.t, p.Start())
	var a admin.Approval
	out, errs, code := c.run("member", "approve", invitation.ID, "--yes", "-o", "json", "-c", by[0].Config())
	if code != 0 || json.Unmarshal(out, &a) != nil {
		c.t.Fatalf("approve %s: exit code %d\n%s%s", id, code, out, errs)
	}
	for _, h := range by[1:a.Proposal.Needed] {
		a = c.approve(h, a.Proposal.ID)
	}
	if a.Proposal.State != "fulfilled" {
		c.t.Fatalf("after all approvals: %+v", a)
	}
	must(c.t, p.WaitReady(c.ctx))
	return p
}

// arrives adds a hospital with an address, which lead hospitals let in.
func (c *country) arrives(id string, number int, by []*demo.Process) *demo.Process {
	c.t.Helper()
	address := c.address(c.next)
	p := c.lateHospitalAt(address, id, number, c.settle())
	c.Hospitals = append(c.Hospitals, p)
	c.decideTogether(by, "act", "propose", "admission", filepath.Join(p.Dir, "card.pem"))
	must(c.t, p.WaitReady(c.ctx))
	return p
}

// countryPace is how often a hospital hands in a file.
const countryPace = 400 * time.Millisecond

// file makes up the next file that nobody has handed in.
func (c *country) file() visit {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, _ := c.files()
	return madeUpVisit(c.t, f)
}

// busy has hospitals hand in files while something else happens, and notes what
// they are promised. What fails is not tried again: the next file is.
func (c *country) busy(hospitals []*demo.Process, what func()) {
	c.t.Helper()
	ctx, stop := context.WithCancel(c.ctx)
	defer stop()
	n := *c.network
	n.ctx = ctx
	before := c.known.count()
	var load sync.WaitGroup
	defer load.Wait()
	for _, p := range hospitals {
		load.Go(func() {
			pace := time.NewTicker(countryPace)
			defer pace.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-pace.C:
					_ = n.submitOnce(p, c.file(), c.known)
				}
			}
		})
	}
	what()
	if c.known.count() == before {
		c.acknowledges(1)
	}
	stop()
	load.Wait()
	c.t.Logf("%d entries were acknowledged meanwhile", c.known.count()-before)
}

// acknowledges waits until so many entries more have a receipt.
func (c *country) acknowledges(more int) {
	c.t.Helper()
	want := c.known.count() + more
	c.eventually("receipts", func() error {
		if got := c.known.count(); got < want {
			return fmt.Errorf("%d of %d", got, want)
		}
		return nil
	})
}
