package audit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/tlog"
)

// ErrUnverified reports a copy, checkpoint or receipt that does not verify.
var ErrUnverified = errors.New("does not verify")

// ErrSaltless reports a copy that was restored from a backup without salts and
// has not fetched them yet: what is sealed in it cannot be verified so far.
var ErrSaltless = errors.New("the copy has not got its salts yet")

func unverified(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrUnverified, fmt.Errorf(format, args...))
}

// The names in a node's directory.
const (
	ledgerName     = "ledger"
	nodeName       = "node"
	leavesName     = "leaves"
	checkpointName = "checkpoint"
)

// findLedger returns the ledger at dir, which may also be the node's directory
// or its data directory.
func findLedger(dir string) (string, error) {
	for _, at := range []string{dir, filepath.Join(dir, ledgerName), filepath.Join(dir, nodeName, ledgerName)} {
		_, err := os.Stat(filepath.Join(at, leavesName))
		if err == nil {
			return at, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", fmt.Errorf("%s: %w: neither a ledger, nor a data directory with %s in it",
		dir, fs.ErrNotExist, filepath.Join(nodeName, ledgerName))
}

// ReadNote reads a signed checkpoint: a note, or the file that a node keeps,
// which is a note with a checksum behind it.
func ReadNote(path string) ([]byte, error) {
	raw, err := ledger.ReadFileDurable(path)
	if !errors.Is(err, ledger.ErrDamaged) {
		return raw, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// What is longer than a note is none, and need not be read to its end.
	return io.ReadAll(io.LimitReader(f, tlog.MaxSignedCheckpointBytes+1))
}

// findNote returns the checkpoint that lies beside a ledger.
func findNote(ledgerDir string) ([]byte, error) {
	raw, err := ReadNote(filepath.Join(filepath.Dir(ledgerDir), checkpointName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, unverified("no checkpoint lies beside the ledger: take one from any node and name it with --checkpoint")
	}
	return raw, err
}
