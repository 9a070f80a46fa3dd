package integration

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
)

// TestANodeIsWatched looks at three voters and a mirror as those who run them do:
// by their metrics, which are those of the page; and as the service manager does,
// which does not hear from a mirror whose disk holds what it applies.
func TestANodeIsWatched(t *testing.T) {
	t.Parallel()
	if !withOwnMounts(t) {
		return
	}
	n := foundNetwork(t, 3, 3)
	manager := playManager(t, n.Reader)
	v := onVolume(t, n.Reader, ext4)
	at := map[*demo.Process]string{}
	for _, p := range n.Processes() {
		at[p] = n.monitored(p)
	}
	n.withInbox(n.Hospitals[1])
	n.startWithin(patience)
	manager.hears("READY=1")
	visits := madeUpVisits(t, 9, 3)
	n.register(visits)
	n.refuses(n.Hospitals[0])
	n.converge()

	texts := map[*demo.Process][]byte{}
	for p, address := range at {
		text, code := n.get(address, "/metrics")
		if texts[p] = text; code != http.StatusOK {
			t.Fatalf("metrics of %s: %d %s", p.Node, code, text)
		}
		if out, err := promtool(t, text, "check", "metrics"); err != nil {
			t.Errorf("promtool check metrics of %s: %v\n%s", p.Node, err, out)
		}
	}
	metricsAreThoseOfThePage(t, texts)
	labelsAreBounded(t, texts)

	n.bundles()

	for range 3 {
		manager.hears("WATCHDOG=1", "STATUS=mirror "+n.Reader.Node+", ", "pulls from ")
	}
	thaw := freeze(t, v)
	n.register(madeUpVisits(t, 12, 3)[9:])
	manager.hearsNothing()
	n.eventually("the probe of the mirror", func() error {
		if text, code := n.get(at[n.Reader], "/livez"); code != http.StatusServiceUnavailable || !bytes.Contains(text, []byte("[-]apply-loop: no sign of life")) {
			return fmt.Errorf("%d %s", code, text)
		}
		return nil
	})
	thaw()
	manager.hears("WATCHDOG=1")
	n.converge()
	n.eventually("the probe of the mirror", func() error {
		if text, code := n.get(at[n.Reader], "/livez"); code != http.StatusOK {
			return fmt.Errorf("%d %s", code, text)
		}
		return nil
	})
	must(t, n.Reader.Stop())
	manager.hears("STOPPING=1")
}

// bundles has a node that runs and is well say so in a bundle.
func (n *network) bundles() {
	n.t.Helper()
	path := filepath.Join(n.Dir, "bundle.tar.gz")
	if out, errs, code := n.run("debug", "bundle", path, "--config", n.Hospitals[0].Config()); code != 0 || bytes.Contains(errs, []byte("missing")) {
		n.t.Fatalf("debug bundle: exit code %d\n%s%s", code, out, errs)
	}
	for name, want := range map[string]string{
		"status.json": `"ready": true`, "health.txt": ": node h1 (voter)", "metrics.txt": "raresync_ready 1", "members.json": `"nodes"`, "head.json": `"size"`,
		"goroutines.txt": "consensus.(*Node)", "log.txt": " INFO serving node=h1 kind=voter ", "doctor.json": `"says": "the daemon answers"`,
		"raft-peers.json": `"h2"`, "pseudonymisation-key.json": `"epoch": 1`, "settings.json": `"file"`, "files.json": `"node/raft/log.db"`, "disk.json": "free_bytes",
	} {
		text, err := exec.CommandContext(n.ctx, "tar", "xzOf", path, "raresync-bundle/"+name).Output()
		if err != nil || !bytes.Contains(text, []byte(want)) {
			n.t.Errorf("%s of the bundle: %v, no %q in\n%.2000s", name, err, want, text)
		}
	}
}

