package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/rule"
)

// stops refuses persons, and counts who holds it.
type stops struct {
	codes map[[32]byte]string
	held  int
	err   error
}

func (s *stops) Hold(context.Context) (func([32]byte, entry.Scope) string, func(), error) {
	if s.err != nil {
		return nil, nil, s.err
	}
	s.held++
	return func(p [32]byte, _ entry.Scope) string { return s.codes[p] }, func() { s.held-- }, nil
}

func TestNothingIsPostedOfAPatientWhoStoppedUse(t *testing.T) {
	s := &stops{codes: map[[32]byte]string{}}
	d := newDesk(func(c *Config) { c.Consents = s })
	files := made(4)
	before := newDesk(nil)
	if _, err := before.Take(t.Context(), files, 0); err != nil {
		t.Fatal(err)
	}
	entries := before.posted.entries(t)
	s.codes[entries[0].Pseudonym.Value] = "CN004"
	results, err := d.Take(t.Context(), files, 0)
	if err != nil || s.held != 0 {
		t.Fatalf("%v, held %d", err, s.held)
	}
	for i, r := range results {
		refused := r.Outcome == Refused && len(r.Findings) > 0 && r.Findings[len(r.Findings)-1].Code == "CN004"
		if refused != (i == 0) {
			t.Errorf("file %d: %s with %+v", i, r.Outcome, r.Findings)
		}
	}
	if where := results[0].Findings[len(results[0].Findings)-1].Where; where == "" {
		t.Error("the finding names no place")
	}
	for _, e := range d.posted.entries(t) {
		if e.Pseudonym == entries[0].Pseudonym {
			t.Errorf("a %s entry of the patient is posted", e.Type)
		}
	}
	a := d.Alias(entry.Alias{Action: entry.Link, Reason: entry.ReasonOther, Old: [32]byte{1}, New: entries[0].Pseudonym.Value, OldType: 1, NewType: 1}, [32]byte{1}, entry.StrengthWeak, [32]byte{})
	if _, err := d.Post(t.Context(), a); !refusedBy(err, "CN004") {
		t.Errorf("a link to the patient: %v", err)
	}
	s.err = errors.New("not yet")
	if _, err := d.Take(t.Context(), files[1:], 0); !errors.Is(err, s.err) {
		t.Errorf("while nobody knows: %v", err)
	}
}

func refusedBy(err error, code string) bool {
	var refused *rule.Refusal
	return errors.As(err, &refused) && refused.Code() == code
}

