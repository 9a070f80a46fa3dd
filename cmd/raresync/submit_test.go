package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/phenopacket"
)

// fakeDaemon serves the admin socket and keeps what is submitted.
type fakeDaemon struct {
	socket      string
	mux         *http.ServeMux
	submissions []admin.Submission
}

func newFakeDaemon(t *testing.T) *fakeDaemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "rr") // a test's own folder is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := &fakeDaemon{socket: filepath.Join(dir, "admin.sock")}
	l, err := net.Listen("unix", d.socket)
	if err != nil {
		t.Fatal(err)
	}
	d.mux = http.NewServeMux()
	d.mux.HandleFunc("POST /v1/submissions", d.submit)
	server := &http.Server{Handler: d.mux}
	t.Cleanup(func() { _ = server.Close() })
	go func() { _ = server.Serve(l) }()
	return d
}

// submit refuses files named bad*, lets late* wait and accepts the others with a
// flag.
func (d *fakeDaemon) submit(w http.ResponseWriter, r *http.Request) {
	var s admin.Submission
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d.submissions = append(d.submissions, s)
	var out admin.SubmissionResult
	for _, f := range s.Files {
		one := admin.FileResult{
			Name: f.Name, Outcome: "accepted", Findings: []admin.Finding{{Code: "DX007", Severity: "W", Where: f.Name + " $"}},
			Entries: []admin.EntryRef{{Type: "case", Index: 7, Receipt: s.Wait}},
		}
		if strings.HasPrefix(filepath.Base(f.Name), "bad") {
			one = admin.FileResult{Name: f.Name, Outcome: "refused", Findings: []admin.Finding{
				{Code: "DT002", Severity: "E", Where: f.Name + " $.subject"}, {Code: "DX007", Severity: "W"},
			}}
		}
		if strings.HasPrefix(filepath.Base(f.Name), "late") {
			one = admin.FileResult{Name: f.Name, Outcome: "waiting"}
		}
		out.Files = append(out.Files, one)
	}
	_ = json.NewEncoder(w).Encode(out)
}

