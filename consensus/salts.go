package consensus

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/crypto/cbor"
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

// CheckSalts returns [machine.ErrGap] if the copy in a node's directory, which
// may be running, was restored without salts and still lacks some.
func CheckSalts(dir string) error {
	var s saltless
	if err := s.load(dir); err != nil {
		return err
	}
	return s.check()
}

func (s *saltless) check() error {
	if from, to, open := s.missing(); open {
		return fmt.Errorf("the salts of envelopes %d to %d are still missing: %w", from, to-1, machine.ErrGap)
	}
	return nil
}
