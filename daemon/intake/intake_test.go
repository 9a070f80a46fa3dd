package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/generate"
	"github.com/raresync/raresync/registry/identity"
)

// holders gives everybody the hash of the identity, and counts the calls.
type holders struct {
	err   error
	calls [][][]byte
}

func (h *holders) Pseudonyms(_ context.Context, identities [][]byte) ([]pseudonym.Pseudonym, error) {
	h.calls = append(h.calls, identities)
	out := make([]pseudonym.Pseudonym, len(identities))
	for i, x := range identities {
		out[i] = sha256.Sum256(x)
	}
	return out, h.err
}

// posted keeps what it is given, as the outbox does.
type posted struct {
	err    error
	groups [][]outbox.Entry
	known  map[[32]byte]bool
}

func (p *posted) AddEntries(_ context.Context, groups [][]outbox.Entry) ([][]outbox.Placed, error) {
	if p.err != nil {
		return nil, p.err
	}
	out := make([][]outbox.Placed, len(groups))
	for i, g := range groups {
		p.groups = append(p.groups, g)
		for place, e := range g {
			out[i] = append(out[i], outbox.Placed{Known: p.known[e.ID], Sequence: uint64(i + 1), Place: uint32(place)})
			p.known[e.ID] = true
		}
	}
	return out, nil
}

// entries decodes everything posted.
func (p *posted) entries(t *testing.T) (out []entry.Entry) {
	t.Helper()
	for _, g := range p.groups {
		for _, e := range g {
			decoded, err := entry.Decode(e.Plain.CBOR)
			if err != nil {
				t.Fatal(err)
			}
			if decoded.ID != e.ID {
				t.Errorf("entry %x is posted as %x", decoded.ID, e.ID)
			}
			if genetic := e.Plain.Part == seal.Genetic; genetic != decoded.IsGenetic() {
				t.Errorf("a %s entry is to be sealed as %s", decoded.Type, e.Plain.Part)
			}
			out = append(out, decoded)
		}
	}
	return out
}

type desk struct {
	*Intake
	holders *holders
	posted  *posted
}

func newDesk(change func(*Config)) desk {
	d := desk{holders: &holders{}, posted: &posted{known: map[[32]byte]bool{}}}
	c := Config{
		Pseudonymiser: d.holders, Outbox: d.posted, EntryID: [32]byte{1}, Local: [32]byte{2},
		Now: func() time.Time { return time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC) },
	}
	if change != nil {
		change(&c)
	}
	d.Intake = New(c)
	return d
}

// made returns made-up files with the patients' documents.
func made(n int) (out []File) {
	for f := range generate.Files(generate.Options{
		Seed: 7, Hospitals: 1, Patients: n, Today: entry.Date{Year: 2026, Month: 11, Day: 22}, Catalog: catalog.Current(),
	}) {
		out = append(out, File{Name: f.Name, Data: f.Raw, Identities: map[string]identity.Document{
			strings.TrimSuffix(f.Name, ".json"): {Type: identity.RIC, Value: f.ResidentID},
		}})
	}
	return out
}

// withDocument gives the one patient of a made-up file another document.
func withDocument(d identity.Document) File {
	f := made(1)[0]
	for subject := range f.Identities {
		f.Identities = map[string]identity.Document{subject: d}
	}
	return f
}

