package daemon

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/generate"
)

// someFiles returns files of different patients.
func someFiles(t *testing.T, n int) (out []admin.File) {
	t.Helper()
	for f := range generate.Files(generate.Options{
		Seed: 11, Hospitals: 1, Patients: n, Today: entry.DateOf(time.Now()), Catalog: catalog.Current(),
	}) {
		out = append(out, admin.File{Name: f.Name, Data: f.Raw, Identities: map[string]admin.Document{
			strings.TrimSuffix(f.Name, ".json"): {Type: "RIC", Value: f.ResidentID},
		}})
	}
	return out
}

// take submits a file and waits for its receipts.
func (p *place) take(t *testing.T, f admin.File) {
	t.Helper()
	var out admin.SubmissionResult
	var err error
	until(t, "a file at "+p.cfg.Node.ID, func() (bool, error) {
		out, err = p.client.Submit(t.Context(), admin.Submission{Files: []admin.File{f}, Wait: true})
		// Nothing is taken then, and the answer says to ask again.
		again := problemCode(err) == admin.CodeNotYet || problemCode(err) == admin.CodeUnavailable
		return !again, err
	})
	must(t, err)
	if out.Files[0].Outcome != "accepted" {
		t.Fatalf("%s: %+v", f.Name, out.Files[0])
	}
}

// ids returns the ids of a place's keys in a state, by purpose.
func (p *place) ids(t *testing.T, state string) map[string]string {
	t.Helper()
	s, err := p.client.Status(t.Context())
	must(t, err)
	keys, err := p.client.Keys(t.Context())
	must(t, err)
	out := map[string]string{}
	for _, k := range keys {
		if k.Institution == s.Hospital && k.State == state {
			out[k.Purpose] = k.ID
		}
	}
	return out
}

// opened counts what a place opens, and fails on what it should open and does
// not.
func (p *place) opened(t *testing.T) (entries, doubtful int) {
	t.Helper()
	for e, err := range p.client.Entries(t.Context(), 0, 0) {
		must(t, err)
		if e.Problem != "" {
			t.Errorf("%s: entry %d: %s", p.cfg.Node.ID, e.Index, e.Problem)
		}
		if entries++; e.Doubtful {
			doubtful++
		}
	}
	return entries, doubtful
}

var allKeys = admin.KeyChoice{Envelope: true, Request: true, Response: true, TLS: true, Sealing: true}

