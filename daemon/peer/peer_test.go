package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testNode answers what a test tells it, and keeps what it was asked.
type testNode struct {
	err   error
	asked []any
}

func (n *testNode) HandleSubmit(_ context.Context, from string, raw []byte) (consensus.Outcome, error) {
	n.asked = append(n.asked, from, raw)
	return taken, n.err
}

func (n *testNode) HandleCosign(_ context.Context, p consensus.Proposal) ([]tlog.NoteSignature, error) {
	n.asked = append(n.asked, p)
	return cosignatures, n.err
}

func (n *testNode) HandleAnnounce(note []byte) error {
	n.asked = append(n.asked, note)
	return n.err
}

func (n *testNode) HandleCheckpoint(_ context.Context, size uint64) ([]byte, error) {
	n.asked = append(n.asked, size)
	return []byte("a note"), n.err
}

func (n *testNode) HandleEnvelopes(from uint64) ([]consensus.Pulled, error) {
	n.asked = append(n.asked, from)
	return pulled, n.err
}

func (n *testNode) HandleSalts(from uint64) ([][]byte, error) {
	n.asked = append(n.asked, from)
	return salts, n.err
}

func (n *testNode) HandleLengths(envelopes uint64) (ledger.Lengths, error) {
	n.asked = append(n.asked, envelopes)
	return lengths, n.err
}

func (n *testNode) Evaluate(from string, e Evaluation) (Evaluation, error) {
	n.asked = append(n.asked, from, e)
	return e, n.err
}

func (n *testNode) Report() Report { return reported }

func (n *testNode) Heard(context.Context) []Heard { return heard }

type peerName struct{}

// serve serves a handler and returns a client that is node "asker" to it.
func serve(t *testing.T, handler http.Handler) (*Client, *httptest.Server) {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, peerName{}, "asker")
	}
	s.Start()
	c := NewClient(func(ctx context.Context, node string) (net.Conn, error) {
		if node != "answerer" {
			return nil, fmt.Errorf("dialled %q", node)
		}
		var d net.Dialer
		return d.DialContext(ctx, "tcp", s.Listener.Addr().String())
	})
	t.Cleanup(func() {
		c.Close()
		http.DefaultClient.CloseIdleConnections()
		s.Close()
	})
	return c, s
}

func (n *testNode) handler() *Handler {
	return &Handler{
		Node: n, Evaluator: n, Teller: n, Logger: slog.New(slog.DiscardHandler),
		PeerOf: func(ctx context.Context) (string, bool) {
			name, ok := ctx.Value(peerName{}).(string)
			return name, ok
		},
	}
}

var (
	reported = Report{
		Node: "answerer", Version: "v1.2.3", Supports: 2, Leader: "h1", Via: "h2", Term: 9, Size: 17, Checkpoint: 16, Cosigned: 15, Why: "catching up", WhyZH: "正在追赶",
	}
	heard = []Heard{
		{Node: "h1", Reached: true, Report: &reported}, {Node: "h2", Reached: true}, {Node: "h3", Ago: 90 * time.Second}, {Node: "h4", Ago: time.Hour, Never: true},
	}
)

func TestANodeTellsOfItselfAndOfOthers(t *testing.T) {
	h := (&testNode{}).handler()
	c, _ := serve(t, h.Mux())
	if got, err := c.Report(t.Context(), "answerer"); err != nil || got != reported {
		t.Errorf("of itself: %+v, %v", got, err)
	}
	if got, err := c.Heard(t.Context(), "answerer"); err != nil || !reflect.DeepEqual(got, heard) {
		t.Errorf("of others: %+v, %v", got, err)
	}
	h.Teller = nil
	if _, err := c.Report(t.Context(), "answerer"); err == nil || !strings.Contains(err.Error(), "tells nothing of itself") {
		t.Errorf("without a teller: %v", err)
	}
}

func TestANodeThatSpeaksForAnotherIsNotBelieved(t *testing.T) {
	n := &testNode{}
	_, s := serve(t, n.handler().Mux())
	c := NewClient(func(ctx context.Context, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", s.Listener.Addr().String())
	})
	defer c.Close()
	if _, err := c.Report(t.Context(), "h7"); err == nil || err.Error() != `h7 calls itself "answerer"` {
		t.Errorf("got %v, want that it calls itself otherwise", err)
	}
}

func TestWhatIsTooLongToTellIsCut(t *testing.T) {
	r, err := decodeReport(appendReport(nil, Report{Version: strings.Repeat("v", 65), WhyZH: strings.Repeat("正", 171)}))
	if err != nil || len(r.Version) != 64 || r.WhyZH != strings.Repeat("正", 170) {
		t.Errorf("got %+v, %v", r, err)
	}
}

