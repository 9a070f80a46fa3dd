package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/integration/canary"
)

// everythingComesIn takes an origin's files and documents through every command
// that takes some, and through the socket that the commands use.
func (w *canaryWorld) everythingComesIn(o *origin) {
	w.t.Helper()
	w.goodFiles(o)
	w.badFiles(o)
	w.tablesComeIn(o)
	w.filesAreDropped(o)
	w.thePageIsUsed(o)
	w.brokenRequests(o)
	w.documentsAreTyped(o)
	w.casesAreCorrected(o)
	w.casesAreAskedAbout(o)
	w.cardsArePut(o)
	w.patientsWithdraw(o)
	w.patientsAsk(o)
	w.filesOverQuota(o)
}

// goodFiles are checked, submitted in a folder, and some of them again.
func (w *canaryWorld) goodFiles(o *origin) {
	w.t.Helper()
	dir := w.lay(o, "good", o.good)
	ids := w.identities(o, "good.csv", o.good)
	w.wants(0, o.Process, "", "validate", dir, "--identities", ids)
	said := w.wants(0, o.Process, "", "submit", dir, "--identities", ids, "-o", "json")
	var got []admin.FileResult
	if i := bytes.IndexByte(said, '['); i < 0 || json.NewDecoder(bytes.NewReader(said[i:])).Decode(&got) != nil || len(got) != len(o.good) {
		w.t.Fatalf("submit at %s: %d of %d files in %s", o.Node, len(got), len(o.good), said)
	}
	for _, f := range got {
		if f.Outcome != "accepted" {
			w.t.Errorf("%s at %s: %s, %v", f.Name, o.Node, f.Outcome, f.Findings)
		}
		for _, e := range f.Entries {
			if e.Type == "case" {
				o.indexes[filepath.Base(f.Name)] = e.Index
			}
		}
	}
	again := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(o.good))[:3] {
		again[name] = o.good[name]
	}
	w.panicOver(o)
	dir = w.lay(o, "again", again)
	w.wants(0, o.Process, "", "submit", dir, dir, "--identities", w.identities(o, "again.csv", again), "--no-wait", "--lang", "zh")
}

// badFiles are refused by the rules that they break, by the command and by the
// daemon.
func (w *canaryWorld) badFiles(o *origin) {
	w.t.Helper()
	files := map[string][]byte{}
	s := admin.Submission{}
	for _, name := range slices.Sorted(maps.Keys(o.bad)) {
		files[name] = o.bad[name].data
		s.Files = append(s.Files, admin.File{Name: name, Data: o.bad[name].data, Identities: o.documentsIn(name)})
	}
	dir := w.lay(o, "bad", files)
	ids := w.identities(o, "bad.csv", files)
	w.wants(7, o.Process, "", "validate", dir, "--identities", ids, "-o", "json")
	w.wants(7, o.Process, "", "validate", dir, "--identities", ids, "--lang", "zh")
	w.wants(7, o.Process, "", "submit", dir, "--identities", ids)
	got, err := o.Client.Submit(w.ctx, s)
	must(w.t, err)
	for _, f := range got.Files {
		broken := func(finding admin.Finding) bool { return finding.Code == o.bad[f.Name].rule && finding.Severity == "E" }
		if f.Outcome != "refused" || !slices.ContainsFunc(f.Findings, broken) {
			w.t.Errorf("%s at %s: %s, %v; want it refused by %s", f.Name, o.Node, f.Outcome, f.Findings, o.bad[f.Name].rule)
		}
	}
	said, err := json.Marshal(got)
	must(w.t, err)
	w.keep(o.Process, "the answer to bad files", said)
	w.wants(7, o.Process, "", "submit", filepath.Join(dir, s.Files[0].Name), "--identities", w.identities(o, "good.csv", o.good)) // rows for other files
	encoded, ok := canary.GB18030(string(csvOf([]string{"file", "subject", "type", "issuer", "value"}, []string{s.Files[0].Name, o.known[0].name, "RIC", "", "1"})))
	if !ok {
		w.t.Fatal("a name that GB 18030 has no bytes for here")
	}
	w.wants(7, o.Process, "", "submit", dir, "--identities", filepath.Join(w.lay(o, "identities", map[string][]byte{"gb.csv": encoded}), "gb.csv"))
	w.wants(7, o.Process, string(encoded), "pseudonym", "check", "--documents", "-")
	twice := csvOf(append([][]string{{"file", "subject", "type", "issuer", "value"}}, o.rows[0], o.rows[0])...)
	w.wants(7, o.Process, "", "submit", dir, "--identities", filepath.Join(w.lay(o, "identities", map[string][]byte{"twice.csv": twice}), "twice.csv"))
}

// documentsIn are the documents of an origin's file as the socket takes them.
func (o *origin) documentsIn(name string) map[string]admin.Document {
	out := map[string]admin.Document{}
	for _, r := range o.rows {
		if r[0] == name {
			out[r[1]] = admin.Document{Type: r[2], Issuer: r[3], Value: r[4]}
		}
	}
	return out
}

// brokenRequests are what a command of another release, or a slip, could send.
func (w *canaryWorld) brokenRequests(o *origin) {
	w.t.Helper()
	p := o.known[1]
	telling := fmt.Sprintf("%s %s %s", p.name, p.phone, p.document.Value)
	for _, r := range []struct{ method, path, body string }{
		{"POST", "/v1/submissions", `{"files": [{"name": "` + telling + `", "data": "` + p.record},
		{"POST", "/v1/submissions", `{"files": [], "profile": "` + telling + `"}`},
		{"POST", "/v1/pseudonyms/check", `{"` + telling + `": 1}`},
		{"POST", "/v1/pseudonyms/check", `{"type": "` + telling + `", "value": "` + p.record + `"}`},
		{"POST", "/v1/aliases", `{"action": "` + telling + `"}`},
		{"POST", "/v1/aliases", `{"action": "link", "reason": "other", "old": {"type": "RIC", "value": "` + p.record + `"}, "new": {"type": "` + p.name + `"}}`},
		{"GET", "/v1/entries/" + p.record, ""},
		{"GET", "/v1/case-numbers/" + p.document.Value, ""},
		{"GET", "/v1/" + p.record, ""},
		{"PUT", "/v1/submissions", telling},
	} {
		answer, status := w.ask(o.Process, r.method, r.path, r.body)
		if status < 400 && r.path != "/v1/pseudonyms/check" && r.path != "/v1/aliases" { // those answer with findings
			w.t.Errorf("%s %s at %s: HTTP status %d, %s", r.method, r.path, o.Node, status, answer)
		}
		w.keep(o.Process, r.method+" "+strings.SplitN(r.path, p.record, 2)[0], answer)
	}
}

// panicOver submits a known file under another name, twice at once. A build that
// panics over the name is to show nothing of what is in the file.
func (w *canaryWorld) panicOver(o *origin) {
	w.t.Helper()
	name := slices.Sorted(maps.Keys(o.good))[0]
	file := admin.File{Name: "panic.json", Data: o.good[name], Identities: o.documentsIn(name)}
	_, err := o.Client.Submit(w.ctx, admin.Submission{Files: []admin.File{file, file}})
	log, reading := os.ReadFile(o.Log())
	must(w.t, reading)
	wanted := os.Getenv("RARESYNC_PLANT") == "panic-taking"
	if panicked := bytes.Contains(log, []byte("http: panic serving")); panicked != wanted || panicked != (err != nil) {
		w.t.Errorf("a file that %s knows: %v, and it is %v that the daemon panicked", o.Node, err, panicked)
	}
}
