// Package configs_test loads every example of this folder as a node would.
package configs_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/raresync/raresync/daemon/config"
)

func TestRaresyncTOMLIsTheProgramsOwn(t *testing.T) {
	const name = "raresync.toml"
	shown, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(shown, config.DefaultsTOML()) {
		t.Errorf("%s differs from what `raresync config defaults` prints", name)
	}
	cfg, err := config.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Node.ID != "hospital-1" {
		t.Errorf("node.id = %q, want the example's", cfg.Node.ID)
	}
}
