package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/founding"
)

// Coordinator is the node id of the national coordinator.
const Coordinator = "coordinator"

// stretchKiB is the memory of one Argon2id in a demo network. Real networks
// use 19456: guessing must be expensive there, and waiting is not, here.
const stretchKiB = 1024

// Network is a founded network of processes.
type Network struct {
	Dir       string
	Binary    string
	Hospitals []*Process // numbered 1..n in this order
	Reader    *Process   // the coordinator

	voters int
}

// provinces gives the made-up hospitals a place.
var provinces = []string{"11", "31", "44", "51", "42", "61", "33", "37", "21", "53", "65"}

// CheckSize says why a demo network cannot have these numbers, or nil.
func CheckSize(hospitals, voters int) error {
	if hospitals < 1 || hospitals > act.MaxFounders-1 || voters < 1 || voters > hospitals || voters%2 == 0 || voters > 9 {
		return fmt.Errorf("%d hospitals with %d voters: want 1 to %d hospitals, and 1, 3, 5, 7 or 9 of them voters",
			hospitals, voters, act.MaxFounders-1)
	}
	return nil
}

// Found makes the data directories of hospitals h1..hn, the first voters of
// which vote and are to hold a share, and of the coordinator, and founds a
// network marked demo with them. Nothing runs yet.
func Found(dir, binary string, hospitals, voters int) (*Network, error) {
	return FoundWith(act.DefaultPolicy(), FreeAddress, dir, binary, hospitals, voters)
}

// FoundWith is Found with a policy of the caller's own, and with what gives each
// voter its address, in their order.
func FoundWith(policy act.Policy, address func() (string, error), dir, binary string, hospitals, voters int) (*Network, error) {
	if err := CheckSize(hospitals, voters); err != nil {
		return nil, err
	}
	n := &Network{Dir: dir, Binary: binary, voters: voters}
	for i := range hospitals {
		kind := act.Voter
		if i >= voters {
			kind = act.Mirror
		}
		p, err := n.init(fmt.Sprintf("h%d", i+1), kind, address, act.Institution{
			Role: act.RoleHospital, Entity: fmt.Sprintf("demo-hospital-%d", i+1), Lead: true, Province: provinces[i],
			NameEN: fmt.Sprintf("Demo hospital %d", i+1), NameZH: fmt.Sprintf("演示医院%d", i+1),
		})
		if err != nil {
			return nil, err
		}
		n.Hospitals = append(n.Hospitals, p)
	}
	var err error
	n.Reader, err = n.init(Coordinator, act.Mirror, address, act.Institution{
		Role: act.RoleReader, Entity: "demo-coordinator", Rights: act.RightNational | act.RightGenetics,
		NameEN: "Demo national coordinator", NameZH: "演示国家协调中心",
	})
	if err != nil {
		return nil, err
	}
	return n, n.found(policy)
}

// Processes returns all processes, the coordinator's last.
func (n *Network) Processes() []*Process {
	return append(n.Hospitals[:len(n.Hospitals):len(n.Hospitals)], n.Reader)
}

// init makes one data directory; a voter is given an address.
func (n *Network) init(id string, kind act.NodeKind, address func() (string, error), i act.Institution) (*Process, error) {
	o := home.InitOptions{Dir: filepath.Join(n.Dir, id), NodeID: id, Kind: kind, Institution: i}
	if kind == act.Voter {
		at, err := address()
		if err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
		o.Listen, o.Addresses = at, []string{at}
	}
	if err := home.Init(o); err != nil {
		return nil, fmt.Errorf("demo: %s: %w", id, err)
	}
	p, err := newProcess(n.Binary, id, o.Dir)
	if err == nil {
		err = takeTestNumbers(p.Config())
	}
	return p, err
}

// takeTestNumbers has a node take printed specimens as identity numbers: nobody in a
// demo network has a real one.
func takeTestNumbers(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	changed := bytes.Replace(raw, []byte("\n#production = true\n"), []byte("\nproduction = false\n"), 1)
	if bytes.Equal(changed, raw) {
		return fmt.Errorf("demo: %s sets no production", path)
	}
	return os.WriteFile(path, changed, 0o600)
}

// given holds the addresses that FreeAddress has returned.
var given sync.Map

// FreeAddress returns a loopback address whose port nobody uses now, and none
// twice. The port is not one that systems give to outgoing connections: while a
// node is down, those that dial it could be given its own, and it would not get
// it back.
func FreeAddress() (string, error) {
	const first, count = 16_384, 16_384
	var problem error
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+mathrand.IntN(count)))
		if err != nil {
			problem = err
			continue
		}
		address := l.Addr().String()
		if err := l.Close(); err != nil {
			return "", err
		}
		if _, again := given.LoadOrStore(address, true); !again {
			return address, nil
		}
	}
	return "", fmt.Errorf("no free port: %w", problem)
}

