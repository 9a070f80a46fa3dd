package integration

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/backup"
	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

// save makes a backup on a node and returns what it says of itself.
func (n *network) save(p *demo.Process, path string, flags ...string) backup.Report {
	n.t.Helper()
	return n.report(append([]string{"backup", "save", path, "-c", p.Config(), "-o", "json"}, flags...)...)
}

// report runs a backup command that must succeed.
func (n *network) report(args ...string) (r backup.Report) {
	n.t.Helper()
	out, errs, code := n.run(args...)
	if code != 0 {
		n.t.Fatalf("raresync %s: exit code %d\n%s", strings.Join(args, " "), code, errs)
	}
	must(n.t, json.Unmarshal(out, &r))
	return r
}

// loseLog stops a node and takes its log away.
func (n *network) loseLog(p *demo.Process) {
	n.t.Helper()
	must(n.t, p.Stop())
	must(n.t, os.RemoveAll(filepath.Join(p.Dir, "node")))
}

// sameLedgers compares the files of two stopped nodes' ledgers.
func sameLedgers(t *testing.T, a, b *demo.Process) {
	t.Helper()
	for _, name := range []string{"leaves", "hashes.0", "hashes.8", "envelopes", "envelopes.idx", "bodies", "bodies.idx", "salts"} {
		one, err := os.ReadFile(filepath.Join(a.Dir, "node", "ledger", name))
		must(t, err)
		two, err := os.ReadFile(filepath.Join(b.Dir, "node", "ledger", name))
		must(t, err)
		if len(one) == 0 && name != "hashes.8" || !bytes.Equal(one, two) {
			t.Errorf("%s of %s (%d bytes) and of %s (%d bytes) differ", name, a.Node, len(one), b.Node, len(two))
		}
	}
}

// declared wants one backup with salts in the list of any node.
func (n *network) declared(asked *demo.Process, node string, r backup.Report) {
	n.t.Helper()
	out, errs, code := n.run("backup", "list", "-c", asked.Config(), "-o", "json")
	var list []admin.DeclaredBackup
	if code != 0 || json.Unmarshal(out, &list) != nil || len(list) != 1 {
		n.t.Fatalf("backup list: exit code %d, %s%s", code, out, errs)
	}
	expires, err := time.Parse(time.RFC3339, list[0].Expires)
	if b := list[0]; err != nil || b.Node != node || b.Entries != r.Entries || b.Institution == 0 || time.Until(expires) < 6*24*time.Hour {
		n.t.Errorf("declared: %+v, %v, want %d entries of %s for a week", b, err, r.Entries, node)
	}
}

func TestBackupsOfARunningNetworkBringItsMirrorsBack(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 4, 3)
	voter, mirror := n.Hospitals[1], n.Hospitals[3]
	policy := n.policy()
	visits := madeUpVisits(t, 40, len(n.Hospitals))
	half := len(visits) / 2
	n.register(visits[:half])
	key := filepath.Join(n.Dir, "offline.key")
	recipient, _, code := n.run("backup", "key", key)
	to := filepath.Join(n.Dir, "offline.pub")
	must(t, os.WriteFile(to, recipient, 0o600))
	if code != 0 {
		t.Fatalf("backup key: exit code %d", code)
	}

	// While the hospitals go on, a voter and two mirrors are saved.
	var load sync.WaitGroup
	load.Go(func() { n.register(visits[half:]) })
	path := func(name string) string { return filepath.Join(n.Dir, name) }
	ofVoter := n.save(voter, path("voter.tar"))
	ofMirror := n.save(mirror, path("mirror.tar"), "--limit", "100")
	sealed := n.save(n.Reader, path("sealed.tar"), "--with-salts", "--to", to, "--expires", "7")
	load.Wait()
	before := n.converge()
	n.declared(mirror, n.Reader.Node, sealed)
	for _, r := range []backup.Report{ofVoter, ofMirror, sealed} {
		got := n.report("backup", "verify", r.File, "--policy", policy, "-o", "json")
		if got.Manifest != r.Manifest || r.Entries == 0 || r.Entries > before.Size || r.NetworkID != before.NetworkID {
			t.Errorf("%s: saved %+v, verified %+v", r.File, r.Manifest, got.Manifest)
		}
	}

	// The mirrors lose their logs, one of them all but its keys: one comes back
	// without salts, one with.
	n.loseLog(mirror)
	must(t, os.RemoveAll(filepath.Join(mirror.Dir, "outbox")))
	n.report("backup", "restore", ofVoter.File, "-c", mirror.Config(), "-o", "json")
	n.loseLog(n.Reader)
	opened := n.report("backup", "restore", sealed.File, "-c", n.Reader.Config(), "--identity", key, "-o", "json")
	if opened.Salts != "verified" {
		t.Errorf("salts of %s: %s", sealed.File, opened.Salts)
	}
	must(t, mirror.Start())
	must(t, n.Reader.Start())
	after := n.converge()
	if after.Size != before.Size || after.Root != before.Root {
		t.Errorf("before %d entries, root %.8s; after %d, root %.8s", before.Size, before.Root, after.Size, after.Root)
	}
	for _, e := range n.entries(n.Reader) {
		if e.Problem != "" {
			t.Errorf("entry %d does not open: %s", e.Index, e.Problem)
		}
	}

	// A hospital that hands in its files again adds nothing twice.
	again := slices.DeleteFunc(slices.Clone(visits), func(v visit) bool { return v.hospital != 3 })
	n.register(again)
	for _, v := range again {
		if v.result.Outcome != "known" {
			t.Errorf("%s again: %s", v.file.Name, v.result.Outcome)
		}
	}

	// A voter is not brought back so.
	n.loseLog(voter)
	if _, errs, code := n.run("backup", "restore", ofVoter.File, "-c", voter.Config()); code != 6 {
		t.Errorf("restore of a voter: exit code %d, want 6\n%s", code, errs)
	}
	must(t, n.Stop())
	sameLedgers(t, n.Hospitals[0], mirror)
	sameLedgers(t, n.Hospitals[0], n.Reader)
}
