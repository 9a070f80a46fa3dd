package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/mesh"
	"github.com/raresync/raresync/integration/chaos"
)

const (
	attackMemory    = 256 << 20           // bytes that the kernel leaves the daemon
	attackCollector = "GOMEMLIMIT=160MiB" // the share of it that the service unit has
	attackHalfOpen  = 5000
	attackAddresses = 100 // from which they come
	attackSlow      = 200 // streams and connections that speak a byte at a time
	attackGiant     = 8   // requests at once
	giantBytes      = 1 << 30
)

// TestADaemonUnderAttackGoesOn gives the leader little memory, and has strangers
// hold connections half open, speak a byte at a time, and a member and a local
// program send requests without end. It goes on, and so do the others.
func TestADaemonUnderAttackGoesOn(t *testing.T) {
	if os.Getenv("PROVE") != "1" {
		t.Skip("heavy, and root: make network; floods of connections alone are tried in daemon/mesh")
	}
	needsChaos(t)
	n := newNetwork(t, 4, 3)
	visits := madeUpVisits(t, 16, 4)
	n.register(visits[:8])
	a := &attack{network: n, victim: n.leader()}
	a.limit()
	g := newGuest(t, n, n.Hospitals[3]) // the member
	ctx, stop := context.WithCancel(n.ctx)
	var attackers sync.WaitGroup
	defer attackers.Wait()
	defer stop()
	a.halfOpen(ctx, &attackers)
	a.slowLoris(ctx, &attackers, g)
	a.giants(ctx, &attackers, g)
	a.commits("while it begins", visits[8:12])
	n.eventually("the attack to be under way", a.underWay)
	a.commits("while it goes on", visits[12:])
	a.survived()
	stop()
	attackers.Wait()
	g.leave()
	must(t, n.Hospitals[3].Start())
	n.converge()
	a.survived()
}

// commits registers files at every hospital but the member's.
func (a *attack) commits(when string, visits []visit) {
	a.t.Helper()
	for i := range visits {
		visits[i].hospital = i % 3
	}
	began := time.Now()
	a.register(visits)
	a.t.Logf("%s: %d files in %v; %d connections were left half open, %d spoke slowly, %d requests of 1 GiB got as far as %d MiB together",
		when, len(visits), time.Since(began).Round(time.Millisecond), a.half.Load(), a.slow.Load(), a.ended.Load(), a.sent.Load()>>20)
	for _, v := range visits {
		if v.result.Outcome != "accepted" {
			a.t.Errorf("%s: %+v", v.file.Name, v.result)
		}
	}
}

// attack is what is done to a daemon, and how often.
type attack struct {
	*network
	victim *demo.Process
	pid    int
	memory *chaos.Memory

	half, slow, sent, ended atomic.Int64
}

// limit starts the victim again in a control group of little memory.
func (a *attack) limit() {
	a.t.Helper()
	memory, err := chaos.NewMemory(filepath.Base(a.Dir))
	must(a.t, err)
	a.memory = memory
	a.t.Cleanup(func() { must(a.t, errors.Join(a.victim.Kill(), memory.Remove())) })
	must(a.t, memory.Limit(attackMemory))
	must(a.t, a.victim.Stop())
	cfg, err := os.ReadFile(a.victim.Config())
	must(a.t, err)
	monitor, err := demo.FreeAddress()
	must(a.t, err)
	must(a.t, os.WriteFile(a.victim.Config(), []byte(strings.Replace(string(cfg), "[listen]\n", "[listen]\nmetrics = \""+monitor+"\"\n", 1)), 0o600))
	a.victim.Env = []string{attackCollector}
	must(a.t, a.victim.Start())
	must(a.t, memory.Add(a.victim.PID()))
	a.pid = a.victim.PID()
	must(a.t, a.victim.WaitReady(a.ctx))
	a.handTo(a.victim)
}

func (a *attack) settings() config.Config {
	a.t.Helper()
	cfg, err := config.Load(a.victim.Config())
	must(a.t, err)
	return cfg
}

// hold keeps a connection until the attack is over.
func hold(ctx context.Context, attackers *sync.WaitGroup, conn net.Conn) {
	attackers.Go(func() {
		<-ctx.Done()
		_ = conn.Close()
	})
}