func TestAnEntryIsCorrectedToWhatAFileSays(t *testing.T) {
	d := newDesk(nil)
	files := made(3)
	if _, err := d.Take(t.Context(), files, 0); err != nil {
		t.Fatal(err)
	}
	var c Corrected
	for _, e := range d.posted.entries(t) {
		if e.Case != nil && c.First.Case == nil {
			c = Corrected{Index: 7, First: e, Present: e}
		}
	}
	other := files[1]
	e, _, err := d.Correct(c, other, entry.Mistyped)
	if err != nil {
		t.Fatal(err)
	}
	if e.Correction == nil || e.Correction.Index != 7 || e.Supersedes != c.First.ID || e.Pseudonym != c.First.Pseudonym {
		t.Errorf("the correction is %+v", e)
	}
	present, ok := c.First.Corrected(e, 7)
	if !ok {
		t.Fatal("it does not fit the entry")
	}
	if _, err := d.Post(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	c.Present, c.Previous = present, e.ID
	if _, _, err := d.Correct(c, other, entry.Mistyped); !refusedBy(err, "CR002") {
		t.Errorf("the same again: %v", err)
	}
	if back, _, err := d.Correct(c, files[0], entry.Mistyped); err != nil || back.ID == e.ID {
		t.Errorf("back: %v", err)
	}
	visits := c
	visits.First.Type, visits.First.Case, visits.First.FollowUp = entry.TypeFollowUp, nil, &entry.FollowUp{}
	without := File{Name: "a.json", Data: bytes.ReplaceAll(files[0].Data, []byte("follow"), []byte("hollow"))}
	if _, _, err := d.Correct(visits, without, entry.Mistyped); err == nil {
		t.Error("a visit is corrected by a file without one")
	}
	alias := c
	alias.First.Case = nil
	if _, _, err := d.Correct(alias, other, entry.Mistyped); !refusedBy(err, "CR003") {
		t.Errorf("an alias: %v", err)
	}
}

func TestAPatientsFilesDoNotWaitInTheSpool(t *testing.T) {
	d := newWaitingDesk(t)
	d.rationed.left = 0
	files := made(4)
	results, err := d.Take(t.Context(), files, 0)
	if err != nil || results[0].Outcome != Waiting {
		t.Fatalf("%+v, %v", results[0], err)
	}
	waiting, _ := d.spool.Waiting()
	var id identity.Identity
	for _, doc := range files[0].Identities {
		if id, _, err = identity.Normalize(doc, identity.Options{Today: identity.Date{Year: 2026, Month: 11, Day: 22}}); err != nil {
			t.Fatal(err)
		}
	}
	dropped, err := d.DropWaiting(id)
	if err != nil || dropped == 0 {
		t.Fatalf("%d files dropped, %v", dropped, err)
	}
	if left, _ := d.spool.Waiting(); left != waiting-dropped {
		t.Errorf("%d files wait, want %d", left, waiting-dropped)
	}
	if dropped, err := d.DropWaiting(id); dropped != 0 || err != nil {
		t.Errorf("again: %d, %v", dropped, err)
	}
	d.rationed.left = 10
	if left := d.resume(t); left != 0 {
		t.Errorf("%d files wait still", left)
	}
	before := newDesk(nil)
	if _, err := before.Take(t.Context(), files[:1], 0); err != nil {
		t.Fatal(err)
	}
	for _, e := range d.desk.posted.entries(t) {
		if e.Pseudonym == before.posted.entries(t)[0].Pseudonym {
			t.Errorf("a %s entry of the patient is posted", e.Type)
		}
	}
}

// drugsStopped is a patient who has stopped drug programmes alone.
type drugsStopped struct{ asked int }

func (s *drugsStopped) Hold(context.Context) (func([32]byte, entry.Scope) string, func(), error) {
	return func(_ [32]byte, uses entry.Scope) string {
		if s.asked++; uses&entry.ScopeDrugs != 0 {
			return "CN001"
		}
		return ""
	}, func() {}, nil
}

func TestAStoppedUseRefusesWhatIsThereForIt(t *testing.T) {
	const text = `{"id": "P", "subject": {"id": "P", "sex": "MALE", "dateOfBirth": "1990-03-07T00:00:00Z", "vitalStatus": {"status": "ALIVE"}},
		"diseases": [{"term": {"id": "ORPHA:324", "label": "法布雷病"}, "onset": {"age": {"iso8601duration": "P8Y"}}}],
		"raresync": {"department": "肾内科", "province": "44", "diagnosisDate": "2020-05-06"%s}, "metaData": {"phenopacketSchemaVersion": "2.0"}}`
	for more, want := range map[string]string{
		"": "",
		`, "treatments": [{"agent": {"label": "阿加糖酶β"}, "status": "refused"}]`: "CN001 f.json $.raresync.treatments",
	} {
		s := &drugsStopped{}
		d := newDesk(func(c *Config) { c.Consents = s })
		f := File{Name: "f.json", Data: fmt.Appendf(nil, text, more), Identities: map[string]identity.Document{"P": {Type: identity.RIC, Value: "110105199003077470"}}}
		results, err := d.Take(t.Context(), []File{f}, entry.Report)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if r := results[0]; r.Outcome == Refused {
			last := r.Findings[len(r.Findings)-1]
			got = last.Code + " " + last.Where
		}
		if got != want || want == "" && s.asked != 1 {
			t.Errorf("with %q: %q, want %q; asked %d times", more, got, want, s.asked)
		}
	}
}