// TestKeysRotateUnderARunningNetwork gives a hospital and a reader new keys
// while another voter is down that must find its way back past them.
func TestKeysRotateUnderARunningNetwork(t *testing.T) {
	places := network(t)
	h1, h2, h3, reader := places["h1"], places["h2"], places["h3"], places["reader"]
	for _, p := range places {
		p.start(t)
	}
	for _, p := range places {
		p.ready(t)
	}
	files := someFiles(t, 8)
	h1.take(t, files[0])
	h3.end(t)

	_, err := h1.client.RotateKeys(t.Context(), admin.KeyChoice{})
	if problemCode(err) != admin.CodeRefused || !strings.Contains(err.Error(), "key generate") {
		t.Errorf("a rotation without next keys: %v", err)
	}
	before := h1.ids(t, "present")
	_, err = h1.client.GenerateKeys(t.Context(), allKeys)
	must(t, err)
	next := h1.ids(t, "next")
	if len(next) != 5 || next["envelope"] == before["envelope"] {
		t.Fatalf("next keys %v beside %v", next, before)
	}
	h1.end(t) // between the two steps
	h1.start(t)
	h1.ready(t)
	_, err = h1.client.RotateKeys(t.Context(), admin.KeyChoice{})
	must(t, err)
	after := h1.ids(t, "present")
	for _, purpose := range []string{"envelope", "request", "response", "sealing", "tls"} {
		if after[purpose] != next[purpose] {
			t.Errorf("the %s key is %.8s, want %.8s", purpose, after[purpose], next[purpose])
		}
	}
	if after["cosign"] != before["cosign"] || len(h1.ids(t, "next")) != 0 {
		t.Error("the cosigning key changed, or there are next keys still")
	}
	h1.take(t, files[1]) // h2 answers requests signed with the new key, known by the new TLS key

	h2Next, err := h2.client.GenerateKeys(t.Context(), admin.KeyChoice{TLS: true})
	must(t, err)
	if !slices.ContainsFunc(h2Next, func(k admin.HeldKey) bool { return k.State == "next" && k.Node == "h2" }) {
		t.Error("h2's next TLS key is not in the list")
	}
	_, err = h2.client.RotateKeys(t.Context(), admin.KeyChoice{})
	must(t, err)
	h3.start(t) // it knows both by their former keys
	h3.ready(t)
	h3.take(t, files[2])
	h1.end(t)
	h1.start(t)
	h1.ready(t)
	h1.take(t, files[3])

	_, err = reader.client.GenerateKeys(t.Context(), admin.KeyChoice{Sealing: true, Request: true})
	must(t, err)
	waiting, request := reader.ids(t, "next")["request"], reader.ids(t, "present")["request"]
	_, err = reader.client.RotateKeys(t.Context(), admin.KeyChoice{Sealing: true})
	must(t, err)
	if next := reader.ids(t, "next"); len(next) != 1 || next["request"] != waiting || reader.ids(t, "present")["request"] != request {
		t.Errorf("after a rotation of the sealing key alone the next keys are %v, want the request key alone", next)
	}
	_, err = reader.client.RotateKeys(t.Context(), admin.KeyChoice{Sealing: true})
	if problemCode(err) != admin.CodeRefused || !strings.Contains(err.Error(), "of those that are chosen") {
		t.Errorf("a rotation of what is not there: %v", err)
	}
	s, err := reader.client.Status(t.Context())
	must(t, err)
	if !slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, "--custody") }) {
		t.Errorf("a former sealing key online is not warned of: %q", s.Warnings)
	}
	h1.take(t, files[4])
	wantOpened(t, places)

	present := h1.ids(t, "present")["tls"]
	if _, err := h1.client.RevokeKey(t.Context(), admin.KeyRevocation{Key: present}); problemCode(err) != admin.CodeRefused {
		t.Errorf("a node revokes the TLS key that it runs with: %v", err)
	}
	revoked := h1.ids(t, "former")["envelope"]
	_, err = h1.client.RevokeKey(t.Context(), admin.KeyRevocation{Key: revoked, Since: 0})
	must(t, err)
	until(t, "the reader flags what the revoked key signed", func() (bool, error) {
		_, doubtful := reader.opened(t)
		return doubtful > 0, nil
	})
	if n, doubtful := reader.opened(t); doubtful == n {
		t.Error("entries of other keys are flagged")
	}
	shows(t, h1, after["envelope"], revoked)
	warnsOfRevoked(t, h1)
	h3.end(t)
	keys, _, err := home.LoadKeys(h3.cfg)
	must(t, err)
	if keys.Rotated {
		t.Error("h3, which has its first keys, says that they were rotated")
	}
}

// TestVotersMeetAgainAfterTheirTLSKeysRotatedTwice stops all of them at once:
// none has anybody to learn the keys from but its own disk.
func TestVotersMeetAgainAfterTheirTLSKeysRotatedTwice(t *testing.T) {
	places := network(t)
	voters := []*place{places["h1"], places["h2"], places["h3"]}
	for _, p := range voters {
		p.start(t)
	}
	for _, p := range voters {
		p.ready(t)
	}
	for range 2 {
		for _, p := range voters {
			_, err := p.client.GenerateKeys(t.Context(), admin.KeyChoice{TLS: true})
			must(t, err)
			_, err = p.client.RotateKeys(t.Context(), admin.KeyChoice{})
			must(t, err)
		}
	}
	for _, p := range voters {
		p.end(t)
	}
	for _, p := range voters {
		p.start(t)
	}
	for _, p := range voters {
		p.ready(t)
	}
}

