package dataset

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/entry"
)

// frozenLog is what a reader opens of a log: patients at two hospitals, of whom the
// first is linked across them and has parts, a correction and a second identity.
func frozenLog() (log []reader.Opened) {
	post := func(hospital uint32, e entry.Entry) uint64 {
		index := uint64(10 + len(log))
		log = append(log, reader.Opened{Index: index, Hospital: hospital, LogTime: 1_790_000_000_000, Entry: e})
		return index
	}
	of := func(kind entry.Type, n byte, p byte) entry.Entry {
		return entry.Entry{Type: kind, ID: [32]byte{n}, Facts: entry.Blank(kind), Pseudonym: entry.Pseudonym{Present: true, Value: [32]byte{p, 0xaa}}}
	}
	for n := range byte(8) {
		c := of(entry.TypeCase, 1+n, 1+n)
		c.Case.Sex, c.Case.Birth, c.Case.Department = entry.SexFemale, entry.Date{Year: 1990, Month: 1 + n}, fmt.Sprintf("科室%d", n)
		c.Case.Diseases = []entry.Disease{{Text: "法布雷病", Codes: []string{"ORPHA:324"}}}
		at := post(1+uint32(n)%2, c)
		visit := of(entry.TypeFollowUp, 100+n, 1+n)
		visit.FollowUp.Case, visit.FollowUp.Scale, visit.EventDate = c.ID, fmt.Sprintf("量表%d", n), entry.Date{Year: 2024, Month: 2, Day: 3}
		post(1+uint32(n)%2, visit)
		if n == 0 {
			said := of(entry.TypeCase, 1, 1)
			said.Case.Sex, said.Case.Birth, said.Case.Department = entry.SexMale, entry.Date{Year: 1990, Month: 1}, "改后科室"
			post(1, entry.Entry{Type: entry.TypeCorrection, ID: [32]byte{200}, Pseudonym: c.Pseudonym, Supersedes: c.ID,
				Correction: &entry.Correction{Index: at, Reason: entry.Mistyped, Facts: said.Facts}})
		}
	}
	// Hospital 1 links its first patient to the one that hospital 2 has registered.
	post(1, entry.Entry{Type: entry.TypeAlias, ID: [32]byte{201}, Alias: &entry.Alias{Action: entry.Link, Old: [32]byte{1, 0xaa}, New: [32]byte{2, 0xaa}}})
	return log
}

