package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/intake"
)

func TestPeerBytesAreOfOneDirection(t *testing.T) {
	metrics := []byte("# TYPE raresync_peer_bytes_total counter\nraresync_peer_bytes_total{direction=\"received\"} 7\nraresync_peer_bytes_total{direction=\"sent\"} 1.5e+06\n")
	if got, err := parsePeerBytes(metrics, "sent"); err != nil || got != 1.5e6 {
		t.Errorf("sent: %g, %v", got, err)
	}
	if _, err := parsePeerBytes(metrics[:60], "sent"); err == nil {
		t.Error("bytes that nobody counts")
	}
}

func TestAMirrorWithAnotherRootIsTold(t *testing.T) {
	for name, tc := range map[string]struct {
		has  admin.Status
		same bool
	}{
		"the same":     {admin.Status{Size: 9, Root: "aa"}, true},
		"another root": {admin.Status{Size: 9, Root: "ab"}, false},
		"another size": {admin.Status{Size: 8, Root: "aa"}, false},
	} {
		if err := differs(tc.has, 9, "aa"); (err == nil) != tc.same {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheLeadersRatiosAreToWhatItSpendsWithoutMirrors(t *testing.T) {
	r := newResults(options{})
	for count, cpu := range map[int][]float64{0: {900, 1100, 1000}, mirrorFew: {1000}, 324: {1050, 1200}} {
		for _, us := range cpu {
			r.add(mirrorsName(count)+": leader's CPU per envelope", "us", us)
			r.add(mirrorsName(count)+": leader's egress per envelope", "KB", us/10)
		}
	}
	r.relate()
	if got := r.values(mirrorsCPUFigure); len(got) != 2 || got[0] != 1.05 || got[1] != 1.2 {
		t.Errorf("CPU %v, want each round by the median without", got)
	}
	if got := r.values(mirrorsEgressFigure); len(got) != 2 || got[0] != 1.05 {
		t.Errorf("egress %v", got)
	}
}

func TestGroupsHaveAllHospitalsAndCases(t *testing.T) {
	all := make([]*submitter, submitters)
	for i := range all {
		all[i] = &submitter{newcomer: &newcomer{number: uint32(i)}}
	}
	cases, members := 0, map[*submitter]bool{}
	for _, g := range groupsOf(all, 1003) {
		cases += g.cases
		for _, m := range g.members {
			members[m] = true
		}
	}
	if cases != 1003 || len(members) != submitters {
		t.Errorf("%d cases at %d hospitals", cases, len(members))
	}
	g := groupsOf(all, 1003)[80]
	made := 0
	for _, files := range g.files() {
		made += len(files)
	}
	if made != g.cases {
		t.Errorf("%d files for %d cases", made, g.cases)
	}
}

func TestARefusedFileEndsABackfill(t *testing.T) {
	taken := intake.Result{Outcome: intake.Accepted, Entries: make([]intake.Taken, 2)}
	taken.Entries[1].Sequence = 3
	if last, err := lastSequence([]intake.Result{taken}); err != nil || last != 3 {
		t.Errorf("last envelope %d, %v", last, err)
	}
	for _, outcome := range []intake.Outcome{intake.Refused, intake.Waiting} {
		if _, err := lastSequence([]intake.Result{taken, {Outcome: outcome}}); err == nil {
			t.Errorf("a file is %s, and nothing is said", outcome)
		}
	}
}

func TestAFigureOfFewerCasesIsNotCalledOneOfAll(t *testing.T) {
	f := filled{cases: 39_000, entries: 80_000, took: 30 * time.Second, voters: time.Minute, own: time.Minute, disk: 1e6, outboxes: 1e6}
	b := &bench{results: newResults(options{})}
	b.backfilled(f)
	if b.results.find(backfillFigure) != nil {
		t.Error("the goal's figure was measured with 39,000 cases")
	}
	extrapolated := b.results.values("backfill of 780,000 cases, extrapolated from 39000: time to the last receipt")
	if len(extrapolated) != 1 || extrapolated[0] != 600 {
		t.Errorf("extrapolated to %v s, want 600", extrapolated)
	}
	f.cases = nationalCases
	b.backfilled(f)
	if got := b.results.values(backfillFigure); len(got) != 1 || got[0] != 30 {
		t.Errorf("measured %v s, want 30", got)
	}
}

func TestAWireIsLateAndLosesNothing(t *testing.T) {
	far, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	from := make(chan string, 1)
	go func() { // echoes one connection
		conn, err := far.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		from <- conn.RemoteAddr().(*net.TCPAddr).IP.String()
		_, _ = io.Copy(conn, conn)
	}()
	const one = 20 * time.Millisecond
	w, err := layWire(far.Addr().String(), one, sources())
	if err != nil {
		t.Fatal(err)
	}
	near, err := net.Dial("tcp", w.address())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	sent := randomBytes(3 * wireChunk)
	began := time.Now()
	go func() { _, _ = near.Write(sent) }()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(near, got); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("what came back is not what was sent: %v", err)
	}
	if took := time.Since(began); took < 2*one {
		t.Errorf("there and back in %s, want at least %s", took, 2*one)
	}
	if source := <-from; source != "127.1.0.1" {
		t.Errorf("it came from %s", source)
	}
	if err := w.close(); err != nil {
		t.Error(err)
	}
	if _, err := near.Read(got); err == nil {
		t.Error("a connection outlives its wire")
	}
}

func TestReroutingNamesTheAddressesOfPeers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "raresync.toml")
	if err := os.WriteFile(path, []byte("[peers]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := reroute(path, map[string]string{"h2": "127.0.0.1:2", "h1": "127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if want := "h1 = [\"127.0.0.1:1\"]\nh2 = [\"127.0.0.1:2\"]\n"; err != nil || !strings.HasSuffix(string(text), want) {
		t.Errorf("%q, %v", text, err)
	}
}
