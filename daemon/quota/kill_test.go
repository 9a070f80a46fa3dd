package quota

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// killDir is where the process that is to be killed counts.
const killDir = "RARESYNC_TEST_QUOTA_KILL"

// TestCountUntilKilled is that process: it counts one request after the other
// and says which, once it is counted.
func TestCountUntilKilled(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		t.Skip("is run by TestWhatWasCountedSurvivesAKill")
	}
	b, err := Open(Config{Dir: dir, Now: clockOn(monday)})
	if err != nil {
		t.Fatal(err)
	}
	b.Advance(monday)
	for i := range uint16(maxRequests) {
		if err := b.Count(asks(1, i, 1, monday), always(maxRequests)); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("counted %d\n", i)
	}
}

func TestWhatWasCountedSurvivesAKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "quota")
	counted := 0
	for round := range 5 {
		p := exec.Command(os.Args[0], "-test.run=^TestCountUntilKilled$")
		p.Env = append(os.Environ(), killDir+"="+dir)
		out, err := p.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var n int
			if _, err := fmt.Sscanf(lines.Text(), "counted %d", &n); err == nil {
				counted = max(counted, n+1)
			}
			if counted == 7*(round+1) {
				break
			}
		}
		_ = p.Process.Kill()
		_ = p.Wait() // says that it was killed
		b, err := Open(Config{Dir: dir, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if used := b.used[1]; used == nil || used.elements < uint64(counted) {
			t.Errorf("round %d: %d were said to be counted, the file has %+v", round, counted, used)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if counted < 35 {
		t.Errorf("only %s were counted", strconv.Itoa(counted))
	}
}
