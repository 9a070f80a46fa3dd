package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long one test may run: with a bug it may never end.
const patience = 8 * time.Minute

// binaries are the packages' tests, built with the tag "faults" when first
// asked for.
type binaries struct {
	dir   string
	mu    sync.Mutex
	built map[string]func() (string, error)
}

func newBinaries(t *testing.T) *binaries {
	return &binaries{dir: t.TempDir(), built: map[string]func() (string, error){}}
}

func (b *binaries) of(pkg string) (string, error) {
	b.mu.Lock()
	build, ok := b.built[pkg]
	if !ok {
		build = sync.OnceValues(func() (string, error) {
			path := filepath.Join(b.dir, strings.ReplaceAll(pkg, "/", "-")+".test")
			cmd := exec.Command("go", "test", "-tags", "faults", "-c", "-o", path, "./"+pkg)
			cmd.Dir = root
			if out, err := cmd.CombinedOutput(); err != nil {
				return "", fmt.Errorf("build tests of %s: %w: %s", pkg, err, out)
			}
			return path, nil
		})
		b.built[pkg] = build
	}
	b.mu.Unlock()
	return build()
}

// run runs a test of a package and returns what it said; err if it failed.
func (b *binaries) run(t *testing.T, pkg, test string, env ...string) (string, error) {
	t.Helper()
	binary, err := b.of(pkg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.run", pattern(test), "-test.timeout", (patience - 10*time.Second).String())
	cmd.Dir = filepath.Join(root, pkg)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "no tests to run") {
		t.Fatalf("%s has no test %s", pkg, test)
	}
	return string(out), err
}

// pattern matches one test, or one subtest.
func pattern(test string) string {
	var parts []string
	for part := range strings.SplitSeq(test, "/") {
		parts = append(parts, "^"+part+"$")
	}
	return strings.Join(parts, "/")
}

// share is all of a list with PROVE set, or else about one in n of it.
func share(t *testing.T, list []row, n int) []row {
	if os.Getenv("PROVE") != "" {
		return list
	}
	seed := uint64(time.Now().UnixNano() & 0xffffffff)
	if asked := os.Getenv("FAULTS_SEED"); asked != "" {
		var err error
		if seed, err = strconv.ParseUint(asked, 10, 64); err != nil {
			t.Fatalf("FAULTS_SEED: %v", err)
		}
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	list = list[:(len(list)+n-1)/n]
	t.Logf("FAULTS_SEED=%d: %d of them; PROVE=1 for all", seed, len(list))
	return list
}

// TestEveryPlantedBugIsCaught is what makes the other tests believable. Each
// must fail with its bug, in the words that the page gives, and pass without.
func TestEveryPlantedBugIsCaught(t *testing.T) {
	b := newBinaries(t)
	var sound sync.Map // test -> func() error: it passes without a bug
	list := share(t, rows(t, "Planted bugs"), 24)
	t.Cleanup(func() { t.Logf("proof: %d planted bugs were tried, each with a test of its own", len(list)) })
	for _, r := range list {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			control, _ := sound.LoadOrStore(r.pkg+" "+r.test, sync.OnceValue(func() error {
				if out, err := b.run(t, r.pkg, r.test); err != nil {
					return fmt.Errorf("%s fails without a bug: %w\n%s", r.test, err, tail(out))
				}
				return nil
			}))
			if err := control.(func() error)(); err != nil {
				t.Fatal(err)
			}
			out, err := b.run(t, r.pkg, r.test, "RARESYNC_PLANT="+r.name)
			switch {
			case err == nil:
				t.Errorf("%s passes although the program %s", r.test, r.what)
			case !slices.ContainsFunc(r.says, func(words string) bool { return strings.Contains(out, words) }):
				t.Errorf("%s fails for another reason than %q:\n%s", r.test, r.says, tail(out))
			}
		})
	}
}

func tail(out string) string { return out[max(0, len(out)-3000):] }
