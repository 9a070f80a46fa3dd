package consensus

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"
)

func TestRaftStreamsAreTakenFromVotersOnly(t *testing.T) {
	c := newCluster(t, 3)
	c.open("h1")
	for _, self := range []string{"reader", "stranger"} {
		c.wantStreamRefused(self, "h1")
	}
	conn, err := (&memStreams{net: c.net, self: "h2"}).Dial(c.ctx, "h1")
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a stream from a voter: %v, want it to stay open", err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

// wantStreamRefused opens a stream for Raft, which has to be closed.
func (c *cluster) wantStreamRefused(from, at string) {
	c.t.Helper()
	conn, err := (&memStreams{net: c.net, self: from}).Dial(c.ctx, at)
	if err != nil {
		c.t.Fatal(err)
	}
	late := time.AfterFunc(deadline/4, func() { _ = conn.Close() }) // the read below says so
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		c.t.Errorf("a stream from %s: %v, want %v", from, err, io.EOF)
	}
	late.Stop()
	if err := conn.Close(); err != nil {
		c.t.Error(err)
	}
}

func TestNoStreamIsTakenBeforeRaftHasStarted(t *testing.T) {
	c := newCluster(t, 3)
	c.open("h1")
	cfg := c.config("h1")
	layer := newStreamLayer(&Node{cfg: cfg, log: cfg.Logger, raft: c.node("h1").raft})
	accepted := make(chan error, 1)
	go func() {
		_, err := layer.Accept()
		accepted <- err
	}()
	short, cancel := context.WithTimeout(c.ctx, 100*time.Millisecond)
	defer cancel()
	if conn, err := (&memStreams{net: c.net, self: "h2"}).Dial(short, "h1"); err == nil {
		t.Errorf("connected to %s", conn.RemoteAddr())
	}
	close(layer.open)
	if _, err := (&memStreams{net: c.net, self: "h2"}).Dial(c.ctx, "h1"); err != nil {
		t.Error(err)
	}
	if err := <-accepted; err != nil {
		t.Error(err)
	}
	if err := layer.Close(); err != nil {
		t.Error(err)
	}
	if _, err := layer.Accept(); err == nil {
		t.Error("accepted after Close")
	}
	if _, err := layer.Dial("h2", time.Second); !errors.Is(err, context.Canceled) {
		t.Errorf("dialled after Close: %v", err)
	}
}

func TestCloseBeforeTheStreamsOpenEndsTheGate(t *testing.T) {
	c := newCluster(t, 3)
	cfg := c.config("h1")
	layer := newStreamLayer(&Node{cfg: cfg, log: cfg.Logger})
	accepted := make(chan error, 1)
	go func() {
		_, err := layer.Accept()
		accepted <- err
	}()
	if err := layer.Close(); err != nil {
		t.Error(err)
	}
	if err := <-accepted; !errors.Is(err, errShutdown) {
		t.Errorf("accept: %v", err)
	}
}
