package machine

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

// Command is an envelope with the leader's time in milliseconds.
type Command struct {
	Raw        []byte
	LeaderTime uint64
}

// Apply applies an envelope with the leader's time in milliseconds. While a
// gap is open, or what it has to look up is being repaired, it waits. An error
// stops the node, unless it is ErrClosed.
func (m *Machine) Apply(raw []byte, leaderTime uint64) (Outcome, error) {
	outs, err := m.ApplyBatch([]Command{{raw, leaderTime}})
	if err != nil {
		return Outcome{}, err
	}
	return outs[0], nil
}

// ApplyBatch applies envelopes in order, as so many calls of Apply would, but
// verifies them beside each other first, and writes the ledger once for all of
// them. With an error it returns the outcomes of those before the one that
// failed, or none if the ledger was not written; none after it was applied.
func (m *Machine) ApplyBatch(commands []Command) ([]Outcome, error) {
	ready := m.prepare(commands, decodeSent)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.await(func() bool { return m.gap == nil }); err != nil {
		return nil, err
	}
	defer m.broadcast()
	outs := make([]Outcome, 0, len(commands))
	for i, p := range ready {
		out, err := m.applyRepaired(p, commands[i].LeaderTime)
		if err != nil {
			return outs, errors.Join(err, m.write())
		}
		outs = append(outs, out)
	}
	if err := m.write(); err != nil {
		return nil, err
	}
	return outs, nil
}

// write appends to the ledger what was applied since it was last called. Whoever
// applies calls it before the lock is given away: to readers, state and ledger
// are of one length. An error stops the node.
func (m *Machine) write() error {
	if len(m.pending) == 0 {
		return nil
	}
	err := m.ledger.Append(m.pending...)
	clear(m.pending)
	m.pending = m.pending[:0]
	return err
}

// applyRepaired applies an envelope once what it looks up is not damaged. The
// ledger was written before it was looked into.
func (m *Machine) applyRepaired(p prepared, leaderTime uint64) (Outcome, error) {
	for {
		out, err := m.apply(p, leaderTime)
		if !errors.Is(err, ledger.ErrDamaged) {
			return out, err
		}
		_ = m.suspect(err) // repaired by who waits for it
		if err := m.await(func() bool { return !m.damage.open() }); err != nil {
			return Outcome{}, err
		}
	}
}

// await gives the lock away until cond holds; ErrClosed says that the machine is
// stopped.
func (m *Machine) await(cond func() bool) error {
	for !cond() && !m.stopped {
		changed := m.changed
		m.mu.Unlock()
		<-changed
		m.mu.Lock()
	}
	if m.stopped {
		return ErrClosed
	}
	return nil
}

// Check answers as Apply would, without changing anything, and remembers that
// the bytes were verified, so that Apply need not do it again. It is how a
// leader keeps bytes that would be refused out of Raft.
func (m *Machine) Check(raw []byte, leaderTime uint64) (Outcome, error) {
	p := m.prepareOne(m.View(), raw, decodeSent) // before the lock: applies need not wait for it
	if p.refusal != nil {
		return Outcome{Refusal: p.refusal}, nil
	}
	e := p.envelope
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gap != nil {
		return Outcome{}, ErrGap
	}
	if out, known, err := m.lookup(e); known || err != nil {
		return out, m.suspectIf(err)
	}
	logTime, r := m.admit(&p, leaderTime)
	if r == nil {
		var err error
		if r, err = m.checkWithdrawn(e); err != nil {
			return Outcome{}, m.suspectIf(err)
		}
	}
	if r == nil {
		m.seen.put(e, p.commitments)
	}
	return Outcome{Refusal: r, ID: e.ID(), LogTime: logTime, Count: e.Count}, nil
}

