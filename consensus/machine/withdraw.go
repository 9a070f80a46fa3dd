package machine

import (
	"encoding/binary"
	"fmt"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// checkWithdrawn refuses a withdrawal, or the proposal of one, of what are not
// entries of the hospital that it names. The state cannot say so, because a
// node with a gap does not have the leaves; there such a claim means nothing.
func (m *Machine) checkWithdrawn(e *envelope.Envelope) (*state.Refusal, error) {
	w, ok := withdrawalIn(e)
	if !ok {
		return nil, nil
	}
	own, err := m.OwnSpans(w)
	if err != nil {
		return nil, err
	}
	if foreign, found := firstOutside(w.Entries, own); found {
		return &state.Refusal{Code: state.CodeActPayload, Detail: fmt.Sprintf(
			"leaf %d is no entry of institution %d: look the indexes up again", foreign, w.Hospital)}, nil
	}
	return nil, nil
}

// OwnSpans returns what of a withdrawal are entries of the hospital that it
// names, by their leaves.
func (m *Machine) OwnSpans(w act.Withdrawal) ([]ledger.Span, error) {
	var own []ledger.Span
	for _, span := range w.Entries {
		for first := span.First; first < span.End(); first += ledger.MaxLeafRange {
			leaves, err := m.ledger.LeafRange(first, int(min(span.End()-first, ledger.MaxLeafRange)))
			if err != nil {
				return nil, err
			}
			for i, leaf := range leaves {
				if isEntryOf(leaf, w.Hospital) {
					own = appendIndex(own, first+uint64(i))
				}
			}
		}
	}
	return own, nil
}

func appendIndex(spans []ledger.Span, index uint64) []ledger.Span {
	if n := len(spans); n > 0 && spans[n-1].First+spans[n-1].Count == index {
		spans[n-1].Count++
		return spans
	}
	return append(spans, ledger.Span{First: index, Count: 1})
}

// firstOutside returns the first index of the spans that is not in own.
func firstOutside(spans []act.Span, own []ledger.Span) (index uint64, found bool) {
	for _, s := range spans {
		for index := s.First; index < s.End(); index = own[0].First + own[0].Count {
			for len(own) > 0 && own[0].First+own[0].Count <= index {
				own = own[1:]
			}
			if len(own) == 0 || own[0].First > index {
				return index, true
			}
		}
	}
	return 0, false
}

// withdrawalIn returns the withdrawal that an envelope holds, or that it
// proposes.
func withdrawalIn(e *envelope.Envelope) (act.Withdrawal, bool) {
	if e.Kind != envelope.KindAct || len(e.Bodies) != 1 {
		return act.Withdrawal{}, false
	}
	a, err := act.Decode(e.Bodies[0].Ciphertext)
	if err == nil && a.Type == act.TypeProposal {
		p, badProposal := act.DecodeProposal(a.Payload)
		if badProposal != nil {
			return act.Withdrawal{}, false
		}
		a, err = act.DecodeCore(p.Core)
	}
	if err != nil || a.Type != act.TypeWithdrawal {
		return act.Withdrawal{}, false
	}
	w, err := act.DecodeWithdrawal(a.Payload)
	return w, err == nil
}

// isEntryOf reports whether a leaf is that of a hospital's entry: version u8,
// kind u8, hospital u32, and what follows.
func isEntryOf(leaf []byte, hospital uint32) bool {
	return envelope.Kind(leaf[1]) == envelope.KindEntries && binary.BigEndian.Uint32(leaf[2:]) == hospital
}
