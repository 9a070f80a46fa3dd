package mesh

import (
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"
)

func frame(kind byte, length uint32) []byte {
	b := make([]byte, 12)
	b[1] = kind
	binary.BigEndian.PutUint32(b[8:], length)
	return b
}

func TestPingCounterSeesPingsThroughAnyCut(t *testing.T) {
	var wire []byte
	for i := range maxPings {
		wire = append(wire, frame(frameData, 24)...)
		wire = append(wire, frame(framePing, 1)...) // data that looks like pings
		wire = append(wire, frame(framePing, 1)...)
		wire = append(wire, frame(1, 1<<30)...) // a window update has no body
		wire = append(wire, frame(framePing, uint32(i))...)
	}
	now := time.Unix(1000, 0)
	for cut := 1; cut < 100; cut++ {
		var p pingCounter
		for b := wire; len(b) > 0; {
			n := min(cut, len(b))
			if err := p.feed(b[:n], now); err != nil {
				t.Fatalf("cut in pieces of %d: %v", cut, err)
			}
			b = b[n:]
		}
		if err := p.feed(frame(framePing, 0), now); !errors.Is(err, errPingFlood) {
			t.Fatalf("cut in pieces of %d, one ping too many: %v", cut, err)
		}
	}
}

func TestPingCounterForgivesAfterASecond(t *testing.T) {
	var p pingCounter
	for second := range 5 {
		for range maxPings {
			if err := p.feed(frame(framePing, 0), time.Unix(int64(second), 0)); err != nil {
				t.Fatalf("second %d: %v", second, err)
			}
		}
	}
}

// FuzzPingCounter: the count does not depend on how the bytes are cut.
func FuzzPingCounter(f *testing.F) {
	f.Add(append(frame(frameData, 3), "abc"...), 5)
	f.Add(append(frame(framePing, 3), frame(framePing, 4)...), 12)
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 1}, 1)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		cut = max(0, min(cut, len(b)))
		var whole, parts pingCounter
		now := time.Unix(1000, 0)
		err := whole.feed(b, now)
		first := parts.feed(b[:cut], now)
		if first == nil {
			first = parts.feed(b[cut:], now)
		}
		if err != first || err == nil && whole != parts {
			t.Errorf("whole: %v %v; cut at %d: %v %v", err, whole, cut, first, parts)
		}
	})
}

func TestSilentPeerIsNoticedByBothSides(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b")
	quick := func(node string) *Mesh {
		cfg := w.config(node)
		cfg.KeepAlive, cfg.IdleTimeout = 100*time.Millisecond, 500*time.Millisecond
		return start(t, cfg)
	}
	a, b := quick("a"), quick("b")
	p := newProxy(t, a.Addr().String())
	b.SetPeers([]Target{{Node: "a", Addresses: []string{p.addr()}}})
	until(t, "both are connected", func() bool { return len(a.Connected())+len(b.Connected()) == 4 })
	c, err := a.Dial(soon(t), "b", ClassRaft)
	if err != nil {
		t.Fatal(err)
	}
	p.freeze()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a stream of a lost session reads %v, want io.ErrUnexpectedEOF", err)
	}
	until(t, "both have given the sessions up", func() bool { return len(a.Connected())+len(b.Connected()) == 0 })
	p.close()
}

func TestPeerThatFloodsKeepAlivesLosesItsSession(t *testing.T) {
	w := newWorld(t, "a", "b")
	a, b := w.start(t, "a"), w.start(t, "b")
	b.SetPeers([]Target{target(a)})
	until(t, "both are connected", func() bool { return len(a.Connected()) == 2 && len(b.Connected()) == 2 })
	s, other := a.sessionAt(slot{"b", ClassAPI}), b.sessionAt(slot{"a", ClassAPI})
	for range 3 * maxPings {
		if _, err := other.mux.Ping(); err != nil {
			break
		}
	}
	select {
	case <-s.done:
	case <-soon(t).Done():
		t.Fatal("the session stayed")
	}
	if !errors.Is(s.reason, errPingFlood) {
		t.Errorf("the session ended because %v, want %v", s.reason, errPingFlood)
	}
}