// questions are all that a node asks another.
var questions = map[string]struct {
	ask   func(context.Context, *Client) (any, error)
	want  any
	asked []any
}{
	"submit": {
		func(ctx context.Context, c *Client) (any, error) { return c.Submit(ctx, "answerer", []byte("raw")) },
		taken, []any{"asker", []byte("raw")},
	},
	"cosign": {
		func(ctx context.Context, c *Client) (any, error) { return c.Cosign(ctx, "answerer", proposal) },
		cosignatures, []any{proposal},
	},
	"announce": {
		func(ctx context.Context, c *Client) (any, error) {
			return nil, c.Announce(ctx, "answerer", []byte("note"))
		},
		nil, []any{[]byte("note")},
	},
	"checkpoint": {
		func(ctx context.Context, c *Client) (any, error) { return c.Checkpoint(ctx, "answerer", 12) },
		[]byte("a note"), []any{uint64(12)},
	},
	"envelopes": {
		func(ctx context.Context, c *Client) (any, error) { return c.Envelopes(ctx, "answerer", 3) },
		pulled, []any{uint64(3)},
	},
	"salts": {
		func(ctx context.Context, c *Client) (any, error) { return c.Salts(ctx, "answerer", 5) },
		salts, []any{uint64(5)},
	},
	"lengths": {
		func(ctx context.Context, c *Client) (any, error) { return c.Lengths(ctx, "answerer", 6) },
		lengths, []any{uint64(6)},
	},
	"evaluate": {
		func(ctx context.Context, c *Client) (any, error) { return c.Evaluate(ctx, "answerer", evaluation) },
		evaluation, []any{"asker", evaluation},
	},
}

func TestEveryQuestionGetsItsAnswer(t *testing.T) {
	for name, q := range questions {
		t.Run(name, func(t *testing.T) {
			n := &testNode{}
			c, _ := serve(t, n.handler().Mux())
			got, err := q.ask(t.Context(), c)
			if err != nil || !reflect.DeepEqual(got, q.want) {
				t.Errorf("got %.200v, %v; want %.200v", got, err, q.want)
			}
			if !reflect.DeepEqual(n.asked, q.asked) {
				t.Errorf("the node was asked %.200v, want %.200v", n.asked, q.asked)
			}
		})
	}
}

func TestNamedErrorsKeepTheirIdentity(t *testing.T) {
	for _, named := range namedErrors {
		for name, q := range questions {
			t.Run(named.name+" to "+name, func(t *testing.T) {
				n := &testNode{err: fmt.Errorf("on the way: %w", named.err)}
				c, _ := serve(t, n.handler().Mux())
				if _, err := q.ask(t.Context(), c); !errors.Is(err, named.err) || !strings.Contains(err.Error(), "answerer") {
					t.Errorf("got %v, want %v of the answerer", err, named.err)
				}
			})
		}
	}
}

func TestAnErrorThatIsSeveralHasTheSameNameEveryTime(t *testing.T) {
	both := fmt.Errorf("%w: %w: %w", ledger.ErrOutOfRange, consensus.ErrNotYet, consensus.ErrNoLeader)
	for range 50 {
		if got := nameOf(both); got != "no-leader" {
			t.Fatalf("named %q, want no-leader", got)
		}
	}
}

func TestAnErrorWithoutANameIsOnlyText(t *testing.T) {
	n := &testNode{err: errors.New("disk is full")}
	c, _ := serve(t, n.handler().Mux())
	_, err := c.Submit(t.Context(), "answerer", []byte("raw"))
	if err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("got %v, want the text", err)
	}
	for _, named := range namedErrors {
		if errors.Is(err, named.err) {
			t.Errorf("became %v", named.err)
		}
	}
}

