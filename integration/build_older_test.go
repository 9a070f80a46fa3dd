package integration

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// older builds the program as it is, except that it knows feature level 1 alone,
// and returns its path.
var older = sync.OnceValues(func() (string, error) {
	path := filepath.Join(builtIn, "raresync-level1")
	args := slices.Clone(buildArgs)
	if i := slices.Index(args, "-tags"); i >= 0 {
		args[i+1] = strings.Join([]string{args[i+1], "level1"}, ",")
	} else {
		args = append(args, "-tags", "level1")
	}
	out, err := exec.Command("go", append(args, "-o", path, "../cmd/raresync")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build cmd/raresync with level1: %w\n%s", err, out)
	}
	return path, nil
})