// withInbox has a node take files from a folder.
func (n *network) withInbox(p *demo.Process) {
	n.t.Helper()
	raw, err := os.ReadFile(p.Config())
	must(n.t, err)
	with := bytes.Replace(raw, []byte(`#dir = ""`), fmt.Appendf(nil, "dir = %q", filepath.Join(n.Dir, "dropped")), 1)
	if bytes.Equal(raw, with) {
		n.t.Fatalf("the configuration of %s has no line for the inbox", p.Node)
	}
	must(n.t, os.WriteFile(p.Config(), with, 0o600))
}

// monitored has a node listen for a monitoring system, and returns where.
func (n *network) monitored(p *demo.Process) string {
	n.t.Helper()
	address, err := demo.FreeAddress()
	must(n.t, err)
	raw, err := os.ReadFile(p.Config())
	must(n.t, err)
	with := bytes.Replace(raw, []byte(`#metrics = ""`), fmt.Appendf(nil, "metrics = %q", address), 1)
	if bytes.Equal(raw, with) {
		n.t.Fatalf("the configuration of %s has no line for metrics", p.Node)
	}
	must(n.t, os.WriteFile(p.Config(), with, 0o600))
	return address
}

// get asks where a node listens for a monitoring system.
func (n *network) get(address, path string) (text []byte, status int) {
	n.t.Helper()
	r, err := http.NewRequestWithContext(n.ctx, "GET", "http://"+address+path, nil)
	must(n.t, err)
	answer, err := http.DefaultClient.Do(r)
	must(n.t, err)
	defer answer.Body.Close()
	text, err = io.ReadAll(answer.Body)
	must(n.t, err)
	return text, answer.StatusCode
}

// refuses has a node refuse a file that is no phenopacket.
func (n *network) refuses(p *demo.Process) {
	n.t.Helper()
	path := filepath.Join(n.Dir, "none.json")
	must(n.t, os.WriteFile(path, []byte(`{"id": "none"}`), 0o600))
	if out, _, code := n.run("submit", "--config", p.Config(), path); code != 7 {
		n.t.Fatalf("submit of no phenopacket: exit code %d\n%s", code, out)
	}
}

// promtool runs Prometheus' own tool over a text.
func promtool(t *testing.T, text []byte, args ...string) ([]byte, error) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("RARESYNC_REQUIRE_ROOT") == "1" {
			t.Fatal("promtool is not installed: the metrics were not parsed")
		}
		t.Log("NOT TESTED: promtool is not installed, the metrics were not parsed")
		return nil, nil
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stdin = bytes.NewReader(text)
	return cmd.CombinedOutput()
}

var (
	typeLine = regexp.MustCompile(`(?m)^# TYPE (raresync_[a-z_]+) ([a-z]+)$`)
	pageRow  = regexp.MustCompile("(?m)^\\| `([a-z_]+)(\\{[a-z, ]+\\})?` \\| ([a-z]+) \\| .+ \\|$")
	labelled = regexp.MustCompile(`(?m)^(raresync_[a-z_]+)\{(.*)\} `)
	label    = regexp.MustCompile(`([a-z]+)="([^"]*)"`)
)

