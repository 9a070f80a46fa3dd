package integration

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

// goldenDir holds networks as releases have left them. Its README says how the next
// is made.
const goldenDir = "testdata/golden"

var makeGolden = flag.String("golden", "", "make a golden network of this `NAME` with the present build, before those that are there are opened")

// golden is what is expected of a golden network: a voter, a mirror with an envelope
// in its outbox, and a file of raresync backup save.
type golden struct {
	Size     uint64        `json:"size"` // of the copies
	Root     string        `json:"root"`
	Envelope uint64        `json:"envelopes"`
	Network  string        `json:"network_id"`
	Opened   []goldenEntry `json:"opened"`  // what h1 may open
	Backup   uint64        `json:"backup"`  // entries in the file
	Waiting  int           `json:"waiting"` // envelopes in the outbox of h2
}

type goldenEntry struct {
	Index   uint64 `json:"index"`
	Type    string `json:"type"`
	Disease string `json:"disease"`
	Listed  string `json:"listed"`
	Date    string `json:"date"`
	Problem string `json:"problem"`
}

func goldenEntries(list []admin.Entry) (out []goldenEntry) {
	for _, e := range list {
		out = append(out, goldenEntry{e.Index, e.Type, e.Disease, e.Listed, e.EventDate, e.Problem})
	}
	return out
}

// TestTheBuildOfTodayOpensWhatReleasesHaveLeft starts the nodes of each golden
// network, verifies its log, restores its backup and opens its entries.
func TestTheBuildOfTodayOpensWhatReleasesHaveLeft(t *testing.T) {
	t.Parallel()
	if *makeGolden != "" {
		writeGolden(t, filepath.Join(goldenDir, *makeGolden))
	}
	names, err := filepath.Glob(filepath.Join(goldenDir, "*", "expect.json"))
	must(t, err)
	if len(names) == 0 {
		t.Fatalf("no network in %s", goldenDir)
	}
	for _, name := range names {
		from := filepath.Dir(name)
		t.Run(filepath.Base(from), func(t *testing.T) {
			t.Parallel()
			var want golden
			raw, err := os.ReadFile(name)
			must(t, err)
			must(t, json.Unmarshal(raw, &want))
			n := unpackGolden(t, from)
			n.opensAsLeft(want)
			n.refusesOtherFormats()
		})
	}
}

// opensAsLeft opens a network that a release has left.
func (n *network) opensAsLeft(want golden) {
	n.t.Helper()
	h1, h2 := n.Hospitals[0], n.Hospitals[1]
	policy := filepath.Join(n.Dir, "policy.txt")
	for _, p := range n.Hospitals {
		n.verifies(policy, want, p.Dir)
	}
	backup := n.report("backup", "verify", filepath.Join(n.Dir, "h2.backup"), "--policy", policy, "-o", "json")
	if backup.Entries != want.Backup || backup.NetworkID != want.Network {
		n.t.Errorf("backup of %d entries of network %s, want %d of %s", backup.Entries, backup.NetworkID, want.Backup, want.Network)
	}
	for _, p := range n.Hospitals {
		must(n.t, p.Start())
	}
	n.convergeOf(n.Hospitals)
	st, err := h2.Client.Status(n.ctx)
	must(n.t, err)
	if st.NetworkID != want.Network || st.Size <= want.Size || st.FeatureLevel != 1 {
		n.t.Errorf("network %s of %d entries at level %d; want %s, and what waited beside %d", st.NetworkID, st.Size, st.FeatureLevel, want.Network, want.Size)
	}
	n.wantOpened(h1, want.Opened)

	// The mirror loses all but its keys, and comes back from the backup.
	n.loseLog(h2)
	must(n.t, os.RemoveAll(filepath.Join(h2.Dir, "outbox")))
	n.report("backup", "restore", filepath.Join(n.Dir, "h2.backup"), "-c", h2.Config(), "-o", "json")
	must(n.t, h2.Start())
	n.convergeOf(n.Hospitals)
	for _, e := range n.entries(h2) {
		if e.Problem != "" {
			n.t.Errorf("after the restore entry %d does not open: %s", e.Index, e.Problem)
		}
	}
	for _, p := range n.Hospitals {
		must(n.t, p.Stop())
	}
}

// verifies checks a stopped node's copy offline.
func (n *network) verifies(policy string, want golden, dir string) {
	n.t.Helper()
	out, errs, code := n.run("log", "verify", "--policy", policy, dir, "-o", "json")
	if code != 0 || !strings.Contains(string(out), want.Root) {
		n.t.Errorf("log verify of %s: exit code %d, want root %s\n%s%s", filepath.Base(dir), code, want.Root, out, errs)
	}
}

// wantOpened compares what a hospital opens.
func (n *network) wantOpened(p *demo.Process, want []goldenEntry) {
	n.t.Helper()
	if got := goldenEntries(n.entries(p)); !reflect.DeepEqual(got, want) {
		n.t.Errorf("%s opens %+v, want %+v", p.Node, got, want)
	}
}

// refusesOtherFormats flips a format number at a time, which is refused by name
// before anything is changed.
func (n *network) refusesOtherFormats() {
	n.t.Helper()
	h1 := n.Hospitals[0]
	for name, tc := range map[string]struct {
		files []string
		flip  func([]byte) []byte
		says  string
	}{
		"the ledger's":   {[]string{"node/ledger/FORMAT", "node/ledger/FORMAT.copy"}, nextDigit, "ledger format not supported: version 3"},
		"the key file's": {[]string{"keys.age"}, nextDigit, "keys.age: open key file: key file is damaged"},
		"the genesis'": {[]string{"genesis.pem"}, func(b []byte) []byte {
			return []byte(strings.Replace(string(b), "RARESYNC GENESIS", "RARESYNC GENESES", 2))
		}, "GENESES"},
	} {
		before := map[string][]byte{}
		for _, file := range tc.files {
			raw, err := os.ReadFile(filepath.Join(h1.Dir, file))
			must(n.t, err)
			before[file] = raw
			must(n.t, os.WriteFile(filepath.Join(h1.Dir, file), tc.flip(raw), 0o600))
		}
		if _, errs, code := n.run("serve", "-c", h1.Config()); code == 0 || !strings.Contains(string(errs), tc.says) {
			n.t.Errorf("%s format: exit code %d, want %q\n%s", name, code, tc.says, errs)
		}
		for file, raw := range before {
			must(n.t, os.WriteFile(filepath.Join(h1.Dir, file), raw, 0o600))
		}
	}
}

// nextDigit changes a text's first digit.
func nextDigit(raw []byte) []byte {
	b := bytes.Clone(raw)
	for i := range b {
		if b[i] >= '0' && b[i] < '9' {
			b[i]++
			break
		}
	}
	return b
}
