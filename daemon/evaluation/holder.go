package evaluation

import (
	"errors"
	"fmt"
	"sync"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/peer"
)

// ErrRequest reports a request that this holder does not answer.
var ErrRequest = errors.New("evaluation request refused")

// requestsKept bounds the request ids a holder remembers.
const requestsKept = 65_536

// Evaluate answers a request that came from the given node: it checks who
// signed it and that it is for this network and day, evaluates with this
// node's share, and signs the answer.
func (s *Service) Evaluate(from string, e peer.Evaluation) (peer.Evaluation, error) {
	share := s.Share(s.Node.View().OPRF.Epoch)
	if share == nil {
		return peer.Evaluation{}, fmt.Errorf("%w: this node holds no share", ErrRequest)
	}
	req, err := s.checkRequest(from, e)
	if err != nil {
		return peer.Evaluation{}, err
	}
	evaluated, proof, err := pseudonym.Evaluate(*share, req, e.Elements)
	if err != nil {
		return peer.Evaluation{}, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	message := pseudonym.NewResponse(req, evaluated, proof).AppendCBOR(nil)
	sig, err := s.sign(s.Node.View(), sign.LabelResponse, message)
	if err != nil {
		return peer.Evaluation{}, err
	}
	return peer.Evaluation{Message: message, Signature: sig, Elements: evaluated}, nil
}

func (s *Service) checkRequest(from string, e peer.Evaluation) (pseudonym.Request, error) {
	req, err := pseudonym.DecodeRequest(e.Message)
	if err != nil {
		return req, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	view := s.Node.View()
	member, ok := view.Member(req.Hospital)
	node, known := view.Node(from)
	switch {
	case req.Network != view.Network:
		return req, fmt.Errorf("%w: for another network", ErrRequest)
	case !ok || !known || node.Institution != req.Hospital:
		return req, fmt.Errorf("%w: node %s does not speak for institution %d", ErrRequest, from, req.Hospital)
	}
	if err := verify(view, member.Request, sign.LabelRequest, e.Message, e.Signature); err != nil {
		return req, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	now, err := s.quotaTime()
	if err != nil {
		return req, err
	}
	if today := pseudonym.QuotaDay(now); req.QuotaDay+1 < today || req.QuotaDay > today+1 {
		return req, fmt.Errorf("%w: for day %d, today is %d", ErrRequest, req.QuotaDay, today)
	}
	if !s.seen.add(req) {
		s.Logger.Warn("request id used again for another request", "hospital", req.Hospital)
		return req, fmt.Errorf("%w: request id was used for another request", ErrRequest)
	}
	return req, nil
}

// requestLog remembers request ids, so that one id never serves two requests.
type requestLog struct {
	mu    sync.Mutex
	seen  map[requestKey][32]byte
	order []requestKey
}

type requestKey struct {
	hospital uint32
	id       [16]byte
}

// add notes a request and reports whether its id is new or was this same
// request's.
func (l *requestLog) add(r pseudonym.Request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	key, hash := requestKey{r.Hospital, r.RequestID}, r.Hash()
	if known, ok := l.seen[key]; ok {
		return known == hash
	}
	if l.seen == nil {
		l.seen = map[requestKey][32]byte{}
	}
	if len(l.order) == requestsKept {
		delete(l.seen, l.order[0])
		l.order = l.order[1:]
	}
	l.seen[key] = hash
	l.order = append(l.order, key)
	return true
}
