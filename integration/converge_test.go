package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
)

// TestHospitalsThatVoteAndHospitalsThatMirror takes the published packets
// through five hospitals, two of which keep a mirror, and then looks at the
// network from every side.
func TestHospitalsThatVoteAndHospitalsThatMirror(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 5, 3)
	visits := publishedVisits(t, 5)
	published := len(visits)
	if published == 0 {
		t.Log("no published packets: only made-up ones are tested")
	}
	visits = append(visits, madeUpVisits(t, 60, 5)...)
	visits = append(visits, plantedVisits(t)...)
	began := time.Now()
	n.register(visits)
	status := n.converge()
	t.Logf("%d files (%d of them published) are %d entries after %v", len(visits), published, status.Size, time.Since(began).Round(time.Second))

	t.Run("mirrors submit like voters do", func(t *testing.T) { n.mirrorsSubmitted(t, visits) })
	t.Run("every node has the same log under a valid checkpoint", n.sameLog)
	t.Run("one patient at two hospitals is one person to the coordinator", func(t *testing.T) { n.personsAreLinked(t, visits) })
	t.Run("what was accepted comes back field by field", func(t *testing.T) { n.comesBack(t, visits) })
	t.Run("nothing identifying is in clear on any disk, in any log or in another hospital's answers", func(t *testing.T) {
		n.nothingLeaks(t, visits)
	})
	t.Run("every copy verifies offline, and no copy with one changed bit", n.copiesVerify)
}

func (n *network) mirrorsSubmitted(t *testing.T, visits []visit) {
	n = n.with(t)
	took := map[int]int{}
	for _, v := range visits {
		for _, e := range v.result.Entries {
			if e.Receipt {
				took[v.hospital]++
			}
		}
	}
	for i, p := range n.Hospitals {
		s, err := p.Client.Status(n.ctx)
		must(t, err)
		want := act.Voter
		if i >= 3 {
			want = act.Mirror
		}
		if s.Kind != want.String() || took[i] == 0 {
			t.Errorf("%s: a %s with %d receipts, want a %s with some", p.Node, s.Kind, took[i], want)
		}
	}
}

func (n *network) sameLog(t *testing.T) {
	n = n.with(t)
	want := n.leaves(n.Reader)
	text, err := n.Reader.Client.Policy(n.ctx)
	must(t, err)
	policy, err := tlog.ParsePolicy([]byte(text))
	must(t, err)
	for _, p := range n.Processes() {
		if got := n.leaves(p); !slices.Equal(got, want) {
			t.Errorf("%s has %d leaves that differ from the coordinator's %d", p.Node, len(got), len(want))
		}
		checkHead(t, p.Node, n.head(t, p.Client), policy, uint64(len(want)))
	}
}

func (n *network) head(t *testing.T, c *admin.Client) admin.Head {
	t.Helper()
	h, err := c.Head(n.ctx)
	must(t, err)
	return h
}

// checkHead verifies a node's newest checkpoint with the policy, as a stranger
// would.
func checkHead(t *testing.T, node string, h admin.Head, policy *tlog.Policy, size uint64) {
	t.Helper()
	sc, err := tlog.ParseSignedCheckpoint([]byte(h.Note))
	must(t, err)
	if _, err := policy.Verify(sc); err != nil || sc.Size != size || fmt.Sprintf("%x", sc.Root) != h.Root {
		t.Errorf("%s: checkpoint of %d entries, root %x: %v; want a valid one of %d entries with root %s", node, sc.Size, sc.Root, err, size, h.Root)
	}
}

// personsAreLinked compares the persons that the coordinator counts with the
// document numbers that the hospitals were given.
func (n *network) personsAreLinked(t *testing.T, visits []visit) {
	n = n.with(t)
	person := map[string]string{} // by entry id
	for _, e := range n.entries(n.Reader) {
		person[e.ID] = e.Person
	}
	pseudonyms := map[string]map[string]bool{} // by document number
	hospitals := map[string]map[int]bool{}
	for _, v := range visits {
		if len(v.file.Identities) != 1 || len(v.result.Entries) == 0 {
			continue
		}
		for _, d := range v.file.Identities {
			if pseudonyms[d.Value] == nil {
				pseudonyms[d.Value], hospitals[d.Value] = map[string]bool{}, map[int]bool{}
			}
			hospitals[d.Value][v.hospital] = true
			for _, e := range v.result.Entries {
				pseudonyms[d.Value][person[e.ID]] = true
			}
		}
	}
	different, twice := map[string]bool{}, 0
	for number, names := range pseudonyms {
		if len(names) != 1 {
			t.Errorf("one document number has %d pseudonyms", len(names))
		}
		for name := range names {
			different[name] = true
		}
		if len(hospitals[number]) > 1 {
			twice++
		}
	}
	if len(different) != len(pseudonyms) || twice == 0 || different[""] {
		t.Errorf("%d document numbers have %d pseudonyms, %d of them at two hospitals", len(pseudonyms), len(different), twice)
	}
}

// copiesVerify stops the network and verifies the data directories, as an
// auditor would copies of them.
func (n *network) copiesVerify(t *testing.T) {
	n = n.with(t)
	policy := n.policy()
	must(t, n.Stop())
	var first audit.Result
	for i, p := range n.Processes() {
		out, errs, code := n.run("log", "verify", "-o", "json", "--policy", policy, p.Dir)
		if code != 0 {
			t.Fatalf("%s: exit %d: %s", p.Node, code, errs)
		}
		var r audit.Result
		must(t, json.Unmarshal(out, &r))
		if i == 0 {
			first = r
		}
		if r.Entries != first.Entries || r.Root != first.Root || r.Checkpoint != r.Entries || !r.OwnPolicy {
			t.Errorf("%s: %+v, want what %s has: %+v", p.Node, r, n.Hospitals[0].Node, first)
		}
	}
	for _, file := range []string{"leaves", "hashes.0", "envelopes", "bodies", "salts"} {
		t.Run("one bit of "+file, func(t *testing.T) { n.changedCopy(t, policy, file) })
	}
}

// changedCopy verifies a copy in which one bit of a file differs.
func (n *network) changedCopy(t *testing.T, policy, file string) {
	n = n.with(t)
	dir := t.TempDir()
	must(t, os.CopyFS(filepath.Join(dir, "ledger"), os.DirFS(filepath.Join(n.Reader.Dir, "node", "ledger"))))
	note, err := os.ReadFile(filepath.Join(n.Reader.Dir, "node", "checkpoint"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "checkpoint"), note, 0o600))
	if _, errs, code := n.run("log", "verify", "--policy", policy, dir); code != 0 {
		t.Fatalf("the copy as it was: exit %d: %s", code, errs)
	}
	path := filepath.Join(dir, "ledger", file)
	raw, err := os.ReadFile(path)
	must(t, err)
	raw[len(raw)/2] ^= 0x10
	must(t, os.WriteFile(path, raw, 0o600))
	_, errs, code := n.run("log", "verify", "--policy", policy, dir)
	if code != 5 || !bytes.Contains(errs, []byte(audit.ErrUnverified.Error())) {
		t.Errorf("exit %d: %s; want exit 5", code, errs)
	}
}
