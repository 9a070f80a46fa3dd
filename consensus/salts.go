package consensus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/envelope"
)

// saltlessFile is the fact of a copy that was restored without salts.
const saltlessFile = "saltless"

// saltless is what a copy lacks that was restored from a backup without salts:
// those of the envelopes from next (included) to end (excluded).
type saltless struct {
	path string

	mu        sync.Mutex // guards what follows
	next, end uint64
}

func (s *saltless) load(dir string) error {
	s.path = filepath.Join(dir, saltlessFile)
	raw, err := ledger.ReadFileDurable(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	d := cbor.NewDecoder(raw)
	d.Array(2)
	s.next, s.end = d.Uint(), d.Uint()
	if err := d.Done(); err != nil {
		return fmt.Errorf("%w: missing salts: %w", ledger.ErrDamaged, err)
	}
	return nil
}

func (s *saltless) save() error {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, s.next)
	return ledger.WriteFileDurable(s.path, cbor.AppendUint(b, s.end))
}

// missing returns the numbers of the envelopes whose salts are missing.
func (s *saltless) missing() (from, to uint64, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next >= s.end {
		return 0, 0, false
	}
	return s.next, s.end, true
}

// advance makes it durable that the salts below next are there.
func (s *saltless) advance(next uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = min(next, s.end)
	return s.save()
}

// Whole returns nil if every entry of the copy can be opened by those who may,
// and [machine.ErrGap] while the salts of a restored copy are missing.
func (n *Node) Whole() error {
	if from, to, open := n.saltless.missing(); open {
		return fmt.Errorf("the salts of envelopes %d to %d are still missing: %w", from, to-1, machine.ErrGap)
	}
	return nil
}

// runRefiller fetches the missing salts from whichever peers have them.
func (n *Node) runRefiller(ctx context.Context) {
	for n.Whole() != nil {
		if !n.refillFromAnyone(ctx) && !pause(ctx, pullPause) {
			return
		}
	}
	n.log.Info("the salts that the backup left out are all there")
	n.checkpoints.wake() // who waited for a whole copy looks again
}

func (n *Node) refillFromAnyone(ctx context.Context) bool {
	for _, peer := range n.peersInTurn() {
		err := n.refillFrom(ctx, peer)
		switch {
		case err == nil:
			return true
		case ctx.Err() != nil:
			return false
		case isOwnFailure(err):
			_ = n.fail(err) // the caller of Open has it
			return false
		}
		n.log.Info("salts not fetched from this peer", "peer", peer, "reason", err.Error())
	}
	return false
}

// refillFrom takes what one peer has of the missing salts. Each envelope shows
// by itself whether it is the one that this copy holds.
func (n *Node) refillFrom(ctx context.Context, peer string) error {
	for {
		from, to, open := n.saltless.missing()
		if !open {
			return nil
		}
		pulled, err := n.envelopes(ctx, peer, from)
		if err != nil {
			return err
		}
		pulled = pulled[:min(uint64(len(pulled)), to-from)]
		for i, p := range pulled {
			if err := n.refill(from+uint64(i), p); err != nil {
				return fmt.Errorf("salts of envelope %d: %w", from+uint64(i), err)
			}
		}
		if _, err := n.machine.Ledger().Sync(); err != nil {
			return err
		}
		fault.At(fault.SaltsRefilled)
		if err := n.saltless.advance(from + uint64(len(pulled))); err != nil {
			return err
		}
	}
}

// refill takes the bodies of an envelope whose header the copy has. The header
// holds their commitments, which cover the salts.
func (n *Node) refill(number uint64, p Pulled) error {
	mine, err := n.machine.Ledger().Envelope(number)
	if err != nil {
		return err
	}
	e, err := envelope.Decode(p.Envelope)
	if err != nil {
		return err
	}
	if !bytes.Equal(e.HeaderBytes, mine.Header) {
		return fmt.Errorf("it is %s, this copy has %s", e.ID(), envelope.ID(mine.ID))
	}
	if err := e.CheckBodies(e.Commitments()); err != nil {
		return err
	}
	bodies := make([]ledger.Body, len(e.Bodies))
	for i := range e.Bodies {
		bodies[i] = ledger.Body(e.Bodies[i])
	}
	return n.machine.Ledger().Refill(number, bodies)
}
