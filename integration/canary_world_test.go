package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/integration/canary"
	"github.com/raresync/raresync/integration/chaos"
	"github.com/raresync/raresync/registry/act"
)

const (
	canaryHospitals = 5
	canaryVoters    = 3
	// canaryQuota is how many persons a share holder evaluates for a hospital in
	// a day: enough for what comes in by single files, not for the cohorts.
	canaryQuota = 60
)

// canaryWorld is a network at two hospitals of which everything that can come in
// comes in, with a text of its own in the place of each name and number. All its
// traffic is in a network namespace where nothing else is.
type canaryWorld struct {
	*network
	lan          *chaos.LAN
	origins      []*origin
	mint         *canary.Mint
	months       []int // of birth, that nobody has yet
	markers      []*canary.Marker
	search       *canary.Search // for the markers, once all are minted
	frames       *canary.Capture
	control      *canary.Marker // put where the search must find it
	began        time.Time
	ran          []string       // commands with their words
	askedOfPages []string       // paths
	used         map[string]int // how often each exception was needed, by its place
	bundles      []answered     // files of what raresync debug bundle collected, to be searched at the end
	seen         []answered     // what commands printed and daemons answered, to be searched at the end
}

// answered is what a command printed or a daemon answered.
type answered struct {
	node, what string
	said       []byte
}

func newCanaryWorld(t *testing.T) *canaryWorld {
	t.Helper()
	needsCapture(t)
	path, err := program()
	must(t, err)
	dir, err := os.MkdirTemp("", "rr")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	policy := act.DefaultPolicy()
	policy.QuotaFloor = canaryQuota
	founded, err := demo.FoundWith(policy, demo.FreeAddress, dir, path, canaryHospitals, canaryVoters)
	must(t, err)
	w := &canaryWorld{network: &network{Network: founded, t: t, ctx: t.Context()}, mint: canary.NewMint(canarySeed(t)), used: map[string]int{}, began: time.Now()}
	program, err := os.ReadFile(path)
	must(t, err)
	w.mint.Avoid(program)
	w.lan, err = chaos.NewLAN(1)
	must(t, err)
	t.Cleanup(func() { must(t, w.lan.Close()) })
	t.Cleanup(w.end)
	for i, p := range w.Processes() {
		must(t, os.Mkdir(w.temp(p), 0o700))
		w.configure(p, `#level = "info"`, `level = "debug"`)
		if i == 4 {
			w.configure(p, `#format = "text"`, `format = "json"`)
		}
	}
	w.configure(w.Reader, "[console]", "[console]\nlisten = \"127.0.0.1:0\"")
	w.control = &canary.Marker{What: "the control", Value: w.mint.Code(24)}
	w.addOrigins(1, 4) // a voter and a mirror
	for _, o := range w.origins {
		w.configure(o.Process, `#dir = ""`, fmt.Sprintf("dir = %q", w.inbox(o)))
		w.configure(o.Process, `#listen = ""`, `listen = "127.0.0.1:0"`)
		w.configure(o.Process, `#stable = "10s"`, `stable = "1s"`)
	}
	w.search = canary.New(append(w.markers, w.control))
	return w
}

// configure replaces a line of a node's configuration.
func (w *canaryWorld) configure(p *demo.Process, line, by string) {
	w.t.Helper()
	raw, err := os.ReadFile(p.Config())
	must(w.t, err)
	text := strings.Replace(string(raw), line, by, 1)
	if text == string(raw) {
		w.t.Fatalf("the configuration of %s has no line %s", p.Node, line)
	}
	must(w.t, os.WriteFile(p.Config(), []byte(text), 0o600))
}

// canarySeed draws other texts in each run; CANARY_SEED draws the same again.
func canarySeed(t *testing.T) uint64 {
	seed := rand.Uint64()
	if text := os.Getenv("CANARY_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		must(t, err)
	}
	t.Logf("CANARY_SEED=%d", seed)
	return seed
}

// needsCapture fails or skips a test where frames cannot be captured.
func needsCapture(t *testing.T) {
	t.Helper()
	_, err := os.Stat("/dev/net/tun")
	switch {
	case err == nil && os.Geteuid() == 0:
	case os.Getenv("RARESYNC_REQUIRE_ROOT") == "1":
		t.Fatalf("capturing the traffic of a network needs root and TAP devices: %v", err)
	default:
		t.Skipf("nothing was searched: capturing the traffic of a network needs root and TAP devices: %v", err)
	}
}

// marker mints a text that nodes are given.
func (w *canaryWorld) marker(what, value string, homes ...string) string {
	w.markers = append(w.markers, &canary.Marker{What: what, Value: value, Homes: homes})
	return value
}

// temp is a node's own folder for temporary files, also of commands run there.
func (w *canaryWorld) temp(p *demo.Process) string { return p.Dir + "-temp" }

// open starts the capture, and then the network within it.
func (w *canaryWorld) open(within time.Duration) {
	w.t.Helper()
	var cancel context.CancelFunc
	w.ctx, cancel = context.WithTimeout(w.t.Context(), within)
	w.t.Cleanup(cancel)
	must(w.t, w.lan.In(0, func() (err error) {
		w.frames, err = canary.Listen(w.search, "lo")
		return err
	}))
	for _, p := range w.Processes() {
		w.launch(p)
	}
	must(w.t, w.Start(w.ctx))
	must(w.t, w.MakeKey(w.ctx))
}

// launch starts a node in the namespace, with temporary files of its own and
// told to show all it can when it is made to quit.
func (w *canaryWorld) launch(p *demo.Process) {
	w.t.Helper()
	p.Env = []string{"TMPDIR=" + w.temp(p), "GOTRACEBACK=system"}
	must(w.t, w.lan.In(0, p.Start))
}

// command runs a command at a node, as a person there would, keeps what it
// prints to be searched, and returns it with the exit code.
func (w *canaryWorld) command(p *demo.Process, stdin string, words ...string) (said []byte, code int) {
	w.t.Helper()
	cmd := exec.CommandContext(w.ctx, w.Binary, append(words, "-c", p.Config())...)
	cmd.Env, cmd.Dir = append(os.Environ(), "TMPDIR="+w.temp(p)), w.temp(p)
	cmd.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatalf("raresync %s at %s: %v", words[0], p.Node, err)
	}
	w.ran = append(w.ran, strings.Join(words, " "))
	w.keep(p, "raresync "+strings.Join(words[:min(2, len(words))], " "), out.Bytes())
	return out.Bytes(), cmd.ProcessState.ExitCode()
}

// keep keeps what was said at a node to be searched.
func (w *canaryWorld) keep(p *demo.Process, what string, said []byte) {
	w.seen = append(w.seen, answered{p.Node, what, said})
}

// wants runs a command and wants an exit code.
func (w *canaryWorld) wants(want int, p *demo.Process, stdin string, words ...string) []byte {
	w.t.Helper()
	said, code := w.command(p, stdin, words...)
	if code != want {
		w.t.Fatalf("raresync %s at %s: exit code %d, want %d:\n%.2000s", strings.Join(words, " "), p.Node, code, want, said)
	}
	return said
}

// exports is the folder of the hospital's own in which its files lie.
func (w *canaryWorld) exports(p *demo.Process) string { return filepath.Join(w.Dir, p.Node+"-exports") }
