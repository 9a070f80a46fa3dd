package daemon

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/founding"
	"github.com/raresync/raresync/registry/generate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// deadline is how long a test waits for what must happen.
const deadline = 60 * time.Second

// place is one daemon with its directory.
type place struct {
	cfg    config.Config
	client *admin.Client
	logged lockedBuffer
	stop   context.CancelFunc
	ended  chan error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// network is a founded network of three voting hospitals and a national
// reader; none runs yet.
func network(t *testing.T) map[string]*place {
	t.Helper()
	return networkWith(t, act.DefaultPolicy())
}

func networkWith(t *testing.T, policy act.Policy) map[string]*place {
	t.Helper()
	places := map[string]*place{}
	var cards []founding.Card
	ids := []string{"h1", "h2", "h3", "reader"}
	for _, id := range ids {
		o := home.InitOptions{Dir: filepath.Join(shortDir(t), id), NodeID: id, Kind: act.Voter}
		o.Institution = act.Institution{Role: act.RoleHospital, Entity: "entity-" + id, NameEN: "Hospital " + id, Province: "11", Lead: true}
		if id == "reader" {
			o.Kind = act.Mirror
			o.Institution = act.Institution{
				Role: act.RoleReader, Entity: "entity-reader", NameEN: "Coordinator", Rights: act.RightNational | act.RightGenetics,
			}
		} else {
			o.Listen = freeAddress(t)
			o.Addresses = []string{o.Listen}
		}
		must(t, home.Init(o))
		card, err := home.Card(o.Dir)
		must(t, err)
		cards = append(cards, *card)
		cfg, err := config.Load(filepath.Join(o.Dir, "raresync.toml"))
		must(t, err)
		places[id] = &place{cfg: cfg, client: admin.NewClient(cfg.Listen.AdminSocket)}
	}
	found(t, policy, places, ids, cards)
	return places
}

// shortDir is a directory whose name leaves room for a socket's.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rs")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

// freeAddress returns an address whose port the system gives to no outgoing
// connection, so that nobody takes it before its node listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 16_384+mathrand.IntN(16_384)))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		must(t, err)
		must(t, l.Close())
		return l.Addr().String()
	}
}

func found(t *testing.T, policy act.Policy, places map[string]*place, ids []string, cards []founding.Card) {
	t.Helper()
	draft, err := founding.NewDraft(founding.Plan{
		Dealt: true,
		Name:  "test.example/network", Demo: true, Policy: policy, Cards: cards,
		Identity:  pseudonym.Params{KDF: pseudonym.KDFArgon2id, Time: 1, MemoryKiB: 64, Parallelism: 1},
		Catalogue: act.Catalogue{Edition: catalog.Current().Edition(), Hash: catalog.Current().Hash()},
	}, rand.Reader)
	must(t, err)
	var approvals []act.Approval
	for i, id := range ids {
		keys, _, err := home.LoadKeys(places[id].cfg)
		must(t, err)
		share, holds, err := draft.Share(uint32(i+1), keys.Sealing)
		must(t, err)
		if holds {
			must(t, home.SaveShare(places[id].cfg, share))
		}
		p, err := draft.Approve(uint32(i+1), keys.Envelope)
		must(t, err)
		approvals = append(approvals, p)
	}
	keys, _, err := home.LoadKeys(places["h1"].cfg)
	must(t, err)
	genesis, err := draft.Finish(approvals, uint64(time.Now().UnixMilli()), keys.Envelope)
	must(t, err)
	for _, id := range ids {
		must(t, home.WriteGenesis(places[id].cfg, genesis))
	}
}

func (p *place) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p.stop, p.ended = cancel, make(chan error, 1)
	go func() {
		p.ended <- Run(ctx, p.cfg, slog.New(slog.NewTextHandler(&p.logged, &slog.HandlerOptions{Level: slog.LevelDebug})), "test")
	}()
	t.Cleanup(func() { p.end(t) })
}

// end stops a daemon as SIGTERM would.
func (p *place) end(t *testing.T) {
	t.Helper()
	if p.stop == nil {
		return
	}
	began := time.Now()
	p.stop()
	p.stop = nil
	select {
	case err := <-p.ended:
		if err != nil || time.Since(began) > 10*time.Second {
			t.Errorf("%s ended after %s with %v", p.cfg.Node.ID, time.Since(began), err)
		}
	case <-time.After(deadline):
		t.Fatalf("%s does not end", p.cfg.Node.ID)
	}
}

// until asks until the answer satisfies, or the deadline.
func until(t *testing.T, what string, ok func() (bool, error)) {
	t.Helper()
	tick, end := time.NewTicker(20*time.Millisecond), time.After(deadline)
	defer tick.Stop()
	for {
		good, err := ok()
		if good {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not in time: %s (%v)", what, err)
		}
	}
}

func (p *place) ready(t *testing.T) {
	t.Helper()
	until(t, p.cfg.Node.ID+" ready", func() (bool, error) {
		s, err := p.client.Status(t.Context())
		return err == nil && s.Ready, err
	})
}

// made returns a file with genetics and its number.
func made(t *testing.T) (admin.File, string) {
	t.Helper()
	for f := range generate.Files(generate.Options{
		Seed: 7, Hospitals: 1, Patients: 50, Today: entry.DateOf(time.Now()), Catalog: catalog.Current(),
	}) {
		if bytes.Contains(f.Raw, []byte("interpretations")) {
			subject := strings.TrimSuffix(f.Name, ".json")
			return admin.File{Name: f.Name, Data: f.Raw, Identities: map[string]admin.Document{
				subject: {Type: "RIC", Value: f.ResidentID},
			}}, f.ResidentID
		}
	}
	t.Fatal("no file with genetics")
	return admin.File{}, ""
}

func problemCode(err error) string {
	var p *admin.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return fmt.Sprint(err)
}
