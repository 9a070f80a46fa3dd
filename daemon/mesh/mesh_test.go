package mesh

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestStreamsGoBothWaysWhenOneSideDials(t *testing.T) {
	w := newWorld(t, "a", "b")
	cfg := w.config("b")
	cfg.Listen = ""
	a, b := w.start(t, "a"), start(t, cfg)
	if b.Addr() != nil {
		t.Errorf("address of a node that only dials: %v", b.Addr())
	}
	b.SetPeers([]Target{target(a)})
	for class := range classCount {
		echo(t, a, class)
		echo(t, b, class)
		ask(t, a, "b", class, "from a")
		ask(t, b, "a", class, "from b")
	}
	until(t, "both sides list both sessions with a round trip", func() bool {
		states := append(a.Connected(), b.Connected()...)
		for _, s := range states {
			if s.RTT == 0 || s.Since.IsZero() || s.Dialled != (s.Node == "a") {
				return false
			}
		}
		return len(states) == 4
	})
}

func TestStreamNamesItsPeer(t *testing.T) {
	w := newWorld(t, "a", "b")
	a, b := w.start(t, "a"), w.start(t, "b")
	b.SetPeers([]Target{target(a)})
	c, err := b.Dial(soon(t), "a", ClassRaft)
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.Accept(ClassRaft)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Peer(), (Peer{"b", idOf(t, w.keys["b"])}); got != want {
		t.Errorf("peer of accepted stream: got %v, want %v", got, want)
	}
	if got, want := c.(*Stream).Peer(), (Peer{"a", idOf(t, w.keys["a"])}); got != want {
		t.Errorf("peer of dialled stream: got %v, want %v", got, want)
	}
	if s.RemoteAddr().String() != "b" || s.LocalAddr().String() != "a" || s.RemoteAddr().Network() != "raresync" {
		t.Errorf("addresses: remote %v, local %v", s.RemoteAddr(), s.LocalAddr())
	}
}

func TestFiveNodesReachEachOther(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c", "d", "e"}
	w := newWorld(t, names...)
	var all []*Mesh
	var targets []Target
	for _, n := range names {
		m := w.start(t, n)
		all, targets = append(all, m), append(targets, target(m))
	}
	for _, m := range all {
		for class := range classCount {
			echo(t, m, class)
		}
		m.SetPeers(targets)
	}
	for _, m := range all {
		for _, n := range names {
			if n != m.cfg.Self {
				ask(t, m, n, ClassRaft, m.cfg.Self+n)
				ask(t, m, n, ClassAPI, m.cfg.Self+n)
			}
		}
	}
	for _, m := range all {
		until(t, "one session per pair and class is left", func() bool {
			return len(m.Connected()) == 8 && living(m) == 8
		})
	}
}

func TestSimultaneousDialsLeaveTheSameSessionOnBothSides(t *testing.T) {
	for range 5 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "a", "b")
			a, b := w.start(t, "a"), w.start(t, "b")
			echo(t, b, ClassAPI)
			a.SetPeers([]Target{target(b)})
			b.SetPeers([]Target{target(a)})
			ask(t, a, "b", ClassAPI, "opened while the race is on")
			until(t, "the same session per class is left on both sides", func() bool {
				sa, sb := a.Connected(), b.Connected()
				return len(sa) == 2 && len(sb) == 2 && living(a) == 2 && living(b) == 2 &&
					sa[0].Dialled != sb[0].Dialled && sa[1].Dialled != sb[1].Dialled
			})
		})
	}
}

// living counts all sessions of m, those that finish included.
func living(m *Mesh) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.sessions)
}

func TestDialWaitsForThePeer(t *testing.T) {
	w := newWorld(t, "a", "b")
	a := w.start(t, "a")
	echo(t, a, ClassAPI)
	type result struct {
		c   net.Conn
		err error
	}
	dialled := make(chan result, 1)
	ctx := soon(t)
	go func() {
		c, err := a.Dial(ctx, "b", ClassAPI)
		dialled <- result{c, err}
	}()
	b := w.start(t, "b")
	b.SetPeers([]Target{target(a)})
	r := <-dialled
	if r.err != nil {
		t.Fatal(r.err)
	}
	if s, err := b.Accept(ClassAPI); err != nil || s.Peer().Node != "a" {
		t.Fatalf("accept at b: %v, %v", s, err)
	}
}

func TestDialFails(t *testing.T) {
	w := newWorld(t, "a", "b")
	a := w.start(t, "a")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for name, tc := range map[string]struct {
		ctx   context.Context
		node  string
		class Class
		want  error
	}{
		"with the context's error when nobody came": {ended, "b", ClassAPI, context.Canceled},
		"at once when the node is this one":         {context.Background(), "a", ClassAPI, ErrSelf},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := a.Dial(tc.ctx, tc.node, tc.class); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
	if _, err := a.Dial(context.Background(), "b", 9); err == nil {
		t.Error("dialled a class that does not exist")
	}
}

func TestCloseFreesWhoeverWaits(t *testing.T) {
	w := newWorld(t, "a", "b")
	a, b := w.start(t, "a"), w.start(t, "b")
	a.SetPeers([]Target{target(b)})
	c, err := a.Dial(soon(t), "b", ClassAPI)
	if err != nil {
		t.Fatal(err)
	}
	faults := make(chan error, 4)
	go func() { _, err := a.Dial(context.Background(), "nobody", ClassAPI); faults <- err }()
	go func() { _, err := a.Accept(ClassAPI); faults <- err }()
	go func() { _, err := a.Listener(ClassRaft).Accept(); faults <- err }()
	go func() { _, err := c.Read(make([]byte, 1)); faults <- err }()
	a.Close()
	for range 4 {
		if err := <-faults; !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v, want net.ErrClosed", err)
		}
	}
	if _, err := a.Dial(context.Background(), "b", ClassAPI); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dial after close: %v", err)
	}
	a.SetPeers([]Target{target(b)}) // must not start anything: goleak looks
}

func TestRestartedPeerIsReachedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b")
	a, b := w.start(t, "a"), w.start(t, "b")
	echo(t, b, ClassRaft)
	a.SetPeers([]Target{target(b)})
	ask(t, a, "b", ClassRaft, "before")
	at := b.Addr().String()
	b.Close()
	until(t, "a has seen b go", func() bool { return len(a.Connected()) == 0 })

	cfg := w.config("b")
	cfg.Listen = at
	again := start(t, cfg)
	echo(t, again, ClassRaft)
	ask(t, a, "b", ClassRaft, "after")
}

func TestRestartedPeerReplacesItsDeadSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b")
	a, b := w.start(t, "a"), w.start(t, "b")
	proxy := newProxy(t, a.Addr().String())
	b.SetPeers([]Target{{Node: "a", Addresses: []string{proxy.addr()}}})
	until(t, "b is connected", func() bool { return len(a.Connected()) == 2 })
	old := a.sessionAt(slot{"b", ClassAPI})
	proxy.freeze() // b's machine loses power: a hears nothing of it

	b2 := w.start(t, "b")
	b2.SetPeers([]Target{target(a)})
	select {
	case <-old.done:
	case <-soon(t).Done():
		t.Fatal("the dead session stayed")
	}
	if !errors.Is(old.reason, errReplaced) {
		t.Errorf("the dead session ended because %v", old.reason)
	}
	proxy.close()
}

func TestManyLargeTransfersAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b")
	a, b := w.start(t, "a"), w.start(t, "b")
	echo(t, a, ClassRaft)
	echo(t, b, ClassAPI)
	a.SetPeers([]Target{target(b)})
	body := make([]byte, 3<<20+17)
	rand.Read(body)
	want := sha256.Sum256(body)
	transfer := func(m *Mesh, node string, class Class) error {
		c, err := m.Dial(soon(t), node, class)
		if err != nil {
			return err
		}
		defer c.Close()
		sent := make(chan error, 1)
		go func() { _, err := c.Write(body); sent <- err }()
		h := sha256.New()
		if _, err := io.CopyN(h, c, int64(len(body))); err != nil {
			return err
		}
		if !bytes.Equal(h.Sum(nil), want[:]) {
			return errors.New("bytes differ")
		}
		return <-sent
	}
	faults := make(chan error)
	for range 8 {
		go func() { faults <- transfer(a, "b", ClassAPI) }()
		go func() { faults <- transfer(b, "a", ClassRaft) }()
	}
	for range 16 {
		if err := <-faults; err != nil {
			t.Error(err)
		}
	}
}

func TestSetPeersChangesWhoIsDialled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b", "c")
	a, b, c := w.start(t, "a"), w.start(t, "b"), w.start(t, "c")
	a.SetPeers([]Target{{Node: "b", Addresses: []string{"127.0.0.1:1"}}, target(a), {Node: "c"}})
	a.SetPeers([]Target{{Node: "b", Addresses: []string{"127.0.0.1:1", b.Addr().String()}}})
	until(t, "b is reached at its second address", func() bool { return len(b.Connected()) == 2 })
	a.SetPeers([]Target{target(c)})
	until(t, "c is reached", func() bool { return len(c.Connected()) == 2 })
	b.Close()
	until(t, "b is gone", func() bool { return len(a.Connected()) == 2 })
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.dialling) != 1 || a.dialling["c"] == nil {
		t.Errorf("still dialling %v", a.dialling)
	}
}

func TestNewReportsAllFaultsOfItsConfig(t *testing.T) {
	_, err := New(Config{KeepAlive: time.Second, IdleTimeout: time.Second})
	if err == nil {
		t.Fatal("an empty configuration was taken")
	}
	for _, word := range []string{"Self", "Key", "Lookup", "IdleTimeout"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v does not name %s", err, word)
		}
	}
	w := newWorld(t, "a")
	cfg := w.config("a")
	cfg.Listen = "not an address"
	if _, err := New(cfg); err == nil {
		t.Error("listened on no address")
	}
}

func TestWhoHasNoPartInRaftHasNoSessionForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b")
	a, b := w.start(t, "a"), w.start(t, "b")
	plain := target(a)
	plain.NoRaft = true
	b.SetPeers([]Target{plain})
	echo(t, a, ClassAPI)
	ask(t, b, "a", ClassAPI, "hello")
	for _, m := range []*Mesh{a, b} {
		for _, p := range m.Connected() {
			if p.Class != ClassAPI {
				t.Errorf("%s has a session of class %v", m.cfg.Self, p.Class)
			}
		}
	}
	b.mu.Lock()
	_, dialled := b.failures[slot{"a", ClassRaft}]
	b.mu.Unlock()
	if dialled {
		t.Error("it tried to make one for Raft")
	}
	plain.NoRaft = false // it is given a part
	b.SetPeers([]Target{plain})
	until(t, "a session for Raft", func() bool { return len(b.Connected()) == 2 })
}
