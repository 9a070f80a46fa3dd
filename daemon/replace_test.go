package daemon

import (
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
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
	return replacementBy(t, s, places, fresh, home.Next{
		Envelope: fresh.Envelope, Request: fresh.Request, Response: fresh.Response, TLS: fresh.TLS, Sealing: fresh.Sealing,
	})
}

// replacementBy is replacement with some of the fresh keys.
func replacementBy(t *testing.T, s *service, places map[string]*place, fresh *home.Keys, next home.Next) act.Act {
	t.Helper()
	view := s.node.View()
	r := RotationOf(&next, 4, "reader")
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
	_, err = fresh.client.RotateKeys(t.Context(), admin.KeyChoice{}) // its chain goes on
	must(t, err)
}

// TestKeysThatWereReplacedAreToldAtOnce has a reader's keys replaced while its
// node runs with the old ones: what needs a signature is refused with the words
// that status has, and does not wait. With another TLS key in force the node is
// cut off, as a rule before it hears why.
func TestKeysThatWereReplacedAreToldAtOnce(t *testing.T) {
	t.Run("the envelope key", func(t *testing.T) {
		toldAtOnce(t, func(fresh *home.Keys) home.Next { return home.Next{Envelope: fresh.Envelope} }, errOtherKey)
	})
	t.Run("the envelope key and the node's TLS key", func(t *testing.T) {
		toldAtOnce(t, func(fresh *home.Keys) home.Next { return home.Next{Envelope: fresh.Envelope, TLS: fresh.TLS} }, errOtherKey, errOutcast)
	})
}

func toldAtOnce(t *testing.T, replaced func(*home.Keys) home.Next, want ...error) {
	t.Helper()
	says := func(s string) bool {
		return slices.ContainsFunc(want, func(err error) bool { return strings.Contains(s, err.Error()) })
	}
	places := network(t)
	s := places["h1"].startService(t)
	for _, id := range []string{"h2", "h3", "reader"} {
		places[id].start(t)
	}
	for _, id := range []string{"h1", "h2", "h3", "reader"} {
		places[id].ready(t)
	}
	old := places["reader"]
	_, err := old.client.GenerateKeys(t.Context(), admin.KeyChoice{Request: true})
	must(t, err)
	fresh, _, err := home.LoadKeys(freshReader(t, old).cfg)
	must(t, err)
	must(t, s.outbox.PostAct(t.Context(), replacementBy(t, s, places, fresh, replaced(fresh))))
	until(t, "status says that the key is another", func() (bool, error) {
		st, err := old.client.Status(t.Context())
		return slices.ContainsFunc(st.Warnings, says), err
	})
	_, rotated := old.client.RotateKeys(t.Context(), admin.KeyChoice{})
	granted := old.client.Grant(t.Context(), admin.KeyGrant{Institution: 4}, func(admin.KeyGranting) {})
	_, started := old.client.StartCeremony(t.Context(), admin.CeremonyStart{Seconds: 3600})
	keys, err := old.client.Keys(t.Context())
	must(t, err)
	present := slices.IndexFunc(keys, func(k admin.HeldKey) bool {
		return k.Institution == 4 && k.Purpose == "request" && k.State == "present"
	})
	_, submitted := old.client.Submit(t.Context(), admin.Submission{Files: someFiles(t, 1)})
	_, revoked := old.client.RevokeKey(t.Context(), admin.KeyRevocation{Key: keys[present].ID})
	for what, err := range map[string]error{"rotate": rotated, "grant": granted, "ceremony start": started, "revoke": revoked, "submit": submitted} {
		var p *admin.Problem
		if !errors.As(err, &p) || p.Code != admin.CodeKeys || !says(p.Detail) || p.Hint != keyReplacement {
			t.Errorf("%s: %v, want a refusal with the words of status", what, err)
		}
	}
}
