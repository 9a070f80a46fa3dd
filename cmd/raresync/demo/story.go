package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/raresync/raresync/cmd/raresync/term"
)

// Options say what the demo does.
type Options struct {
	Binary    string // this program
	Dir       string // for data; must be empty
	Hospitals int
	Voters    int
	Input     []string // files and folders; empty = made-up cases
	Patients  int      // made-up patients where there is no input
	Seed      uint64
}

// Node is where one node stands at the end.
type Node struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Size uint64 `json:"size"`
	Root string `json:"root"`
}

// Result is what `demo --once -o json` prints.
type Result struct {
	Hospitals              int            `json:"hospitals"`
	Voters                 int            `json:"voters"`
	Files                  int            `json:"files"`
	Accepted               int            `json:"accepted"`
	Refused                int            `json:"refused"`
	Refusals               map[string]int `json:"refusals"`
	Registrations          int            `json:"registrations"`
	Patients               int            `json:"patients"`
	PatientsAtTwoHospitals int            `json:"patients_at_two_hospitals"`
	OnTheLists             int            `json:"registrations_on_the_lists"`
	OffTheLists            int            `json:"registrations_off_the_lists"`
	LoadCases              int            `json:"load_cases"` // made up to keep the load on during the kill
	LeaderKilled           string         `json:"leader_killed"`
	NewLeader              string         `json:"new_leader"`
	RecoveredMS            int64          `json:"recovered_ms"`
	Withdrawn              int            `json:"entries_withdrawn"`
	Declared               int            `json:"nodes_declared"` // that they have erased them
	TreeSize               uint64         `json:"tree_size"`
	Root                   string         `json:"root"`
	Nodes                  []Node         `json:"nodes"`
	Converged              bool           `json:"converged"`
	Verified               bool           `json:"verified"`
	Seconds                float64        `json:"seconds"`
}

// sparePatients is how many made-up patients keep the load on during the kill
// at most.
const sparePatients = 4000

// story is a run of the demo.
type story struct {
	Options
	screen  *term.Screen
	network *Network
	load    *load
	result  Result
}

// Run founds the network, tells the story and leaves the network running: the
// caller stops it. Result is filled as far as the story came.
func Run(ctx context.Context, o Options, screen *term.Screen) (*Network, Result, error) {
	s := &story{Options: o, screen: screen}
	s.result.Hospitals, s.result.Voters, s.result.Refusals = o.Hospitals, o.Voters, map[string]int{}
	began := time.Now()
	err := s.tell(ctx)
	s.result.Seconds = time.Since(began).Seconds()
	return s.network, s.result, err
}

func (s *story) tell(ctx context.Context) error {
	visits, err := s.cases()
	if err != nil {
		return err
	}
	steps := []struct {
		title string
		do    func(context.Context) error
	}{
		{fmt.Sprintf("Found a network of %d hospitals (%d vote) and a coordinator", s.Hospitals, s.Voters), s.start},
		{"Hospitals register their cases; the leader is killed meanwhile", func(ctx context.Context) error {
			return s.register(ctx, visits)
		}},
		{"Every node has the same log", s.converge},
		{"The coordinator counts persons, not registrations", s.countPersons},
		{"A patient withdraws at one hospital and is forgotten on every node", func(ctx context.Context) error {
			return s.forget(ctx, visits)
		}},
		{"A stranger verifies a receipt, then the whole log, offline", s.verify},
	}
	for i, step := range steps {
		s.screen.Note(fmt.Sprintf("%d. %s", i+1, step.title))
		if err := step.do(ctx); err != nil {
			s.screen.Failed(step.title)
			return err
		}
	}
	return nil
}

func (s *story) cases() ([]visit, error) {
	if len(s.Input) == 0 {
		visits := generated(s.Patients, s.Hospitals, s.Seed)
		s.result.Files = firstVisits(visits)
		s.screen.Done(fmt.Sprintf("made up %d cases over the national disease lists, seed %d", s.result.Files, s.Seed))
		return visits, nil
	}
	visits, err := readInput(s.Input, s.Hospitals, s.Seed)
	if err != nil {
		return nil, err
	}
	s.result.Files = firstVisits(visits)
	if s.result.Files == 0 {
		return nil, errors.New("demo: no *.json files in the input")
	}
	s.screen.Done(fmt.Sprintf("read %d files (%d of them go to a second hospital too)", s.result.Files, len(visits)-s.result.Files))
	return visits, nil
}

