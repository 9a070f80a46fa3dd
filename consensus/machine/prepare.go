package machine

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// prepared is an envelope on its way to the state, with what could be found
// out from its bytes alone.
type prepared struct {
	envelope    *envelope.Envelope
	refusal     *state.Refusal // of bytes that are no envelope
	commitments [][32]byte     // nil: not computed yet
	verified    bool           // bodies and signature are right
}

// prepare decodes and verifies envelopes, on as many processors as there are.
// It needs no lock: a key once known by its id stays that key.
func (m *Machine) prepare(commands []Command, decode decoder) []prepared {
	ready := make([]prepared, len(commands))
	if len(commands) == 1 {
		ready[0] = m.prepareOne(m.View(), commands[0].Raw, decode)
		return ready
	}
	view := m.View()
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(len(commands), runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(commands); i = int(next.Add(1)) - 1 {
				ready[i] = m.prepareOne(view, commands[i].Raw, decode)
			}
		})
	}
	workers.Wait()
	return ready
}

func (m *Machine) prepareOne(view *state.State, raw []byte, decode decoder) prepared {
	m.mu.Lock()
	p, seen := m.seen.get(raw)
	m.mu.Unlock()
	if seen {
		return p
	}
	e, r := decode(raw)
	if r != nil {
		return prepared{refusal: r}
	}
	commitments := e.Commitments()
	return prepared{envelope: e, commitments: commitments, verified: view.Verified(e, commitments)}
}

// decoder decodes under recover: bytes from the network never take the process
// down.
type decoder func(raw []byte) (*envelope.Envelope, *state.Refusal)

// decodeSent decodes what a sender made, decodeHeld what a node has held since.
// A recovery is never sent: it begins the log epoch of nodes that are stopped.
func decodeSent(raw []byte) (*envelope.Envelope, *state.Refusal) {
	e, r := decodeWith(raw, envelope.Decode)
	if r == nil && isRecovery(e) {
		return nil, &state.Refusal{Code: state.CodeActPayload, Detail: "a recovery is not sent: it comes with a file, to nodes that are stopped"}
	}
	return e, r
}

func isRecovery(e *envelope.Envelope) bool {
	if e.Kind != envelope.KindAct || len(e.Bodies) != 1 {
		return false
	}
	a, err := act.Decode(e.Bodies[0].Ciphertext)
	return err == nil && a.Type == act.TypeRecovery
}
func decodeHeld(raw []byte) (*envelope.Envelope, *state.Refusal) {
	return decodeWith(raw, envelope.DecodeHeld)
}

func decodeWith(raw []byte, decode func([]byte) (*envelope.Envelope, error)) (e *envelope.Envelope, r *state.Refusal) {
	defer func() {
		if p := recover(); p != nil {
			e, r = nil, &state.Refusal{Code: state.CodeEncoding, Detail: fmt.Sprintf("decoder panic: %T", p)}
		}
	}()
	e, err := decode(raw)
	if err != nil {
		return nil, state.AfterDecode(err)
	}
	return e, nil
}
