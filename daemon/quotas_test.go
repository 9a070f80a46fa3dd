package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/meter"
	"github.com/raresync/raresync/daemon/quota"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/generate"
)

// patients returns files of so many people.
func patients(n int) (out []admin.File) {
	for f := range generate.Files(generate.Options{
		Seed: 7, Hospitals: 1, Patients: n, Today: entry.DateOf(time.Now()), Catalog: catalog.Current(),
	}) {
		out = append(out, admin.File{Name: f.Name, Data: f.Raw, Identities: map[string]admin.Document{
			strings.TrimSuffix(f.Name, ".json"): {Type: "RIC", Value: f.ResidentID},
		}})
	}
	return out
}

// startService is start with a hold on the daemon's parts.
func (p *place) startService(t *testing.T) *service {
	t.Helper()
	return p.startServiceAt(t, time.Now)
}

// startServiceAt is startService by another clock.
func (p *place) startServiceAt(t *testing.T, clock func() time.Time) *service {
	t.Helper()
	s := &service{cfg: p.cfg, log: slog.New(slog.NewTextHandler(&p.logged, nil)), version: "test", clock: clock, failed: make(chan error, 16), meter: meter.New()}
	must(t, s.open(t.Context()))
	ctx, cancel := context.WithCancel(context.Background())
	p.stop, p.ended = cancel, make(chan error, 1)
	go func() { p.ended <- errors.Join(s.serve(ctx), s.close()) }()
	t.Cleanup(func() { p.end(t) })
	return s
}

// waiting waits until so many of a hospital's files wait.
func (p *place) waiting(t *testing.T, want int) {
	t.Helper()
	until(t, "files that wait", func() (bool, error) {
		s, err := p.client.Status(t.Context())
		told := strings.Contains(strings.Join(s.Warnings, "\n"), "submitted files wait for another day's quota, the first since "+s.WaitingSince)
		return err == nil && s.Waiting == want && told == (want > 0), err
	})
}

func TestFilesOverQuotaWaitOverARestartAndGoOnWithAnAllowance(t *testing.T) {
	policy := act.DefaultPolicy()
	policy.QuotaFloor = 4 // at each of two holders beside the hospital's own, of which one is needed: 8 people
	places := networkWith(t, policy)
	h1 := places["h1"]
	for _, p := range places {
		if p != h1 {
			p.start(t)
		}
	}
	h1.startService(t)
	for _, p := range places {
		p.ready(t)
	}
	files := patients(12)
	got, err := h1.client.Submit(t.Context(), admin.Submission{Files: files, Wait: true})
	must(t, err)
	outcomes := map[string]int{}
	for _, f := range got.Files {
		outcomes[f.Outcome]++
	}
	if outcomes["accepted"] != 8 || outcomes["waiting"] != 4 {
		t.Fatalf("outcomes are %v, want 8 accepted and 4 waiting", outcomes)
	}
	h1.waiting(t, 4)
	_, over := h1.client.CheckPseudonym(t.Context(), admin.Document{Type: "PP", Issuer: "FRA", Value: "X1234567"})
	if over == nil || !strings.Contains(over.Error(), "hint: this hospital's quota of today is used up") {
		t.Errorf("a check over quota says %v", over)
	}
	h1.end(t)
	s := h1.startService(t)
	h1.ready(t)
	h1.waiting(t, 4)

	view := s.node.View()
	day := pseudonym.QuotaDay(uint64(time.Now().UnixMilli()))
	a := act.Act{
		Version: act.Version, Type: act.TypeAllowance, RosterVersion: view.RosterVersion, Expiry: uint64(time.Now().Add(time.Hour).UnixMilli()),
		Payload: act.Allowance{Hospital: 1, First: day, Last: day + 1, Elements: 100}.Marshal(),
	}
	for n, id := range []string{"h1", "h2", "h3"} {
		keys, _, err := home.LoadKeys(places[id].cfg)
		must(t, err)
		p, err := a.Approve(view.Network, uint32(n+1), keys.Envelope)
		must(t, err)
		a.Approvals = append(a.Approvals, p)
	}
	_, err = s.outbox.AddAct(t.Context(), a)
	must(t, err)
	h1.waiting(t, 0)
	got, err = h1.client.Submit(t.Context(), admin.Submission{Files: files[11:], Wait: true})
	must(t, err)
	if got.Files[0].Outcome != "known" {
		t.Errorf("the last file, submitted again, is %s", got.Files[0].Outcome)
	}
}