func firstVisits(visits []visit) int {
	n := 0
	for _, v := range visits {
		if !v.second {
			n++
		}
	}
	return n
}

func (s *story) start(ctx context.Context) error {
	var err error
	if s.network, err = Found(s.Dir, s.Binary, s.Hospitals, s.Voters); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	began := time.Now()
	if err := s.network.Start(ctx); err != nil {
		return err
	}
	s.screen.Done(fmt.Sprintf("%d processes run with keys and TLS of their own; a leader is elected (%.1f s)",
		len(s.network.Processes()), time.Since(began).Seconds()))
	began = time.Now()
	if err := s.network.MakeKey(ctx); err != nil {
		return err
	}
	s.screen.Done(fmt.Sprintf("%d share holders made the pseudonymisation key, which none of them knows; %d are needed for a pseudonym (%.1f s)",
		s.Voters, s.network.threshold(), time.Since(began).Seconds()))
	return nil
}

// register takes in all files, and kills the leader when half of them are in.
func (s *story) register(ctx context.Context, visits []visit) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	s.load = newLoad(s.network, visits, generated(sparePatients, s.Hospitals, s.Seed+1))
	s.load.bar = s.screen.Progress("files checked, pseudonymised, sealed, submitted, under a receipt", int64(len(visits)))
	fed := make(chan error, 1)
	go func() { fed <- s.load.run(ctx) }()
	kill := s.killLeader(ctx)
	s.load.dropSpare()
	if kill != nil {
		cancel() // nothing more to wait for
	}
	err := errors.Join(kill, <-fed)
	s.load.bar.Close()
	t := s.load.result()
	s.result.Accepted, s.result.Refused, s.result.Refusals = t.accepted, t.refused, t.refusals
	s.result.Registrations, s.result.LoadCases = t.registrations, t.spareCases
	if err == nil {
		s.screen.Done(fmt.Sprintf("%d files accepted, %d refused%s: checked, pseudonymised by %d share holders, sealed, submitted",
			t.accepted, t.refused, refusalList(t.refusals), s.network.threshold()))
		s.screen.Done(fmt.Sprintf("%d registrations under a receipt, those of second hospitals included", t.registrations))
		if t.spareCases > 0 {
			s.screen.Done(fmt.Sprintf("%d made-up cases kept the load on during the kill; they are counted apart", t.spareCases))
		}
	}
	return err
}

func refusalList(refusals map[string]int) string {
	if len(refusals) == 0 {
		return ""
	}
	var codes []string
	for code, n := range refusals {
		codes = append(codes, fmt.Sprintf("%s x%d", code, n))
	}
	slices.Sort(codes)
	return " (" + strings.Join(codes, ", ") + ")"
}

// killLeader kills the leader under load, measures the time to the next
// receipt of a batch sent after that, and brings the node back.
func (s *story) killLeader(ctx context.Context) error {
	for done, total := s.load.progress(); done*2 < total && done < total; done, total = s.load.progress() {
		if err := pause(ctx); err != nil {
			return err
		}
	}
	leader, err := s.network.Leader(ctx)
	if err != nil {
		return err
	}
	if err := leader.Kill(); err != nil {
		return err
	}
	killed := time.Now()
	s.result.LeaderKilled = leader.Node
	s.screen.Done(fmt.Sprintf("leader %s killed (kill -9) under load", leader.Node))
	if s.Voters < 3 {
		if err := leader.Start(); err != nil {
			return err
		}
	}
	next, err := s.receiptAfter(ctx, killed)
	if err != nil {
		return err
	}
	s.result.RecoveredMS = next.Sub(killed).Milliseconds()
	if err := leader.Start(); err != nil {
		return err
	}
	heir, err := s.network.Leader(ctx)
	if err != nil {
		return err
	}
	s.result.NewLeader = heir.Node
	s.screen.Done(fmt.Sprintf("%s leads; next receipt %d ms after the kill", heir.Node, s.result.RecoveredMS))
	if err := leader.WaitReady(ctx); err != nil {
		return err
	}
	s.screen.Done(leader.Node + " is back and has caught up")
	return nil
}

// receiptAfter waits for the receipt of a batch that was sent after t.
func (s *story) receiptAfter(ctx context.Context, t time.Time) (time.Time, error) {
	for {
		select {
		case <-ctx.Done():
			return t, fmt.Errorf("wait for a receipt after the kill: %w", ctx.Err())
		case e := <-s.load.events:
			if e.sent.After(t) {
				return e.receipted, nil
			}
		}
	}
}

