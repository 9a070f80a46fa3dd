package inbox

import (
	"archive/zip"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/envelope"
)

// proofs gives receipts that nobody signed.
type proofs struct{ away error }

func (p *proofs) Policy(context.Context) ([]byte, error) { return []byte("policy\n"), nil }

func (p *proofs) Proof(_ context.Context, index uint64) ([]byte, error) {
	proof := tlog.Proof{Extra: envelope.Leaf{Version: 1, Kind: 1}.Append(nil), Index: index}
	proof.Checkpoint.Checkpoint = tlog.Checkpoint{Origin: "example/network/1", Size: 40}
	proof.Checkpoint.Signatures = []tlog.NoteSignature{{Name: "x", Blob: []byte("signature")}}
	return proof.Marshal(), p.away
}

func TestReceiptsStandBesideAFile(t *testing.T) {
	d := newDesk(t)
	source := &proofs{away: errors.New("not yet")}
	d.cfg.Receipts = source
	d.drop("cases.csv", heads+row("B1")+row("B2"))
	if err := d.wait(time.Minute); err == nil {
		t.Error("a file is filed without the receipts that its entries have")
	}
	name := "20261127-090100-1-cases.csv"
	d.want(workDir, name)
	source.away = nil
	d.now = d.now.Add(time.Minute)
	d.had = map[string]bool{} // as the daemon, which gives known entries their receipts again
	if err := d.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.want(workDir)
	d.want(doneDir, name, name+receiptsEnd, name+jsonReport, name+textReport)
	if r := d.report("done/" + name + jsonReport); r.Receipts != name+receiptsEnd {
		t.Errorf("the report names %q", r.Receipts)
	}
	z, err := zip.OpenReader(filepath.Join(d.dir, doneDir, name+receiptsEnd))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "entry-3.tlog-proof entry-4.tlog-proof policy.txt receipts.html" {
		t.Errorf("it holds %s", got)
	}
	if files, _, err := d.List(); err != nil || len(files) != 1 {
		t.Errorf("listed are %+v, %v", files, err)
	}
}

func TestARefusedFileHasNoReceipts(t *testing.T) {
	d := newDesk(t)
	d.cfg.Receipts = &proofs{}
	d.drop("bad.json", `{"BAD": 1}`)
	if err := d.wait(time.Minute); err != nil {
		t.Fatal(err)
	}
	name := "20261127-090100-1-bad.json"
	d.want(quarantineDir, name, name+jsonReport, name+textReport)
}

// Beside a file stand the receipts of its first entries; the report says how all are
// written.
func TestAReportOfManyEntriesSaysHowAllReceiptsAreWritten(t *testing.T) {
	r := Report{File: "cases.csv", Receipts: "1-cases.csv" + receiptsEnd}
	for i := range uint64(maxReceipts + 1) {
		r.Entries = append(r.Entries, admin.EntryRef{Type: "case", Index: i, Receipt: true})
	}
	const want = "raresync log prove --report 1-cases.csv.report.json --receipts"
	for _, lang := range []string{"zh", "en"} {
		if text := string(r.Text(lang)); !strings.Contains(text, want) {
			t.Errorf("%s: the report lacks the command:\n%s", lang, text)
		}
	}
	r.Entries = r.Entries[:maxReceipts]
	if text := string(r.Text("en")); strings.Contains(text, want) {
		t.Errorf("all are beside the file, and the report says:\n%s", text)
	}
}
