package configs_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

const unitName = "raresync.service"

// analyze runs systemd-analyze. Where it is missing, a full run fails, and any
// other says what was not examined.
func analyze(t *testing.T, args ...string) ([]byte, error) {
	t.Helper()
	path, err := exec.LookPath("systemd-analyze")
	if err != nil {
		const missing = "systemd-analyze is not installed: the service unit was not examined"
		if os.Getenv("RARESYNC_REQUIRE_ROOT") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return exec.CommandContext(t.Context(), path, args...).CombinedOutput()
}

// unit returns the path of a copy of the unit whose program is there, changed by
// edit.
func unit(t *testing.T, edit func([]byte) []byte) string {
	t.Helper()
	text, err := os.ReadFile(unitName)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("/usr/bin/raresync "), []byte("/bin/true "))
	path := filepath.Join(t.TempDir(), unitName)
	if err := os.WriteFile(path, edit(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func asItIs(text []byte) []byte { return text }

func TestTheServiceUnitLoads(t *testing.T) {
	aboutUnit := regexp.MustCompile(`(?m)^.*raresync\.service.*$`)
	out, err := analyze(t, "verify", "--man=no", unit(t, asItIs))
	if said := aboutUnit.Find(out); err != nil || said != nil {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, _ = analyze(t, "verify", "--man=no", unit(t, func(text []byte) []byte {
		return append(text, "\n[Service]\nProtectEverything=yes\n"...)
	}))
	if !aboutUnit.Match(out) {
		t.Errorf("a line that means nothing passed:\n%s", out)
	}
}

func TestTheServiceUnitIsExposedToLittle(t *testing.T) {
	// The threshold is ten times the exposure, of which 10 is the worst.
	if out, err := analyze(t, "security", "--no-pager", "--offline=true", "--threshold=20", unit(t, asItIs)); err != nil {
		t.Errorf("exposed to more than 2.0: %v\n%s", err, out)
	}
	open := unit(t, func(text []byte) []byte {
		return regexp.MustCompile(`(?m)^(Protect|Private|SystemCall|Restrict[A-Z]|Capab).*$`).ReplaceAll(text, nil)
	})
	if out, err := analyze(t, "security", "--no-pager", "--offline=true", "--threshold=20", open); err == nil {
		t.Errorf("a unit without its protections passed:\n%s", out)
	}
}