// TestFilesOverQuotaGoOnByThemselvesTheNextDay moves the clock of every machine by
// a day. Nobody does anything about the files that wait: the first checkpoint of
// the new day is enough.
func TestFilesOverQuotaGoOnByThemselvesTheNextDay(t *testing.T) {
	policy := act.DefaultPolicy()
	policy.QuotaFloor = 4 // as above: 8 people a day
	places := networkWith(t, policy)
	var ahead atomic.Int64
	ahead.Store(int64(toNoon(time.Now()))) // no day ends by itself
	for _, p := range places {
		p.startServiceAt(t, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	}
	for _, p := range places {
		p.ready(t)
	}
	h1, files := places["h1"], patients(20)
	_, err := h1.client.Submit(t.Context(), admin.Submission{Files: files, Wait: true})
	must(t, err)
	for day, left := range []int{12, 4, 0} {
		h1.waiting(t, left)
		if day == 2 {
			break
		}
		ahead.Add(int64(24 * time.Hour))
		places["h2"].take(t, someFiles(t, 2)[day]) // the first checkpoint of the day
	}
	again, err := h1.client.Submit(t.Context(), admin.Submission{Files: files[19:], Wait: true})
	must(t, err)
	if again.Files[0].Outcome != "known" {
		t.Errorf("the last file, submitted again, is %s", again.Files[0].Outcome)
	}
	bad := admin.File{Source: "csv", Refused: []string{"ID002", "DX001"}}
	_, err = h1.client.Submit(t.Context(), admin.Submission{Files: []admin.File{bad, bad, {Name: "no.json", Data: []byte("no")}}, Wait: true})
	must(t, err)
	ahead.Add(int64(24 * time.Hour))
	wantIntakes(t, places["reader"], 1, `{"offered":[{"accepted":8,"source":"phenopacket"}]}`, `{"offered":[{"accepted":8,"source":"phenopacket"}]}`,
		`{"offered":[{"accepted":4,"known":1,"refused":1,"source":"phenopacket"},{"refused":2,"source":"csv"}],`+
			`"refused":[{"count":2,"rule":"DX001"},{"count":2,"rule":"ID002"},{"count":1,"rule":"PP002"}]}`)
}

// toNoon is how long it is to the noon of tomorrow in China.
func toNoon(now time.Time) time.Duration {
	china := time.FixedZone("UTC+8", 8*3600)
	y, m, d := now.In(china).Date()
	return time.Date(y, m, d+1, 12, 0, 0, 0, china).Sub(now)
}

// wantIntakes waits until a reader sees the intakes of a hospital, of one day after
// the other.
func wantIntakes(t *testing.T, reader *place, hospital uint32, want ...string) {
	t.Helper()
	var got, days []string
	until(t, fmt.Sprintf("%d intakes", len(want)), func() (bool, error) {
		got, days = nil, nil
		for e, err := range reader.client.Entries(t.Context(), 0, 0) {
			if err != nil {
				return false, err
			}
			if e.Type != "intake" || e.Hospital != hospital {
				continue
			}
			one, err := reader.client.Entry(t.Context(), e.Index)
			if err != nil {
				return false, err
			}
			got, days = append(got, string(one.Content)), append(days, e.EventDate)
		}
		return len(got) == len(want), fmt.Errorf("%d", len(got))
	})
	if !slices.Equal(got, want) || !slices.IsSorted(days) || len(slices.Compact(days)) != len(want) {
		t.Errorf("intakes %v of %v\nwant %v", got, days, want)
	}
}

func TestAHolderWithADamagedCountSaysSoAndTheNodeRuns(t *testing.T) {
	places := network(t)
	h3 := places["h3"]
	dir := filepath.Join(h3.cfg.Node.DataDir, "quota")
	must(t, os.MkdirAll(dir, 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "0000002960"), []byte("damaged beyond its end, and not by zeros"), 0o600))
	for _, p := range places {
		p.start(t)
	}
	for _, p := range places {
		p.ready(t)
	}
	s, err := h3.client.Status(t.Context())
	must(t, err)
	if warned := strings.Join(s.Warnings, "\n"); !strings.Contains(warned, "evaluates nothing: "+quota.ErrDamaged.Error()) {
		t.Errorf("warnings: %s", warned)
	}
	if s, err := places["h1"].client.Status(t.Context()); err != nil || strings.Contains(strings.Join(s.Warnings, "\n"), "evaluates nothing") {
		t.Errorf("another node: %v, %v", s.Warnings, err)
	}
	got, err := places["h1"].client.Submit(t.Context(), admin.Submission{Files: patients(1), Wait: true})
	if err != nil || got.Files[0].Outcome != "accepted" {
		t.Errorf("two of three holders give %v, %v", got.Files, err)
	}
}