func do(t *testing.T, s *httptest.Server, method, path string, body io.Reader) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func TestWhatMakesNoSenseIsRefusedByStatus(t *testing.T) {
	for name, tc := range map[string]struct {
		method, path string
		body         []byte
		want         int
	}{
		"an unknown path":               {"GET", "/v1/secrets", nil, http.StatusNotFound},
		"the root":                      {"GET", "/", nil, http.StatusNotFound},
		"an unknown method":             {"DELETE", "/v1/envelopes", nil, http.StatusMethodNotAllowed},
		"a question posted":             {"POST", "/v1/envelopes?from=1", nil, http.StatusMethodNotAllowed},
		"a number that is none":         {"GET", "/v1/envelopes?from=minus", nil, http.StatusUnprocessableEntity},
		"a number that is missing":      {"GET", "/v1/checkpoint", nil, http.StatusUnprocessableEntity},
		"a number beyond the log":       {"GET", "/v1/envelopes?from=9223372036854775808", nil, http.StatusUnprocessableEntity},
		"a proposal that is none":       {"POST", "/v1/cosign", []byte("no"), http.StatusUnprocessableEntity},
		"an evaluation that is none":    {"POST", "/v1/evaluate", []byte("no"), http.StatusUnprocessableEntity},
		"a body where none belongs":     {"GET", "/v1/envelopes?from=1", []byte("x"), http.StatusRequestEntityTooLarge},
		"an envelope a byte too large":  {"POST", "/v1/submit", make([]byte, envelope.MaxBytes+2), http.StatusRequestEntityTooLarge},
		"a note a byte too large":       {"POST", "/v1/checkpoint", make([]byte, maxNoteBytes+1), http.StatusRequestEntityTooLarge},
		"a proposal a byte too large":   {"POST", "/v1/cosign", make([]byte, maxSmallBytes+1), http.StatusRequestEntityTooLarge},
		"a request a byte too large":    {"POST", "/v1/evaluate", make([]byte, maxEvaluateBytes+1), http.StatusRequestEntityTooLarge},
		"an envelope of just the limit": {"POST", "/v1/submit", make([]byte, envelope.MaxBytes+1), http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			n := &testNode{}
			_, s := serve(t, n.handler().Mux())
			if got := do(t, s, tc.method, tc.path, bytes.NewReader(tc.body)); got != tc.want {
				t.Errorf("status %d, want %d", got, tc.want)
			}
			if tc.want != http.StatusOK && len(n.asked) != 0 {
				t.Errorf("the node was asked %.100v", n.asked)
			}
		})
	}
}

// countReader counts what is read of a body without end.
type countReader struct{ n int }

func (r *countReader) Read(p []byte) (int, error) {
	r.n += len(p)
	return len(p), nil
}

func TestOfABodyWithoutEndNoMoreThanTheLimitIsRead(t *testing.T) {
	n := &testNode{}
	body := &countReader{}
	req := httptest.NewRequest("POST", "/v1/cosign", body)
	w := httptest.NewRecorder()
	n.handler().Mux().ServeHTTP(w, req.WithContext(context.WithValue(t.Context(), peerName{}, "asker")))
	if w.Code != http.StatusRequestEntityTooLarge || body.n > 2*maxSmallBytes {
		t.Errorf("status %d after %d bytes, want 413 after about %d", w.Code, body.n, maxSmallBytes)
	}
}

func TestWithoutASessionNothingIsAnswered(t *testing.T) {
	for _, path := range []string{"POST /v1/submit", "POST /v1/cosign", "POST /v1/checkpoint", "GET /v1/checkpoint", "GET /v1/envelopes", "POST /v1/evaluate"} {
		n := &testNode{}
		body := &countReader{}
		method, target, _ := strings.Cut(path, " ")
		w := httptest.NewRecorder()
		n.handler().Mux().ServeHTTP(w, httptest.NewRequest(method, target, body))
		if w.Code != http.StatusForbidden || body.n != 0 || len(n.asked) != 0 {
			t.Errorf("%s: status %d after %d bytes, the node was asked %v; want 403 at once", path, w.Code, body.n, n.asked)
		}
	}
}

func TestANodeWithoutAShareSaysSo(t *testing.T) {
	h := (&testNode{}).handler()
	h.Evaluator = nil
	c, _ := serve(t, h.Mux())
	if _, err := c.Evaluate(t.Context(), "answerer", evaluation); err == nil || !strings.Contains(err.Error(), "holds no share") {
		t.Errorf("got %v, want that it holds no share", err)
	}
}

func TestALyingPeerGetsAnErrorAndNothingElse(t *testing.T) {
	for name, lie := range map[string]http.HandlerFunc{
		"an answer without end": func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		},
		"an answer that is none": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"an answer cut short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("short"))
		},
		"a way to another node": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://victim:1/v1/submit")
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
		"headers without end": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 64<<10))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := serve(t, lie)
			_, err := c.Submit(t.Context(), "answerer", []byte("raw"))
			if err == nil || strings.Contains(err.Error(), "dialled") {
				t.Errorf("got %v, want an error about the answer", err)
			}
		})
	}
}

func TestANodeThatCannotBeReachedIsNamed(t *testing.T) {
	c := NewClient(func(context.Context, string) (net.Conn, error) { return nil, errors.New("no session") })
	defer c.Close()
	_, err := c.Envelopes(t.Context(), "h7", 1)
	if err == nil || err.Error() != "ask h7: no session" {
		t.Errorf("got %v, want ask h7: no session", err)
	}
}

// A mirror that had pulled from a node that died waited for it for good.
func TestANodeThatDoesNotComeBackIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClient(func(ctx context.Context, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		defer c.Close()
		began := time.Now()
		if _, err := c.Envelopes(t.Context(), "h1", 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the end of the wait for a session", err)
		}
		if took := time.Since(began); took > 2*sessionWait {
			t.Errorf("given up after %s, want about %s", took, sessionWait)
		}
	})
}
