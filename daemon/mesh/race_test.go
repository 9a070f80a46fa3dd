package mesh

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// A slowDial is a dial whose steps a test takes one by one.
type slowDial struct {
	t    *testing.T
	m    *Mesh
	at   slot
	conn *tls.Conn
	own  greeting
}

// dialSlowly goes as far as deciding to greet, without greeting yet.
func dialSlowly(t *testing.T, m, to *Mesh) *slowDial {
	t.Helper()
	raw, err := net.Dial("tcp", to.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	d := &slowDial{t: t, m: m, at: slot{to.cfg.Self, ClassAPI}}
	d.conn = tlsClient(t, m, raw, to.cfg.Self)
	if d.own, err = m.greet(d.at); err != nil {
		t.Fatal(err)
	}
	return d
}

// greet sends the greeting and waits until the other side has dealt with it.
func (d *slowDial) greet(other *Mesh) {
	d.t.Helper()
	before := greetings(other)
	if _, err := d.conn.Write(d.own.append(nil)); err != nil {
		d.t.Fatal(err)
	}
	until(d.t, "the greeting is dealt with", func() bool { return greetings(other) > before })
}

func greetings(m *Mesh) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count
}

// finish reads the answer and runs the session it may have become.
func (d *slowDial) finish() (*session, error) {
	d.t.Helper()
	g, err := readAnswer(d.conn)
	if err != nil {
		d.conn.Close()
		return nil, err
	}
	p, class, err := d.m.established(d.conn)
	if err != nil {
		d.t.Fatal(err)
	}
	s := d.m.newSession(d.conn, p, class, link{dialled: true, peer: g})
	if _, err := d.m.enrol(s); err != nil {
		d.t.Fatal(err)
	}
	d.m.wg.Go(func() { s.run(nil) })
	return s, nil
}

func TestRaceLeavesTheDialOfTheFirstNodeInAnyOrder(t *testing.T) {
	for name, steps := range map[string]func(ofA, ofB *slowDial) (refused error){
		"a's dial is done before b greets": func(ofA, ofB *slowDial) error {
			ofA.greet(ofB.m)
			ofA.finish()
			ofB.greet(ofA.m)
			_, err := ofB.finish()
			return err
		},
		"b's dial is done before a greets": func(ofA, ofB *slowDial) error {
			ofB.greet(ofA.m)
			ofB.finish()
			ofA.greet(ofB.m)
			ofA.finish()
			return nil
		},
		"both greet before either reads, a finishes first": func(ofA, ofB *slowDial) error {
			ofA.greet(ofB.m)
			ofB.greet(ofA.m)
			ofA.finish()
			ofB.finish()
			return nil
		},
		"both greet before either reads, b finishes first": func(ofA, ofB *slowDial) error {
			ofB.greet(ofA.m)
			ofA.greet(ofB.m)
			ofB.finish()
			ofA.finish()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "a", "b")
			a, b := w.start(t, "a"), w.start(t, "b")
			ofA, ofB := dialSlowly(t, a, b), dialSlowly(t, b, a)
			if err := steps(ofA, ofB); err != nil && !errors.Is(err, errDuplicate) {
				t.Fatalf("the loser was told %v", err)
			}
			until(t, "both sides have only the dial of a", func() bool {
				sa, sb := a.Connected(), b.Connected()
				return len(sa) == 1 && len(sb) == 1 && sa[0].Dialled && !sb[0].Dialled && living(a) == 1 && living(b) == 1
			})
		})
	}
}

func TestStreamOfTheLosingSessionStaysWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b")
	a, b := w.start(t, "a"), w.start(t, "b")
	ofA, ofB := dialSlowly(t, a, b), dialSlowly(t, b, a)
	ofB.greet(a)
	loser, err := ofB.finish()
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Dial(soon(t), "a", ClassAPI)
	if err != nil {
		t.Fatal(err)
	}
	ofA.greet(b)
	if _, err := ofA.finish(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-loser.retired:
	case <-soon(t).Done():
		t.Fatal("the session of b did not lose")
	}
	echo(t, a, ClassAPI)
	ask(t, b, "a", ClassAPI, "over the winner")
	// Longer than an unused loser lives:
	if err := c.SetReadDeadline(time.Now().Add(2 * lingerTime)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !isTimeout(err) {
		t.Fatalf("the stream on the loser broke: %v", err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 5)
	if _, err := io.WriteString(c, "whole"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "whole" {
		t.Errorf("echo over the loser: %q, %v", got, err)
	}
	c.Close()
	until(t, "the loser is gone with its last stream", func() bool { return living(a) == 1 && living(b) == 1 })
}

func TestPeerThatLostItsSessionReplacesOurs(t *testing.T) {
	w := newWorld(t, "a", "b")
	a, b := w.start(t, "a"), w.start(t, "b")
	first := dialSlowly(t, a, b) // a dials, and would win any race
	first.greet(b)
	old, err := first.finish()
	if err != nil {
		t.Fatal(err)
	}
	until(t, "b has the session", func() bool { return len(b.Connected()) == 1 })
	b.forget(b.sessionAt(slot{"a", ClassAPI})) // b gives it up, unheard by a
	again := dialSlowly(t, b, a)
	again.greet(a)
	if _, err := again.finish(); err != nil {
		t.Fatalf("b was not let back in: %v", err)
	}
	select {
	case <-old.done:
	case <-soon(t).Done():
		t.Fatal("the old session stayed")
	}
	if !errors.Is(old.reason, errReplaced) {
		t.Errorf("the old session ended because %v, want %v", old.reason, errReplaced)
	}
}
