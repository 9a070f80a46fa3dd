package main

import (
	"fmt"
	"strings"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
)

// quarantined returns [consensus.ErrQuarantined] with what the node wrote when
// it stopped for good, and nil for any other node.
func quarantined(cfg config.Config) error {
	dir := home.LogDir(cfg)
	reason, is := consensus.Quarantined(dir)
	if !is {
		return nil
	}
	return fmt.Errorf("node %s: %w: %s/QUARANTINE says: %s", cfg.Node.ID, consensus.ErrQuarantined, dir, strings.ReplaceAll(reason, "\n", "; "))
}