// checksOverARotation gives hospital 3 another request key. What the one before
// signed is its own still, until that key is revoked.
func checksOverARotation(t *testing.T, places map[string]*place, week uint32) {
	t.Helper()
	shown, err := places["h1"].client.ShowRequests(t.Context(), week, 3)
	must(t, err)
	signedBy := places["h3"].ids(t, "present")["request"]
	_, err = places["h3"].client.GenerateKeys(t.Context(), admin.KeyChoice{Request: true})
	must(t, err)
	_, err = places["h3"].client.RotateKeys(t.Context(), admin.KeyChoice{Request: true})
	must(t, err)
	found, err := places["h3"].client.CheckRequests(t.Context(), shown)
	if err != nil || !found.Holds || found.Elements != 600 {
		t.Errorf("after a rotation of the request key: %+v, %v", found, err)
	}
	_, err = places["h3"].client.RevokeKey(t.Context(), admin.KeyRevocation{Key: signedBy})
	must(t, err)
	found, err = places["h3"].client.CheckRequests(t.Context(), shown)
	if err != nil || found.Holds || !strings.Contains(found.Fault, "no request key of the hospital signed it") {
		t.Errorf("after its revocation: %+v, %v", found, err)
	}
}

// TestAHolderPostsItsWeekAndAHospitalThatDidNotAskSaysSo plants a week in a
// holder's count in which hospital 2 asked for 600 elements, and hospitals whose
// own records say 600 and nothing.
func TestAHolderPostsItsWeekAndAHospitalThatDidNotAskSaysSo(t *testing.T) {
	places := network(t)
	today := pseudonym.QuotaDay(uint64(time.Now().UnixMilli()))
	monday := (today/act.DaysInWeek - 1) * act.DaysInWeek
	book, err := quota.Open(quota.Config{Dir: filepath.Join(places["h1"].cfg.Node.DataDir, "quota"), Now: time.Now})
	must(t, err)
	book.Advance(monday)
	for _, hospital := range []uint32{2, 3} {
		asked := quota.Signed{
			Request:   pseudonym.Request{Hospital: hospital, QuotaDay: monday, N: 600},
			Signature: sign.Signature{MLDSA: make([]byte, sign.MLDSA65SignatureSize)},
		}
		if hospital == 3 {
			keys, _, err := home.LoadKeys(places["h3"].cfg)
			must(t, err)
			asked.Signature, err = keys.Request.Sign(sign.LabelRequest, asked.Request.AppendCBOR(nil))
			must(t, err)
		}
		must(t, book.Count(asked, func(uint32) uint64 { return 600 }))
	}
	must(t, book.Close())
	for id, elements := range map[string]uint64{"h2": 0, "h3": 600} {
		asked, err := quota.OpenAsked(filepath.Join(places[id].cfg.Node.DataDir, "asked"))
		must(t, err)
		must(t, asked.Note(monday-2, 0, 1))
		must(t, asked.Note(monday, elements, 1))
	}
	for id, p := range places {
		if id != "reader" {
			p.start(t)
		}
	}
	s := places["reader"].startService(t)
	until(t, "the usage of the week", func() (bool, error) {
		for _, u := range s.node.View().Usages {
			if u.Holder == 1 && u.Week == monday/act.DaysInWeek {
				return u.Requests == 2 && u.Of(2) == act.UsageBucket(600), nil
			}
		}
		return false, nil
	})
	warns := func(id string) bool {
		s, err := places[id].client.Status(t.Context())
		must(t, err)
		return strings.Contains(strings.Join(s.Warnings, "\n"), "share holder Hospital h1 (1) claims at least 512 evaluations for this hospital")
	}
	until(t, "hospital 2 doubts it", func() (bool, error) { return warns("h2"), nil })
	if warns("h3") {
		t.Error("hospital 3, which asked, doubts it too")
	}
	week := monday / act.DaysInWeek
	for id, tooMuch := range map[string]bool{"h2": true, "h3": false} {
		usages, err := places[id].client.Usages(t.Context())
		must(t, err)
		if len(usages) != 1 || usages[0].Week != week || usages[0].Holder != 1 || usages[0].AtLeast != 512 || usages[0].Below != 1024 || usages[0].TooMuch != tooMuch {
			t.Errorf("%s reads of %+v", id, usages)
		}
	}
	for hospital, fault := range map[uint32]string{2: "no request key of the hospital signed it", 3: ""} {
		shown, err := places["h1"].client.ShowRequests(t.Context(), week, hospital)
		must(t, err)
		found, err := places["h2"].client.CheckRequests(t.Context(), shown)
		must(t, err)
		if found.Holds != (fault == "") || !strings.Contains(found.Fault, fault) || found.Holds && found.Elements != 600 {
			t.Errorf("of hospital %d holder 1 shows %+v", hospital, found)
		}
		shown.Network = strings.Repeat("0", 64)
		if _, err := places["h2"].client.CheckRequests(t.Context(), shown); !strings.Contains(fmt.Sprint(err), "another network") {
			t.Errorf("requests of another network: %v", err)
		}
	}
	checksOverARotation(t, places, week)
	if _, err := places["h1"].client.ShowRequests(t.Context(), week+1, 2); !strings.Contains(fmt.Sprint(err), quota.ErrNotKept.Error()) {
		t.Errorf("the week that runs: %v", err)
	}
}