func (d desk) take(t *testing.T, files ...File) []Result {
	t.Helper()
	results, err := d.Take(t.Context(), files, 0)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func codes(r Result) (out []string) {
	for _, f := range r.Findings {
		out = append(out, f.Code)
	}
	return out
}

func TestAFileBecomesEntriesUnderTheNationalPseudonym(t *testing.T) {
	d := newDesk(nil)
	files := made(20)
	results := d.take(t, files...)
	kinds := map[entry.Type]int{}
	for _, e := range d.posted.entries(t) {
		kinds[e.Type]++
		if !e.Pseudonym.Present || e.Strength != entry.StrengthStrong {
			t.Errorf("a %s has pseudonym %v and strength %v", e.Type, e.Pseudonym.Present, e.Strength)
		}
	}
	if kinds[entry.TypeCase] != 20 || kinds[entry.TypeGenetics] == 0 || kinds[entry.TypeFollowUp] == 0 {
		t.Errorf("the entries are %v", kinds)
	}
	if len(d.holders.calls) != 1 || len(d.holders.calls[0]) != 20 {
		t.Errorf("the holders were asked %d times, want once for all", len(d.holders.calls))
	}
	for i, r := range results {
		if r.Outcome != Accepted || len(r.Entries) != len(d.posted.groups[i]) || r.Entries[0].Type != entry.TypeCase {
			t.Errorf("%s: %s with %d entries and findings %v", files[i].Name, r.Outcome, len(r.Entries), r.Findings)
		}
		want := sha256.Sum256(d.holders.calls[0][i])
		first, err := entry.Decode(d.posted.groups[i][0].Plain.CBOR)
		if err != nil || first.Pseudonym.Value != want {
			t.Errorf("%s has another patient's pseudonym (%v)", files[i].Name, err)
		}
	}
}

func TestASubjectIdWithoutADocumentStaysInTheHospital(t *testing.T) {
	file := made(1)[0]
	file.Identities = nil
	pseudonymOf := func(change func(*Config)) entry.Pseudonym {
		d := newDesk(change)
		r := d.take(t, file)[0]
		if r.Outcome != Accepted || !slices.Contains(codes(r), "ID010") {
			t.Fatalf("%s with %v, want accepted with ID010", r.Outcome, r.Findings)
		}
		if len(d.holders.calls) != 0 {
			t.Error("the holders were asked for a local record number")
		}
		e := d.posted.entries(t)[0]
		if e.Strength != entry.StrengthLocal {
			t.Errorf("strength %v, want local", e.Strength)
		}
		return e.Pseudonym
	}
	here, again := pseudonymOf(nil), pseudonymOf(nil)
	elsewhere := pseudonymOf(func(c *Config) { c.Local[0] ^= 1 })
	if here != again || here == elsewhere || !here.Present {
		t.Errorf("here %x, again %x, at another hospital %x", here.Value, again.Value, elsewhere.Value)
	}
}

const family = `{"id": "family-1",
 "proband": {"id": "son", "subject": {"id": "son", "sex": "MALE"}, "diseases": [{"term": {"id": "ORPHA:558", "label": "Marfan"}}], "metaData": {
   "externalReferences": [{"id": "PMID:1"}]}},
 "relatives": [{"id": "dad", "subject": {"id": "dad", "sex": "MALE"}, "diseases": [{"term": {"id": "ORPHA:558", "label": "Marfan"}}], "metaData": {
   "externalReferences": [{"id": "PMID:1"}]}}],
 "metaData": {}}`

func TestAFamilyIsTakenTogetherAndEachMemberIsAPerson(t *testing.T) {
	d := newDesk(nil)
	r := d.take(t, File{Name: "family.json", Data: []byte(family)})[0]
	list := d.posted.entries(t)
	if r.Outcome != Accepted || len(d.posted.groups) != 1 || len(list) != 2 || list[0].Pseudonym == list[1].Pseudonym {
		t.Errorf("%s: %d entries in %d groups, findings %v", r.Outcome, len(list), len(d.posted.groups), r.Findings)
	}
	half := strings.Replace(family, `{"id": "dad", "sex": "MALE"}`, `{"id": "", "sex": "MALE"}`, 1)
	d = newDesk(nil)
	if r := d.take(t, File{Name: "family.json", Data: []byte(half)})[0]; r.Outcome != Refused || len(d.posted.groups) != 0 {
		t.Errorf("with one member that cannot be read: %s, %d groups posted", r.Outcome, len(d.posted.groups))
	}
}

func TestEveryMembersRefusalIsNamed(t *testing.T) {
	ric := func(v string) identity.Document { return identity.Document{Type: identity.RIC, Value: v} }
	d := newDesk(nil)
	r := d.take(t, File{Name: "family.json", Data: []byte(family), Identities: map[string]identity.Document{
		"son": ric("100000199001010018"), "dad": ric("10000019******0016"),
	}})[0]
	if got := codes(r); r.Outcome != Refused || !slices.Contains(got, "ID002") || !slices.Contains(got, "ID004") {
		t.Errorf("%s with %v, want refused with ID002 and ID004", r.Outcome, r.Findings)
	}
}

func TestTheSameFileTwiceIsKnown(t *testing.T) {
	d := newDesk(nil)
	files := made(2)
	if r := d.take(t, files...); r[0].Outcome != Accepted {
		t.Fatalf("the first time: %v", r[0].Outcome)
	}
	for i, r := range d.take(t, files[1], files[0]) {
		if r.Outcome != Known || len(r.Entries) == 0 {
			t.Errorf("file %d the second time: %s", i, r.Outcome)
		}
	}
	twice := newDesk(nil).take(t, files[0], files[0])
	if twice[0].Outcome != Accepted || twice[1].Outcome != Known {
		t.Errorf("twice in one batch: %s and %s", twice[0].Outcome, twice[1].Outcome)
	}
}

func deep(open, shut string) []byte {
	return []byte(`{"id":"a","subject":{"id":"s"},"metaData":{},"x":` + strings.Repeat(open, 10_000) + strings.Repeat(shut, 10_000) + `}`)
}

func TestWhatIsNoGoodFileIsRefusedByNameAndLeavesNothing(t *testing.T) {
	good := made(1)[0].Data
	private := bytes.Replace(good, []byte(`"subject": {`), []byte(`"subject": {"note": "call 13812345678",`), 1)
	for name, tc := range map[string]struct {
		file File
		code string
	}{
		"nothing":                      {File{Data: nil}, "PP002"},
		"not JSON":                     {File{Data: []byte("%PDF-1.7")}, "PP002"},
		"not a phenopacket":            {File{Data: []byte(`{"resourceType": "Patient"}`)}, "PP002"},
		"a number":                     {File{Data: []byte(`7`)}, "PP002"},
		"truncated":                    {File{Data: good[:len(good)/2]}, "PP002"},
		"two documents":                {File{Data: append(bytes.Clone(good), good...)}, "PP002"},
		"10,000 arrays deep":           {File{Data: deep("[", "]")}, "PP002"},
		"10,000 objects deep":          {File{Data: deep(`{"a":`, "}")}, "PP002"},
		"deep and never closed":        {File{Data: deep("[", "")}, "PP002"},
		"not UTF-8":                    {File{Data: []byte("{\"id\":\"\xff\"}")}, "FM001"},
		"larger than a file may be":    {File{Data: bytes.Repeat([]byte(" "), 16<<20+1)}, "FM005"},
		"a telephone number in a text": {File{Data: private}, "PR001"},
		"a wrong check digit":          {withDocument(identity.Document{Type: identity.RIC, Value: "100000199001010018"}), "ID002"},
		"a masked number":              {withDocument(identity.Document{Type: identity.RIC, Value: "10000019******0016"}), "ID004"},
		"an unknown type of document":  {withDocument(identity.Document{Type: "Zhang San", Value: "7"}), "ID001"},
		"no number":                    {withDocument(identity.Document{Type: identity.RIC}), "ID001"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(nil)
			tc.file.Name = "a.json"
			r := d.take(t, tc.file)[0]
			if r.Outcome != Refused || !slices.Contains(codes(r), tc.code) {
				t.Errorf("%s with %v, want refused with %s", r.Outcome, r.Findings, tc.code)
			}
			if len(d.posted.groups) != 0 || len(r.Entries) != 0 || len(d.holders.calls) != 0 {
				t.Errorf("%d groups were posted, %d entries reported", len(d.posted.groups), len(r.Entries))
			}
		})
	}
}