// converge waits until no envelope is under way and all nodes are equal.
func (s *story) converge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := s.await(ctx, "the nodes converge", func() (bool, error) { return s.compare(ctx) }); err != nil {
		return err
	}
	s.result.Converged = true
	s.screen.Done(fmt.Sprintf("%d nodes, %d entries, root %.16s…", len(s.result.Nodes), s.result.TreeSize, s.result.Root))
	return nil
}

func (s *story) compare(ctx context.Context) (bool, error) {
	s.result.Nodes = nil
	equal := true
	for _, p := range s.network.Processes() {
		st, err := p.Client.Status(ctx)
		if err != nil {
			return false, err
		}
		s.result.Nodes = append(s.result.Nodes, Node{Name: st.Node, Kind: st.Kind, Size: st.Size, Root: st.Root})
		first := s.result.Nodes[0]
		equal = equal && st.Ready && st.Outbox == 0 && st.Size == first.Size && st.Root == first.Root && st.Checkpoint == st.Size
	}
	s.result.TreeSize, s.result.Root = s.result.Nodes[0].Size, s.result.Nodes[0].Root
	return equal, nil
}

// countPersons opens every case as the coordinator and counts persons by
// pseudonym.
func (s *story) countPersons(ctx context.Context) error {
	hospitals := map[string]map[uint32]bool{}
	spare := s.load.result().spareIDs
	for e, err := range s.network.Reader.Client.Entries(ctx, 0, 0) {
		if err != nil {
			return err
		}
		if e.Problem != "" {
			return fmt.Errorf("entry %d does not open: %s", e.Index, e.Problem)
		}
		if e.Type != "case" || spare[e.ID] {
			continue
		}
		if hospitals[e.Person] == nil {
			hospitals[e.Person] = map[uint32]bool{}
		}
		hospitals[e.Person][e.Hospital] = true
		if e.Listed != "" {
			s.result.OnTheLists++
		} else {
			s.result.OffTheLists++
		}
	}
	s.result.Patients = len(hospitals)
	for _, at := range hospitals {
		if len(at) > 1 {
			s.result.PatientsAtTwoHospitals++
		}
	}
	s.screen.Done(fmt.Sprintf("%d persons behind %d registrations, %d of them at two hospitals; no hospital learned of another",
		s.result.Patients, s.result.OnTheLists+s.result.OffTheLists, s.result.PatientsAtTwoHospitals))
	s.screen.Done(fmt.Sprintf("%d registrations of diseases on the national lists, %d of others", s.result.OnTheLists, s.result.OffTheLists))
	return nil
}

// verify checks a receipt and the whole log in processes of their own, which
// know the policy file and nothing else.
func (s *story) verify(ctx context.Context) error {
	policy, err := s.network.Reader.Client.Policy(ctx)
	if err != nil {
		return err
	}
	policyPath := filepath.Join(s.Dir, "policy.txt")
	if err := os.WriteFile(policyPath, []byte(policy), 0o600); err != nil {
		return err
	}
	index := s.load.result().sample
	proof, err := s.network.Hospitals[0].Client.Prove(ctx, index)
	if err != nil {
		return err
	}
	receiptPath := filepath.Join(s.Dir, "receipt.txt")
	if err := os.WriteFile(receiptPath, []byte(proof.Proof), 0o600); err != nil {
		return err
	}
	if err := s.command(ctx, "log", "verify", "--policy", policyPath, "--proof", receiptPath); err != nil {
		return err
	}
	s.screen.Done(fmt.Sprintf("receipt of entry %d: a majority of the voters vouches for it", index))
	head, err := s.network.Reader.Client.Head(ctx)
	if err != nil {
		return err
	}
	notePath := filepath.Join(s.Dir, "checkpoint.note")
	if err := os.WriteFile(notePath, []byte(head.Note), 0o600); err != nil {
		return err
	}
	if err := s.command(ctx, "log", "verify", "--policy", policyPath, "--checkpoint", notePath, s.network.Reader.Dir); err != nil {
		return err
	}
	if head.Size != s.result.TreeSize {
		return fmt.Errorf("the checkpoint covers %d of %d entries", head.Size, s.result.TreeSize)
	}
	s.result.Verified = true
	s.screen.Done(fmt.Sprintf("log of %d entries: every signature, leaf and root re-derived from the genesis", s.result.TreeSize))
	return nil
}

// command runs a command of this program in a process of its own.
func (s *story) command(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, s.Binary, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(s.Binary), strings.Join(args, " "), err, out)
	}
	return nil
}
