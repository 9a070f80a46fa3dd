package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// ErrUnreachable says that no daemon answers on the socket.
var ErrUnreachable = errors.New("the daemon does not answer")

const (
	maxAnswerBytes = 256 << 20
)

// late is a context's error in the words of who waited.
type late struct{ cause error }

func (l late) Error() string { return "the daemon has not answered in time" }
func (l late) Unwrap() error { return l.cause }

// plainly says that a deadline passed, which Go says in words of its own.
func plainly(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return late{context.DeadlineExceeded}
	}
	return err
}

// Client talks to one daemon. It is safe for concurrent use.
type Client struct {
	http    *http.Client
	socket  string
	purpose string // of reading; see SetPurpose
}

// NewClient returns a client for the daemon that serves the given socket.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &Client{socket: socket, http: &http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// Status returns where the node stands.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.call(ctx, "GET", "/v1/status", nil, &s)
}

// Metrics returns what the daemon shows to Prometheus.
func (c *Client) Metrics(ctx context.Context) ([]byte, error) {
	resp, err := c.do(ctx, "GET", "/metrics", nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return nil, fmt.Errorf("read the daemon's answer: %w", plainly(err))
	}
	return raw, nil
}

// Goroutines returns what the daemon's goroutines are doing, without arguments.
func (c *Client) Goroutines(ctx context.Context) (text string, err error) {
	return text, c.call(ctx, "GET", "/v1/debug/goroutines", nil, &text)
}

// RecentLog returns the end of the daemon's log, as far as it may be shown.
func (c *Client) RecentLog(ctx context.Context) (text string, err error) {
	return text, c.call(ctx, "GET", "/v1/debug/log", nil, &text)
}

// Members returns the roster.
func (c *Client) Members(ctx context.Context) (m []Member, err error) {
	return m, c.call(ctx, "GET", "/v1/members", nil, &m)
}

// Submit hands files to the daemon.
func (c *Client) Submit(ctx context.Context, s Submission) (r SubmissionResult, err error) {
	return r, c.call(ctx, "POST", "/v1/submissions", s, &r)
}

// Inbox returns what is in the inbox.
func (c *Client) Inbox(ctx context.Context) (in Inbox, err error) {
	return in, c.call(ctx, http.MethodGet, "/v1/inbox", nil, &in)
}

// Entries yields the entries this node may open, from the given index on, at
// most limit (0 = all).
func (c *Client) Entries(ctx context.Context, from uint64, limit int) iter.Seq2[Entry, error] {
	q := url.Values{"from": {strconv.FormatUint(from, 10)}, "limit": {strconv.Itoa(limit)}}
	return stream[Entry](ctx, c, "/v1/entries?"+q.Encode())
}

// Entry returns one opened entry with its content.
func (c *Client) Entry(ctx context.Context, index uint64) (e Entry, err error) {
	return e, c.call(ctx, "GET", fmt.Sprintf("/v1/entries/%d", index), nil, &e)
}

// Phenopacket returns one case, joined with its genetics, as a phenopacket.
func (c *Client) Phenopacket(ctx context.Context, index uint64) (raw json.RawMessage, err error) {
	return raw, c.call(ctx, "GET", fmt.Sprintf("/v1/entries/%d/phenopacket", index), nil, &raw)
}

// Head returns the newest verified checkpoint.
func (c *Client) Head(ctx context.Context) (h Head, err error) {
	return h, c.call(ctx, "GET", "/v1/log/head", nil, &h)
}

// Leaves yields the public marks of the log from the given index on, at most
// limit (0 = all). With follow it goes on as the log grows.
func (c *Client) Leaves(ctx context.Context, from uint64, limit int, follow bool) iter.Seq2[Leaf, error] {
	q := url.Values{
		"from": {strconv.FormatUint(from, 10)}, "limit": {strconv.Itoa(limit)}, "follow": {strconv.FormatBool(follow)},
	}
	return stream[Leaf](ctx, c, "/v1/log/leaves?"+q.Encode())
}

// Prove returns the receipt of an entry.
func (c *Client) Prove(ctx context.Context, index uint64) (p Proof, err error) {
	return p, c.call(ctx, "GET", fmt.Sprintf("/v1/log/proof/%d", index), nil, &p)
}

// PolicyAt returns the C2SP tlog-policy of checkpoints of a tree size: those of
// before the voters changed, or of an earlier log epoch, have another.
func (c *Client) PolicyAt(ctx context.Context, size uint64) (text string, err error) {
	return text, c.call(ctx, "GET", fmt.Sprintf("/v1/log/policy?size=%d", size), nil, &text)
}

// Policy returns the network's C2SP tlog-policy.
func (c *Client) Policy(ctx context.Context) (text string, err error) {
	return text, c.call(ctx, "GET", "/v1/log/policy", nil, &text)
}

// Withdrawn returns what the log says is to be erased.
func (c *Client) Withdrawn(ctx context.Context) (list []Claim, err error) {
	return list, c.call(ctx, "GET", "/v1/log/withdrawn", nil, &list)
}

