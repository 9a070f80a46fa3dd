package meter

import (
	"context"
	"errors"
	"time"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/daemon/peer"
	"github.com/raresync/raresync/daemon/quota"
)

// What came of a request for pseudonyms.
const (
	resultOK        = "ok"
	resultFailed    = "failed"
	resultRefused   = "refused"
	resultOverQuota = "over-quota"
)

func resultOf(err error, other string) string {
	switch {
	case err == nil:
		return resultOK
	case errors.Is(err, quota.ErrOver):
		return resultOverQuota
	}
	return other
}

// Pseudonymiser asks share holders; evaluation.Service is one.
type Pseudonymiser interface {
	Pseudonyms(ctx context.Context, identities [][]byte) ([]pseudonym.Pseudonym, error)
}

type timedAsker struct {
	Pseudonymiser
	m *Meter
}

// Asking returns p with its requests counted and timed.
func (m *Meter) Asking(p Pseudonymiser) Pseudonymiser { return timedAsker{p, m} }

// Pseudonyms asks, and notes what came of it.
func (a timedAsker) Pseudonyms(ctx context.Context, identities [][]byte) ([]pseudonym.Pseudonym, error) {
	began := time.Now()
	found, err := a.Pseudonymiser.Pseudonyms(ctx, identities)
	a.m.asked.WithLabelValues(resultOf(err, resultFailed)).Inc()
	a.m.Took(Pseudonymise, time.Since(began))
	return found, err
}

type timedHolder struct {
	peer.Evaluator
	m *Meter
}

// Answering returns a share holder with its answers counted.
func (m *Meter) Answering(e peer.Evaluator) peer.Evaluator { return timedHolder{e, m} }

// Evaluate answers, and notes what came of it.
func (h timedHolder) Evaluate(from string, e peer.Evaluation) (peer.Evaluation, error) {
	answer, err := h.Evaluator.Evaluate(from, e)
	h.m.evaluated.WithLabelValues(resultOf(err, resultRefused)).Inc()
	return answer, err
}

// Outbox takes entries; outbox.Outbox is one.
type Outbox interface {
	AddEntries(ctx context.Context, groups [][]outbox.Entry) ([][]outbox.Placed, error)
}

type timedOutbox struct {
	Outbox
	m *Meter
}

// Signing returns an outbox whose work is timed.
func (m *Meter) Signing(o Outbox) Outbox { return timedOutbox{o, m} }

// AddEntries adds, and notes how long it took.
func (o timedOutbox) AddEntries(ctx context.Context, groups [][]outbox.Entry) ([][]outbox.Placed, error) {
	began := time.Now()
	placed, err := o.Outbox.AddEntries(ctx, groups)
	o.m.Took(Sign, time.Since(began))
	return placed, err
}
