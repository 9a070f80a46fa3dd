package backup

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/offline"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// ErrVoter reports a node that votes. A voter may have voted for and cosigned
// what its backup does not hold, and would do so a second time, otherwise.
var ErrVoter = errors.New("a voter is not restored from a backup")

// ErrHasLog reports a node that has a log: it is not overwritten.
var ErrHasLog = errors.New("the node has a log already")

// RestoreOptions say which node is restored.
type RestoreOptions struct {
	Node    string             // its id in the roster
	Genesis *envelope.Envelope // that the node has adopted: it says whose cosignatures count
	Verify  VerifyOptions      // its policy is not used
}

// Restore verifies the backup and makes the node's folder at path, where
// nothing may be yet, from it. The caller has locked the data directory.
func (b *Backup) Restore(path string, o RestoreOptions) (*Report, error) {
	report, err := b.restore(path, o)
	if err != nil {
		return nil, fmt.Errorf("restore %s: %w", b.path, err)
	}
	return report, nil
}

// Restorable refuses with ErrHasLog or ErrVoter what can be refused before there
// is a backup. A node that was admitted later is not in the genesis, and is
// looked at again in the state that the backup makes.
func Restorable(path string, o RestoreOptions) error {
	if err := noLog(path); err != nil {
		return err
	}
	founded, _, err := state.Found(o.Genesis)
	if err != nil {
		return err
	}
	if _, known := founded.Node(o.Node); !known {
		return nil
	}
	return mayRestore(founded, o.Node)
}

func noLog(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%w: %s", ErrHasLog, path)
	}
	return nil
}

func (b *Backup) restore(path string, o RestoreOptions) (*Report, error) {
	if err := noLog(path); err != nil {
		return nil, err
	}
	if !bytes.Equal(o.Genesis.Marshal(), b.genesis.Marshal()) {
		return nil, fmt.Errorf("the backup is of %s, %s: %w", b.Network, b.NetworkID, home.ErrOtherGenesis)
	}
	o.Verify.Policy = nil // that of the genesis, which is the node's own
	report, s, err := b.verify(o.Verify)
	if err != nil {
		return nil, err
	}
	if err := mayRestore(s, o.Node); err != nil {
		return nil, err
	}
	part := home.Unfinished(path)
	if err := os.RemoveAll(part); err != nil { // of a restore that was cut short
		return nil, err
	}
	if err := b.install(part, s, o.Verify.Key); err != nil {
		return nil, errors.Join(err, os.RemoveAll(part))
	}
	if err := os.Rename(part, path); err != nil {
		return nil, err
	}
	fault.At(fault.RestoreNamed)
	return report, syncDir(filepath.Dir(path))
}

// mayRestore lets only mirrors pass.
func mayRestore(s *state.State, node string) error {
	self, ok := s.Node(node)
	if !ok {
		return fmt.Errorf("%w: node %q is not in the roster of %s", home.ErrOtherGenesis, node, s.Name)
	}
	if self.Kind != act.Mirror {
		return fmt.Errorf("node %s: %w", node, ErrVoter)
	}
	return nil
}

// install makes the folder from the verified parts.
func (b *Backup) install(dir string, s *state.State, key *offline.Key) error {
	l, err := openLedger(b.f, b.sections, b.Envelopes, b.Entries, zeroReader{})
	if err != nil {
		return err
	}
	defer l.Close()
	return consensus.Install(dir, b.genesis, consensus.Copy{
		Snapshot: machine.Snapshot{State: s, At: l.Lengths()}, Checkpoint: b.note, Saltless: key == nil,
		Part: func(p ledger.Part) (io.Reader, error) {
			switch {
			case p.Name != ledger.SaltsPart:
				s, _ := b.section(ledgerFolder + p.Name)
				return &summed{r: b.reader(s), sum: sha256.New(), part: s}, nil
			case key != nil:
				return b.openSalts(*key)
			}
			return nil, nil
		},
	})
}

// RestoreLinks writes the link file of the backup, if one is in it, to path where
// nothing may be yet: the node's own is newer. A crash, or a backup that reads
// differently than before, leaves nothing there.
func (b *Backup) RestoreLinks(path string) (done bool, err error) {
	s, ok := b.section(linksPart)
	if !ok {
		return false, nil
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err := place(path, &summed{r: b.reader(s), sum: sha256.New(), part: s}); err != nil {
		return false, fmt.Errorf("restore %s: %w", b.path, err)
	}
	return true, nil
}

// place writes a file beside path, on disk, and gives it that name once it is whole.
func place(path string, r io.Reader) (err error) {
	aside := path + ".tmp" // what a crash left under it is written over
	f, err := os.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(aside) // the first error says more
		}
	}()
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(aside, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// summed reads a part once more, and sees if it is another than the one that
// was verified: disks err.
type summed struct {
	r    io.Reader
	sum  hash.Hash
	part section
}

// Read reads on; instead of the end it reports a part that changed.
func (s *summed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sum.Write(p[:n]) // never fails
	if errors.Is(err, io.EOF) && [32]byte(s.sum.Sum(nil)) != s.part.sha256 {
		err = unverified("part %s reads differently than before", s.part.name)
	}
	return n, err
}