// Backups returns the backups with salts that the network knows of, in order of
// node id.
func (c *Client) Backups(ctx context.Context) (b []DeclaredBackup, err error) {
	return b, c.call(ctx, "GET", "/v1/backups", nil, &b)
}

// Usages returns what share holders have posted of this institution's use.
func (c *Client) Usages(ctx context.Context) (u []Usage, err error) {
	return u, c.call(ctx, "GET", "/v1/usages", nil, &u)
}

// ShowRequests returns, from a share holder, the requests of a hospital that it
// counted in a week that has ended.
func (c *Client) ShowRequests(ctx context.Context, week, hospital uint32) (r ShownRequests, err error) {
	return r, c.call(ctx, "GET", fmt.Sprintf("/v1/usages/%d/%d", week, hospital), nil, &r)
}

// CheckRequests compares what a holder shows with what it has posted.
func (c *Client) CheckRequests(ctx context.Context, r ShownRequests) (found CheckedRequests, err error) {
	return found, c.call(ctx, "POST", "/v1/usages/check", r, &found)
}

// DeclareSaltsBackup posts that this node is kept in a backup with salts, and
// waits until the log has it. It returns what the network knows of this node's
// backups then: the largest size and the latest expiry.
func (c *Client) DeclareSaltsBackup(ctx context.Context, b SaltsBackup) (known SaltsBackup, err error) {
	return known, c.call(ctx, "POST", "/v1/backups", b, &known)
}

// Key returns where the pseudonymisation key and its ceremony stand.
func (c *Client) Key(ctx context.Context) (k Key, err error) {
	return k, c.call(ctx, "GET", "/v1/key", nil, &k)
}

// StartCeremony opens the founders' key ceremony and waits until the log has it.
func (c *Client) StartCeremony(ctx context.Context, s CeremonyStart) (k Key, err error) {
	return k, c.call(ctx, "POST", "/v1/ceremony", s, &k)
}

// Contribute deals this old holder's share to the new holders of the reshare
// under way, and waits until the log has it.
func (c *Client) Contribute(ctx context.Context) (k Key, err error) {
	return k, c.call(ctx, "POST", "/v1/ceremony/contribution", nil, &k)
}

// Proposals returns the proposals that this node knows: those that have ended,
// the newest last, then those in the list, by envelope number.
func (c *Client) Proposals(ctx context.Context) (p []Proposal, err error) {
	return p, c.call(ctx, "GET", "/v1/proposals", nil, &p)
}

// Proposal returns the proposal that an id names, or its first 8 characters or
// more.
func (c *Client) Proposal(ctx context.Context, id string) (p Proposal, err error) {
	return p, c.call(ctx, "GET", "/v1/proposals/"+url.PathEscape(id), nil, &p)
}

// Propose puts an act forward and waits until the log has it. With
// NewProposal.DryRun it only says what would be proposed.
func (c *Client) Propose(ctx context.Context, n NewProposal) (p Proposal, err error) {
	return p, c.call(ctx, "POST", "/v1/proposals", n, &p)
}

// Approve gives this hospital's approval to the proposal with an id, and brings
// the act into force once there are enough. It may be repeated. With
// NewApproval.DryRun it only says whether the hospital may.
func (c *Client) Approve(ctx context.Context, id string, n NewApproval) (a Approval, err error) {
	return a, c.call(ctx, "POST", "/v1/proposals/"+url.PathEscape(id)+"/approval", n, &a)
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.do(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return fmt.Errorf("read the daemon's answer: %w", plainly(err))
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("read the daemon's answer: %w", err)
	}
	return nil
}

func (c *Client) do(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://raresync"+path, body)
	if err != nil {
		return nil, fmt.Errorf("request %s: %w", path, err)
	}
	if c.purpose != "" {
		req.Header.Set(PurposeHeader, c.purpose)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return nil, fmt.Errorf("%w at %s: %w", ErrUnreachable, c.socket, op.Err)
		}
		return nil, plainly(err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	p := &Problem{Status: resp.StatusCode, Code: CodeInternal, Detail: resp.Status}
	if raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20)); err == nil {
		_ = json.Unmarshal(raw, p) // keeps the plain status if it is no problem document
	}
	return nil, p
}

// stream reads newline-separated JSON values.
func stream[T any](ctx context.Context, c *Client, path string) iter.Seq2[T, error] {
	return streamOf[T](ctx, c, "GET", path, nil)
}

func streamOf[T any](ctx context.Context, c *Client, method, path string, in any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		resp, err := c.do(ctx, method, path, in)
		if err != nil {
			yield(zero, err)
			return
		}
		defer resp.Body.Close()
		dec := json.NewDecoder(resp.Body)
		for {
			var v T
			err := dec.Decode(&v)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(zero, fmt.Errorf("read the daemon's answer: %w", plainly(err)))
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}
