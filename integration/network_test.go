package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/generate"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/phenopacket"
)

// builtIn is where the program under test is built, once.
var builtIn string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "rr")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	builtIn = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// program builds cmd/raresync and returns its path.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(builtIn, "raresync")
	out, err := exec.Command("go", slices.Concat(buildArgs, []string{"-o", path, "../cmd/raresync"})...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build cmd/raresync: %w\n%s", err, out)
	}
	return path, nil
})

// network is a network of real processes of the program: hospitals, of which
// the first ones vote, and the coordinator.
type network struct {
	*demo.Network
	t   *testing.T
	ctx context.Context // ends with the test, or at its deadline
}

// pollInterval is how often a condition of a process is asked.
const pollInterval = 20 * time.Millisecond

// patience is how long a test may wait in all for what must happen. Machines
// differ, and so does what runs beside it.
const patience = 10 * time.Minute

// newNetwork founds and starts a network, with patience for all that the test
// does. Whatever happens, its processes end with the test.
func newNetwork(t *testing.T, hospitals, voters int) *network {
	t.Helper()
	n := foundNetwork(t, hospitals, voters)
	n.startWithin(patience)
	return n
}

// startWithin starts a founded network, all of which has to be done within the
// given time, and has its holders make their key.
func (n *network) startWithin(within time.Duration) {
	n.t.Helper()
	n.startKeyless(within)
	must(n.t, n.MakeKey(n.ctx))
}

// startKeyless is startWithin without a key.
func (n *network) startKeyless(within time.Duration) {
	n.t.Helper()
	var cancel context.CancelFunc
	n.ctx, cancel = context.WithTimeout(n.t.Context(), within)
	n.t.Cleanup(cancel)
	must(n.t, n.Start(n.ctx))
}

// foundNetwork makes the directories of a network, whose paths are short
// enough for its sockets. Nothing runs yet.
func foundNetwork(t *testing.T, hospitals, voters int) *network {
	t.Helper()
	path, err := program()
	must(t, err)
	return foundNetworkOf(t, path, hospitals, voters)
}

// foundNetworkOf is foundNetwork with a program of the test's own.
func foundNetworkOf(t *testing.T, path string, hospitals, voters int) *network {
	t.Helper()
	dir, err := os.MkdirTemp("", "rr")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	founded, err := demo.Found(dir, path, hospitals, voters)
	must(t, err)
	n := &network{Network: founded, t: t, ctx: t.Context()}
	t.Cleanup(n.end)
	return n
}

// with returns the network for a subtest to work with.
func (n *network) with(t *testing.T) *network {
	m := *n
	m.t = t
	return &m
}

// end kills what still runs; of a test that failed it shows the ends of the
// nodes' logs.
func (n *network) end() {
	for _, p := range n.Processes() {
		if err := p.Kill(); err != nil {
			n.t.Error(err)
		}
		if !n.t.Failed() {
			continue
		}
		if log, err := os.ReadFile(p.Log()); err == nil {
			n.t.Logf("the log of %s ends with\n%s", p.Node, log[max(0, len(log)-3000):])
		}
	}
}

// eventually asks a condition until it holds, or fails the test with what it
// said last.
func (n *network) eventually(what string, cond func() error) {
	n.t.Helper()
	if err := poll(n.ctx, cond); err != nil {
		n.t.Fatalf("%s: %v", what, err)
	}
}

func poll(ctx context.Context, cond func() error) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		last := cond()
		if last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), last)
		case <-tick.C:
		}
	}
}

// run executes a command of the program and returns what it printed and its
// exit code.
func (n *network) run(args ...string) (stdout, stderr []byte, code int) {
	n.t.Helper()
	cmd := exec.CommandContext(n.ctx, n.Binary, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		n.t.Fatalf("raresync %v: %v", args, err)
	}
	return out.Bytes(), errs.Bytes(), cmd.ProcessState.ExitCode()
}