// warnsOfRevoked revokes a present request key, which stops pseudonyms until it
// is rotated.
func warnsOfRevoked(t *testing.T, p *place) {
	t.Helper()
	warned := func() bool {
		s, err := p.client.Status(t.Context())
		must(t, err)
		return slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, "request key was revoked") })
	}
	before := warned()
	_, err := p.client.RevokeKey(t.Context(), admin.KeyRevocation{Key: p.ids(t, "present")["request"]})
	must(t, err)
	if before || !warned() {
		t.Errorf("status warns of a revoked request key: before %v, after %v", before, warned())
	}
}

// wantOpened waits until the reader opens everything that the hospitals sent,
// from before and after its own rotation.
func wantOpened(t *testing.T, places map[string]*place) {
	t.Helper()
	sent := 0
	for _, id := range []string{"h1", "h2", "h3"} {
		n, _ := places[id].opened(t)
		sent += n
	}
	until(t, "the reader opens what the hospitals open", func() (bool, error) {
		n, _ := places["reader"].opened(t)
		return n == sent && n > 4, nil
	})
}

// shows asks for public keys by the beginning of their ids.
func shows(t *testing.T, p *place, present, revoked string) {
	t.Helper()
	k, err := p.client.ShowKey(t.Context(), present[:12])
	if err != nil || k.ID != present || k.Where != "file" || strings.Count(k.PEM, "BEGIN PUBLIC KEY") != 2 {
		t.Errorf("the present key: %+v, %v", k, err)
	}
	if k, err = p.client.ShowKey(t.Context(), revoked); err != nil || k.State != "former" || k.Revoked != "since 0" {
		t.Errorf("the revoked key: %+v, %v", k, err)
	}
	for id, want := range map[string]string{"00": admin.CodeInvalid, strings.Repeat("0", 64): admin.CodeNotFound} {
		if _, err := p.client.ShowKey(t.Context(), id); problemCode(err) != want {
			t.Errorf("key %s: %v, want %s", id, err, want)
		}
	}
	for name, choice := range map[string]admin.KeyChoice{"nothing": {}} {
		if _, err := p.client.GenerateKeys(t.Context(), choice); problemCode(err) != admin.CodeInvalid {
			t.Errorf("make %s: %v", name, err)
		}
	}
	if err := p.client.Grant(t.Context(), admin.KeyGrant{Institution: 2}, nil); problemCode(err) != admin.CodeInvalid {
		t.Errorf("a grant to a hospital: %v", err)
	}
	if _, err := p.client.RevokeKey(t.Context(), admin.KeyRevocation{Key: revoked, Since: 5}); problemCode(err) != admin.CodeInvalid {
		t.Errorf("revoked again: %v", err)
	}
}

// TestAReaderIsRemindedOfASealingKeyThatGotOld lets a hundred days pass in the
// log, as every machine's clock says.
func TestAReaderIsRemindedOfASealingKeyThatGotOld(t *testing.T) {
	places := network(t)
	var ahead atomic.Int64
	for _, p := range places {
		p.startServiceAt(t, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	}
	for _, p := range places {
		p.ready(t)
	}
	reader, files := places["reader"], someFiles(t, 3)
	reminded := func() (bool, error) {
		s, err := reader.client.Status(t.Context())
		return slices.ContainsFunc(s.Warnings, func(w string) bool {
			return strings.Contains(w, "sealing key is 101 days old: raresync key generate --sealing")
		}), err
	}
	places["h1"].take(t, files[0])
	if told, err := reminded(); told || err != nil {
		t.Fatalf("reminded of a new key: %v, %v", told, err)
	}
	ahead.Add(int64(101 * 24 * time.Hour))
	places["h1"].take(t, files[1])
	until(t, "a reminder", reminded)
	_, err := reader.client.GenerateKeys(t.Context(), admin.KeyChoice{Sealing: true})
	must(t, err)
	_, err = reader.client.RotateKeys(t.Context(), admin.KeyChoice{})
	must(t, err)
	if told, err := reminded(); told || err != nil {
		t.Errorf("reminded of a key that was just made: %v, %v", told, err)
	}
}
