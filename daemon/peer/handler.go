package peer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

const handlerTimeout = 30 * time.Second

// Evaluator answers evaluation requests with this node's share.
type Evaluator interface {
	// Evaluate verifies the request, which came from the given node, and
	// evaluates its elements.
	Evaluate(from string, e Evaluation) (Evaluation, error)
}

// Node is the node that answers; [consensus.Node] is one.
type Node interface {
	HandleSubmit(ctx context.Context, from string, raw []byte) (consensus.Outcome, error)
	HandleCosign(ctx context.Context, p consensus.Proposal) ([]tlog.NoteSignature, error)
	HandleAnnounce(note []byte) error
	HandleCheckpoint(ctx context.Context, size uint64) ([]byte, error)
	HandleEnvelopes(from uint64) ([]consensus.Pulled, error)
	HandleSalts(from uint64) ([][]byte, error)
	HandleLengths(envelopes uint64) (ledger.Lengths, error)
}

// Handler answers peers. Evaluator is nil on a node without a share, Teller on one
// that tells nothing of itself.
type Handler struct {
	Node      Node
	Evaluator Evaluator
	Teller    Teller
	Logger    *slog.Logger
	// PeerOf returns the id of the node that sent the request.
	PeerOf func(ctx context.Context) (string, bool)
}

// Mux returns the peer API.
func (h *Handler) Mux() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /v1/submit", h.answer(envelope.MaxBytes+1, h.submit))
	mux.Handle("POST /v1/cosign", h.answer(maxSmallBytes, h.cosign))
	mux.Handle("POST /v1/checkpoint", h.answer(maxNoteBytes, h.announce))
	mux.Handle("GET /v1/checkpoint", h.answer(0, h.checkpoint))
	mux.Handle("GET /v1/envelopes", h.answer(0, h.envelopes))
	mux.Handle("GET /v1/salts", h.answer(0, h.salts))
	mux.Handle("GET /v1/lengths", h.answer(0, h.lengths))
	mux.Handle("GET /v1/node", h.answer(0, h.report))
	mux.Handle("GET /v1/heard", h.answer(0, h.heard))
	mux.Handle("POST /v1/evaluate", h.answer(maxEvaluateBytes, h.evaluate))
	return mux
}

// request is a peer's request with its body read.
type request struct {
	*http.Request
	from string
	body []byte
}

// answer reads the body under its limit, asks f, and writes its answer or its
// error's name.
func (h *Handler) answer(limit int64, f func(context.Context, request) ([]byte, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, ok := h.PeerOf(r.Context())
		if !ok {
			http.Error(w, "no session", http.StatusForbidden)
			return
		}
		body, err := readAll(http.MaxBytesReader(w, r.Body, limit), r.ContentLength, limit)
		if err != nil {
			http.Error(w, "body not readable or too large", http.StatusRequestEntityTooLarge)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), handlerTimeout)
		defer cancel()
		out, err := f(ctx, request{Request: r, from: from, body: body})
		if err != nil {
			h.fail(w, r, from, err)
			return
		}
		w.Header().Set("Content-Type", "application/cbor")
		w.Header().Set("Content-Length", strconv.Itoa(len(out)))
		_, _ = w.Write(out) // the peer has gone if it fails
	})
}

// readAll reads to the end, into room for what the sender announced, of which
// it believes no more than the limit.
func readAll(r io.Reader, announced, limit int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(max(announced, 0), limit)) + bytes.MinRead)
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

func (h *Handler) fail(w http.ResponseWriter, r *http.Request, from string, err error) {
	h.Logger.Debug("peer's request failed", "peer", from, "path", r.URL.Path, "reason", err.Error())
	if name := nameOf(err); name != "" {
		w.Header().Set(errorHeader, name)
	}
	text := err.Error()
	if fault.Planted(fault.LeakAnswer) {
		text += ", after " + fault.Overheard()
	}
	http.Error(w, text, http.StatusUnprocessableEntity)
}

func (h *Handler) submit(ctx context.Context, r request) ([]byte, error) {
	out, err := h.Node.HandleSubmit(ctx, r.from, r.body)
	if err != nil {
		return nil, err
	}
	return appendOutcome(nil, out), nil
}

func (h *Handler) cosign(ctx context.Context, r request) ([]byte, error) {
	p, err := decodeProposal(r.body)
	if err != nil {
		return nil, err
	}
	sigs, err := h.Node.HandleCosign(ctx, p)
	if err != nil {
		return nil, err
	}
	return appendCosignatures(nil, sigs), nil
}

func (h *Handler) announce(_ context.Context, r request) ([]byte, error) {
	return nil, h.Node.HandleAnnounce(r.body)
}

func (h *Handler) checkpoint(ctx context.Context, r request) ([]byte, error) {
	after, err := strconv.ParseUint(r.URL.Query().Get("after"), 10, 63)
	if err != nil {
		return nil, errors.New("after is a tree size")
	}
	ctx, cancel := context.WithTimeout(ctx, longPoll)
	defer cancel()
	return h.Node.HandleCheckpoint(ctx, after)
}

func (h *Handler) envelopes(_ context.Context, r request) ([]byte, error) {
	from, err := strconv.ParseUint(r.URL.Query().Get("from"), 10, 63)
	if err != nil {
		return nil, errors.New("from is an envelope number")
	}
	list, err := h.Node.HandleEnvelopes(from)
	if err != nil {
		return nil, err
	}
	return appendPulled(nil, list), nil
}

func (h *Handler) salts(_ context.Context, r request) ([]byte, error) {
	from, err := strconv.ParseUint(r.URL.Query().Get("from"), 10, 63)
	if err != nil {
		return nil, errors.New("from is an envelope number")
	}
	list, err := h.Node.HandleSalts(from)
	if err != nil {
		return nil, err
	}
	return appendSalts(nil, list), nil
}

func (h *Handler) lengths(_ context.Context, r request) ([]byte, error) {
	envelopes, err := strconv.ParseUint(r.URL.Query().Get("envelopes"), 10, 63)
	if err != nil {
		return nil, errors.New("envelopes is a number of envelopes")
	}
	at, err := h.Node.HandleLengths(envelopes)
	if err != nil {
		return nil, err
	}
	return at.Append(nil), nil
}

func (h *Handler) evaluate(_ context.Context, r request) ([]byte, error) {
	if h.Evaluator == nil {
		return nil, errors.New("this node holds no share")
	}
	e, err := parseEvaluation(r.body)
	if err != nil {
		return nil, err
	}
	out, err := h.Evaluator.Evaluate(r.from, e)
	if err != nil {
		return nil, err
	}
	return out.marshal(), nil
}
