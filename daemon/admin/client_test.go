package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers on a socket as a daemon would.
func serve(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "admin.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l)
	}()
	c := NewClient(path)
	t.Cleanup(func() {
		c.http.CloseIdleConnections()
		_ = server.Close()
		<-ended
	})
	return c
}

// calls are all questions of a client with their paths.
var calls = map[string]func(context.Context, *Client) error{
	"GET /v1/status":                 func(ctx context.Context, c *Client) error { _, err := c.Status(ctx); return err },
	"GET /v1/members":                func(ctx context.Context, c *Client) error { _, err := c.Members(ctx); return err },
	"POST /v1/submissions":           func(ctx context.Context, c *Client) error { _, err := c.Submit(ctx, Submission{}); return err },
	"GET /v1/entries?from=3&limit=4": func(ctx context.Context, c *Client) error { return last(c.Entries(ctx, 3, 4)) },
	"GET /v1/entries/7":              func(ctx context.Context, c *Client) error { _, err := c.Entry(ctx, 7); return err },
	"GET /v1/entries/7/phenopacket":  func(ctx context.Context, c *Client) error { _, err := c.Phenopacket(ctx, 7); return err },
	"GET /v1/log/head":               func(ctx context.Context, c *Client) error { _, err := c.Head(ctx); return err },
	"GET /v1/log/proof/9":            func(ctx context.Context, c *Client) error { _, err := c.Prove(ctx, 9); return err },
	"GET /v1/log/policy":             func(ctx context.Context, c *Client) error { _, err := c.Policy(ctx); return err },
	"GET /v1/proposals":              func(ctx context.Context, c *Client) error { _, err := c.Proposals(ctx); return err },
	"GET /v1/proposals/%3F%2F":       func(ctx context.Context, c *Client) error { _, err := c.Proposal(ctx, "?/"); return err },
	"POST /v1/proposals":             func(ctx context.Context, c *Client) error { _, err := c.Propose(ctx, NewProposal{}); return err },
	"POST /v1/proposals/12345678/approval": func(ctx context.Context, c *Client) error {
		_, err := c.Approve(ctx, "12345678", NewApproval{})
		return err
	},
	"GET /v1/log/leaves?follow=true&from=0&limit=0": func(ctx context.Context, c *Client) error { return last(c.Leaves(ctx, 0, 0, true)) },
}

func last[T any](values func(func(T, error) bool)) (err error) {
	for _, e := range values {
		err = e
	}
	return err
}

func TestAProblemArrivesAsItWasSent(t *testing.T) {
	want := Problem{Title: "Forbidden", Status: 403, Code: CodeNotAllowed, Detail: "entry 7 is not yours", Hint: "ask its hospital"}
	for path, call := range calls {
		t.Run(path, func(t *testing.T) {
			asked := ""
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked = r.Method + " " + r.URL.String()
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(want.Status)
				_ = json.NewEncoder(w).Encode(want)
			})
			var got *Problem
			if err := call(t.Context(), c); !errors.As(err, &got) || *got != want || asked != path {
				t.Errorf("asked %q, got %+v; want %q and %+v", asked, err, path, want)
			}
			if !strings.HasSuffix(got.Error(), "\nhint: ask its hospital") {
				t.Errorf("it reads %q, without its hint", got.Error())
			}
		})
	}
}

func TestAnErrorThatIsNoProblemDocumentIsStillOne(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusBadGateway) })
	var got *Problem
	_, err := c.Status(t.Context())
	if !errors.As(err, &got) || got.Status != 502 || got.Code != CodeInternal || got.Detail == "" {
		t.Errorf("got %+v", err)
	}
}

func TestNobodyAtTheSocketIsUnreachable(t *testing.T) {
	c := NewClient(filepath.Join(t.TempDir(), "none.sock"))
	if _, err := c.Status(t.Context()); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "none.sock") {
		t.Errorf("got %v, want unreachable at the socket", err)
	}
	if err := last(c.Entries(t.Context(), 0, 0)); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a stream: %v, want unreachable", err)
	}
}

func TestAStreamYieldsEveryValueAndEndsSilently(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3 {
			_ = json.NewEncoder(w).Encode(Leaf{Index: uint64(i)})
		}
	})
	var got []uint64
	for l, err := range c.Leaves(t.Context(), 0, 0, false) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, l.Index)
	}
	if !reflect.DeepEqual(got, []uint64{0, 1, 2}) {
		t.Errorf("got %v", got)
	}
	for range c.Leaves(t.Context(), 0, 0, false) {
		break // a caller may stop early
	}
}

func TestAStreamThatIsCutEndsWithAnError(t *testing.T) {
	for name, rest := range map[string]string{
		"between two values":       "",
		"in the middle of a value": `{"index": 1, "ki`,
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprint(w, `{"index": 0}`+"\n", rest)
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			})
			count, err := 0, error(nil)
			for _, e := range c.Entries(t.Context(), 0, 0) {
				if err = e; e == nil {
					count++
				}
			}
			if count != 1 || err == nil {
				t.Errorf("%d values and then %v, want 1 and an error", count, err)
			}
		})
	}
}

func TestAFollowedStreamYieldsAtOnceAndEndsWithItsContext(t *testing.T) {
	gone := make(chan struct{})
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintln(w, `{"index": 5}`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for l, err := range c.Leaves(ctx, 0, 0, true) {
		if err != nil {
			break
		}
		if l.Index != 5 {
			t.Errorf("index %d", l.Index)
		}
		cancel()
	}
	<-gone
}

func TestAnAnswerThatIsNotJSONIsAnError(t *testing.T) {
	for name, body := range map[string]string{"text": "hello", "half": `{"node": "h1"`, "nothing": ""} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, body) })
		if s, err := c.Status(t.Context()); err == nil {
			t.Errorf("%s: read as %+v", name, s)
		}
	}
}

func TestASubmissionArrivesWhole(t *testing.T) {
	want := Submission{Profile: "report", Wait: true, Files: []File{{
		Name: "a.json", Data: []byte{0, 255, '{'}, Identities: map[string]Document{"s": {Type: "RIC", Issuer: "", Value: "1"}},
	}}}
	var got Submission
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(w).Encode(SubmissionResult{Files: []FileResult{{Outcome: "accepted"}}})
	})
	r, err := c.Submit(t.Context(), want)
	if err != nil || !reflect.DeepEqual(got, want) || r.Files[0].Outcome != "accepted" {
		t.Errorf("sent %+v, arrived %+v, answer %+v, %v", want, got, r, err)
	}
}

func TestADaemonThatDoesNotAnswerInTimeIsToldInWords(t *testing.T) {
	held := make(chan struct{})
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-held:
		case <-r.Context().Done():
		}
	})
	defer close(held)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.RotateKeys(ctx, KeyChoice{})
	if !errors.Is(err, context.DeadlineExceeded) || err.Error() != "the daemon has not answered in time" {
		t.Errorf("got %v", err)
	}
}