func TestARefusedFileHoldsUpNoOther(t *testing.T) {
	d := newDesk(nil)
	files := made(2)
	r := d.take(t, files[0], File{Name: "bad.json", Data: []byte("{")}, files[1])
	if r[0].Outcome != Accepted || r[1].Outcome != Refused || r[2].Outcome != Accepted || len(d.posted.groups) != 2 {
		t.Errorf("%s, %s, %s with %d groups", r[0].Outcome, r[1].Outcome, r[2].Outcome, len(d.posted.groups))
	}
	if r[2].Entries[0].Sequence != 2 {
		t.Errorf("the third file's entries are in envelope %d, want 2", r[2].Entries[0].Sequence)
	}
}

func TestAFileMayHaveAnyName(t *testing.T) {
	for _, name := range []string{"a.json", "panic.json", "../../etc/passwd", "慕容.json", "no\nline", ""} {
		file := made(1)[0]
		file.Name = name
		if r := newDesk(nil).take(t, file)[0]; r.Outcome != Accepted {
			t.Errorf("%q: %s with %v", name, r.Outcome, r.Findings)
		}
	}
}

func TestTestNumbersAreRefusedInProduction(t *testing.T) {
	file := made(1)[0]
	r := newDesk(func(c *Config) { c.Production = true }).take(t, file)[0]
	demo := newDesk(nil).take(t, withDocument(identity.Document{Type: identity.RIC, Value: "11010519491231002X"}))[0]
	production := newDesk(func(c *Config) { c.Production = true }).
		take(t, withDocument(identity.Document{Type: identity.RIC, Value: "11010519491231002X"}))[0]
	if slices.Contains(codes(demo), "ID011") || !slices.Contains(codes(production), "ID011") {
		t.Errorf("a printed specimen: demo %v, production %v (a made-up number: %s)", codes(demo), codes(production), r.Outcome)
	}
}

