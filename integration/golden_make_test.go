package integration

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

// maxGoldenBytes is what a golden network may take in the repository.
const maxGoldenBytes = 300 << 10

// voterAddress stands in packed configurations for the address of h1.
const voterAddress = "@ADDRESS-OF-H1@"

// leftOut are files that every start makes anew, or that only people read.
var leftOut = []string{"reserve", "LOCK", "admin.sock", "daemon.log"}

// writeGolden founds a network, lets it work a little, and packs what is left: the
// directories of a voter and a mirror, a backup, and what is expected of them.
func writeGolden(t *testing.T, to string) {
	t.Helper()
	n := newNetwork(t, 2, 1)
	h1, h2 := n.Hospitals[0], n.Hospitals[1]
	var visits []visit
	for i, v := range madeUpVisits(t, 4, 1)[:4] {
		v.hospital = i % 2
		visits = append(visits, v)
	}
	n.register(visits[:3])
	gone := visits[2].file.Identities
	for _, document := range gone { // the patient of the third file is forgotten
		r, err := h1.Client.Withdraw(n.ctx, admin.Withdrawal{Action: "erase", Document: &document, By: "self", Now: true, Wait: true})
		if must(t, err); r.Outcome != "accepted" {
			t.Fatalf("erase: %+v", r)
		}
	}
	n.eventually("the erasure to be declared", func() error {
		list, err := h1.Client.Erasures(n.ctx)
		if err == nil && (len(list) != 1 || list[0].Declared != 3) {
			err = fmt.Errorf("%+v", list)
		}
		return err
	})
	st := n.converge()
	policy := n.policy()
	backup := n.save(h2, filepath.Join(n.Dir, "h2.backup"))
	want := golden{Size: st.Size, Root: st.Root, Envelope: st.Envelopes, Network: st.NetworkID, Opened: goldenEntries(n.entries(h1)), Backup: backup.Entries}
	must(t, n.Reader.Stop())
	must(t, h1.Stop())
	visits[3].file.Identities = nil // nobody answers for identities: a local number will do
	_, err := h2.Client.Submit(n.ctx, admin.Submission{Files: []admin.File{visits[3].file}})
	must(t, err)
	waits, err := h2.Client.Status(n.ctx)
	if must(t, err); waits.Outbox == 0 {
		t.Fatal("nothing waits in the outbox")
	}
	want.Waiting = waits.Outbox
	must(t, h2.Stop())

	must(t, os.MkdirAll(to, 0o755))
	packed := packGolden(t, n, policy)
	if len(packed) > maxGoldenBytes {
		t.Errorf("%d bytes, at most %d", len(packed), maxGoldenBytes)
	}
	must(t, os.WriteFile(filepath.Join(to, "network.tar.folded.gz"), packed, 0o644))
	text, err := json.MarshalIndent(want, "", "  ")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(to, "expect.json"), append(text, '\n'), 0o644))
}

// packGolden packs the directories of h1 and h2, the backup and the policy: a tar
// archive, folded, then compressed.
func packGolden(t *testing.T, n *network, policy string) []byte {
	t.Helper()
	var archive, out bytes.Buffer
	w := tar.NewWriter(&archive)
	add := func(name string, raw []byte) {
		must(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(raw)), Typeflag: tar.TypeReg}))
		_, err := w.Write(raw)
		must(t, err)
	}
	address := addressOf(t, n.Hospitals[0])
	for _, p := range n.Hospitals {
		must(t, filepath.WalkDir(p.Dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || slices.Contains(leftOut, d.Name()) {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if path == p.Config() {
				raw = bytes.ReplaceAll(raw, []byte(address), []byte(voterAddress))
				if p != n.Hospitals[0] { // the roster's address is taken by then
					raw = append(raw, "h1 = [\""+voterAddress+"\"]\n"...)
				}
			}
			name, err := filepath.Rel(n.Dir, path)
			add(filepath.ToSlash(name), raw)
			return err
		}))
	}
	for _, path := range []string{filepath.Join(n.Dir, "h2.backup"), policy} {
		raw, err := os.ReadFile(path)
		must(t, err)
		add(filepath.Base(path), raw)
	}
	must(t, w.Close())
	zip, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	must(t, err)
	_, err = zip.Write(fold(archive.Bytes()))
	must(t, errors.Join(err, zip.Close()))
	return out.Bytes()
}

// addressOf is where a voter listens.
func addressOf(t *testing.T, p *demo.Process) string {
	t.Helper()
	raw, err := os.ReadFile(p.Config())
	must(t, err)
	for line := range strings.Lines(string(raw)) {
		if at, ok := strings.CutPrefix(strings.TrimSpace(line), `node = "`); ok {
			return strings.TrimSuffix(at, `"`)
		}
	}
	t.Fatalf("%s does not listen", p.Node)
	return ""
}

// unpackGolden lays a golden network out, with the address that h1 has today.
func unpackGolden(t *testing.T, from string) *network {
	t.Helper()
	path, err := program()
	must(t, err)
	dir, err := os.MkdirTemp("", "rr")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	address, err := demo.FreeAddress()
	must(t, err)
	extractGolden(t, filepath.Join(from, "network.tar.folded.gz"), dir, address)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	n := &network{Network: &demo.Network{Dir: dir, Binary: path}, t: t, ctx: ctx}
	for _, id := range []string{"h1", "h2"} {
		p, err := demo.Open(path, id, filepath.Join(dir, id))
		must(t, err)
		n.Hospitals = append(n.Hospitals, p)
		t.Cleanup(func() { _ = p.Kill() })
	}
	return n
}

func extractGolden(t *testing.T, archive, dir, address string) {
	t.Helper()
	f, err := os.Open(archive)
	must(t, err)
	defer f.Close()
	zip, err := gzip.NewReader(f)
	must(t, err)
	folded, err := io.ReadAll(io.LimitReader(zip, maxUnfolded))
	must(t, err)
	all, err := unfold(folded)
	must(t, err)
	for r := tar.NewReader(bytes.NewReader(all)); ; {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		must(t, err)
		raw, err := io.ReadAll(r)
		must(t, err)
		raw = bytes.ReplaceAll(raw, []byte(voterAddress), []byte(address))
		to := filepath.Join(dir, filepath.FromSlash(head.Name))
		must(t, os.MkdirAll(filepath.Dir(to), 0o700))
		must(t, os.WriteFile(to, raw, 0o600))
	}
}