// run runs the command line against the fake daemon.
func (d *fakeDaemon) run(t *testing.T, words ...string) (code int, out, errs string) {
	t.Helper()
	t.Setenv(configEnv, "")
	var o, e bytes.Buffer
	code = run(append(words, "--socket", d.socket), strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

// folder makes files of the given sizes.
func folder(t *testing.T, sizes map[string]int64) string {
	t.Helper()
	dir := t.TempDir()
	for name, size := range sizes {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSubmitSendsBatches(t *testing.T) {
	d := newFakeDaemon(t)
	dir := folder(t, map[string]int64{
		"a.json": 3 << 20, "b.json": 3 << 20, "c.json": 3 << 20, // a and b fit, c does not
		"d.json": phenopacket.DefaultMaxBytes, // goes alone
		"e.json": 10, "f.json": phenopacket.DefaultMaxBytes + 1, "notes.txt": 10,
	})
	code, out, errs := d.run(t, "submit", dir, "-o", "jsonl")
	if code != exitPartly {
		t.Errorf("exit code %d, want %d: %s", code, exitPartly, errs)
	}
	var batches [][]string
	for _, s := range d.submissions {
		if s.Files[0].Name == "" { // the numbers of what is too large to be sent
			continue
		}
		var names []string
		for _, f := range s.Files {
			names = append(names, filepath.Base(f.Name))
		}
		batches = append(batches, names)
		if !s.Wait {
			t.Error("a submission does not wait for receipts")
		}
	}
	want := "[[a.json b.json] [c.json] [d.json] [e.json]]"
	if got := fmt.Sprint(batches); got != want {
		t.Errorf("batches %s, want %s", got, want)
	}
	if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 6 || !strings.Contains(lines[5], `"code":"FM005"`) {
		t.Errorf("results:\n%s", out)
	}
	for _, want := range []string{"✗ " + filepath.Join(dir, "f.json") + ": FM005 E ", "DX007 x 5: ", "some files or rows were refused: 1 of 6"} {
		if !strings.Contains(errs, want) {
			t.Errorf("standard error lacks %q:\n%s", want, errs)
		}
	}
}

func TestSubmitTellsRefusals(t *testing.T) {
	d := newFakeDaemon(t)
	dir := folder(t, map[string]int64{"bad.json": 1, "good.json": 1})
	code, out, errs := d.run(t, "submit", "--no-wait", dir)
	if code != exitPartly || d.submissions[0].Wait {
		t.Errorf("exit code %d, waits %v", code, d.submissions[0].Wait)
	}
	want := fmt.Sprintf("NAME  OUTCOME ENTRIES %s refused - %s accepted 7", filepath.Join(dir, "bad.json"), filepath.Join(dir, "good.json"))
	if got := strings.Join(strings.Fields(out), " "); got != strings.Join(strings.Fields(want), " ") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if line := filepath.Join(dir, "bad.json") + " $.subject: DT002 E "; !strings.Contains(errs, line) {
		t.Errorf("standard error lacks %q:\n%s", line, errs)
	}
	if code, _, _ := d.run(t, "submit", filepath.Join(dir, "bad.json")); code != exitInvalid {
		t.Errorf("nothing accepted: exit code %d, want %d", code, exitInvalid)
	}
	if code, _, _ := d.run(t, "submit", t.TempDir()); code != exitNotFound {
		t.Errorf("an empty folder: exit code %d, want %d", code, exitNotFound)
	}
}

func TestSubmitTellsThatFilesWait(t *testing.T) {
	d := newFakeDaemon(t)
	code, out, errs := d.run(t, "submit", folder(t, map[string]int64{"late1.json": 1, "late2.json": 1, "good.json": 1}))
	if code != 0 || strings.Count(out, "waiting") != 2 || !strings.Contains(errs, "2 files or patients wait for another day's quota") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	if _, _, errs := d.run(t, "submit", folder(t, map[string]int64{"good.json": 1})); strings.Contains(errs, "wait for another") {
		t.Errorf("nothing waits, and it says %s", errs)
	}
}

func TestSubmitSendsDocuments(t *testing.T) {
	d := newFakeDaemon(t)
	dir := folder(t, map[string]int64{"a.json": 1, "b.json": 1})
	csv := filepath.Join(t.TempDir(), "ids.csv")
	a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
	text := "\ufefffile,subject,type,issuer,value\n" + a + ",P-1,RIC,,911840189901010014\nb.json,P-2,PP,FRA,X1234567\n"
	if err := os.WriteFile(csv, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := d.run(t, "submit", a, b, "--identities", csv, "--profile", "report"); code != exitDone {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	s := d.submissions[0]
	if s.Profile != "report" || len(s.Files) != 2 ||
		s.Files[0].Identities["P-1"] != (admin.Document{Type: "RIC", Value: "911840189901010014"}) ||
		s.Files[1].Identities["P-2"] != (admin.Document{Type: "PP", Issuer: "FRA", Value: "X1234567"}) {
		t.Errorf("sent %+v", s)
	}
}

func TestTakenNamesTheIndexes(t *testing.T) {
	ref := func(index uint64, receipt bool) admin.EntryRef { return admin.EntryRef{Index: index, Receipt: receipt} }
	for name, tc := range map[string]struct {
		refs taken
		want string
	}{
		"nothing was taken":                 {nil, ""},
		"neighbours are a range":            {taken{ref(21, true), ref(22, true)}, "21-22, under a receipt"},
		"others stand apart, in order":      {taken{ref(9, true), ref(4, true), ref(3, true)}, "3-4, 9, under a receipt"},
		"without receipts, none is claimed": {taken{ref(21, true), ref(22, false)}, "21-22"},
		"what the log had does not wait":    {taken{{InLog: true}, {InLog: true}, ref(0, false)}, "2 in the log before, 1 not yet in the log"},
		"an entry may still wait":           {taken{ref(21, true), ref(0, false)}, "21, 1 not yet in the log"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.refs.String(); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestSubmitGoesOnAfterWhatCannotBeRead(t *testing.T) {
	d := newFakeDaemon(t)
	dir := folder(t, map[string]int64{"good.json": 1})
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling.json")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := d.run(t, "submit", dir)
	var sent []string
	for _, s := range d.submissions {
		for _, f := range s.Files {
			if f.Name != "" { // else it is the numbers of what cannot be read
				sent = append(sent, filepath.Base(f.Name))
			}
		}
	}
	if code != exitPartly || fmt.Sprint(sent) != "[good.json]" || len(d.submissions) != 3 {
		t.Errorf("exit code %d, %d submissions, sent %s: %s", code, len(d.submissions), sent, errs)
	}
	for _, want := range []string{"dangling.json: PP002 E ", "(not readable: no such file or directory)", "(not readable: not a regular file)"} {
		if !strings.Contains(errs, want) {
			t.Errorf("standard error lacks %q:\n%s", want, errs)
		}
	}
}

// The daemon tells the command to stop as a person would, once it follows.
func TestFollowingEndsInOrderOnASignal(t *testing.T) {
	d := newFakeDaemon(t)
	d.mux.HandleFunc("GET /v1/log/leaves", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(admin.Leaf{Index: 3, Kind: "act"})
		_ = http.NewResponseController(w).Flush()
		_ = syscall.Kill(os.Getpid(), syscall.SIGINT)
		<-r.Context().Done()
	})
	if code, _, errs := d.run(t, "log", "tail", "--follow"); code != exitDone || errs != "" {
		t.Errorf("exit code %d, standard error %q", code, errs)
	}
	if code, _, errs := d.run(t, "log", "tail"); code != exitFailed || !strings.Contains(errs, "log tail: ") {
		t.Errorf("a list cut short: exit code %d, standard error %q", code, errs)
	}
}

func TestCollect(t *testing.T) {
	dir := folder(t, map[string]int64{"b.json": 1, "a.json": 1, "c.txt": 1})
	if err := os.Mkdir(filepath.Join(dir, "inner.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	a, b, c := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json"), filepath.Join(dir, "c.txt")
	got, err := collect([]string{b, dir + "/", c})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{a, b, c}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzIdentities(f *testing.F) {
	f.Add("a.json,P-1,RIC,,911840189901010014")
	f.Add("a.json,\"P\n1\",RIC,,\"911840189901010014\nx")
	f.Add("a.json,P-1,RIC,,1\na.json,P-1,RIC,,911840189901010014")
	f.Fuzz(func(t *testing.T, rows string) {
		const number = "911840189901010014"
		ids, err := delivery.ParseIdentities([]byte("file,subject,type,issuer,value\n" + rows))
		if err != nil && strings.Contains(err.Error(), number) {
			t.Errorf("the error shows a number: %v", err)
		}
		for file, docs := range ids {
			if file == "" || len(docs) == 0 {
				t.Errorf("file %q has %d documents", file, len(docs))
			}
		}
	})
}