// frozen is the dataset of the log, less some entries that were erased since.
func frozen(t *testing.T, now *reader.Changes, uses entry.Scope, log []reader.Opened) *Set {
	t.Helper()
	c := &collector{now: now, parts: map[[32]byte][]reader.Opened{}, o: Options{
		Size: 100, Project: "px", Key: [32]byte{7}, Uses: uses, Day: func(uint64) string { return "2026-11-01" },
		Of: func(n uint32) Hospital { return Hospital{Name: fmt.Sprint("医院", n), Province: "31"} },
	}}
	for _, o := range log {
		c.add(o)
	}
	s, err := c.set()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAFrozenDatasetForgetsWhoWithdrew erases all that hospital 1 has of one patient.
func TestAFrozenDatasetForgetsWhoWithdrew(t *testing.T) {
	log := frozenLog()
	before := frozen(t, &reader.Changes{}, 0, log)
	if before.Rows[0].Case.Case.Department != "改后科室" || before.Rows[0].Person != before.Rows[1].Person || before.Persons != 7 {
		t.Fatalf("the log is not what the test wants: %d persons, %+v", before.Persons, before.Rows[0])
	}
	erased := func(o reader.Opened) bool {
		return o.Hospital == 1 && (o.Entry.Pseudonym.Value[0] == 1 || o.Entry.Alias != nil)
	}
	after := frozen(t, &reader.Changes{}, 0, slices.DeleteFunc(slices.Clone(log), erased))
	if len(after.Rows) != len(before.Rows)-1 {
		t.Fatalf("%d rows of %d are left", len(after.Rows), len(before.Rows))
	}
	for _, form := range Forms() {
		for _, file := range Files(form) {
			was, is := written(t, before, form, file), written(t, after, form, file)
			for _, word := range []string{"1990-01", "改后科室", "科室0", "量表0", before.Rows[0].Person} {
				if bytes.Contains(is, []byte(word)) {
					t.Errorf("%s still says %s", file, word)
				}
			}
			if form == "parquet" {
				continue
			}
			// What is left is what was, line for line, less the lines that are gone. The other
			// hospital's patient was known under a key that followed from the link.
			own := bytes.ReplaceAll(was, []byte(before.Rows[1].Person), []byte(after.Rows[0].Person))
			rest := bytes.Split(own, []byte("\n"))
			for line := range bytes.SplitSeq(is, []byte("\n")) {
				at := slices.IndexFunc(rest, func(l []byte) bool { return bytes.Equal(l, line) })
				if at < 0 && !(file == "patients.fhir.ndjson" && bytes.Contains(line, []byte("1990-02"))) { // its Patient was told by the other registration
					t.Errorf("%s: a line that was not there: %s", file, line)
				}
				rest = rest[at+1:]
			}
		}
	}
	rows := fromParquet(t, written(t, after, "parquet", "registrations.parquet"))
	if len(rows) != 7 || rows[0]["index"] == fmt.Sprint(log[0].Index) {
		t.Errorf("Parquet has %d rows, the first of entry %s", len(rows), rows[0]["index"])
	}
	if p := [32]byte{1, 0xaa}; bytes.Contains(fmt.Append(nil, after.Rows), []byte(hex.EncodeToString(p[:]))) {
		t.Error("the pseudonym is in a row")
	}
}

// TestAStopCountsAlsoInAFrozenDataset stops one use, and then all, of one patient's
// entries after the dataset was frozen.
func TestAStopCountsAlsoInAFrozenDataset(t *testing.T) {
	log := frozenLog()
	whole := frozen(t, &reader.Changes{}, entry.ScopeReuse, log)
	at := log[len(log)-3] // the last case
	stopping := func(scope entry.Scope) *reader.Changes {
		c := &reader.Changes{}
		c.Add(reader.Opened{Index: 500, Hospital: at.Hospital, Entry: entry.Entry{Type: entry.TypeConsent, ID: [32]byte{9}, Consent: &entry.Consent{
			Status: entry.Stopped, Scope: scope, By: entry.BySelf, Marks: [][32]byte{{1}}, Indexes: []uint64{at.Index},
		}}})
		return c
	}
	for name, tc := range map[string]struct {
		stopped, uses entry.Scope
		rows          int
	}{
		"reuse, for research":                  {entry.ScopeReuse, entry.ScopeReuse, 7},
		"reuse, for another use":               {entry.ScopeReuse, entry.ScopeDrugs, 8},
		"industry, for research":               {entry.ScopeIndustry, entry.ScopeReuse, 8},
		"the registry, whatever the use":       {entry.ScopeRegistry, 0, 7},
		"everything, for research":             {entry.ScopeAll, entry.ScopeReuse, 7},
		"drug programmes, for drug programmes": {entry.ScopeDrugs, entry.ScopeDrugs, 7},
	} {
		s := frozen(t, stopping(tc.stopped), tc.uses, log)
		if len(s.Rows) != tc.rows || len(s.Stopped) != 8-tc.rows || tc.rows < 8 && s.Stopped[0].First != at.Index {
			t.Errorf("%s: %d rows, stopped %v; want %d rows", name, len(s.Rows), s.Stopped, tc.rows)
		}
		for _, r := range s.Rows {
			if i := slices.IndexFunc(whole.Rows, func(w Row) bool { return w.Index == r.Index }); i < 0 || whole.Rows[i].Person != r.Person {
				t.Errorf("%s: row %d is under another key", name, r.Index)
			}
		}
	}
}
