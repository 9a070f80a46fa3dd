package consensus

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/registry/envelope"
)

// Copy is a copy of the log, verified up to a checkpoint, that a mirror can
// begin with instead of pulling it.
type Copy struct {
	Snapshot   machine.Snapshot // state and lengths at the checkpoint's size
	Checkpoint []byte           // signed note, valid under the network's policy
	// Part returns the bytes of a file of the ledger; nil for the salts if the
	// copy was made without them.
	Part func(ledger.Part) (io.Reader, error)
	// Saltless says that the salts are missing: the node fetches them from its
	// peers, and is not a copy until it has them.
	Saltless bool
}

// Install makes the data directory of a mirror from a copy. dir must not be
// there yet. What it holds is durable and was opened as a node does when
// Install returns; before that it is good for nothing, so the caller makes it
// under another name.
func Install(dir string, genesis *envelope.Envelope, c Copy) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("install copy: %w", err)
	}
	if err := ledger.Import(filepath.Join(dir, "ledger"), c.Snapshot.At, c.Part); err != nil {
		return fmt.Errorf("install copy: %w", err)
	}
	fault.At(fault.RestoreLedger)
	if err := installFacts(dir, c); err != nil {
		return fmt.Errorf("install copy: %w", err)
	}
	fault.At(fault.RestoreFacts)
	m, err := machine.Open(dir, genesis)
	if err != nil {
		return fmt.Errorf("install copy: %w", err)
	}
	if err := m.Close(); err != nil {
		return fmt.Errorf("install copy: %w", err)
	}
	fault.At(fault.RestoreOpened)
	return nil
}

func installFacts(dir string, c Copy) error {
	if c.Saltless {
		missing := saltless{path: filepath.Join(dir, saltlessFile), end: c.Snapshot.At.Envelopes}
		if err := missing.save(); err != nil {
			return err
		}
	}
	if err := ledger.WriteFileDurable(filepath.Join(dir, restoredFile), nil); err != nil {
		return err
	}
	if err := ledger.WriteFileDurable(filepath.Join(dir, "checkpoint"), c.Checkpoint); err != nil {
		return err
	}
	return ledger.WriteFileDurable(filepath.Join(dir, "state"), c.Snapshot.Marshal())
}