func TestWhatFailsIsAnErrorAndCanBeGivenAgain(t *testing.T) {
	d := newDesk(nil)
	d.holders.err = errors.New("too few")
	if _, err := d.Take(t.Context(), made(1), 0); !errors.Is(err, d.holders.err) || len(d.posted.groups) != 0 {
		t.Errorf("without holders: %v, %d groups posted", err, len(d.posted.groups))
	}
	d.holders.err, d.posted.err = nil, errors.New("disk")
	if _, err := d.Take(t.Context(), made(1), 0); !errors.Is(err, d.posted.err) {
		t.Errorf("without a disk: %v", err)
	}
	d.posted.err = nil
	if r := d.take(t, made(1)...); r[0].Outcome != Accepted {
		t.Errorf("given again: %s", r[0].Outcome)
	}
	if r := d.take(t); len(r) != 0 {
		t.Errorf("of no files: %v", r)
	}
}

func TestAProfileAskedForHolds(t *testing.T) {
	d := newDesk(nil)
	if _, err := d.Take(t.Context(), made(1), entry.Cohort); err != nil {
		t.Fatal(err)
	}
	for _, e := range d.posted.entries(t) {
		if e.Profile != entry.Cohort {
			t.Errorf("a %s has profile %v", e.Type, e.Profile)
		}
	}
}

func TestNoIdentifierIsInAnythingThatIsSaidOrPosted(t *testing.T) {
	const subject, name = "MRN-Zhang-778812", "Zhang-Sanfeng"
	good := made(1)[0]
	number := good.Identities["patient-000001"].Value
	broken := number[:17] + map[bool]string{true: "1", false: "0"}[number[17] == '0']
	masked := number[:10] + "****" + number[14:]
	file := func(value, note string) File {
		data := strings.ReplaceAll(string(good.Data), "patient-000001", subject)
		data = strings.Replace(data, `"subject": {`, `"subject": {"note": "`+note+`",`, 1)
		return File{Name: "a.json", Data: []byte(data), Identities: map[string]identity.Document{
			subject: {Type: identity.RIC, Value: value},
		}}
	}
	d := newDesk(nil)
	files := []File{
		file(number, "well"), file(broken, name), file(masked, name), file(number, name+" "+number), file(number, "is "+subject),
		{Name: "b.json", Data: []byte(`{"id": "` + name + `", "subject": {"id": "` + subject + `"}, "metaData": {"x": [`)},
		{Name: "c.json", Data: []byte(`{"` + name + `": {}, "` + name + `": {}}`)},
		withDocument(identity.Document{Type: name, Issuer: name, Value: name}),
	}
	results := d.take(t, files...)
	d.holders.err = errors.New("too few")
	_, err := d.Take(t.Context(), files[:1], 0)
	said, jsonErr := json.Marshal(results)
	if err == nil || jsonErr != nil {
		t.Fatal(err, jsonErr)
	}
	heard := fmt.Appendf(nil, "%+v %s %v", results, said, err)
	for _, g := range d.posted.groups {
		for _, e := range g {
			heard = append(heard, e.Plain.CBOR...)
		}
	}
	for i, r := range results {
		if want := map[bool]Outcome{true: Accepted, false: Refused}[i == 0]; r.Outcome != want {
			t.Errorf("file %d is %s, want %s", i, r.Outcome, want)
		}
	}
	for _, planted := range []string{number, broken, masked, number[6:14], subject, "778812", name} {
		if at := bytes.Index(heard, []byte(planted)); at >= 0 {
			t.Errorf("%q is in what is said: %q", planted, heard[max(0, at-80):at])
		}
	}
}

func TestFourPatientsAlikeAreQueriedInAnyFiles(t *testing.T) {
	const text = `{"id": "P-%[1]d", "subject": {"id": "P-%[1]d", "sex": "MALE", "dateOfBirth": "1990-03-07T00:00:00Z", "vitalStatus": {"status": "ALIVE"}},
		"diseases": [{"term": {"id": "ORPHA:324", "label": "法布雷病"}, "onset": {"age": {"iso8601duration": "P8Y"}}}],
		"raresync": {"department": "肾内科", "province": "44", "diagnosisDate": "2020-05-06"}, "metaData": {"phenopacketSchemaVersion": "2.0"}}`
	for n, want := range map[int]int{3: 0, 4: 4} {
		var files []File
		for i := range n {
			files = append(files, File{Name: fmt.Sprintf("%d.json", i), Data: fmt.Appendf(nil, text, i)})
		}
		results, err := newDesk(nil).Take(t.Context(), files, entry.Report)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for i, r := range results {
			for _, f := range r.Findings {
				if f.Code == "DU003" && f.Where == fmt.Sprintf("%d.json $.subject.dateOfBirth", i) {
					got++
				}
			}
			if r.Outcome != Accepted {
				t.Errorf("file %d is %s: %v", i, r.Outcome, r.Findings)
			}
		}
		if got != want {
			t.Errorf("of %d patients %d are queried, want %d", n, got, want)
		}
	}
}