// halfOpen connects from many addresses and says no more than the beginning of a
// handshake.
func (a *attack) halfOpen(ctx context.Context, attackers *sync.WaitGroup) {
	to := a.settings().Listen.Node
	for worker := range 4 {
		attackers.Go(func() {
			for i := worker; i < attackHalfOpen && ctx.Err() == nil; i += 4 {
				d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 7, byte(1+i%attackAddresses))}}
				conn, err := d.DialContext(ctx, "tcp4", to)
				if err != nil {
					continue // it is counted below what is wanted
				}
				_, _ = conn.Write([]byte{22, 3, 1}) // it may have been closed
				hold(ctx, attackers, conn)
				a.half.Add(1)
			}
		})
	}
}

// slowLoris begins requests and sends them a byte at a time: over sessions of a
// member, at the node's port, and where monitors ask.
func (a *attack) slowLoris(ctx context.Context, attackers *sync.WaitGroup, g *guest) {
	a.t.Helper()
	cfg := a.settings()
	dials := []func() (net.Conn, error){
		func() (net.Conn, error) { return g.mesh.Dial(ctx, a.victim.Node, mesh.ClassAPI) },
		func() (net.Conn, error) { return net.Dial("tcp", cfg.Listen.Node) },
		func() (net.Conn, error) { return net.Dial("tcp", cfg.Listen.Metrics) },
		func() (net.Conn, error) { return net.Dial("unix", cfg.Listen.AdminSocket) },
	}
	for i := range attackSlow {
		attackers.Go(func() {
			for ctx.Err() == nil { // one that is dropped comes again
				if conn, err := dials[i%len(dials)](); err == nil {
					a.trickle(ctx, conn)
				}
			}
		})
	}
}

func (a *attack) trickle(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	a.slow.Add(1)
	pace := time.NewTicker(250 * time.Millisecond)
	defer pace.Stop()
	for _, b := range []byte("POST /v1/submit HTTP/1.1\r\nHost: node\r\nX-Slow: " + strings.Repeat("x", 1<<10)) {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
		if _, err := conn.Write([]byte{b}); err != nil {
			return
		}
	}
}

// giants sends requests of a GiB, one after the other, until the attack is over:
// the member an envelope, a local program files.
func (a *attack) giants(ctx context.Context, attackers *sync.WaitGroup, g *guest) {
	a.t.Helper()
	socket := a.settings().Listen.AdminSocket
	for i := range attackGiant {
		dial, path, begin := func() (net.Conn, error) { return g.mesh.Dial(ctx, a.victim.Node, mesh.ClassAPI) }, "/v1/submit", "\x84"
		if i == 0 { // one: whoever may reach the socket is the hospital itself
			dial, path, begin = func() (net.Conn, error) { return net.Dial("unix", socket) }, "/v1/submissions", `{"files":[{"name":"a","data":"`
		}
		attackers.Go(func() {
			for ctx.Err() == nil {
				if conn, err := dial(); err == nil {
					a.giant(ctx, conn, path, begin)
				}
			}
		})
	}
}

func (a *attack) giant(ctx context.Context, conn net.Conn, path, begin string) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	body := io.MultiReader(strings.NewReader(begin), &endless{a})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://node"+path, io.LimitReader(body, giantBytes))
	if err != nil {
		a.t.Error(err)
		return
	}
	r.ContentLength = giantBytes
	_ = r.Write(conn) // the daemon hangs up
	a.ended.Add(1)
}

// endless is a text that does not end.
type endless struct{ a *attack }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'A'
	}
	e.a.sent.Add(int64(len(p)))
	return len(p), nil
}

func (a *attack) underWay() error {
	if half, slow, ended := a.half.Load(), a.slow.Load(), a.ended.Load(); half < attackHalfOpen || slow < attackSlow || ended < 2*attackGiant {
		return fmt.Errorf("%d half open, %d slow, %d endless requests", half, slow, ended)
	}
	return nil
}

// survived wants the victim's process to be the one of before, and within its
// memory.
func (a *attack) survived() {
	a.t.Helper()
	kills, err := a.memory.Kills()
	must(a.t, err)
	if a.victim.PID() != a.pid || kills != 0 {
		a.t.Fatalf("%s did not survive: process %d, now %d, killed by the kernel %d times", a.victim.Node, a.pid, a.victim.PID(), kills)
	}
	a.t.Logf("memory of %s: %d MiB, %d MiB at most, of %d", a.victim.Node, memory(a.t, a.victim, "VmRSS")>>10, memory(a.t, a.victim, "VmHWM")>>10, attackMemory>>20)
}
