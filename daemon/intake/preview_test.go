package intake

import (
	"bytes"
	"slices"
	"testing"

	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/registry/identity"
)

// memory remembers as the outbox does.
type memory struct {
	*posted
	marks []outbox.Mark
}

func (m *memory) Knows(ids [][32]byte) (known []bool) {
	for _, id := range ids {
		known = append(known, m.known[id])
	}
	return known
}

func (m *memory) Mark(list []outbox.Mark) error {
	m.marks = append(m.marks, list...)
	return nil
}

func (m *memory) Marked(one outbox.Mark) (person, source bool) {
	return slices.ContainsFunc(m.marks, func(m outbox.Mark) bool { return m.Person == one.Person }),
		slices.ContainsFunc(m.marks, func(m outbox.Mark) bool { return m.Source == one.Source })
}

func (m *memory) Contradicts(one outbox.Mark) (entries [][32]byte) {
	person, together := false, false
	for _, o := range m.marks {
		person = person || o.Person == one.Person
		together = together || o.Person == one.Person && o.Source == one.Source
		if o.Source == one.Source && o.Person != one.Person {
			entries = append(entries, o.Entry)
		}
	}
	if !person || together {
		return nil
	}
	return entries
}

func TestAPreviewTellsNewChangedLinkedAndKnownAndAsksNobody(t *testing.T) {
	remembers := &memory{}
	d := newDesk(func(c *Config) { c.Memory = remembers })
	remembers.posted = d.posted
	files := made(4)
	passport := identity.Document{Type: identity.PP, Issuer: "FRA", Value: "12AB34567"}
	for _, f := range []File{files[0], files[2]} {
		for subject := range f.Identities {
			f.Identities[subject] = passport
		}
	}
	d.take(t, files[:2]...)
	asked := len(d.holders.calls)

	changed := files[1]
	changed.Data = bytes.Replace(changed.Data, []byte(`"sex"`), []byte(`"description":"seen again","sex"`), 1)
	linked, twice := files[2], files[3]
	broken := File{Name: "broken.json", Data: []byte("{")}
	for i, want := range []struct {
		file File
		f    Foreseen
		code string
	}{
		{files[0], Foreseen{Known: 1}, "DU004"},
		{changed, Foreseen{Changed: 1}, "DU005"},
		{linked, Foreseen{Linked: 1}, "DU006"},
		{twice, Foreseen{Added: 1}, ""},
		{broken, Foreseen{Refused: true}, "PP002"},
	} {
		got := d.Preview([]File{want.file}, 0)[0]
		said := codes(Result{Findings: got.Findings})
		got.Findings = nil
		if got.Refused != want.f.Refused || got.Added != want.f.Added || got.Changed != want.f.Changed || got.Linked != want.f.Linked || got.Known != want.f.Known ||
			want.code != "" && !slices.Contains(said, want.code) {
			t.Errorf("file %d: got %+v and %v, want %+v and %s", i, got, said, want.f, want.code)
		}
	}
	if both := d.Preview([]File{twice, twice}, 0); both[1].Known != 1 {
		t.Errorf("a file that comes twice is foreseen as %+v", both[1])
	}
	if len(d.holders.calls) != asked {
		t.Error("a preview asked the share holders")
	}
	if known := d.Preview(files[3:], 0)[0]; known.Added != 1 || len(d.posted.groups) != 2 {
		t.Error("a preview changed what is known")
	}
}
