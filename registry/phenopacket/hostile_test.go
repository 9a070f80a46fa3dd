package phenopacket_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
)

// minimal is the smallest packet that becomes a case.
const minimal = `{"id":"p","subject":{"id":"s-1"},"diseases":[{"term":{"id":"OMIM:154700"}}],` +
	`"metaData":{"externalReferences":[{"id":"PMID:1"}]}}`

// with returns the minimal packet with one more member.
func with(member string) string { return "{" + member + "," + minimal[1:] }

func code(err error) string {
	var refused *rule.Refusal
	if !errors.As(err, &refused) {
		return ""
	}
	return refused.Code()
}

func TestWhatIsNoPacketIsRefusedByName(t *testing.T) {
	wide := "{" + strings.Repeat(`"a":1,`, 5) + `"b":1}`
	var members strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&members, `"k%d":0,`, i)
	}
	for name, tc := range map[string]struct{ in, want string }{
		"empty":                                {"", "PP002"},
		"a list":                               {"[]", "PP002"},
		"a word":                               {"null", "PP002"},
		"another object":                       {`{"accession":"SAMEA1","characteristics":{}}`, "PP002"},
		"a FHIR resource":                      {`{"resourceType":"Patient","id":"x"}`, "PP002"},
		"a version 1 packet":                   {`{"subject":{"id":"a"},"metaData":{"phenopacketSchemaVersion":"1.0.0"}}`, "PP002"},
		"cut off":                              {minimal[:len(minimal)/2], "PP002"},
		"a comma at the end":                   {`{"subject":{"id":"a"},}`, "PP002"},
		"two documents":                        {minimal + minimal, "PP002"},
		"a name given twice":                   {wide, "PP002"},
		"a name given twice, once escaped":     {`{"id":"a","\u0069d":"b","subject":{}}`, "PP002"},
		"a field in both spellings":            {with(`"meta_data":{}`), "PP002"},
		"half a surrogate pair":                {with(`"x":"\ud800"`), "PP002"},
		"a raw line break in a text":           {with("\"x\":\"a\nb\""), "PP002"},
		"a number with a leading zero":         {with(`"x":01`), "PP002"},
		"a number of a thousand digits":        {with(`"x":` + strings.Repeat("1", 1000)), "PP002"},
		"a text of a hundred kilobytes":        {with(`"x":"` + strings.Repeat("a", 100_000) + `"`), "PP002"},
		"five thousand members":                {"{" + members.String() + minimal[1:], "PP002"},
		"half a million values":                {with(`"x":[` + strings.Repeat("0,", 500_000) + `0]`), "PP002"},
		"ten thousand levels":                  {with(`"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)), "PP002"},
		"ten thousand levels that never close": {strings.Repeat(`{"a":`, 10_000), "PP002"},
		"a thousand alternate ids":             {`{"subject":{"id":"a","alternateIds":[` + strings.Repeat(`"b",`, 1000) + `"c"]},"metaData":{}}`, "PP002"},
		"bytes that are not UTF-8":             {with("\"x\":\"\xff\""), "FM001"},
		"GB18030":                              {with("\"x\":\"\xba\xba\""), "FM001"},
		"no metaData":                          {`{"id":"a","subject":{"id":"b"}}`, "PP001"},
		"no subject":                           {`{"id":"a","metaData":{},"diseases":[]}`, "PP001"},
		"a subject without an id":              {`{"id":"a","subject":{},"metaData":{}}`, "PP001"},
		"a cohort with a member that is none":  {`{"members":[` + minimal + `,{}],"metaData":{}}`, "PP001"},
		"a cohort with a member that is text":  {`{"members":["x"],"metaData":{}}`, "PP001"},
	} {
		t.Run(name, func(t *testing.T) {
			packets, err := phenopacket.Read("file.json", strings.NewReader(tc.in), phenopacket.Limits{})
			if code(err) != tc.want || packets != nil {
				t.Fatalf("%v, want %s", err, tc.want)
			}
			if !strings.Contains(err.Error(), "file.json $") {
				t.Errorf("the refusal names no file and path: %v", err)
			}
		})
	}
}

// endless gives spaces for ever and counts what is taken.
type endless struct{ taken int64 }

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	e.taken += int64(len(b))
	return len(b), nil
}

func TestAFileOfAGibibyteIsRefusedWithoutReadingIt(t *testing.T) {
	source := &endless{}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := phenopacket.Read("big.json", io.LimitReader(source, 1<<30), phenopacket.Limits{})
	runtime.ReadMemStats(&after)
	if code(err) != "FM005" {
		t.Errorf("%v, want FM005", err)
	}
	if source.taken > 2*phenopacket.DefaultMaxBytes {
		t.Errorf("%d bytes were read", source.taken)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 200<<20 {
		t.Errorf("%d MiB were allocated", grown>>20)
	}
}

func TestAFullLimitOfSmallValuesTakesBoundedMemory(t *testing.T) {
	in := `{"a":[` + strings.Repeat("[],", phenopacket.DefaultMaxBytes/3-10) + `[]]}`
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := phenopacket.Read("many.json", strings.NewReader(in), phenopacket.Limits{})
	runtime.ReadMemStats(&after)
	if code(err) != "PP002" {
		t.Errorf("%v, want PP002", err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 300<<20 {
		t.Errorf("%d MiB were allocated", grown>>20)
	}
}

func TestObjectsOfThousandsOfMembersAreTakenInStride(t *testing.T) {
	var members strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&members, `"k%06d":0,`, i)
	}
	feature := "{" + members.String() + `"type":{"id":"HP:0001250"}}`
	in := with(`"phenotypicFeatures":[` + strings.Repeat(feature+",", 9) + feature + `]`)
	packets, err := phenopacket.Read("x.json", strings.NewReader(in), phenopacket.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := packets[0].Entries(options)
	if err != nil || len(e.Case.Case.Features) != 10 {
		t.Fatalf("%d features, %v", len(e.Case.Case.Features), err)
	}
	if _, _, err := packets[0].Accept(options, context); code(err) != "FM005" {
		t.Errorf("%v, want FM005", err)
	}
}

func TestAReaderThatFailsIsNoRefusal(t *testing.T) {
	broken := errors.New("disk")
	_, err := phenopacket.Read("x.json", io.MultiReader(strings.NewReader("{"), failing{broken}), phenopacket.Limits{})
	if !errors.Is(err, broken) || code(err) != "" {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestPrintingAPacketShowsNoIdentifier(t *testing.T) {
	in := `{"id":"zhang-3","subject":{"id":"MRN-778812","alternateIds":["11010519491231002X"]},"metaData":{}}`
	packets, err := phenopacket.Read("x.json", strings.NewReader(in), phenopacket.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if p := packets[0]; p.SubjectID != "MRN-778812" || p.AlternateIDs[0] != "11010519491231002X" {
		t.Fatal("the caller does not get the identifiers")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, packets[0]); got != "packet(x.json $)" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if j, err := packets[0].MarshalJSON(); err != nil || string(j) != `"packet(x.json $)"` {
		t.Errorf("marshals as %s, %v", j, err)
	}
}

// What can be read either cannot be kept, which is refused by name, or comes
// back as de-identification says; and reading its export gives it once more.
func FuzzWhatIsReadComesBack(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte(with(`"phenotypic_features":[{},{"type":{"id":"HP:0001250"},"excluded":false,"onset":{"age":{"iso8601duration":"P3Y","x":1}}}]`)))
	f.Add([]byte(with(`"interpretations":[{"id":"p.s-1"},7,{"diagnosis":{"genomicInterpretations":[{"subjectOrBiosampleId":"s-1"}]}}]`)))
	f.Add([]byte(with(`"raresync":{"followUps":[{"visitDate":"2024-01-01","y":[]}],"birth":"2001-02-03"},"files":[{"uri":"x"}]`)))
	f.Add([]byte(`{"proband":` + minimal + `,"consanguinousParents":true,"pedigree":{"persons":[{"individualId":"s-1","paternalId":"f"}]}}`))
	f.Add([]byte(with(`"a":[[{}],[],{"b":"NM_000138.5:c.1A>G"}]`)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		packets, err := phenopacket.Read("", bytes.NewReader(raw), phenopacket.Limits{MaxBytes: 1 << 16})
		if err != nil {
			if code(err) == "" {
				t.Fatalf("no refusal: %v", err)
			}
			return
		}
		want, err := phenopacket.Deidentify(raw, "case-1")
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range packets {
			e, err := p.Entries(options)
			if err != nil {
				t.Fatalf("not kept: %v", err)
			}
			if got := export(t, e, "case-1"); !same(t, got, want[i]) {
				t.Fatalf("got\n%s\nwant\n%s", got, want[i])
			}
		}
	})
}
