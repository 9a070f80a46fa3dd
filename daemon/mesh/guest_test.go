package mesh

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

// echoGuest answers each line of a guest with itself.
func echoGuest(conn net.Conn) {
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil {
		_, _ = io.WriteString(conn, line) // the guest has gone if it fails
	}
}

func TestAGuestIsHeardWithoutASession(t *testing.T) {
	w := newWorld(t, "a", "b")
	cfg := w.config("a")
	cfg.Guest = echoGuest
	a, b := start(t, cfg), w.start(t, "b")
	stranger := newKey(t)
	conn, err := DialGuest(soon(t), nil, a.Addr().String(), stranger, idOf(t, w.keys["a"]))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "may I come in?\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != "may I come in?\n" {
		t.Errorf("answered %q, %v", got, err)
	}
	if n := len(a.Connected()); n != 0 {
		t.Errorf("%d sessions after a guest", n)
	}
	if _, err := DialGuest(soon(t), nil, a.Addr().String(), stranger, idOf(t, w.keys["b"])); !errors.Is(err, ErrWrongNode) {
		t.Errorf("at a node with another key than the invitation names: %v", err)
	}
	if _, err := DialGuest(soon(t), nil, b.Addr().String(), stranger, idOf(t, w.keys["b"])); err == nil {
		t.Error("a node without a desk for guests took one")
	}
}

func TestGuestsAreFew(t *testing.T) {
	w := newWorld(t, "a")
	cfg := w.config("a")
	inside, leave := make(chan struct{}, maxGuests), make(chan struct{})
	cfg.Guest = func(net.Conn) { inside <- struct{}{}; <-leave }
	a := start(t, cfg)
	defer close(leave)
	for range maxGuests {
		conn, err := DialGuest(soon(t), nil, a.Addr().String(), newKey(t), idOf(t, w.keys["a"]))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		<-inside
	}
	conn, err := DialGuest(soon(t), nil, a.Addr().String(), newKey(t), idOf(t, w.keys["a"]))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("one guest too many: %v", err)
	}
}
