package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// houseRules are the promises the source tree makes about itself; each check
// returns one line per fault, led by the file's path.
var houseRules = []struct {
	name   string
	faults func(*houseTree) []string
	bad    []string // what the check finds in testdata/house/bad
}{
	{"a package imports only rungs below or beside its own", ladderFaults, []string{
		"consensus/up.go: consensus imports daemon/mesh, a rung above",
		"crypto/sign/sign.go: crypto/sign imports registry/act, a rung above",
		"scratch/scratch.go: scratch has no rung on the ladder",
	}},
	{"every third-party module has one home", homeFaults, []string{
		"consensus/up.go: filippo.io/age lives in crypto, not in consensus",
		"crypto/sign/sign.go: example.com/unknown has no home",
		"daemon/mesh/mesh.go: go.uber.org/goleak is for tests only",
		"daemon/mesh/mesh.go: github.com/hashicorp/raft lives in consensus, not in daemon/mesh",
	}},
	{"registry and crypto do no I/O, read no clock and start no goroutine", purityFaults, []string{
		"crypto/sign/sign.go: imports os",
		"crypto/sign/sign.go: uses time.Now",
		"registry/act/act.go: imports crypto/rand",
		"registry/act/act.go: imports net/http",
		"registry/act/act.go: uses log/slog.Info",
		"registry/act/act.go: uses math/rand/v2.IntN",
		"registry/act/act.go: uses fmt.Println",
		"registry/act/act.go: starts a goroutine",
	}},
	{"packages introduce themselves", introductionFaults, []string{
		"consensus: has no doc.go",
		"crypto/sign/doc.go: its package comment says too little",
		"scratch: has no doc.go",
	}},
	{"exported names have comments", commentFaults, []string{
		"daemon/mesh/mesh.go: Session has no comment",
		"daemon/mesh/mesh.go: Session.Peer has no comment",
		"daemon/mesh/mesh.go: Session.Close has no comment",
		"daemon/mesh/mesh.go: Dialer.Hang has no comment",
		"daemon/mesh/mesh.go: Open has no comment",
		"daemon/mesh/mesh.go: MaxPeers has no comment",
		"daemon/mesh/mesh.go: ErrClosed has no comment",
	}},
	{"what a rule adds to a finding is known in Chinese", detailFaults, []string{
		"registry/act/act.go: the detail \"a thing that nobody knows\" is not known in Chinese",
		"registry/act/act.go: the detail \"no more of these 7\" is not known in Chinese",
	}},
	{"a file tells one story", lengthFaults, []string{
		"consensus/long.go: 401 lines, at most 400",
	}},
	{"tests wait for a condition and never sleep", sleepFaults, []string{
		"daemon/mesh/mesh_test.go: sleeps in TestSlow",
	}},
	{"the tree speaks of itself and is finished", wordFaults, []string{
		"NOTES.md:1: a path of one machine",
		"NOTES.md:2: an unfinished place",
		"NOTES.md:3: an unfinished place",
		"NOTES.md:4: the name of a package registry's host",
	}},
	{"modules that must fit each other are pinned", pinFaults, []string{
		"go.mod: github.com/hashicorp/raft v1.8.0, want v1.7.3",
		"go.mod: go.etcd.io/bbolt is missing, want v1.5.0",
	}},
}

func TestHouse(t *testing.T) {
	tree := loadHouse(t, "..")
	for _, rule := range houseRules {
		t.Run(rule.name, func(t *testing.T) {
			for _, fault := range rule.faults(tree) {
				t.Error(fault)
			}
		})
	}
}

// TestHouseSeesFaults is the negative control: each rule finds exactly the
// faults planted for it. The planted tree stays clean itself because a broken
// bar splits its forbidden words until it is copied.
func TestHouseSeesFaults(t *testing.T) {
	tree := loadHouse(t, plantBadHouse(t))
	for _, rule := range houseRules {
		t.Run(rule.name, func(t *testing.T) {
			got := rule.faults(tree)
			for _, fault := range rule.bad {
				if !slices.Contains(got, fault) {
					t.Errorf("missed: %s", fault)
				}
			}
			for _, fault := range got {
				if !slices.Contains(rule.bad, fault) {
					t.Errorf("invented: %s", fault)
				}
			}
		})
	}
}

func plantBadHouse(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(filepath.Join("testdata", "house", "bad"))); err != nil {
		t.Fatal(err)
	}
	notes := filepath.Join(root, "NOTES.md")
	split, err := os.ReadFile(notes)
	if err != nil {
		t.Fatal(err)
	}
	long := "package consensus\n" + strings.Repeat("\n", maxFileLines)
	for path, text := range map[string]string{
		notes: strings.ReplaceAll(string(split), "¦", ""),
		filepath.Join(root, "consensus", "long.go"): long,
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