// policy writes the network's policy file and returns its path.
func (n *network) policy() string {
	n.t.Helper()
	text, err := n.Reader.Client.Policy(n.ctx)
	must(n.t, err)
	path := filepath.Join(n.Dir, "policy.txt")
	must(n.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// visit is a file that a hospital hands in, and what became of it.
type visit struct {
	hospital int // from 0
	file     admin.File
	result   admin.FileResult
}

// batchFiles is how many files a hospital hands in together.
const batchFiles = 16

// register hands in every visit's file at its hospital, waits for all receipts
// and notes the results in the visits.
func (n *network) register(visits []visit) {
	n.t.Helper()
	queues := make([][]*visit, len(n.Hospitals))
	for i := range visits {
		queues[visits[i].hospital] = append(queues[visits[i].hospital], &visits[i])
	}
	problems := make([]error, len(queues))
	var workers sync.WaitGroup
	for h, queue := range queues {
		workers.Go(func() {
			for batch := range slices.Chunk(queue, batchFiles) {
				if problems[h] = n.submit(n.Hospitals[h], batch); problems[h] != nil {
					return
				}
			}
		})
	}
	workers.Wait()
	must(n.t, errors.Join(problems...))
}

// submit hands in a batch, again and again if the daemon is away: that adds
// nothing twice.
func (n *network) submit(p *demo.Process, batch []*visit) error {
	s := admin.Submission{Wait: true}
	for _, v := range batch {
		s.Files = append(s.Files, v.file)
	}
	var r admin.SubmissionResult
	err := poll(n.ctx, func() (err error) {
		r, err = p.Client.Submit(n.ctx, s)
		return err
	})
	if err != nil {
		return fmt.Errorf("submit to %s: %w", p.Node, err)
	}
	for i := range r.Files {
		batch[i].result = r.Files[i]
	}
	return nil
}

// converge waits until no envelope is under way and every node has the same
// log, all of it under a checkpoint.
func (n *network) converge() admin.Status {
	n.t.Helper()
	return n.convergeOf(n.Processes())
}

// convergeOf is converge for some of the nodes.
func (n *network) convergeOf(some []*demo.Process) admin.Status {
	n.t.Helper()
	var first admin.Status
	n.eventually("converge", func() error {
		for i, p := range some {
			s, err := p.Client.Status(n.ctx)
			if err != nil {
				return err
			}
			if i == 0 {
				first = s
			}
			if !s.Ready || s.Outbox != 0 || s.Checkpoint != s.Size || s.Size != first.Size || s.Root != first.Root {
				return fmt.Errorf("%s: %d of %d entries under a checkpoint, root %.8s, %d envelopes under way, %s; %s has %d entries, root %.8s",
					p.Node, s.Checkpoint, s.Size, s.Root, s.Outbox, s.Why, first.Node, first.Size, first.Root)
			}
		}
		return nil
	})
	return first
}

// leaves returns the public marks that a node has of the log.
func (n *network) leaves(p *demo.Process) []admin.Leaf {
	n.t.Helper()
	var all []admin.Leaf
	for leaf, err := range p.Client.Leaves(n.ctx, 0, 0, false) {
		must(n.t, err)
		all = append(all, leaf)
	}
	return all
}

// entries returns what a node may open.
func (n *network) entries(p *demo.Process) []admin.Entry {
	n.t.Helper()
	var all []admin.Entry
	for e, err := range p.Client.Entries(n.ctx, 0, 0) {
		must(n.t, err)
		all = append(all, e)
	}
	return all
}

// realFiles returns the published packets that the tests are given: the
// folders under RARESYNC_TESTDATA, by default ../shared/data beside the
// repository. RARESYNC_REQUIRE_TESTDATA=1 makes their absence a failure.
func realFiles(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	root := os.Getenv("RARESYNC_TESTDATA")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "data")
	}
	paths, err := filepath.Glob(filepath.Join(root, folder, "*.json"))
	must(t, err)
	if len(paths) == 0 && os.Getenv("RARESYNC_REQUIRE_TESTDATA") == "1" {
		t.Fatalf("no packets in %s", filepath.Join(root, folder))
	}
	files := map[string][]byte{}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		must(t, err)
		files[filepath.Base(path)] = raw
	}
	return files
}

// publishedVisits gives the published packets to the hospitals in turn, every
// tenth patient to a second one as well. Every seventh file comes without a
// document number, so that the subject's id is a local record number. There
// are no visits where there are no packets.
func publishedVisits(t *testing.T, hospitals int) []visit {
	t.Helper()
	var visits []visit
	for _, folder := range []string{"phenopackets", "phenopackets-extra"} {
		files := realFiles(t, folder)
		for i, name := range slices.Sorted(maps.Keys(files)) {
			v := visit{hospital: i % hospitals, file: admin.File{Name: name, Data: files[name]}}
			if i%7 != 3 {
				v.file.Identities = documents(t, v.file)
			}
			visits = append(visits, v)
			if i%10 == 0 {
				v.hospital = (i + 1) % hospitals
				visits = append(visits, v)
			}
		}
	}
	return visits
}

// documents makes up a resident ID for every patient of a file.
func documents(t *testing.T, f admin.File) map[string]admin.Document {
	t.Helper()
	packets, err := phenopacket.Read(f.Name, bytes.NewReader(f.Data), phenopacket.Limits{})
	must(t, err)
	ids := map[string]admin.Document{}
	for _, p := range packets {
		ids[p.SubjectID] = admin.Document{
			Type: string(identity.RIC), Value: generate.ResidentID(1, f.Name, p.SubjectID, p.Sex(), p.Birth()),
		}
	}
	return ids
}

// madeUpVisits makes up files of the given number of patients.
func madeUpVisits(t *testing.T, patients, hospitals int) []visit {
	t.Helper()
	var visits []visit
	for f := range madeUpFiles(patients, hospitals) {
		visits = append(visits, madeUpVisit(t, f))
	}
	return visits
}

func madeUpFiles(patients, hospitals int) iter.Seq[generate.File] {
	return generate.Files(generate.Options{
		Seed: 11, Hospitals: hospitals, Patients: patients, Today: entry.Date{Year: 2026, Month: 1, Day: 31}, Catalog: catalog.Current(),
	})
}

func madeUpVisit(t *testing.T, f generate.File) visit {
	t.Helper()
	v := visit{hospital: f.Hospital, file: admin.File{Name: f.Name, Data: f.Raw, Identities: map[string]admin.Document{}}}
	packets, err := phenopacket.Read(f.Name, bytes.NewReader(f.Raw), phenopacket.Limits{})
	must(t, err)
	for _, p := range packets {
		v.file.Identities[p.SubjectID] = admin.Document{Type: string(identity.RIC), Value: f.ResidentID}
	}
	return v
}
