package daemon

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// figure is a line of the text format: a name, labels, a number.
var figure = regexp.MustCompile(`^([a-zA-Z0-9_]+)(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [-0-9.e+Inf]+$`)

// TestMetricsAreServedOnTheLoopback runs two of three voters, and looks for every
// metric that the alert rules ask for.
func TestMetricsAreServedOnTheLoopback(t *testing.T) {
	places := network(t)
	h1, h2 := places["h1"], places["h2"]
	h1.cfg.Listen.Metrics, h2.cfg.Listen.Metrics = freeAddress(t), freeAddress(t)
	h1.cfg.Inbox.Dir = filepath.Join(shortDir(t), "in")
	h1.start(t)
	h2.start(t)
	h1.ready(t)
	h2.ready(t)
	defer http.DefaultClient.CloseIdleConnections()
	until(t, "a checkpoint is in the metrics", func() (bool, error) {
		text, _, err := get(h1, "/metrics")
		return strings.Contains(text, "raresync_log_cosigners 2\n"), err
	})
	all := map[string]bool{}
	for _, p := range []*place{h1, h2} { // one of them leads
		text, _, err := get(p, "/metrics")
		must(t, err)
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if m := figure.FindStringSubmatch(line); m != nil {
				all[m[1]] = true
			} else if !strings.HasPrefix(line, "# HELP ") && !strings.HasPrefix(line, "# TYPE ") {
				t.Errorf("no line of the format: %q", line)
			}
		}
		for _, want := range []string{`raresync_node_info{node="` + p.cfg.Node.ID + `",role="voter"} 1`, "raresync_ready 1\n", "raresync_raft_voters 3\n", "raresync_raft_voters_reached 2\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", p.cfg.Node.ID, want, text)
			}
		}
	}
	rules, err := os.ReadFile("../configs/alerts.yml")
	must(t, err)
	asked := regexp.MustCompile(`raresync_[a-z_]+`).FindAllString(string(rules), -1)
	for _, name := range asked {
		if !all[name] {
			t.Errorf("the alert rules ask for %s, which no node of this network gives", name)
		}
	}
	if len(asked) < 12 {
		t.Errorf("the alert rules ask for %d metrics only", len(asked))
	}
}

// TestProbesSayWhatIsWrong asks a voter that no other reaches, and then one of a
// majority.
func TestProbesSayWhatIsWrong(t *testing.T) {
	places := network(t)
	h1, h2 := places["h1"], places["h2"]
	h1.cfg.Listen.Metrics = freeAddress(t)
	defer http.DefaultClient.CloseIdleConnections()
	h1.start(t)
	until(t, "the probes answer", func() (bool, error) {
		_, _, err := get(h1, "/livez")
		return err == nil, err
	})
	probe := func(path string, status int, says ...string) {
		t.Helper()
		text, code, err := get(h1, path)
		must(t, err)
		for _, s := range says {
			if code != status || !strings.Contains(text, s) {
				t.Errorf("%s: %d %q, want %d with %q", path, code, text, status, s)
			}
		}
	}
	probe("/livez", 200, "OK\n[+]apply-loop ok\n")
	probe("/readyz", 503, "CRITICAL\n")
	probe("/readyz?verbose", 503, "CRITICAL\n", "[-]leader: no leader known", "[+]store-writable ok\n", "[+]clock ok\n", "[+]key-share ok\n")
	h2.start(t)
	h1.ready(t)
	probe("/readyz", 200, "OK\n")
	probe("/readyz?verbose", 200, "[+]leader ok\n[+]caught-up ok\n[+]store-writable ok\n[+]clock ok\n[+]key-share ok\n")
}

// get asks a daemon's monitoring address.
func get(p *place, path string) (text string, status int, err error) {
	answer, err := http.Get("http://" + p.cfg.Listen.Metrics + path)
	if err != nil {
		return "", 0, err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	return string(raw), answer.StatusCode, err
}
