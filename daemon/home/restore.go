package home

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/daemon/config"
)

// ErrHalfRestored reports a restore that was cut short. A node that was started
// then would pull the whole log instead.
var ErrHalfRestored = errors.New("a restore of this node was cut short")

// LogDir returns the folder of the node's own log within its data directory.
func LogDir(cfg config.Config) string { return filepath.Join(cfg.Node.DataDir, "node") }

// LinksName is the link file's name in the data directory.
const LinksName = "links"

// Unfinished returns where a restore makes the folder at path, until it is whole.
func Unfinished(path string) string { return path + ".part" }

// CheckRestored returns [ErrHalfRestored] if a restore began and has not ended.
// The caller has locked the data directory.
func CheckRestored(cfg config.Config) error {
	dir := LogDir(cfg)
	if _, err := os.Lstat(dir); err == nil {
		return nil // what is left over is in nobody's way
	}
	if _, err := os.Lstat(Unfinished(dir)); err == nil {
		return fmt.Errorf("%w: %s is there, and no %s", ErrHalfRestored, Unfinished(dir), dir)
	}
	return nil
}
