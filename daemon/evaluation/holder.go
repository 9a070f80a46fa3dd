package evaluation

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/peer"
	"github.com/raresync/raresync/daemon/quota"
)

// ErrRequest reports a request that this holder does not answer.
var ErrRequest = errors.New("evaluation request refused")

// Count is a holder's count of what it evaluated; [quota.Book] is one.
type Count interface {
	// Advance moves the day to a checkpoint's, if it is believed.
	Advance(checkpoint uint32) uint32
	// Count returns nil once the request is counted, on disk and within quota.
	Count(s quota.Signed, quota func(day uint32) uint64) error
}

// Evaluate answers a request that came from the given node: it checks who
// signed it and that it is for this share and day, counts it, evaluates, and
// signs the answer. Nothing is computed with the share before it is counted.
func (s *Service) Evaluate(from string, e peer.Evaluation) (peer.Evaluation, error) {
	share, req, err := s.checkRequest(from, e)
	if err != nil {
		return peer.Evaluation{}, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if err := s.count(req, e.Signature); err != nil {
		return peer.Evaluation{}, fmt.Errorf("%w: %w", ErrRequest, err)
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

// checkRequest checks all of a request that does not depend on others, and
// returns the share that it asks for.
func (s *Service) checkRequest(from string, e peer.Evaluation) (*keyshare.Share, pseudonym.Request, error) {
	req, err := pseudonym.DecodeRequest(e.Message)
	if err != nil {
		return nil, req, err
	}
	view := s.Node.View()
	share := s.Share(view.OPRF.Epoch)
	if share == nil || s.Count == nil {
		return nil, req, errors.New("this node holds no share")
	}
	member, ok := view.Member(req.Hospital)
	node, known := view.Node(from)
	switch {
	case req.Network != view.Network:
		return nil, req, errors.New("it is for another network")
	case !ok || !known || node.Institution != req.Hospital:
		return nil, req, fmt.Errorf("node %s does not speak for institution %d", from, req.Hospital)
	case req.KeyID != view.OPRF.KeyID || req.KeyID != share.KeyID:
		return nil, req, errors.New("it is for another key")
	case req.Epoch != view.OPRF.Epoch || req.Epoch != share.Epoch:
		return nil, req, fmt.Errorf("it is for epoch %d, the network is in %d and the share of %d", req.Epoch, view.OPRF.Epoch, share.Epoch)
	case req.Holder != share.Holder:
		return nil, req, fmt.Errorf("it is for holder %d, this is holder %d", req.Holder, share.Holder)
	case len(e.Elements) != int(req.N) || pseudonym.HashElements(e.Elements) != req.ElementsHash:
		return nil, req, errors.New("the elements are not those of the request")
	}
	return share, req, verify(view, member.Request, sign.LabelRequest, e.Message, e.Signature)
}

// count counts a request that checkRequest found good.
func (s *Service) count(req pseudonym.Request, sig sign.Signature) error {
	day, err := s.Day()
	if err != nil {
		return err
	}
	s.Count.Advance(day)
	view := s.Node.View()
	err = s.Count.Count(quota.Signed{Request: req, Signature: sig}, func(day uint32) uint64 { return view.Quota(req.Hospital, day) })
	switch {
	case errors.Is(err, quota.ErrReused):
		s.Logger.Warn("request id used again for another request", "hospital", req.Hospital)
	case errors.Is(err, ledger.ErrStorage) && s.Failed != nil:
		s.Failed(err)
	}
	return err
}
