package integration

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/config"
)

// TestInitAsksAPersonWhatNoFlagSays makes a node with the few answers that it takes.
func TestInitAsksAPersonWhatNoFlagSays(t *testing.T) {
	t.Parallel()
	path, err := program()
	must(t, err)
	dir, err := os.MkdirTemp("", "rr")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	prompts := []prompt{
		{question: "Name of this node", answer: "huaxi"},
		{question: "in Chinese", answer: ""},
		{question: "in English", answer: "Huaxi"},
		{question: "social credit code", answer: "12510000450000000X"},
		{question: "Province", answer: "51"},
	}
	run := func(node string, prompts []prompt) (string, error) {
		cmd := exec.CommandContext(t.Context(), path, "init", filepath.Join(dir, node), "--listen", "127.0.0.1:8470", "--address", "127.0.0.1:8470")
		return atTerminal(context.Background(), cmd, prompts)
	}
	shown, err := run("one", prompts)
	if err != nil || !strings.Contains(shown, "24 million entries, take about 24.0 GB") {
		t.Fatalf("%v\n%s", err, shown)
	}
	cfg, err := config.Load(filepath.Join(dir, "one", "raresync.toml"))
	if err != nil || cfg.Node.ID != "huaxi" {
		t.Errorf("node %q, %v", cfg.Node.ID, err)
	}
	prompts[4].answer = "99"
	if shown, err := run("two", prompts); err == nil || !strings.Contains(shown, "province") {
		t.Errorf("with a province that there is not: %v\n%s", err, shown)
	}
}
