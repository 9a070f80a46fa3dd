package audit

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
)

// Options say what to verify a copy against.
type Options struct {
	Policy *tlog.Policy // nil = the one that the log's own founders make
	Note   []byte       // signed checkpoint; nil = the one beside the ledger

	// Saltless says that the salts were left out. Then the header's hash over
	// the commitments in the leaves is all that can be compared; whether the
	// sealed bytes are those committed to shows when the salts are there.
	Saltless bool

	// Progress, if set, is called with the number of envelopes in the copy
	// and then after each envelope. Of a static copy it is entries that count.
	Progress func(all uint64) (done func())
}

// Result is what a verified copy holds.
type Result struct {
	Network    string   `json:"network"`
	NetworkID  string   `json:"network_id"`
	Demo       bool     `json:"demo"`
	Envelopes  uint64   `json:"envelopes"`
	Entries    uint64   `json:"entries"`    // leaves of the copy
	Erased     uint64   `json:"erased"`     // of them withdrawn, and destroyed in this copy
	Root       string   `json:"root"`       // of all of them, hex
	Checkpoint uint64   `json:"checkpoint"` // size of the tree that the policy vouches for
	Cosigned   string   `json:"cosigned"`   // median time of the cosignatures, RFC 3339
	Cosigners  []string `json:"cosigners"`
	OwnPolicy  bool     `json:"own_policy"` // the policy given is the one the log's own voters make
}

// Copy verifies the copy of a log in a directory. The error is ErrUnverified
// with the first thing that is wrong and where, ErrSaltless, or the system's if
// the copy cannot be read.
func Copy(dir string, o Options) (*Result, error) {
	at, err := findLedger(dir)
	if err != nil {
		return nil, err
	}
	if err := CheckSalts(filepath.Dir(at)); err != nil {
		return nil, fmt.Errorf("verify %s: %w", dir, damaged(err))
	}
	note := o.Note
	if note == nil {
		if note, err = findNote(at); err != nil {
			return nil, err
		}
	}
	l, err := ledger.OpenReadOnly(at)
	if err != nil {
		return nil, damaged(err)
	}
	defer l.Close()
	o.Note = note
	r, _, err := Ledger(l, o)
	return r, err
}

// CheckSalts returns ErrSaltless if the copy in a node's directory lacks salts.
func CheckSalts(dir string) error {
	err := consensus.CheckSalts(dir)
	if errors.Is(err, machine.ErrGap) {
		err = fmt.Errorf("%w: %v", ErrSaltless, err)
	}
	return err
}

// Ledger verifies an open copy against a checkpoint, which the options must
// name, as [Copy] does, and returns the state that its envelopes make.
func Ledger(l *ledger.Ledger, o Options) (*Result, *state.State, error) {
	s, erased, err := derive(l, o)
	if err != nil {
		return nil, nil, err
	}
	sc, err := tlog.ParseSignedCheckpoint(o.Note)
	if err != nil {
		return nil, nil, unverified("checkpoint: %w", err)
	}
	r, err := compare(s, o.Policy, sc, func(size uint64) (tlog.Hash, error) { return tlog.RootAt(l, size) })
	if err != nil {
		return nil, nil, err
	}
	r.Erased = erased
	return r, s, nil
}

// damaged turns the ledger's complaint about its files into a finding: in a
// copy it is one, on a node it would be a broken disk.
func damaged(err error) error {
	if errors.Is(err, ledger.ErrDamaged) || errors.Is(err, ledger.ErrFormat) || errors.Is(err, ledger.ErrOutOfRange) {
		return fmt.Errorf("%w: %w", ErrUnverified, err)
	}
	return err
}

// compare holds the derived state against the checkpoint and the policy. rootAt
// tells the root of the first entries, which is derived, too.
func compare(s *state.State, policy *tlog.Policy, sc tlog.SignedCheckpoint, rootAt func(size uint64) (tlog.Hash, error)) (*Result, error) {
	own, err := consensus.PolicyAt(s, sc.Size) // who voted then: the copy may go on beyond
	if err != nil {
		return nil, err
	}
	if policy == nil {
		policy = own
	}
	cosignatures, err := policy.Verify(sc)
	if err != nil {
		return nil, unverified("checkpoint of %d entries: %w", sc.Size, err)
	}
	if want := s.OriginAt(sc.Size); sc.Origin != want {
		return nil, unverified("checkpoint is of the log %q, the copy is of %q", sc.Origin, want)
	}
	if sc.Size > s.Tree.Size() {
		return nil, unverified("the copy ends after %d entries, the checkpoint is of %d", s.Tree.Size(), sc.Size)
	}
	root, err := rootAt(sc.Size) // of stored hashes, which were compared with derived ones before
	if err != nil {
		return nil, damaged(err)
	}
	if root != sc.Root {
		return nil, unverified("root of the first %d entries is %x, the checkpoint says %x", sc.Size, root, sc.Root)
	}
	all := s.Tree.Root()
	r := &Result{
		Network: s.Name, NetworkID: fmt.Sprintf("%x", s.Network), Demo: s.Demo,
		Envelopes: s.Envelopes, Entries: s.Tree.Size(), Root: fmt.Sprintf("%x", all[:]),
		Checkpoint: sc.Size, Cosigned: cosigned(cosignatures),
		OwnPolicy: bytes.Equal(own.Marshal(), policy.Marshal()),
	}
	for _, c := range cosignatures {
		r.Cosigners = append(r.Cosigners, c.Name)
	}
	slices.Sort(r.Cosigners)
	return r, nil
}

func cosigned(c []tlog.Cosignature) string {
	return time.Unix(int64(tlog.MedianTime(c)), 0).UTC().Format(time.RFC3339)
}
