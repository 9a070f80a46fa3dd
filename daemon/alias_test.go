package daemon

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/admin"
)

// withDocument gives the one patient of a file another document.
func withDocument(f admin.File, d admin.Document) admin.File {
	subject := strings.TrimSuffix(f.Name, ".json")
	f.Identities = map[string]admin.Document{subject: d}
	return f
}

func codesOf(list []admin.Finding) (out []string) {
	for _, f := range list {
		out = append(out, strings.TrimSpace(f.Where+" "+f.Code))
	}
	return out
}

// One patient: a birth certificate at h1, an ID at h2, and h1 sees both.
func TestANewbornWithTwoHospitalsIsOnePersonOnceLinked(t *testing.T) {
	places := network(t)
	h1, h2, coordinator := places["h1"], places["h2"], places["reader"]
	for _, p := range places {
		p.start(t)
	}
	for _, p := range places {
		p.ready(t)
	}
	ctx := t.Context()
	file, number := made(t)
	certificate := admin.Document{Type: "BC", Value: "U440000001"}
	id := admin.Document{Type: "RIC", Value: number}
	local := admin.Document{Type: "LOCAL", Value: "MRN-000017"}
	passport := admin.Document{Type: "PP", Issuer: "FRA", Value: "X1234567"}
	submit := func(p *place, f admin.File) {
		t.Helper()
		got, err := p.client.Submit(ctx, admin.Submission{Files: []admin.File{f}, Wait: true})
		must(t, err)
		if got.Files[0].Outcome != "accepted" {
			t.Fatalf("%+v", got.Files[0])
		}
	}
	alias := func(p *place, action string, old, new admin.Document) admin.AliasResult {
		t.Helper()
		got, err := p.client.Alias(ctx, admin.Alias{Action: action, Reason: "other", Old: old, New: new, Wait: true})
		must(t, err)
		return got
	}
	counts := func(what string, want func(admin.Persons) bool) admin.Persons {
		t.Helper()
		var got admin.Persons
		until(t, what, func() (bool, error) {
			var err error
			got, err = coordinator.client.Persons(ctx)
			if err == nil && !want(got) {
				err = fmt.Errorf("%+v", got)
			}
			return err == nil, err
		})
		return got
	}
	submit(h1, withDocument(file, certificate))
	submit(h2, withDocument(file, id))
	counts("two persons before the link", func(p admin.Persons) bool { return p.Persons == 2 && p.Cases == 2 })

	var linked admin.AliasResult
	t.Run("a hospital without an entry may not link", func(t *testing.T) {
		got := alias(places["h3"], "link", certificate, id)
		if got.Outcome != "refused" || !slices.Contains(codesOf(got.Findings), "AL001") || got.Entry != nil {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("nor undo what it has not linked", func(t *testing.T) {
		got := alias(h1, "unlink", certificate, id)
		if got.Outcome != "refused" || !slices.Contains(codesOf(got.Findings), "AL004") {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("a document linked with itself", func(t *testing.T) {
		got := alias(h1, "link", certificate, admin.Document{Type: "BC", Value: "u 440000001"})
		if got.Outcome != "refused" || !slices.Contains(codesOf(got.Findings), "AL002") {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("mistyped documents are refused by name before holders are asked", func(t *testing.T) {
		wrong := id
		wrong.Value = number[:17] + map[bool]string{true: "1", false: "0"}[number[17] == '0']
		got := alias(h1, "link", admin.Document{Type: "BC", Value: "U44"}, wrong)
		if got.Outcome != "refused" || !slices.Equal(codesOf(got.Findings), []string{"old ID001", "new ID002"}) || got.New != "" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("the hospital links, under a receipt", func(t *testing.T) {
		linked = alias(h1, "link", certificate, id)
		if linked.Outcome != "accepted" || linked.Entry == nil || !linked.Entry.Receipt || linked.Old == linked.New || len(linked.Old) != 17 {
			t.Fatalf("got %+v", linked)
		}
		p := counts("one person", func(p admin.Persons) bool { return p.Persons == 1 })
		if p.TwoHospitals != 1 || p.Cases != 2 || p.Honoured != 1 || p.NotHonoured != 0 {
			t.Errorf("got %+v", p)
		}
	})
	t.Run("the same link again adds nothing", func(t *testing.T) {
		before, err := h1.client.Status(ctx)
		must(t, err)
		got := alias(h1, "link", id, certificate)
		after, err := h1.client.Status(ctx)
		must(t, err)
		if got.Outcome != "known" || got.Entry == nil || got.Entry.ID != linked.Entry.ID || after.Envelopes != before.Envelopes {
			t.Errorf("got %+v, %d envelopes after %d", got, after.Envelopes, before.Envelopes)
		}
	})
	t.Run("a document and its case number lead to the patient, and to nothing elsewhere", func(t *testing.T) {
		got, err := h1.client.CheckPseudonym(ctx, certificate)
		must(t, err)
		if got.CaseNumber != linked.Old || got.Cases != 1 || !slices.Equal(got.Linked, []string{linked.New}) || got.Answered != 2 || got.Holders != 3 {
			t.Errorf("got %+v", got)
		}
		h, err := h1.client.CaseNumber(ctx, linked.New)
		must(t, err)
		if h.Entries != 0 || !slices.Equal(h.Linked, []string{linked.Old}) {
			t.Errorf("got %+v", h)
		}
		elsewhere, err := h2.client.CheckPseudonym(ctx, certificate)
		must(t, err)
		if elsewhere.Entries != 0 || elsewhere.Linked != nil || elsewhere.CaseNumber == got.CaseNumber {
			t.Errorf("another hospital is told %+v", elsewhere)
		}
		if _, err := h2.client.CaseNumber(ctx, linked.Old); problemCode(err) != admin.CodeNotFound {
			t.Errorf("at another hospital: %v", err)
		}
		if _, err := h1.client.CaseNumber(ctx, "0000-0000-0000-01"); problemCode(err) != admin.CodeInvalid {
			t.Errorf("a number that is none: %v", err)
		}
	})
	t.Run("an entry under the hospital's own number is joined to a document", func(t *testing.T) {
		other := file
		other.Name = "local.json"
		other.Data = []byte(strings.ReplaceAll(string(file.Data), strings.TrimSuffix(file.Name, ".json"), "local"))
		submit(h2, withDocument(other, local))
		counts("a second person", func(p admin.Persons) bool { return p.Persons == 2 })
		if got := alias(h2, "link", local, id); got.Outcome != "accepted" {
			t.Fatalf("got %+v", got)
		}
		p := counts("one again", func(p admin.Persons) bool { return p.Persons == 1 })
		if p.Cases != 3 || p.Honoured != 2 {
			t.Errorf("got %+v", p)
		}
		check, err := h2.client.CheckPseudonym(ctx, local)
		must(t, err)
		if check.Answered != 0 || check.Strength != "local" || check.Cases != 1 {
			t.Errorf("got %+v", check)
		}
	})
	t.Run("undone, linked and undone again", func(t *testing.T) {
		for i, action := range []string{"unlink", "link", "unlink"} {
			if got := alias(h1, action, certificate, id); got.Outcome != "accepted" {
				t.Fatalf("%d %s: %+v", i, action, got)
			}
			if got := alias(h1, action, certificate, id); got.Outcome != "known" {
				t.Fatalf("%d %s twice: %+v", i, action, got)
			}
		}
		p := counts("two persons again", func(p admin.Persons) bool { return p.Persons == 2 })
		if p.Undone != 2 || p.Honoured != 1 {
			t.Errorf("got %+v", p)
		}
	})
	t.Run("a seventh identity is refused", func(t *testing.T) {
		for i := range 6 {
			next := admin.Document{Type: "PP", Issuer: "FRA", Value: fmt.Sprintf("Y%07d", i)}
			got := alias(h1, "link", certificate, next)
			if want := map[bool]string{true: "refused", false: "accepted"}[i == 5]; got.Outcome != want {
				t.Fatalf("identity %d: %+v, want %s", i+2, got, want)
			}
			if i == 5 && !slices.Contains(codesOf(got.Findings), "AL003") {
				t.Errorf("got %+v", got)
			}
		}
	})
	t.Run("a reader has no entries to link", func(t *testing.T) {
		_, err := coordinator.client.Alias(ctx, admin.Alias{Action: "link", Reason: "other", Old: certificate, New: id})
		if problemCode(err) != admin.CodeNotAllowed {
			t.Errorf("got %v", err)
		}
		if _, err := coordinator.client.CheckPseudonym(ctx, id); problemCode(err) != admin.CodeNotAllowed {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what makes no sense is refused", func(t *testing.T) {
		for _, a := range []admin.Alias{{Action: "join", Reason: "other"}, {Action: "link", Reason: "whim"}, {}} {
			if _, err := h1.client.Alias(ctx, a); problemCode(err) != admin.CodeInvalid {
				t.Errorf("%+v: %v", a, err)
			}
		}
	})
	t.Run("without holders nothing is posted", func(t *testing.T) {
		h2.end(t)
		places["h3"].end(t)
		short, cancel := context.WithTimeout(ctx, deadline)
		defer cancel()
		if _, err := h1.client.CheckPseudonym(short, passport); problemCode(err) != admin.CodeUnavailable {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no log line names a document", func(t *testing.T) {
		for where, p := range places {
			for _, planted := range []string{number, certificate.Value, local.Value, passport.Value, linked.Old, linked.New} {
				if strings.Contains(p.logged.text(), planted) {
					t.Errorf("%s logged %q", where, planted)
				}
			}
		}
	})
}
