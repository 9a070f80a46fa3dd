package intake

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/validate"
)

// doubtful is a packet of a man by his number, said to be a woman, whose illness began
// after it was found, and who was visited after death.
func doubtful(profile string) File {
	reference := ""
	if profile == "published" {
		reference = `, "externalReferences": [{"id": "PMID:1"}]`
	}
	return File{Name: "a.json", Data: fmt.Appendf(nil, `{"id": "B0000001", "subject": {"id": "B0000001", "sex": "FEMALE", "dateOfBirth": "1990-03-07T00:00:00Z",
		"vitalStatus": {"status": "DECEASED", "timeOfDeath": {"timestamp": "2021-01-01T00:00:00Z"}}},
		"diseases": [{"term": {"id": "LIST:1.27", "label": "法布雷病"}, "onset": {"timestamp": "2021-01-01T00:00:00Z"}}],
		"raresync": {"province": "44", "department": "肾内科", "diagnosisDate": "2020-05-06",
			"treatments": [{"agent": {"label": "阿加糖酶"}, "start": "2020-06-01", "status": "refused", "response": "partial"}]},
		"metaData": {"phenopacketSchemaVersion": "2.0"%s}}`, reference),
		Identities: map[string]identity.Document{"B0000001": {Type: identity.RIC, Value: "110105199003077470"}}}
}

// doubted returns the doubts that are noted when files are taken, as "type rule".
func doubted(t *testing.T, files ...File) (out []string) {
	t.Helper()
	var noted []validate.Doubt
	d := newDesk(func(c *Config) {
		c.Doubts = func(list []validate.Doubt) error { noted = append(noted, list...); return nil }
	})
	results, err := d.Take(t.Context(), files, 0)
	if err != nil || results[0].Outcome != Accepted {
		t.Fatalf("%+v, %v", results, err)
	}
	types := map[[32]byte]entry.Type{}
	for _, e := range d.posted.entries(t) {
		types[e.ID] = e.Type
	}
	for _, n := range noted {
		out = append(out, types[n.Entry].String()+" "+n.Rule)
	}
	return out
}

func TestWhatAHospitalIsToAskItselfIsNotedWithTheEntryItIsAbout(t *testing.T) {
	for profile, want := range map[string][]string{
		"report":    {"case ID007", "case DT003", "treatment TX003"},
		"published": nil, // its source record is not the hospital's
	} {
		got := doubted(t, doubtful(profile))
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", profile, got, want)
		}
	}
	if got := doubted(t, made(1)...); got != nil {
		t.Errorf("of a sound file %q", got)
	}
}

func TestPatientsTooMuchAlikeAreAskedAbout(t *testing.T) {
	var files []File
	for i := range 4 {
		f := doubtful("report")
		f.Name = fmt.Sprintf("%d.json", i)
		f.Data = []byte(strings.ReplaceAll(string(f.Data), "B0000001", fmt.Sprintf("B000000%d", i)))
		f.Identities = nil
		files = append(files, f)
	}
	alike := 0
	for _, one := range doubted(t, files...) {
		if one == "case DU003" {
			alike++
		}
	}
	if alike != 4 {
		t.Errorf("%d of 4 are asked about", alike)
	}
}

func TestAQuestionToOneselfIsAskedOnceAndNotOfWhoStopped(t *testing.T) {
	s := &stops{codes: map[[32]byte]string{{9}: "CN004"}}
	d := newDesk(func(c *Config) { c.Consents = s })
	q := entry.Query{Action: entry.Ask, Target: 7, Hospital: 1, Rule: "DT003", Text: validate.Question("DT003")}
	other := q
	other.Target = 8
	for range 2 {
		list := []Question{{Query: q, About: entry.Pseudonym{Present: true, Value: [32]byte{1}}}, {Query: other, About: entry.Pseudonym{Present: true, Value: [32]byte{9}}}}
		if err := d.Ask(t.Context(), list); err != nil || s.held != 0 {
			t.Fatal(err)
		}
	}
	list := d.posted.entries(t)
	if len(list) != 2 || // the outbox knows the second by its id
		list[0].ID != list[1].ID || *list[0].Query != q {
		t.Errorf("posted %d, of one id %v", len(list), len(list) == 2 && list[0].ID == list[1].ID)
	}
}
