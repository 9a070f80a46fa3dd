//go:build faults

package powercut_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/raresync/raresync/consensus/fault/powercut"
)

// Other tests make mount namespaces, each of which holds the disk as long as it is
// there: what comes back must not be that one, which is shut down.
func TestAPowerCutEndsThoughAnotherNamespaceHoldsTheDisk(t *testing.T) {
	disk := powercut.NewDisk(t)
	path := filepath.Join(disk.Path, "kept")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("kept"); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	holder := exec.Command("unshare", "--mount", "sh", "-c", "echo; cat")
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil { // it is in its namespace
		t.Fatal(err)
	}
	disk.Cut()
	disk.Back()
	if got, err := os.ReadFile(path); err != nil || string(got) != "kept" {
		t.Errorf("after the cut: %q, %v", got, err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := holder.Wait(); err != nil {
		t.Fatal(err)
	}
}
