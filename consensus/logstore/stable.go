package logstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"

	"github.com/raresync/raresync/consensus/fault"
)

// StableOptions are what a [Stable] asks of its caller.
type StableOptions struct {
	// Fatal is called once, at the first write that failed or stalled.
	// Raft itself would panic. Required.
	Fatal func(error)
	// WriteTimeout is how long a write may take. Default 10s.
	WriteTimeout time.Duration
}

// A Stable is Raft's term and vote: a node that forgets its vote may vote
// twice. They lie in two files, stable.db and its twin, neither of which is
// ever swapped or rewritten; the twin is written first. It implements
// raft.StableStore for the three values that Raft keeps; methods may be called
// concurrently.
type Stable struct {
	options StableOptions

	mu      sync.Mutex
	files   ballotFiles
	ballot  ballot
	stopped error
}

// KeyTerm is Raft's name of the newest term it has seen.
const KeyTerm = "CurrentTerm"

// Raft's names of its vote.
const (
	keyVoteTerm  = "LastVoteTerm"
	keyCandidate = "LastVoteCand"
)

// OpenStable opens or creates the files at path (stable.db, mode 0600) and
// beside it ("stable.twin"). One that is damaged or missing is made anew from
// the other; if neither can be read the error is ErrDamaged.
func OpenStable(path string, o StableOptions) (*Stable, error) {
	if o.Fatal == nil {
		return nil, errors.New("open raft stable store: no Fatal callback")
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = 10 * time.Second
	}
	files, newest, err := openBallots(path)
	if err != nil {
		return nil, fmt.Errorf("open raft stable store: %w", err)
	}
	return &Stable{options: o, files: files, ballot: newest}, nil
}

// Set stores value under key, durably.
func (s *Stable) Set(key, value []byte) error {
	if string(key) != keyCandidate {
		return fmt.Errorf("store raft term or vote: unknown key %q", key)
	}
	return s.change(func(b *ballot) { b.candidate = string(value) })
}

// SetUint64 stores v under key, durably. A new term of the vote forgets the
// candidate in the same write: Raft stores the candidate next, and after a
// crash in between would take the candidate of an older vote for this one's.
func (s *Stable) SetUint64(key []byte, v uint64) error {
	switch string(key) {
	case KeyTerm:
		return s.change(func(b *ballot) { b.term = v })
	case keyVoteTerm:
		return s.change(func(b *ballot) {
			if b.voteTerm != v && !fault.Planted(fault.OldCandidate) {
				b.candidate = ""
			}
			b.voteTerm = v
		})
	}
	return fmt.Errorf("store raft term or vote: unknown key %q", key)
}

// change makes a changed ballot durable in both files.
func (s *Stable) change(how func(*ballot)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped != nil {
		return fmt.Errorf("store raft term or vote: %w: %w", ErrStopped, s.stopped)
	}
	next := s.ballot
	if how(&next); next == s.ballot {
		return nil
	}
	if err := timed(s.options.WriteTimeout, func() error { return s.files.store(next) }); err != nil {
		s.stopped = fmt.Errorf("store raft term or vote: %w: %w", ErrStorage, err)
		s.options.Fatal(s.stopped)
		return s.stopped
	}
	s.ballot = next
	return nil
}

// store writes the twin first: whichever file a crash or a damage takes, the
// other has a vote that left.
func (f ballotFiles) store(b ballot) error {
	if err := f.twin.Store(b.marshal()); err != nil {
		return err
	}
	fault.At(fault.StableTwinStored)
	return f.main.Store(b.marshal())
}

// Get returns the value under key. A key never set is raft-boltdb's
// ErrKeyNotFound, whose text Raft compares.
func (s *Stable) Get(key []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if string(key) == keyCandidate && s.ballot.candidate != "" {
		return []byte(s.ballot.candidate), nil
	}
	v, err := s.number(string(key))
	if err != nil {
		return nil, err
	}
	return binary.BigEndian.AppendUint64(nil, v), nil
}

// GetUint64 returns what SetUint64 stored, with the error of [Stable.Get].
func (s *Stable) GetUint64(key []byte) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.number(string(key))
}

func (s *Stable) number(key string) (v uint64, err error) {
	switch key {
	case KeyTerm:
		v = s.ballot.term
	case keyVoteTerm:
		v = s.ballot.voteTerm
	}
	if v == 0 {
		return 0, raftboltdb.ErrKeyNotFound
	}
	return v, nil
}

// Term returns the newest term that this node has seen, 0 before the first.
func (s *Stable) Term() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ballot.term
}

// Close closes the files, unless a write stalled in them.
func (s *Stable) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.stopped
	s.stopped = ErrStopped
	if errors.Is(before, ErrStalled) || errors.Is(before, ErrStopped) {
		return nil
	}
	return s.files.close()
}

var _ raft.StableStore = (*Stable)(nil)