func (m *Machine) apply(p prepared, leaderTime uint64) (Outcome, error) {
	e := p.envelope
	if p.refusal != nil {
		return Outcome{Refusal: p.refusal}, nil
	}
	if out, known, err := m.lookup(e); known || err != nil {
		return out, err
	}
	logTime, r := m.admit(&p, leaderTime)
	m.seen.drop(e)
	if r != nil {
		return Outcome{Refusal: r, ID: e.ID()}, nil
	}
	if err := m.state.Follow(e); err != nil {
		return Outcome{}, err
	}
	before := len(m.state.Withdrawals)
	a := m.state.Accept(e, logTime, p.commitments)
	if len(m.state.Withdrawals) > before && m.withdrew != nil {
		if err := m.withdrew(a.Number); err != nil {
			return Outcome{}, fmt.Errorf("note withdrawal in envelope %d: %w", a.Number, err)
		}
	}
	m.pending = append(m.pending, batch(e, a))
	m.roots.add(m.state.Tree.Size(), m.state.Tree.Root())
	m.bytes += uint64(len(e.Marshal()))
	return Outcome{Number: a.Number, First: a.First, Count: e.Count, LogTime: logTime, ID: e.ID()}, nil
}

// admit asks the state, without the checks that prepare has made.
func (m *Machine) admit(p *prepared, leaderTime uint64) (uint64, *state.Refusal) {
	if p.verified {
		return m.state.AdmitVerified(p.envelope, leaderTime)
	}
	if p.commitments == nil {
		p.commitments = p.envelope.Commitments()
	}
	if fault.Planted(fault.SkipSignature) {
		return m.state.AdmitVerified(p.envelope, leaderTime)
	}
	return m.state.Admit(p.envelope, leaderTime, p.commitments)
}

// lookup answers for a sequence that was used before: the original place for
// the same envelope, a refusal for another.
func (m *Machine) lookup(e *envelope.Envelope) (Outcome, bool, error) {
	member, ok := m.state.Member(e.Hospital)
	if !ok || e.Network != m.state.Network || e.Sequence == 0 || e.Sequence > member.Chain.Sequence {
		return Outcome{}, false, nil
	}
	if err := m.write(); err != nil { // it may be one of this batch
		return Outcome{}, false, err
	}
	n, found, err := m.ledger.FindSequence(member.Chain.Number, e.Sequence)
	if err != nil {
		return Outcome{}, false, err
	}
	if !found {
		return Outcome{}, false, fmt.Errorf("sequence %d of %d is not in the ledger: %w", e.Sequence, e.Hospital, ErrDiverged)
	}
	rec, err := m.ledger.Envelope(n)
	if err != nil {
		return Outcome{}, false, err
	}
	if rec.ID == e.ID() {
		return Outcome{
			Number: n, First: rec.First, Count: rec.Count, LogTime: rec.LogTimeMS, ID: e.ID(), Duplicate: true,
		}, true, nil
	}
	return Outcome{Refusal: m.usedSequence(e, member, rec), ID: e.ID()}, true, nil
}

// usedSequence names why another envelope of a used sequence is refused. Two
// ids for one attempt, both signed, are evidence against the sender.
func (m *Machine) usedSequence(e *envelope.Envelope, member *state.Member, rec ledger.EnvelopeRec) *state.Refusal {
	if rec.Attempt == e.Attempt && e.Kind.Label() != "" {
		for _, span := range member.Signing {
			if span.Key.ID() == e.KeyID && e.VerifySignature(span.Key) == nil {
				return &state.Refusal{Code: state.CodeFork, Detail: fmt.Sprintf(
					"institution %d signed two envelopes for sequence %d attempt %d: %s and %s",
					e.Hospital, e.Sequence, e.Attempt, envelope.ID(rec.ID), e.ID())}
			}
		}
	}
	return &state.Refusal{Code: state.CodeSequence, Detail: fmt.Sprintf(
		"sequence %d was used, next is %d", e.Sequence, member.Chain.Sequence+1)}
}

func batch(e *envelope.Envelope, a state.Accepted) ledger.Batch {
	b := ledger.Batch{
		Header: e.HeaderBytes, Ed25519: e.Signature.Ed25519, MLDSA: e.Signature.MLDSA, LogTimeMS: a.LogTime,
		ID: e.ID(), Hospital: e.Hospital, Sequence: e.Sequence, Attempt: e.Attempt, PrevOfHospital: a.Previous,
		Leaves: a.Leaves, Bodies: Kept(e), Hashes: [4][]tlog.Hash{a.Hashes[0], a.Hashes[8], a.Hashes[16], a.Hashes[24]},
	}
	return b
}
