package integration

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/demo"
)

// everybodyIsAsked asks every node all that can be asked, by command and at the
// admin socket, also what it has to refuse.
func (w *canaryWorld) everybodyIsAsked() {
	w.t.Helper()
	size := w.converge().Size
	paths := []string{
		"/v1/status", "/v1/members", "/v1/network", "/v1/entries", "/v1/persons", "/v1/log/head", "/v1/log/leaves", "/v1/log/policy", "/v1/log/withdrawn",
		"/v1/queries", "/v1/letters", "/v1/letters/1", "/v1/checks", "/v1/cards", "/v1/inbox", "/v1/debug/goroutines", "/v1/debug/log", "/v1/backups", "/v1/usages", "/v1/usages/1/1", "/v1/key", "/v1/keys", "/v1/keys/x", "/v1/proposals", "/v1/proposals/x", "/v1/withdrawals",
		"/v1/reports", "/v1/reports/x", "/v1/reads", "/v1/reads/records", "/v1/settings", "/v1/catalogues", "/v1/catalogues/table", "/v1/persons?edition=x", "/v1/invitations", "/v1/raft/peers", "/v1/erasures", "/v1/erasures/1", "/v1/entries/1/erasure", "/v1/case-numbers/x", "/v1/registrations", "/v1/nothing", "/v1/entries/x", "/debug/pprof/", "/metrics", "/livez", "/readyz", "/readyz?verbose", "/v1/succession",
	}
	for _, name := range []string{"silent", "quality", "provinces", "disease", "coverage", "duplicates", "specimens", "drugs", "months", "withdrawals", "convergence", "checks", "queries"} {
		for _, form := range []string{"json", "csv", "html"} {
			paths = append(paths, fmt.Sprintf("/v1/reports/%s?format=%s&lang=zh&exact=1&disease=1.1", name, form))
		}
	}
	for i := range size {
		paths = append(paths, fmt.Sprintf("/v1/entries/%d", i), fmt.Sprintf("/v1/entries/%d/phenopacket", i))
		if i%16 == 0 {
			paths = append(paths, fmt.Sprintf("/v1/log/proof/%d", i))
		}
	}
	w.allAreAsked(append(paths, "/v1/succession")) // to guests, not here: an envelope of the log, whose bytes are searched as such
	commands := [][]string{
		{"status"}, {"status", "-o", "json"}, {"status", "--network"}, {"health", "--format", "nagios"}, {"doctor"}, {"member", "list"}, {"raft", "peers"}, {"member", "invite", "--dry-run"}, {"entry", "list"}, {"entry", "count", "-o", "json"}, {"query", "list"}, {"card", "list"}, {"act", "list", "--all"},
		{"key", "list"}, {"ceremony", "status"}, {"audit", "usage"}, {"audit", "list", "-o", "json"}, {"backup", "list"}, {"log", "head"}, {"log", "tail"}, {"log", "policy"}, {"entry", "get", "99999"}, {"config", "check"}, {"erasure", "list"}, {"report", "list"}, {"report", "quality"}, {"report", "coverage", "--format", "csv"}, {"report", "silent", "--format", "html"},
	}
	for _, o := range w.origins {
		commands = append(commands, []string{"erasure", "show", fmt.Sprint(o.indexes[o.fileOf(o.erased)]), "--copy", "-"})
	}
	for _, p := range w.Processes() {
		for _, path := range paths {
			answer, _ := w.ask(p, "GET", path, "")
			w.keep(p, "GET "+path, answer)
		}
		for _, words := range commands {
			w.command(p, "", words...)
		}
		w.bundleIsMade(p, "running")
	}
	w.theConsoleIsUsed()
	w.sealedTextsAreOpened()
}

// getPattern is what a daemon answers to GET.
var getPattern = regexp.MustCompile(`"GET (/[^"]*)"`)

// allAreAsked fails the test for a path that daemons answer and that is not
// among those asked.
func (w *canaryWorld) allAreAsked(paths []string) {
	w.t.Helper()
	sources, err := filepath.Glob("../daemon/*.go")
	must(w.t, err)
	patterns := 0
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(source)
		must(w.t, err)
		for _, m := range getPattern.FindAllSubmatch(raw, -1) {
			patterns++
			asked := regexp.MustCompile("^" + regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(string(m[1]), "[^/]+") + `(\?.*)?$`)
			if !slices.ContainsFunc(paths, asked.MatchString) {
				w.t.Errorf("GET %s is not asked: add it, so that its answers are searched", m[1])
			}
		}
	}
	if patterns < 20 {
		w.t.Errorf("only %d paths are found in the daemon's source", patterns)
	}
}

