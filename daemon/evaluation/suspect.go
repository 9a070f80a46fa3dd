package evaluation

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/daemon/peer"
	"github.com/raresync/raresync/registry/act"
)

// falseAnswer is an answer that a holder signed and that is not right.
type falseAnswer struct {
	error
	req             pseudonym.Request
	institution     uint32
	asked, answered peer.Evaluation
	shows           bool // to others too: it is an answer to this request, and its proof fails
}

// Unwrap returns what is wrong.
func (f *falseAnswer) Unwrap() error { return f.error }

// evidence returns what shows the falsehood to others; nil if it cannot, or is
// too large for an act.
func (f *falseAnswer) evidence() *act.Falsehood {
	if !f.shows || len(f.asked.Elements) > act.MaxFalsehoodElements || len(f.answered.Elements) > act.MaxFalsehoodElements {
		return nil
	}
	return &act.Falsehood{
		Request: f.asked.Message, RequestSignature: f.asked.Signature,
		Response: f.answered.Message, ResponseSignature: f.answered.Signature,
		Elements: f.asked.Elements, Evaluated: f.answered.Elements,
	}
}

// suspects are the holders that have answered falsely to this process.
type suspects struct {
	ctx     context.Context // ends with the service
	stop    context.CancelFunc
	workers sync.WaitGroup

	mu     sync.Mutex // guards what follows
	busy   map[suspectKey]bool
	alarms map[suspectKey]Alarm
}

type suspectKey struct {
	epoch       uint32
	institution uint32
}

// Alarm says in both languages that a holder has answered falsely, and what
// became of it.
type Alarm struct{ EN, ZH string }

// Alarms says which holders have answered falsely to this process.
func (s *Service) Alarms() []Alarm {
	s.suspects.mu.Lock()
	defer s.suspects.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.suspects.alarms), func(a, b Alarm) int { return cmp.Compare(a.EN, b.EN) })
}

// alarm says what is wrong with a holder's answer, and after it what became of
// that, if anything.
func (s *Service) alarm(key suspectKey, wrong error, became Alarm) {
	name := memberName(s.Node.View(), key.institution)
	told := Alarm{
		fmt.Sprintf("share holder %s (epoch %d) has answered falsely: %v", name, key.epoch, wrong),
		fmt.Sprintf("份额持有方 %s（份额代次 %d）作出虚假应答：%v", name, key.epoch, wrong),
	}
	if became != (Alarm{}) {
		told.EN, told.ZH = told.EN+"; "+became.EN, told.ZH+"；"+became.ZH
	}
	s.suspects.mu.Lock()
	defer s.suspects.mu.Unlock()
	if s.suspects.alarms == nil {
		s.suspects.alarms = map[suspectKey]Alarm{}
	}
	s.suspects.alarms[key] = told
	s.Logger.Error(told.EN)
}

// suspect looks into a false answer, in the background and once for each holder
// and epoch at a time.
func (s *Service) suspect(view *state.State, lie *falseAnswer) {
	key := suspectKey{lie.req.Epoch, lie.institution}
	s.suspects.mu.Lock()
	defer s.suspects.mu.Unlock()
	if s.suspects.busy[key] || s.suspects.ctx.Err() != nil || s.Node.View().KnownFalsehood(key.epoch, key.institution) {
		return
	}
	if s.suspects.busy == nil {
		s.suspects.busy = map[suspectKey]bool{}
	}
	s.suspects.busy[key] = true
	s.suspects.workers.Go(func() {
		if s.accuse(view, key, lie) { // once is enough
			return
		}
		s.suspects.mu.Lock()
		defer s.suspects.mu.Unlock()
		delete(s.suspects.busy, key)
	})
}

// accuse posts evidence. If the answer is too large for an act, or convinces
// nobody else, the holder is asked again for one of the elements. It reports
// whether evidence was posted.
func (s *Service) accuse(view *state.State, key suspectKey, lie *falseAnswer) bool {
	s.alarm(key, lie, Alarm{})
	proof := lie.evidence()
	if proof == nil {
		again, err := s.askAgain(view, lie)
		switch {
		case err != nil:
			s.alarm(key, lie, Alarm{fmt.Sprintf("asked again it gave no answer: %v", err), fmt.Sprintf("再次询问没有应答：%v", err)})
			return false
		case again == nil:
			s.alarm(key, lie, Alarm{"asked again for one element it was right, so that others cannot be shown", "再次询问其中一个元素时应答正确，因此无法向他人证明"})
			return false
		}
		if proof = again.evidence(); proof == nil {
			s.alarm(key, again, Alarm{"others cannot be shown, since the answer names no request or other elements", "该应答未指明请求或元素不符，因此无法向他人证明"})
			return false
		}
	}
	if _, _, err := view.CheckFalsehood(proof); err != nil {
		s.alarm(key, lie, Alarm{fmt.Sprintf("others would not believe it: %v", err), fmt.Sprintf("他人不会采信：%v", err)})
		return false
	}
	if s.Poster == nil {
		return false
	}
	_, err := s.Poster.AddAct(s.suspects.ctx, act.Act{Version: act.Version, Type: act.TypeFalsehood, Payload: proof.Marshal()})
	if err != nil {
		s.alarm(key, lie, Alarm{fmt.Sprintf("the evidence could not be posted: %v", err), fmt.Sprintf("证据未能发布：%v", err)})
		return false
	}
	s.alarm(key, lie, Alarm{"the evidence is posted", "证据已发布"})
	return true
}

// askAgain asks a holder for one element of a batch that it answered falsely.
// It returns the false answer, or nil if it was right this time.
func (s *Service) askAgain(view *state.State, lie *falseAnswer) (*falseAnswer, error) {
	ctx, cancel := context.WithTimeout(s.suspects.ctx, askTimeout)
	defer cancel()
	req, elements := lie.req, lie.asked.Elements[:1]
	_, _ = rand.Read(req.RequestID[:]) // crypto/rand.Read never fails
	req.N, req.ElementsHash = 1, pseudonym.HashElements(elements)
	if err := s.note(view, req, []uint16{req.Holder}); err != nil {
		return nil, err
	}
	_, err := s.askOther(ctx, view, req, elements)
	if again := (*falseAnswer)(nil); errors.As(err, &again) {
		return again, nil
	}
	return nil, err
}
