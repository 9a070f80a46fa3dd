package evaluation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/peer"
)

// Pseudonyms returns the pseudonym of each normalised identity (its x, see
// registry/identity), in the same order. Equal identities are asked once. It
// fails with ErrHolders if fewer than t holders gave a proven answer.
func (s *Service) Pseudonyms(ctx context.Context, identities [][]byte) ([]pseudonym.Pseudonym, error) {
	unique, place := dedupe(identities)
	inputs, err := s.stretch(ctx, unique)
	if err != nil {
		return nil, fmt.Errorf("pseudonymise %d identities: %w", len(unique), err)
	}
	found := make([]pseudonym.Pseudonym, 0, len(unique))
	for inputs := range slices.Chunk(inputs, s.batchMax) {
		batch, err := s.batch(ctx, inputs)
		if err != nil {
			return nil, fmt.Errorf("pseudonymise %d identities: %w", len(unique), err)
		}
		found = append(found, batch...)
	}
	out := make([]pseudonym.Pseudonym, len(identities))
	for i, p := range place {
		out[i] = found[p]
	}
	return out, nil
}

func dedupe(identities [][]byte) (unique [][]byte, place []int) {
	at := map[string]int{}
	for _, x := range identities {
		i, ok := at[string(x)]
		if !ok {
			i = len(unique)
			at[string(x)] = i
			unique = append(unique, x)
		}
		place = append(place, i)
	}
	return unique, place
}

// stretch runs Argon2id over the identities on all cores. It is what makes
// guessing expensive, for us too: about 15 ms each.
func (s *Service) stretch(ctx context.Context, identities [][]byte) ([][]byte, error) {
	params := s.Node.View().Identity
	inputs := make([][]byte, len(identities))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(identities)) {
		workers.Go(func() {
			for i := range next {
				inputs[i] = params.Input(params.Stretch(identities[i]))
			}
		})
	}
	for i := range identities {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	return inputs, ctx.Err()
}

// batch asks for up to 4096 inputs, once more if the shares were replaced while
// it asked.
func (s *Service) batch(ctx context.Context, inputs [][]byte) ([]pseudonym.Pseudonym, error) {
	view := s.Node.View()
	if view.OPRF.Holders == 0 {
		return nil, s.noKey()
	}
	found, err := s.batchOf(ctx, view, inputs)
	if now := s.Node.View(); errors.Is(err, ErrHolders) && now.OPRF.Epoch != view.OPRF.Epoch {
		s.Logger.Info("the shares were replaced: asking again", "epoch", now.OPRF.Epoch)
		return s.batchOf(ctx, now, inputs)
	}
	return found, err
}

// noKey says why there is no key: that nobody has made it, unless this node's
// copy has yet to catch up with the act that did.
func (s *Service) noKey() error {
	if s.Behind != nil {
		if err := s.Behind(); err != nil {
			return err
		}
	}
	return ErrNoKey
}

// batchOf blinds the inputs, collects t proven evaluations by the shares of one
// epoch, the view's, and finalises.
func (s *Service) batchOf(ctx context.Context, view *state.State, inputs [][]byte) ([]pseudonym.Pseudonym, error) {
	blinding, elements, err := pseudonym.Blind(inputs)
	if err != nil {
		return nil, err
	}
	day, err := s.Day()
	if err != nil {
		return nil, err
	}
	template := pseudonym.Request{
		Network: view.Network, KeyID: view.OPRF.KeyID, Epoch: view.OPRF.Epoch, Hospital: s.Hospital,
		QuotaDay: day, N: uint16(len(elements)), ElementsHash: pseudonym.HashElements(elements),
	}
	parts, err := s.collect(ctx, view, template, elements)
	if err != nil {
		return nil, err
	}
	return blinding.Finalize(view.OPRF, parts)
}

// answer is what came of asking one holder.
type answer struct {
	holder uint16
	part   pseudonym.Part
	err    error
}

// collect asks t holders at once, beginning with this node's own share, and
// another for each that fails or whenever no answer has come for a second.
func (s *Service) collect(ctx context.Context, view *state.State, template pseudonym.Request, elements [][32]byte) ([]pseudonym.Part, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	order := s.holderOrder(view)
	answers := make(chan answer, len(order))
	asked := 0
	ask := func(n int) error {
		more := order[asked:min(asked+n, len(order))]
		if err := s.note(view, template, more); err != nil {
			return err
		}
		asked += len(more)
		for _, holder := range more {
			go func() {
				part, err := s.ask(ctx, view, holder, template, elements)
				answers <- answer{holder, part, err}
			}()
		}
		return nil
	}
	if err := ask(int(view.OPRF.Threshold)); err != nil {
		return nil, err
	}
	late := time.NewTicker(hedgeAfter)
	defer late.Stop()
	var parts []pseudonym.Part
	problems := []error{ErrHolders}
	for len(parts)+len(problems)-1 < asked {
		select {
		case <-late.C:
			if err := ask(1); err != nil {
				return nil, err
			}
			continue
		case a := <-answers:
			late.Reset(hedgeAfter)
			if a.err != nil {
				s.Logger.Warn("share holder gave no proven answer", "share", a.holder, "institution", institutionOf(view, a.holder), "reason", a.err.Error())
				problems = append(problems, fmt.Errorf("%s: %w", holderName(view, a.holder), a.err))
				if err := ask(1); err != nil {
					return nil, err
				}
				continue
			}
			if parts = append(parts, a.part); len(parts) == int(view.OPRF.Threshold) {
				return parts, nil
			}
		}
	}
	return nil, errors.Join(problems...)
}

