package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/quota"
)

// longPoll is how long a peer holds a request for a newer checkpoint: less than
// a mirror waits.
const longPoll = 8 * time.Second

// sessionWait is how long a request waits for a session with its node: a puller
// that waited for a dead node to come back would not ask the next.
const sessionWait = 5 * time.Second

// Client asks other nodes. It is safe for concurrent use.
type Client struct {
	http  *http.Client
	skews skews
}

// NewClient returns a client that opens streams with dial, whose second
// argument is the node id.
func NewClient(dial func(ctx context.Context, node string) (net.Conn, error)) *Client {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{http: &http.Client{CheckRedirect: stay, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			node, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			ctx, cancel := context.WithTimeout(ctx, sessionWait)
			defer cancel()
			return dial(ctx, node)
		},
		MaxConnsPerHost: 64, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute,
		DisableCompression: true, MaxResponseHeaderBytes: 16 << 10,
	}}}
}

// Close drops idle streams.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Submit hands an envelope to a voter. See [consensus.Peers].
func (c *Client) Submit(ctx context.Context, node string, raw []byte) (consensus.Outcome, error) {
	answer, err := c.ask(ctx, "POST", node, "/v1/submit", raw, maxSmallBytes)
	if err != nil {
		return consensus.Outcome{}, err
	}
	return decodeOutcome(answer)
}

// Cosign asks a voter for its cosignatures. See [consensus.Peers].
func (c *Client) Cosign(ctx context.Context, node string, p consensus.Proposal) ([]tlog.NoteSignature, error) {
	answer, err := c.ask(ctx, "POST", node, "/v1/cosign", appendProposal(nil, p), maxSmallBytes)
	if err != nil {
		return nil, err
	}
	return decodeCosignatures(answer)
}

// Announce tells a node of a checkpoint. See [consensus.Peers].
func (c *Client) Announce(ctx context.Context, node string, note []byte) error {
	_, err := c.ask(ctx, "POST", node, "/v1/checkpoint", note, maxSmallBytes)
	return err
}

// Checkpoint waits for a node's checkpoint beyond size. See [consensus.Peers].
func (c *Client) Checkpoint(ctx context.Context, node string, size uint64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, longPoll+10*time.Second)
	defer cancel()
	return c.ask(ctx, "GET", node, "/v1/checkpoint?after="+strconv.FormatUint(size, 10), nil, maxNoteBytes)
}

// Envelopes pulls accepted envelopes. See [consensus.Peers].
func (c *Client) Envelopes(ctx context.Context, node string, from uint64) ([]consensus.Pulled, error) {
	answer, err := c.ask(ctx, "GET", node, "/v1/envelopes?from="+strconv.FormatUint(from, 10), nil, maxPullBytes)
	if err != nil {
		return nil, err
	}
	return decodePulled(answer)
}

// Salts pulls the salts of accepted envelopes. See [consensus.Peers].
func (c *Client) Salts(ctx context.Context, node string, from uint64) ([][]byte, error) {
	answer, err := c.ask(ctx, "GET", node, "/v1/salts?from="+strconv.FormatUint(from, 10), nil, maxSaltsBytes)
	if err != nil {
		return nil, err
	}
	return decodeSalts(answer)
}

// Lengths asks for the lengths of a node's files. See [consensus.Peers].
func (c *Client) Lengths(ctx context.Context, node string, envelopes uint64) (ledger.Lengths, error) {
	answer, err := c.ask(ctx, "GET", node, "/v1/lengths?envelopes="+strconv.FormatUint(envelopes, 10), nil, maxSmallBytes)
	if err != nil {
		return ledger.Lengths{}, err
	}
	return decodeLengths(answer)
}

// Evaluate asks a share holder's node to evaluate blinded elements.
func (c *Client) Evaluate(ctx context.Context, node string, e Evaluation) (Evaluation, error) {
	answer, err := c.ask(ctx, "POST", node, "/v1/evaluate", e.marshal(), maxEvaluateBytes)
	if err != nil {
		return Evaluation{}, err
	}
	return parseEvaluation(answer)
}

// errorHeader names the error of an answer that is not 200, so that the asking
// side can branch on it.
const errorHeader = "Raresync-Error"

// namedErrors are the errors that keep their identity between nodes. Of an
// error that is several of them the first is named.
var namedErrors = []struct {
	name string
	err  error
}{
	{"no-leader", consensus.ErrNoLeader},
	{"root-differs", consensus.ErrRootDiffers},
	{"cosigned", consensus.ErrCosigned},
	{"clock", consensus.ErrClock},
	{"not-yet", consensus.ErrNotYet},
	{"out-of-range", ledger.ErrOutOfRange},
	{"over-quota", quota.ErrOver},
}

func nameOf(err error) string {
	for _, e := range namedErrors {
		if errors.Is(err, e.err) {
			return e.name
		}
	}
	return ""
}

func errorNamed(name string) (error, bool) {
	for _, e := range namedErrors {
		if e.name == name {
			return e.err, true
		}
	}
	return nil, false
}

func (c *Client) ask(ctx context.Context, method, node, path string, body []byte, limit int64) ([]byte, error) {
	target := (&url.URL{Scheme: "http", Host: node + ":1"}).String() + path
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", node, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the URL says nothing that the node id does not
		}
		return nil, fmt.Errorf("ask %s: %w", node, err)
	}
	defer resp.Body.Close()
	c.skews.note(node, resp, time.Now())
	answer, err := readAll(io.LimitReader(resp.Body, limit+1), resp.ContentLength, limit)
	switch {
	case err != nil:
		return nil, fmt.Errorf("ask %s: read answer: %w", node, err)
	case int64(len(answer)) > limit:
		return nil, fmt.Errorf("ask %s: answer is larger than %d bytes", node, limit)
	case resp.StatusCode == http.StatusOK:
		return answer, nil
	}
	if named, ok := errorNamed(resp.Header.Get(errorHeader)); ok {
		if errors.Is(named, quota.ErrOver) { // which day, how much is left
			return nil, fmt.Errorf("%s says: %w: %.200q", node, named, answer)
		}
		return nil, fmt.Errorf("%s says: %w", node, named)
	}
	return nil, fmt.Errorf("%s says: %s: %.200q", node, resp.Status, answer)
}