// everyWayInWasTaken fails the test for a command that takes documents,
// identities or tables and that no origin has run.
func (w *canaryWorld) everyWayInWasTaken() {
	w.t.Helper()
	ways := 0
	for _, leaf := range w.commandsBelow() {
		help, _, _ := w.run(append(strings.Fields(leaf), "--help")...)
		takes := func(flag string) bool { return bytes.Contains(help, []byte(flag)) }
		if !takes("--documents") && !takes("--identities") && !takes("--mapping") && leaf != "mapping init" {
			continue
		}
		ways++
		if !slices.ContainsFunc(w.ran, func(words string) bool { return strings.HasPrefix(words, leaf+" ") }) {
			w.t.Errorf("no patient came in by raresync %s: add it to what the origins do", leaf)
		}
	}
	if ways < 10 {
		w.t.Errorf("only %d commands that take documents are found", ways)
	}
}

// commandsBelow lists the commands below some, those that have none below them,
// as the program's help does.
func (w *canaryWorld) commandsBelow(path ...string) (leaves []string) {
	w.t.Helper()
	help, _, _ := w.run(append(slices.Clone(path), "--help")...)
	_, list, found := bytes.Cut(help, []byte("COMMANDS:\n"))
	if !found {
		return []string{strings.Join(path, " ")}
	}
	for line := range bytes.Lines(list) {
		words := bytes.Fields(line)
		if len(words) == 0 {
			break
		}
		leaves = append(leaves, w.commandsBelow(append(slices.Clone(path), string(bytes.TrimSuffix(words[0], []byte(","))))...)...)
	}
	return leaves
}

// sealedTextsAreOpened sees to it that the answers of the coordinator hold what
// they may: else the search of all answers would be of nothing.
func (w *canaryWorld) sealedTextsAreOpened() {
	w.t.Helper()
	var all []byte
	for _, a := range w.seen {
		if a.node == demo.Coordinator {
			all = append(all, a.said...)
		}
	}
	for _, o := range w.origins {
		for _, p := range o.known {
			if p != o.erased && !bytes.Contains(all, []byte(p.text)) {
				w.t.Errorf("the coordinator answers with no sealed text of a patient of %s", o.Node)
			}
		}
	}
}

// backupsAreMade makes a backup at every node, those of half of them with salts.
func (w *canaryWorld) backupsAreMade() {
	w.t.Helper()
	key := filepath.Join(w.Dir, "offline.key")
	recipient, _, code := w.run("backup", "key", key)
	if code != 0 {
		w.t.Fatalf("backup key: exit code %d", code)
	}
	for i, p := range w.Processes() {
		must(w.t, os.Mkdir(w.backups(p), 0o700))
		words := []string{"backup", "save", filepath.Join(w.backups(p), "backup.tar")}
		if i%2 == 0 {
			words = append(words, "--with-salts", "--to", strings.TrimSpace(string(recipient)))
		}
		w.wants(0, p, "", words...)
		w.wants(0, p, "", "log", "export", filepath.Join(w.backups(p), "copy"), "--bodies") // searched with the backups
	}
}

func (w *canaryWorld) backups(p *demo.Process) string { return p.Dir + "-backups" }

// hasDump reports whether a log ends with the goroutines of a process that was
// told to quit.
func hasDump(log []byte) bool {
	return bytes.Contains(log, []byte("SIGQUIT: quit")) && bytes.Count(log, []byte("\ngoroutine ")) > 20
}

var listenLine = regexp.MustCompile(`(?m)^node = "(.+)"$`)

// listenAddress returns where a voter listens.
func listenAddress(t *testing.T, p *demo.Process) string {
	t.Helper()
	raw, err := os.ReadFile(p.Config())
	must(t, err)
	m := listenLine.FindSubmatch(raw)
	if m == nil {
		t.Fatalf("%s listens nowhere", p.Node)
	}
	return string(m[1])
}

func listenPort(t *testing.T, p *demo.Process) uint16 {
	t.Helper()
	_, port, err := net.SplitHostPort(listenAddress(t, p))
	must(t, err)
	n, err := strconv.ParseUint(port, 10, 16)
	must(t, err)
	return uint16(n)
}
