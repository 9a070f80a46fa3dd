package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
)

// quarantined returns [consensus.ErrQuarantined] with what the node wrote when
// it stopped for good, and nil for any other node.
func quarantined(cfg config.Config) error {
	path := filepath.Join(home.LogDir(cfg), "QUARANTINE")
	raw, err := os.ReadFile(path)
	if err != nil { // as when a node opens
		return nil
	}
	reason := strings.ReplaceAll(strings.TrimSpace(string(raw)), "\n", "; ")
	return fmt.Errorf("node %s: %w: %s says: %s", cfg.Node.ID, consensus.ErrQuarantined, path, reason)
}
