package state

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// ErrNoFalsehood reports evidence that does not show what it claims. The
// message says which part fails.
var ErrNoFalsehood = errors.New("the evidence shows no falsehood")

// maxFalsehoods bounds what a snapshot is read for; one is kept for each holder
// and epoch.
const maxFalsehoods = 100_000

// Falsehood says that a share holder answered falsely, by evidence that every
// node has verified.
type Falsehood struct {
	Epoch    uint32 // of the key
	Holder   uint32 // the institution
	Reporter uint32 // the institution that posted the evidence
	Envelope uint64 // number of the envelope with the evidence
}

// CheckFalsehood says whether evidence shows that a holder answered falsely,
// and which institution that is. It needs this state alone, so anybody with a
// copy of the log can repeat it. The error is ErrNoFalsehood with the reason.
//
// The request must be signed by its hospital, the response by the holder that
// the request names, and the response must be one to this request with these
// evaluated elements. It is false if the proof does not bear them out, if one
// of them is no group element, or if there are too few or too many. A response
// to another request is no evidence: nobody can tell that it was given to this
// one.
func (s *State) CheckFalsehood(f *act.Falsehood) (holder, epoch uint32, err error) {
	no := func(format string, args ...any) (uint32, uint32, error) {
		return 0, 0, fmt.Errorf("%w: %s", ErrNoFalsehood, fmt.Sprintf(format, args...))
	}
	request, err := pseudonym.DecodeRequest(f.Request)
	if err != nil {
		return no("request: %v", err)
	}
	record, holders, ok := s.sharing(request.KeyID, request.Epoch)
	switch {
	case request.Network != s.Network:
		return no("the request is for another network")
	case !ok:
		return no("the request is for a key or epoch that the network does not have")
	case request.Holder == 0 || int(request.Holder) > len(holders):
		return no("there is no share %d", request.Holder)
	case len(f.Elements) != int(request.N) || pseudonym.HashElements(f.Elements) != request.ElementsHash:
		return no("the elements are not those of the request")
	}
	if err := s.signedBy(request.Hospital, (*Member).requestKeys, sign.LabelRequest, f.Request, f.RequestSignature); err != nil {
		return no("request: %v", err)
	}
	holder = holders[request.Holder-1]
	if err := s.signedBy(holder, (*Member).responseKeys, sign.LabelResponse, f.Response, f.ResponseSignature); err != nil {
		return no("response: %v", err)
	}
	response, err := pseudonym.DecodeResponse(f.Response)
	if err == nil {
		err = response.Answers(request, f.Evaluated)
	}
	if err != nil {
		return no("response: %v", err)
	}
	// What an honest holder would sign for these elements verifies; that the
	// elements are such as it would answer at all shows in their own encoding.
	if _, err := pseudonym.VerifyEvaluation(record, request, f.Elements, f.Elements, response.Proof); errors.Is(err, pseudonym.ErrElement) {
		return no("the request's own elements are not to be evaluated")
	}
	if _, err := pseudonym.VerifyEvaluation(record, request, f.Elements, f.Evaluated, response.Proof); err == nil {
		return no("the proof verifies: the answer is right")
	}
	return holder, request.Epoch, nil
}

// sharing returns the key record of an epoch and the institutions that held its
// shares, if the network has or had it.
func (s *State) sharing(keyID [32]byte, epoch uint32) (keyshare.Record, []uint32, bool) {
	if keyID == s.OPRF.KeyID && epoch == s.OPRF.Epoch {
		return s.OPRF, s.Holders, true
	}
	return keyshare.Record{}, nil, false
}

// requestKeys returns the keys with which an institution signs or signed
// evaluation requests.
func (m *Member) requestKeys() []*sign.PublicKey { return []*sign.PublicKey{m.Request} }

// responseKeys returns the keys with which it signs or signed evaluations.
func (m *Member) responseKeys() []*sign.PublicKey { return []*sign.PublicKey{m.Response} }

// signedBy returns nil if one of the institution's keys made the signature.
func (s *State) signedBy(number uint32, keys func(*Member) []*sign.PublicKey, label sign.Label, message []byte, sig sign.Signature) error {
	m, ok := s.Member(number)
	if !ok {
		return fmt.Errorf("institution %d is no member", number)
	}
	err := sign.ErrSignature
	for _, k := range keys(m) {
		if err = k.Verify(label, message, sig); err == nil {
			return nil
		}
	}
	return fmt.Errorf("not signed by institution %d: %w", number, err)
}

func (s *State) findFalsehood(epoch, holder uint32) (int, bool) {
	return slices.BinarySearchFunc(s.Falsehoods, Falsehood{Epoch: epoch, Holder: holder}, func(a, b Falsehood) int {
		return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Holder, b.Holder))
	})
}

// KnownFalsehood reports whether a holder's falsehood in an epoch is on the log.
func (s *State) KnownFalsehood(epoch, holder uint32) bool {
	_, found := s.findFalsehood(epoch, holder)
	return found
}

func (s *State) admitFalsehood(a *act.Act) *Refusal {
	if r := unapproved(a); r != nil {
		return r
	}
	f, err := act.DecodeFalsehood(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	holder, epoch, err := s.CheckFalsehood(f)
	switch {
	case err != nil:
		return refuse(CodeActPayload, "%v", err)
	case s.KnownFalsehood(epoch, holder):
		return refuse(CodeActPayload, "that holder %d answered falsely in epoch %d is on the log already", holder, epoch)
	}
	return nil
}

func (s *State) acceptFalsehood(e *envelope.Envelope, a *act.Act) {
	f, err := act.DecodeFalsehood(a.Payload)
	if err != nil {
		return // not admitted
	}
	request, err := pseudonym.DecodeRequest(f.Request)
	if err != nil {
		return // not admitted
	}
	_, holders, ok := s.sharing(request.KeyID, request.Epoch)
	if !ok || request.Holder == 0 || int(request.Holder) > len(holders) {
		return // not admitted
	}
	found := Falsehood{Epoch: request.Epoch, Holder: holders[request.Holder-1], Reporter: e.Hospital, Envelope: s.Envelopes}
	i, _ := s.findFalsehood(found.Epoch, found.Holder)
	s.Falsehoods = slices.Insert(slices.Clip(s.Falsehoods), i, found)
}

func (f Falsehood) appendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, 4)
	b = cbor.AppendUint(b, uint64(f.Epoch))
	b = cbor.AppendUint(b, uint64(f.Holder))
	b = cbor.AppendUint(b, uint64(f.Reporter))
	return cbor.AppendUint(b, f.Envelope)
}

func readFalsehood(d *cbor.Decoder) Falsehood {
	d.Array(4)
	return Falsehood{Epoch: d.Uint32(), Holder: d.Uint32(), Reporter: d.Uint32(), Envelope: d.Uint()}
}