// institutionOf is the institution that holds a share.
func institutionOf(view *state.State, share uint16) uint32 { return view.Holders[share-1] }

// holderName names the holder of a share as people know it.
func holderName(view *state.State, share uint16) string {
	return fmt.Sprintf("share holder %s, share %d", memberName(view, institutionOf(view, share)), share)
}

// memberName is an institution with its number, as "Hospital 3 (3)".
func memberName(view *state.State, number uint32) string {
	name := "institution"
	if m, ok := view.Member(number); ok {
		if name = m.NameEN; name == "" {
			name = m.NameZH
		}
	}
	return fmt.Sprintf("%s (%d)", name, number)
}

// holderOrder lists the holders, this node's own first, then the others from
// there on, so that load spreads.
func (s *Service) holderOrder(view *state.State) []uint16 {
	n, own := len(view.Holders), 0
	if share := s.own(view, view.OPRF.Epoch); share != nil {
		own = int(share.Holder) - 1
	}
	order := make([]uint16, n)
	for i := range order {
		order[i] = uint16((own+i)%n + 1)
	}
	return order
}

// own returns this node's share of an epoch, or nil.
func (s *Service) own(view *state.State, epoch uint32) *keyshare.Share {
	if share := s.Share(epoch); share != nil && share.KeyID == view.OPRF.KeyID {
		return share
	}
	return nil
}

// note puts on record what is about to be asked of other holders.
func (s *Service) note(view *state.State, template pseudonym.Request, holders []uint16) error {
	var institutions []uint32
	for _, h := range holders {
		if share := s.own(view, template.Epoch); share == nil || share.Holder != h {
			institutions = append(institutions, view.Holders[h-1])
		}
	}
	if s.Asked == nil || len(institutions) == 0 {
		return nil
	}
	err := s.Asked.Note(template.QuotaDay, uint64(template.N), institutions...)
	if err != nil && s.Failed != nil {
		s.Failed(err)
	}
	return err
}

// ask asks one holder, or this node's own share.
func (s *Service) ask(ctx context.Context, view *state.State, holder uint16, req pseudonym.Request, elements [][32]byte) (pseudonym.Part, error) {
	req.Holder = holder
	_, _ = rand.Read(req.RequestID[:]) // crypto/rand.Read never fails
	if fault.Planted(fault.LeakRequest) {
		copy(req.RequestID[:13], fault.Overheard())
	}
	if share := s.own(view, req.Epoch); share != nil && share.Holder == holder {
		evaluated, proof, err := pseudonym.Evaluate(*share, req, elements)
		if err != nil {
			return pseudonym.Part{}, err
		}
		return pseudonym.VerifyEvaluation(view.OPRF, req, elements, evaluated, proof)
	}
	part, err := s.askOther(ctx, view, req, elements)
	if lie := (*falseAnswer)(nil); errors.As(err, &lie) {
		if s.Lied != nil {
			s.Lied()
		}
		s.suspect(view, lie)
	}
	return part, err
}

func (s *Service) askOther(ctx context.Context, view *state.State, req pseudonym.Request, elements [][32]byte) (pseudonym.Part, error) {
	institution := view.Holders[req.Holder-1]
	node, ok := nodeOf(view, institution)
	if !ok {
		return pseudonym.Part{}, errors.New("has no node")
	}
	message := req.AppendCBOR(nil)
	sig, err := s.sign(view, sign.LabelRequest, message)
	if err != nil {
		return pseudonym.Part{}, err
	}
	asked := peer.Evaluation{Message: message, Signature: sig, Elements: elements}
	answer, err := s.Asker.Evaluate(ctx, node, asked)
	if err != nil {
		return pseudonym.Part{}, err
	}
	return s.verify(view, institution, req, asked, answer)
}

// verify checks the holder's signature, that it answers this request, and the
// proof. What is wrong with an answer that the holder did sign is a
// *falseAnswer.
func (s *Service) verify(view *state.State, institution uint32, req pseudonym.Request, asked, a peer.Evaluation) (pseudonym.Part, error) {
	member, ok := view.Member(institution)
	if !ok {
		return pseudonym.Part{}, errors.New("is no member")
	}
	if err := verify(view, member.Response, sign.LabelResponse, a.Message, a.Signature); err != nil {
		return pseudonym.Part{}, err
	}
	resp, err := pseudonym.DecodeResponse(a.Message)
	if err == nil {
		err = resp.Answers(req, a.Elements)
	}
	if err != nil {
		return pseudonym.Part{}, &falseAnswer{error: err, req: req, institution: institution, asked: asked, answered: a}
	}
	part, err := pseudonym.VerifyEvaluation(view.OPRF, req, asked.Elements, a.Elements, resp.Proof)
	if err != nil {
		return pseudonym.Part{}, &falseAnswer{error: err, req: req, institution: institution, asked: asked, answered: a, shows: true}
	}
	return part, nil
}
