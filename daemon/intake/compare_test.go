package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/rule"
)

// shelf is a hospital's log and memory: everything that was posted.
type shelf struct {
	memory
	same bool // what links say
	none bool // the log has no such case
	err  error
	t    *testing.T
}

func (s *shelf) Registered(_ context.Context, pseudonym [32]byte) (out []Registration, err error) {
	for i, e := range s.entries(s.t) {
		if e.Case != nil && e.Pseudonym.Value == pseudonym {
			out = append(out, Registration{Index: uint64(100 + i), Entry: e})
		}
	}
	return out, s.err
}

func (s *shelf) SamePerson(context.Context, [32]byte, [32]byte) (same, known bool, err error) {
	return s.same, !s.none, s.err
}

func newShelf(t *testing.T) (*shelf, desk) {
	s := &shelf{t: t}
	d := newDesk(func(c *Config) { c.Registry, c.Memory = s, s })
	s.posted = d.posted
	return s, d
}

func (d desk) takes(t *testing.T, f File) Result {
	t.Helper()
	got, err := d.Take(t.Context(), []File{f}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return got[0]
}

func has(found []rule.Finding, code string) bool {
	return slices.ContainsFunc(found, func(f rule.Finding) bool { return f.Code == code })
}

func TestTheSamePatientAndDiseaseIsFlaggedWithTheEarlierEntry(t *testing.T) {
	_, d := newShelf(t)
	first := made(1)[0]
	if got := d.takes(t, first); got.Outcome != Accepted || has(got.Findings, "DU001") {
		t.Fatalf("the first: %+v", got)
	}
	if got := d.takes(t, first); got.Outcome != Known || has(got.Findings, "DU001") {
		t.Errorf("the same again: %+v", got)
	}
	other := withID(t, first, "another export")
	got := d.takes(t, other)
	at := slices.IndexFunc(got.Findings, func(f rule.Finding) bool { return f.Code == "DU001" })
	if got.Outcome != Accepted || at < 0 || got.Findings[at].Detail != "registered as entry 100" || got.Findings[at].Severity != rule.W {
		t.Errorf("registered twice: %+v", got)
	}
	if got := d.takes(t, made(2)[1]); has(got.Findings, "DU001") {
		t.Errorf("another patient: %+v", got.Findings)
	}
}

// withID gives a file another name in its source.
func withID(t *testing.T, f File, id string) File {
	t.Helper()
	var packet map[string]any
	if err := json.Unmarshal(f.Data, &packet); err != nil {
		t.Fatal(err)
	}
	packet["id"] = id
	var err error
	if f.Data, err = json.Marshal(packet); err != nil {
		t.Fatal(err)
	}
	return f
}

// withPassport gives the patient of a file a passport.
func withPassport(f File, number string) File {
	for subject := range f.Identities {
		f.Identities = map[string]identity.Document{subject: {Type: identity.PP, Issuer: "FRA", Value: number}}
	}
	return f
}

func TestTwoDocumentsThatWereExchangedAreRefused(t *testing.T) {
	files := made(2)
	files[0], files[1] = withPassport(files[0], "A1234567"), withPassport(files[1], "B1234567")
	exchanged := withPassport(files[0], "B1234567")
	exchanged.Data = bytes.Replace(exchanged.Data, []byte(`"sex"`), []byte(`"description":"seen again","sex"`), 1)
	for name, tc := range map[string]struct {
		change func(*shelf)
		before []File
		want   Outcome
	}{
		"exchanged":                  {func(*shelf) {}, files, Refused},
		"both of one person, linked": {func(s *shelf) { s.same = true }, files, Accepted},
		"the log has no such case":   {func(s *shelf) { s.none = true }, files, Accepted},
		"a document that is new":     {func(*shelf) {}, files[:1], Accepted},
		"a name that is new":         {func(*shelf) {}, files[1:], Accepted},
	} {
		s, d := newShelf(t)
		for _, f := range tc.before {
			d.takes(t, f)
		}
		tc.change(s)
		got := d.takes(t, exchanged)
		if got.Outcome != tc.want || has(got.Findings, "ID009") != (tc.want == Refused) {
			t.Errorf("%s: %+v, want %s", name, got, tc.want)
		}
	}
}

func TestALogThatCannotBeReadStopsABatch(t *testing.T) {
	s, d := newShelf(t)
	s.err = errors.New("a disk")
	if _, err := d.Take(t.Context(), made(1), 0); !errors.Is(err, s.err) {
		t.Errorf("got %v", err)
	}
	if len(s.posted.groups) != 0 {
		t.Error("it was posted")
	}
}
