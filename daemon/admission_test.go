package daemon

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/meter"
	"github.com/raresync/raresync/registry/act"
)

func TestAFoundersKeysUnderAnotherNameAreNoNewcomer(t *testing.T) {
	h1 := network(t)["h1"]
	h1.cfg.Node.ID = "h9"
	err := Run(t.Context(), h1.cfg, slog.New(slog.DiscardHandler), "test")
	if !errors.Is(err, home.ErrOtherGenesis) || !strings.Contains(err.Error(), `knows its key as that of "h1"`) {
		t.Errorf("got %v, want a node of another name", err)
	}
}

// TestANodeThatNobodyLetInWaitsAndEndsInOrder is one whose admission never comes.
func TestANodeThatNobodyLetInWaitsAndEndsInOrder(t *testing.T) {
	places := network(t)
	dir := filepath.Join(shortDir(t), "new")
	must(t, home.Init(home.InitOptions{Dir: dir, NodeID: "new", Kind: act.Mirror, Institution: act.Institution{
		Role: act.RoleHospital, Entity: "entity-new", NameEN: "New hospital", Province: "51",
	}}))
	cfg, err := config.Load(filepath.Join(dir, "raresync.toml"))
	must(t, err)
	genesis, err := home.ReadGenesis(places["h1"].cfg)
	must(t, err)
	must(t, home.WriteGenesis(cfg, genesis))
	p := &place{cfg: cfg, client: admin.NewClient(cfg.Listen.AdminSocket)}
	p.start(t)
	until(t, "status says that no voter answers", func() (bool, error) {
		s, err := p.client.Status(t.Context())
		return s.Why == whyNoVoter.en && s.WhyZH == whyNoVoter.zh && !s.Ready && s.Node == "new" && s.Hospital == 0 && s.NetworkID != "", err
	})
	places["h1"].start(t)
	until(t, "the founder refuses it", func() (bool, error) {
		return strings.Contains(places["h1"].logged.text(), "the key is not in the roster"), nil
	})
	until(t, "it says that it waits", func() (bool, error) {
		return strings.Contains(p.logged.text(), "waiting until lead hospitals let this node in"), nil
	})
	until(t, "status says what it waits for", func() (bool, error) {
		s, err := p.client.Status(t.Context())
		return s.Why == whyNotIn.en, err
	})
	if _, err := p.client.Submit(t.Context(), admin.Submission{}); problemCode(err) != admin.CodeNotYet || !strings.Contains(err.Error(), errNotIn.Error()) {
		t.Errorf("a submission meanwhile: %v", err)
	}
	p.end(t) // checks that it ends in time and without an error
}

func TestAWaitEndsWithTheFailureOfThePartsBelow(t *testing.T) {
	cfg := network(t)["reader"].cfg
	s := &service{cfg: cfg, log: slog.New(slog.DiscardHandler), version: "test", clock: time.Now, failed: make(chan error, 16), meter: meter.New()}
	must(t, s.open(t.Context()))
	defer func() { must(t, s.close()) }()
	broken := errors.New("the disk")
	s.fail(broken)
	if _, err := s.waitOrFail(t.Context(), func(*state.State) bool { return false }); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}
