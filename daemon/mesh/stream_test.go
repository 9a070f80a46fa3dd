package mesh

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func tlsClient(t *testing.T, m *Mesh, raw net.Conn, node string) *tls.Conn {
	t.Helper()
	conn := tls.Client(raw, m.clientTLS(raw.RemoteAddr().String(), slot{node, ClassAPI}, showing{}))
	if err := conn.HandshakeContext(soon(t)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// pair returns two connected meshes and the two ends of a stream.
func pair(t *testing.T, class Class) (a, b *Mesh, near net.Conn, far *Stream) {
	t.Helper()
	w := newWorld(t, "a", "b")
	a, b = w.start(t, "a"), w.start(t, "b")
	b.SetPeers([]Target{target(a)})
	near, err := a.Dial(soon(t), "b", class)
	if err != nil {
		t.Fatal(err)
	}
	if far, err = b.Accept(class); err != nil {
		t.Fatal(err)
	}
	return a, b, near, far
}

func TestStreamEndsAsItShould(t *testing.T) {
	_, _, near, far := pair(t, ClassAPI)
	if _, err := io.WriteString(near, "the last words"); err != nil {
		t.Fatal(err)
	}
	blocked := make(chan error, 1)
	go func() { _, err := near.Read(make([]byte, 1)); blocked <- err }()
	if err := near.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-blocked; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the blocked reader got %v, want net.ErrClosed", err)
	}
	if _, err := near.Write([]byte{1}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after close: %v, want net.ErrClosed", err)
	}
	if err := near.SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("deadline after close: %v, want net.ErrClosed", err)
	}
	got, err := io.ReadAll(far)
	if err != nil || string(got) != "the last words" {
		t.Errorf("the peer read %q, %v", got, err)
	}
	if err := errors.Join(far.Close(), far.Close(), near.Close()); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func TestStreamDeadlines(t *testing.T) {
	_, _, near, far := pair(t, ClassAPI)
	if err := near.SetDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err := near.Read(make([]byte, 1))
	if !errors.Is(err, os.ErrDeadlineExceeded) || !isTimeout(err) {
		t.Errorf("read: %v, want os.ErrDeadlineExceeded", err)
	}
	// Nobody reads: the window fills, and the rest waits for the deadline.
	n, err := near.Write(make([]byte, 2*apiWindowBytes))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n != apiWindowBytes {
		t.Errorf("write: %d bytes, %v, want %d and os.ErrDeadlineExceeded", n, err, apiWindowBytes)
	}
	if err := near.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(far, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := near.Read(make([]byte, 1)); err != nil {
		t.Errorf("read after the deadline is lifted: %v", err)
	}
}

func TestStreamsOfAPeerAreBounded(t *testing.T) {
	t.Parallel()
	a, b, _, _ := pair(t, ClassRaft)
	var open []net.Conn
	for range raftMaxStreams - 1 {
		c, err := a.Dial(soon(t), "b", ClassRaft)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	extra, err := a.Dial(soon(t), "b", ClassRaft)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := extra.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the stream over the bound reads %v, want io.EOF", err)
	}
	s, err := b.Accept(ClassRaft)
	if err != nil {
		t.Fatal(err)
	}
	s.Close() // makes room for one
	echo(t, b, ClassRaft)
	ask(t, a, "b", ClassRaft, "there is room again")
	for _, c := range open {
		c.Close()
	}
}

func TestPeerThatLeavesStreamsHalfOpenLosesItsSession(t *testing.T) {
	a, b, _, _ := pair(t, ClassRaft)
	far := b.sessionAt(slot{"a", ClassRaft})
	near := a.sessionAt(slot{"b", ClassRaft})
	for range 5 * raftMaxStreams {
		if _, err := far.mux.OpenStream(); err != nil {
			break
		}
	}
	select {
	case <-near.done:
	case <-soon(t).Done():
		t.Fatal("the session stayed")
	}
	if !errors.Is(near.reason, errStreamFlood) {
		t.Errorf("the session ended because %v, want %v", near.reason, errStreamFlood)
	}
}

func TestListenerClosesAlone(t *testing.T) {
	a, b, _, _ := pair(t, ClassAPI)
	first, second := b.Listener(ClassAPI), b.Listener(ClassAPI)
	if first.Addr().String() != "b" {
		t.Errorf("address %v", first.Addr())
	}
	if err := errors.Join(first.Close(), first.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed listener: %v", err)
	}
	if _, err := a.Dial(soon(t), "b", ClassAPI); err != nil {
		t.Fatal(err)
	}
	c, err := second.Accept()
	if err != nil || c.RemoteAddr().String() != "a" {
		t.Errorf("the other listener: %v, %v", c, err)
	}
}

func TestHTTPOverStreamsKnowsThePeer(t *testing.T) {
	t.Parallel()
	a, b, near, far := pair(t, ClassAPI)
	near.Close()
	far.Close()
	srv := &http.Server{
		ConnContext: ConnContext,
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			p, ok := PeerFromContext(r.Context())
			if !ok || p.Node != r.RemoteAddr {
				http.Error(rw, "no peer", http.StatusInternalServerError)
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(rw, err.Error(), http.StatusBadRequest)
				return
			}
			rw.Write([]byte("for " + p.Node + ": "))
			rw.Write(body)
		}),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(b.Listener(ClassAPI)) }()

	var transport http.Transport
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return a.Dial(ctx, "b", ClassAPI) }
	client := &http.Client{Transport: &transport, Timeout: patience}
	body := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
	reused := 0
	for range 3 {
		req, err := http.NewRequest("POST", "http://b/", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
			if i.Reused {
				reused++
			}
		}}
		resp, err := client.Do(req.WithContext(httptrace.WithClientTrace(soon(t), trace)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || !bytes.Equal(got, append([]byte("for a: "), body...)) {
			t.Fatalf("status %d, %d bytes, %v", resp.StatusCode, len(got), err)
		}
	}
	if reused != 2 {
		t.Errorf("%d of 2 later requests reused the stream", reused)
	}
	transport.CloseIdleConnections()
	if err := srv.Shutdown(soon(t)); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("serve: %v", err)
	}
	if _, ok := PeerFromContext(t.Context()); ok {
		t.Error("a peer out of nowhere")
	}
}

func TestQuietSaysATextOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q quiet
		if !q.allow("x") || !q.allow("y") || q.allow("x") {
			t.Error("want x, y, and x no second time")
		}
		time.Sleep(quietTime)
		if !q.allow("x") {
			t.Error("x is not said again after a minute")
		}
		for i := range 2 * maxQuietTexts {
			q.allow(strings.Repeat("z", i+1))
		}
		if len(q.said) > maxQuietTexts {
			t.Errorf("%d texts are remembered, want at most %d", len(q.said), maxQuietTexts)
		}
		time.Sleep(quietTime)
		if !q.allow("new") || len(q.said) != 1 {
			t.Errorf("after a minute %d texts are remembered, want 1", len(q.said))
		}
	})
}

func TestStreamsThatNobodyAcceptsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b", "c", "d")
	var log logbook
	cfg := w.config("a")
	cfg.Logger = log.logger()
	a := start(t, cfg)
	for _, node := range []string{"b", "c", "d"} {
		m := w.start(t, node)
		m.SetPeers([]Target{target(a)})
		for range apiMaxStreams {
			if _, err := m.Dial(soon(t), "a", ClassAPI); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(t, "streams are refused", func() bool {
		return strings.Contains(log.String(), `reason="too many streams wait to be accepted"`)
	})
	if got := len(a.inbound[ClassAPI]); got != acceptBacklog {
		t.Errorf("%d streams wait, want %d", got, acceptBacklog)
	}
}

func TestDialOverASessionThatTakesNoStreamsMakesANewOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b")
	a, b := w.start(t, "a"), w.start(t, "b")
	echo(t, b, ClassAPI)
	a.SetPeers([]Target{target(b)})
	ask(t, a, "b", ClassAPI, "before")
	old := a.sessionAt(slot{"b", ClassAPI})
	if err := b.sessionAt(slot{"a", ClassAPI}).mux.GoAway(); err != nil {
		t.Fatal(err)
	}
	if _, err := old.mux.Ping(); err != nil { // the GoAway has arrived
		t.Fatal(err)
	}
	ask(t, a, "b", ClassAPI, "after")
	if a.sessionAt(slot{"b", ClassAPI}) == old {
		t.Error("the old session is still in use")
	}
}

func TestDialOverASessionThatHangsEndsWithItsContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b")
	a, b := w.start(t, "a"), w.start(t, "b")
	p := newProxy(t, a.Addr().String())
	b.SetPeers([]Target{{Node: "a", Addresses: []string{p.addr()}}})
	if _, err := b.Dial(soon(t), "a", ClassRaft); err != nil {
		t.Fatal(err)
	}
	p.freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	for range raftMaxStreams + 2 { // yamux lets that many be under way
		if _, err := b.Dial(ctx, "a", ClassRaft); err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want context.DeadlineExceeded", err)
			}
			p.close()
			return
		}
	}
	t.Error("no Dial noticed that the session hangs")
}