// metricsAreThoseOfThePage compares names, types and labels with the table of
// docs/OPERATIONS.md.
func metricsAreThoseOfThePage(t *testing.T, texts map[*demo.Process][]byte) {
	t.Helper()
	page, err := os.ReadFile("../docs/OPERATIONS.md")
	must(t, err)
	told, shown := map[string]string{}, map[string]string{}
	for _, m := range pageRow.FindAllSubmatch(page, -1) {
		told["raresync_"+string(m[1])] = string(m[3]) + string(m[2])
	}
	for _, text := range texts {
		for _, m := range typeLine.FindAllSubmatch(text, -1) {
			name := string(m[1])
			shown[name] = string(m[2]) + labelsOf(text, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		if told[name] != shown[name] {
			t.Errorf("the page says %q of %s, which is %s", told[name], name, shown[name])
		}
		delete(told, name)
	}
	for _, name := range slices.Sorted(maps.Keys(told)) {
		t.Errorf("the page has %s, which no node shows", name)
	}
	if len(shown) < 40 {
		t.Errorf("only %d metrics are shown", len(shown))
	}
}

// labelsOf is the labels of a metric as the page writes them, "" for none.
func labelsOf(text []byte, name string) string {
	for _, m := range labelled.FindAllSubmatch(text, -1) {
		base := strings.TrimSuffix(string(m[1]), "_bucket")
		if base != name {
			continue
		}
		var names []string
		for _, l := range label.FindAllSubmatch(m[2], -1) {
			if string(l[1]) != "le" {
				names = append(names, string(l[1]))
			}
		}
		if len(names) > 0 {
			slices.Sort(names)
			return "{" + strings.Join(names, ", ") + "}"
		}
	}
	return ""
}

// labelsAreBounded wants of every label values that are words of the program or
// of the roster.
func labelsAreBounded(t *testing.T, texts map[*demo.Process][]byte) {
	t.Helper()
	may := map[string]*regexp.Regexp{
		"peer":    regexp.MustCompile(`^(h[1-3]|` + demo.Coordinator + `)$`),
		"handler": regexp.MustCompile(`^((GET|POST) /[a-z0-9/{}-]+|none)$`),
	}
	word := regexp.MustCompile(`^[-A-Za-z0-9.+]*$`)
	seen := 0
	for p, text := range texts {
		for _, m := range labelled.FindAllSubmatch(text, -1) {
			for _, l := range label.FindAllSubmatch(m[2], -1) {
				form := may[string(l[1])]
				if form == nil {
					form = word
				}
				if seen++; !form.Match(l[2]) {
					t.Errorf("%s: %s has a label %s", p.Node, m[1], l[0])
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d labels were looked at", seen)
	}
}

// manager is the service manager's side of sd_notify(3).
type manager struct {
	t        *testing.T
	conn     *net.UnixConn
	watchdog time.Duration
}

// playManager has a node, when it is started, tell a service manager how it is.
func playManager(t *testing.T, p *demo.Process) *manager {
	t.Helper()
	m := &manager{t: t, watchdog: 3 * time.Second}
	path := filepath.Join(filepath.Dir(p.Dir), "notify")
	var err error
	m.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	must(t, err)
	t.Cleanup(func() { m.conn.Close() })
	p.Env = append(p.Env, "NOTIFY_SOCKET="+path, fmt.Sprintf("WATCHDOG_USEC=%d", m.watchdog.Microseconds()))
	return m
}

// hears waits for a datagram that says all of it.
func (m *manager) hears(what ...string) {
	m.t.Helper()
	must(m.t, m.conn.SetReadDeadline(time.Now().Add(time.Minute)))
	for {
		said, err := m.next()
		if err != nil {
			m.t.Fatalf("the service manager never heard %q: %v", what, err)
		}
		if !slices.ContainsFunc(what, func(w string) bool { return !strings.Contains(said, w) }) {
			return
		}
	}
}

// hearsNothing waits until there was no sign of life for so long that the manager
// would end the process.
func (m *manager) hearsNothing() {
	m.t.Helper()
	for range 60 {
		must(m.t, m.conn.SetReadDeadline(time.Now().Add(m.watchdog)))
		said, err := m.next()
		if os.IsTimeout(err) {
			return
		}
		must(m.t, err)
		if !strings.Contains(said, "WATCHDOG=1") {
			m.t.Fatalf("the node says %q, and neither lives nor is stuck", said)
		}
	}
	m.t.Fatal("a node whose disk holds what it applies says that it lives")
}

func (m *manager) next() (string, error) {
	b := make([]byte, 4096)
	n, err := m.conn.Read(b)
	return string(b[:n]), err
}

// freeze holds every write to a volume until thaw is called, at the latest at
// the end of the test: a process that waits for it cannot be ended.
func freeze(t *testing.T, v *volume) (thaw func()) {
	t.Helper()
	must(t, system("fsfreeze", "-f", v.at))
	frozen := true
	thaw = func() {
		if frozen {
			frozen = false
			must(t, system("fsfreeze", "-u", v.at))
		}
	}
	t.Cleanup(thaw)
	return thaw
}
