package logstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/slot"
	"github.com/raresync/raresync/crypto/cbor"
)

// A ballot is what Raft keeps in its stable store.
type ballot struct {
	term      uint64
	voteTerm  uint64 // of the last vote
	candidate string // whom it went to; "" while none went in voteTerm
}

// maxCandidateBytes bounds a node id in a ballot.
const maxCandidateBytes = 400

func (b ballot) marshal() []byte {
	out := cbor.AppendArray(nil, 3)
	out = cbor.AppendUint(out, b.term)
	out = cbor.AppendUint(out, b.voteTerm)
	return cbor.AppendBytes(out, []byte(b.candidate))
}

func decodeBallot(raw []byte) (b ballot, err error) {
	if raw == nil {
		return b, nil
	}
	d := cbor.NewDecoder(raw)
	d.Array(3)
	b.term, b.voteTerm = d.Uint(), d.Uint()
	b.candidate = string(d.Bytes(maxCandidateBytes))
	return b, d.Done()
}

// later returns the one of two ballots that was stored later. A vote that went
// to two candidates was never stored by a sound node.
func later(a, b ballot) (ballot, error) {
	switch {
	case a.voteTerm == b.voteTerm && a.candidate != b.candidate && a.candidate != "" && b.candidate != "":
		return a, fmt.Errorf("%w: two votes in term %d", ErrDamaged, a.voteTerm)
	case a.term != b.term:
		return pick(a.term > b.term, a, b), nil
	case a.voteTerm != b.voteTerm:
		return pick(a.voteTerm > b.voteTerm, a, b), nil
	}
	return pick(a.candidate != "", a, b), nil
}

func pick(first bool, a, b ballot) ballot {
	if first {
		return a
	}
	return b
}

// ballotFiles hold the same ballot.
type ballotFiles struct{ main, twin *slot.File }

func (f ballotFiles) close() error { return errors.Join(f.main.Close(), f.twin.Close()) }

// TwinPath returns the path of the second file of a stable store.
func TwinPath(path string) string {
	return strings.TrimSuffix(path, filepath.Ext(path)) + ".twin"
}

// openBallots opens both files and makes them equal.
func openBallots(path string) (f ballotFiles, newest ballot, err error) {
	a, errMain := readBallot(path)
	b, errTwin := readBallot(TwinPath(path))
	switch gone := errors.Join(lost(errMain), lost(errTwin)); {
	case errMain != nil && errTwin != nil && gone != nil:
		return f, newest, fmt.Errorf("%w: term and vote cannot be read from either file: %w", ErrDamaged, gone)
	case errMain == nil && errTwin == nil:
		if newest, err = later(a, b); err != nil {
			return f, newest, err
		}
	case errMain == nil:
		newest = a
	case errTwin == nil:
		newest = b
	}
	if f.main, err = openBallot(path, errMain); err != nil {
		return f, newest, err
	}
	if f.twin, err = openBallot(TwinPath(path), errTwin); err != nil {
		return f, newest, errors.Join(err, f.main.Close())
	}
	if a != newest || b != newest {
		if err := f.store(newest); err != nil {
			return f, newest, errors.Join(fmt.Errorf("%w: %w", ErrStorage, err), f.close())
		}
	}
	return f, newest, nil
}

// lost returns the error if it says that a file was there and is damaged.
func lost(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func readBallot(path string) (ballot, error) {
	raw, err := slot.Read(path)
	if err != nil {
		return ballot{}, err
	}
	b, err := decodeBallot(raw)
	if err != nil {
		return ballot{}, fmt.Errorf("%w: %s: %w", ErrDamaged, filepath.Base(path), err)
	}
	return b, nil
}

// openBallot opens a file, anew if it is damaged: its twin is sound.
func openBallot(path string, damage error) (*slot.File, error) {
	if errors.Is(damage, ledger.ErrDamaged) || errors.Is(damage, ErrDamaged) {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return slot.Open(path)
}
