package mesh

import (
	"crypto/ed25519"
	"errors"
	"testing"
)

// rotated starts node a, which listens and has a new key; the roster has one of
// the two.
func rotated(t *testing.T, w *world, rosterHasNew bool, former bool) (*Mesh, ed25519.PrivateKey) {
	t.Helper()
	old, fresh := w.keys["a"], newKey(t)
	a := w.start(t, "a")
	kept := old
	if !former {
		kept = nil
	}
	if err := a.SetKeys(fresh, kept); err != nil {
		t.Fatal(err)
	}
	if rosterHasNew {
		w.strike(t, old)
		w.enter(t, "a", fresh)
	}
	return a, fresh
}

// keyOf is what a world's roster says of node a.
func (w *world) keyOf(node string) ([32]byte, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, n := range w.nodes {
		if n == node {
			return id, true
		}
	}
	return [32]byte{}, false
}

// TestARotatedKeyIsKnownBeforeAndAfterThePeersLearnOfIt has a peer dial a
// rotated node, and the node dial the peer, with a roster from before or after
// the rotation.
func TestARotatedKeyIsKnownBeforeAndAfterThePeersLearnOfIt(t *testing.T) {
	for name, tc := range map[string]struct{ knowsNew, nodeDials bool }{
		"a peer with the new roster dials":      {true, false},
		"a peer with the old roster dials":      {false, false},
		"a peer with the new roster is dialled": {true, true},
		"a peer with the old roster is dialled": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "a", "b")
			a, fresh := rotated(t, w, tc.knowsNew, true)
			cfg := w.config("b")
			cfg.KeyOf = w.keyOf
			b := start(t, cfg)
			dialler, other := b, a
			if tc.nodeDials {
				dialler, other = a, b
			}
			dialler.SetPeers([]Target{target(other)})
			stream, err := dialler.Dial(soon(t), other.cfg.Self, ClassAPI)
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			want := idOf(t, w.keys["a"])
			if tc.knowsNew {
				want = idOf(t, fresh)
			}
			b.mu.Lock()
			got := b.current[slot{"a", ClassAPI}].peer.Key
			b.mu.Unlock()
			if got != want {
				t.Errorf("b knows a by key %x, want %x", got[:4], want[:4])
			}
		})
	}
}

func TestAnUnknownKeyStaysUnknownWithoutTheFormerOne(t *testing.T) {
	w := newWorld(t, "a", "b")
	a, _ := rotated(t, w, false, false)
	cfg := w.config("b")
	cfg.KeyOf = w.keyOf
	b := start(t, cfg)
	err := b.connectTo(soon(t), a.Addr().String(), slot{"a", ClassAPI}, showing{})
	if !errors.Is(err, ErrUnknownKey) {
		t.Errorf("b dials: %v, want ErrUnknownKey", err)
	}
	err = a.connectTo(soon(t), b.Addr().String(), slot{"b", ClassAPI}, showing{})
	if !errors.Is(err, ErrRefused) {
		t.Errorf("a dials: %v, want ErrRefused", err)
	}
}
