package daemon

import (
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
)

// freshReader is a data directory under the reader's node id with keys that
// nobody knows yet.
func freshReader(t *testing.T, lost *place) *place {
	t.Helper()
	dir := filepath.Join(shortDir(t), "reader")
	must(t, home.Init(home.InitOptions{Dir: dir, NodeID: "reader", Kind: act.Mirror, Institution: act.Institution{
		Role: act.RoleReader, Entity: "entity-reader", NameEN: "Coordinator", Rights: act.RightNational | act.RightGenetics,
	}}))
	cfg, err := config.Load(filepath.Join(dir, "raresync.toml"))
	must(t, err)
	genesis, err := home.ReadGenesis(lost.cfg)
	must(t, err)
	must(t, home.WriteGenesis(cfg, genesis))
	return &place{cfg: cfg, client: admin.NewClient(cfg.Listen.AdminSocket)}
}

// replacement is the act that two hospitals approve in place of the reader's
// lost keys.
func replacement(t *testing.T, s *service, places map[string]*place, fresh *home.Keys) act.Act {
	t.Helper()
	view := s.node.View()
	r := RotationOf(&home.Next{
		Envelope: fresh.Envelope, Request: fresh.Request, Response: fresh.Response, TLS: fresh.TLS, Sealing: fresh.Sealing,
	}, 4, "reader")
	must(t, r.Prove(view.Network, fresh.Envelope))
	a := act.Act{
		Version: act.Version, Type: act.TypeReplace, RosterVersion: view.RosterVersion,
		Expiry: uint64(time.Now().Add(time.Hour).UnixMilli()), Payload: r.Marshal(),
	}
	for i, id := range []string{"h1", "h2"} {
		keys, _, err := home.LoadKeys(places[id].cfg)
		must(t, err)
		p, err := a.Approve(view.Network, uint32(i+1), keys.Envelope)
		must(t, err)
		a.Approvals = append(a.Approvals, p)
	}
	return a
}

// TestAReaderThatLostEverythingComesBackWithReplacedKeys has its old node gone
// for good: the new one is known by its new keys, reads what is sealed from then
// on, and says of older entries that their key is not there.
func TestAReaderThatLostEverythingComesBackWithReplacedKeys(t *testing.T) {
	places := network(t)
	s := places["h1"].startService(t)
	for _, id := range []string{"h2", "h3"} {
		places[id].start(t)
	}
	for _, id := range []string{"h1", "h2", "h3"} {
		places[id].ready(t)
	}
	files := someFiles(t, 4)
	places["h1"].take(t, files[0])
	fresh := freshReader(t, places["reader"])
	if err := Run(t.Context(), fresh.cfg, slog.New(slog.DiscardHandler), "test"); !errors.Is(err, home.ErrKeys) {
		t.Fatalf("with keys that the genesis does not know: %v, want ErrKeys", err)
	}
	must(t, home.Adopt(fresh.cfg))
	keys, _, err := home.LoadKeys(fresh.cfg)
	must(t, err)
	must(t, s.outbox.PostAct(t.Context(), replacement(t, s, places, keys)))
	fresh.start(t)
	fresh.ready(t)
	places["h1"].take(t, files[1])
	until(t, "the reader opens what is sealed to its new key", func() (bool, error) {
		opened, closed := 0, 0
		for e, err := range fresh.client.Entries(t.Context(), 0, 0) {
			must(t, err)
			switch e.Problem {
			case "":
				opened++
			case "SEAL004":
				closed++
			default:
				t.Errorf("entry %d: %s", e.Index, e.Problem)
			}
		}
		return opened > 0 && closed > 0, nil
	})
	_, err = fresh.client.GenerateKeys(t.Context(), admin.KeyChoice{Request: true})
	must(t, err)
	_, err = fresh.client.RotateKeys(t.Context()) // its chain goes on
	must(t, err)
}
