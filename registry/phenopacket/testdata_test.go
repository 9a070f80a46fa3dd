package phenopacket_test

import (
	"os"
	"path/filepath"
	"testing"
)

// realFiles returns the published packets that the tests are given: the
// folders under RARESYNC_TESTDATA, by default ../shared/data beside the
// repository. RARESYNC_REQUIRE_TESTDATA=1 makes their absence a failure.
func realFiles(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	root := os.Getenv("RARESYNC_TESTDATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	paths, err := filepath.Glob(filepath.Join(root, folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		if os.Getenv("RARESYNC_REQUIRE_TESTDATA") == "1" {
			t.Fatalf("no packets in %s", filepath.Join(root, folder))
		}
		t.Logf("no packets in %s: only generated ones are tested", filepath.Join(root, folder))
	}
	files := map[string][]byte{}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = raw
	}
	return files
}