// found does what operators do with found draft, approve and finish.
func (n *Network) found(policy act.Policy) error {
	var cards []founding.Card
	for _, p := range n.Processes() {
		card, err := home.Card(p.Dir)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		cards = append(cards, *card)
	}
	params := pseudonym.Params{KDF: pseudonym.KDFArgon2id, Time: 1, MemoryKiB: stretchKiB, Parallelism: 1}
	_, _ = rand.Read(params.Salt[:]) // crypto/rand.Read never fails
	draft, err := founding.NewDraft(founding.Plan{
		Name: "demo.raresync/network", Demo: true, Identity: params, Policy: policy, Cards: cards,
		Catalogue: act.Catalogue{Edition: catalog.Current().Edition(), Hash: catalog.Current().Hash()},
	}, rand.Reader)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return n.approve(draft)
}

func (n *Network) approve(draft *founding.Draft) error {
	var approvals []act.Approval
	var first *home.Keys
	for _, p := range n.Processes() {
		keys, _, err := home.LoadKeys(p.config)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		number, ok := draft.Number(keys.Envelope.Public().ID())
		if !ok {
			return fmt.Errorf("demo: %s is not in the draft", p.Node)
		}
		p.Number = number
		approval, err := draft.Approve(number, keys.Envelope)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		approvals = append(approvals, approval)
		if number == 1 {
			first = keys
		}
	}
	if first == nil {
		return errors.New("demo: no hospital 1")
	}
	genesis, err := draft.Finish(approvals, uint64(time.Now().UnixMilli()), first.Envelope)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	for _, p := range n.Processes() {
		if err := home.WriteGenesis(p.config, genesis); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	return nil
}

// threshold returns how many share holders make a pseudonym.
func (n *Network) threshold() int { return keyshare.Threshold(n.voters) }

// Start starts every process that does not run and waits until all are ready.
func (n *Network) Start(ctx context.Context) error {
	for _, p := range n.Processes() {
		if err := p.Start(); err != nil {
			return err
		}
	}
	for _, p := range n.Processes() {
		if err := p.WaitReady(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ceremonyTime is how long the holders of a demo network get to make their key.
const ceremonyTime = 10 * time.Minute

// MakeKey has the share holders make the pseudonymisation key, if there is none
// yet, and waits until every process that runs knows it. All holders run.
func (n *Network) MakeKey(ctx context.Context) error {
	k, err := n.Hospitals[0].Client.Key(ctx)
	if err == nil && k.Epoch == 0 && (k.Ceremony == nil || !k.Ceremony.Open) {
		_, err = n.Hospitals[0].Client.StartCeremony(ctx, admin.CeremonyStart{Seconds: uint64(ceremonyTime.Seconds())})
	}
	if err != nil {
		return fmt.Errorf("demo: make the key: %w", err)
	}
	for _, p := range n.Processes() {
		for p.Running() {
			k, err := p.Client.Key(ctx)
			if err == nil && k.Canary {
				break
			}
			if err == nil && k.Epoch == 0 && k.Ceremony != nil && !k.Ceremony.Open {
				return fmt.Errorf("demo: make the key: %s", k.Ceremony.Ended)
			}
			if wait := pause(ctx); wait != nil {
				return fmt.Errorf("demo: make the key: %s: %w", p.Node, errors.Join(wait, err))
			}
		}
	}
	return nil
}

// Stop ends every process, the coordinator first, and returns what went wrong.
func (n *Network) Stop() error {
	var problems []error
	all := n.Processes()
	for i := len(all) - 1; i >= 0; i-- {
		problems = append(problems, all[i].Stop())
	}
	return errors.Join(problems...)
}

// Leader returns the process that leads, as the others see it.
func (n *Network) Leader(ctx context.Context) (*Process, error) {
	for {
		for _, p := range n.Hospitals {
			s, err := p.Client.Status(ctx)
			if err != nil || s.Leader == "" || !s.Ready || s.Kind != act.Voter.String() {
				continue
			}
			for _, q := range n.Hospitals {
				if q.Node == s.Leader && q.Running() {
					return q, nil
				}
			}
		}
		if err := pause(ctx); err != nil {
			return nil, fmt.Errorf("demo: no leader: %w", err)
		}
	}
}

// pollInterval is how often a condition of other processes is asked.
const pollInterval = 50 * time.Millisecond

func pause(ctx context.Context) error {
	t := time.NewTimer(pollInterval)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
