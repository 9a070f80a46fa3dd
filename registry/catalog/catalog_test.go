package catalog

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func refs(rows []*Disease) string {
	var out []string
	for _, d := range rows {
		out = append(out, d.Ref())
	}
	return strings.Join(out, " ")
}

func TestListsAreComplete(t *testing.T) {
	want := map[int]struct{ rows, orpha, omim, icd10 int }{
		1: {121, 121, 77, 42},
		2: {86, 78, 37, 27},
	}
	got := map[int]struct{ rows, orpha, omim, icd10 int }{}
	for _, d := range Current().All() {
		n := got[d.List]
		n.rows++
		if d.Number != n.rows {
			t.Fatalf("row %s follows %d rows of its list", d.Ref(), n.rows-1)
		}
		n.orpha += min(1, len(d.ORPHA))
		n.omim += min(1, len(d.OMIM))
		n.icd10 += min(1, len(d.ICD10))
		got[d.List] = n
	}
	for list, w := range want {
		if got[list] != w {
			t.Errorf("list %d: got %+v, want %+v", list, got[list], w)
		}
	}
}

func TestEveryRowIsFound(t *testing.T) {
	c := Current()
	for _, row := range c.All() {
		if d, ok := c.ByNumber(row.List, row.Number); !ok || d.Ref() != row.Ref() {
			t.Errorf("%s: not found by number", row.Ref())
		}
		for _, name := range slices.Concat(row.ZH, row.EN) {
			if m := c.ByName(name); refs(m.Diseases) != row.Ref() || m.Ambiguous {
				t.Errorf("%s: name %q finds %q, ambiguous %v", row.Ref(), name, refs(m.Diseases), m.Ambiguous)
			}
			if !strings.Contains(" "+refs(c.Search(name))+" ", " "+row.Ref()+" ") {
				t.Errorf("%s: search for %q misses it", row.Ref(), name)
			}
		}
		if got := refs(c.Search(row.Ref())); got != row.Ref() {
			t.Errorf("%s: search for the reference finds %q", row.Ref(), got)
		}
		if got := refs(c.Search(strconv.Itoa(row.Number))); !strings.Contains(" "+got+" ", " "+row.Ref()+" ") {
			t.Errorf("%s: search for the number finds %q", row.Ref(), got)
		}
	}
}

func TestEveryCodeLeadsToItsRow(t *testing.T) {
	c := Current()
	for _, row := range c.All() {
		for _, code := range row.ORPHA {
			if len(c.orpha[code.ID]) == 1 && refs(c.ByORPHA(code.ID).Diseases) != row.Ref() {
				t.Errorf("%s: %s does not lead to it", row.Ref(), code.ID)
			}
			if !slices.Contains([]Relation{Exact, Narrower, Broader, Close, ExactNarrower, BroaderNarrower}, code.Relation) {
				t.Errorf("%s: relation %q", row.Ref(), code.Relation)
			}
		}
		for _, id := range row.OMIM {
			if got := refs(c.ByOMIM(id).Diseases); got != row.Ref() {
				t.Errorf("%s: %s leads to %q", row.Ref(), id, got)
			}
		}
		for _, id := range row.ICD10 {
			if m := c.ByICD10(id); !strings.Contains(" "+refs(m.Diseases)+" ", " "+row.Ref()+" ") {
				t.Errorf("%s: %s leads to %q", row.Ref(), id, refs(m.Diseases))
			}
		}
		if (row.ICD10Edition == "") != (len(row.ICD10) == 0) {
			t.Errorf("%s: ICD-10 edition %q for %v", row.Ref(), row.ICD10Edition, row.ICD10)
		}
	}
}

func TestEveryCodeIsInItsStoredForm(t *testing.T) {
	for _, row := range Current().All() {
		ids := slices.Concat(row.OMIM, row.ICD10)
		for _, code := range row.ORPHA {
			ids = append(ids, code.ID)
		}
		for _, id := range ids {
			if _, got, err := NormalizeCode(id); err != nil || got != id {
				t.Errorf("%s: %q normalises to %q, %v", row.Ref(), id, got, err)
			}
		}
	}
}

// The five codes are those that stand on two rows; only ORPHA:26 has no row
// that it names exactly.
func TestORPHAOnTwoRows(t *testing.T) {
	for code, want := range map[string]struct {
		all, match string
		ambiguous  bool
	}{
		"ORPHA:52":     {"1.23 2.5", "2.5", false},
		"ORPHA:358":    {"1.33 1.41", "1.33", false},
		"ORPHA:26":     {"1.45 1.71", "1.45 1.71", true},
		"ORPHA:238583": {"1.49 1.113", "1.113", false},
		"ORPHA:478":    {"1.53 1.59", "1.59", false},
	} {
		c := Current()
		if got := refs(c.orpha[code]); got != want.all {
			t.Errorf("%s stands on %q, want %q", code, got, want.all)
		}
		m := c.ByORPHA(code)
		if refs(m.Diseases) != want.match || m.Ambiguous != want.ambiguous {
			t.Errorf("%s: got %q ambiguous %v, want %+v", code, refs(m.Diseases), m.Ambiguous, want)
		}
		if got := refs(m.Counted()); got != want.match {
			t.Errorf("%s counts under %q, want %q", code, got, want.match)
		}
	}
	several := 0
	for _, rows := range Current().orpha {
		if len(rows) > 1 {
			several++
		}
	}
	if several != 5 {
		t.Errorf("%d ORPHA codes stand on several rows, want 5", several)
	}
}

func TestICD10ByLetterAndThreeDigits(t *testing.T) {
	for name, tc := range map[string]struct {
		code, match, counted string
	}{
		"as in the table":                        {"Q87.40", "1.68", "1.68"},
		"with China's extension":                 {"q87.400x001", "1.68", "1.68"},
		"without the dot":                        {"E7222", "1.6 1.18", ""},
		"with a dagger":                          {"G70.0†", "1.32", "1.32"},
		"fits several rows":                      {"E71.1", "1.58 1.99", ""},
		"a row of two digits covers its parts":   {"E84.900", "1.101", "1.101"},
		"a row of two digits itself":             {"G10", "1.47", "1.47"},
		"two digits are too few for other rows":  {"E72", "", ""},
		"with a letter in the fourth place":      {"C49.A1", "2.32", "2.32"},
		"full-width as a Chinese keyboard types": {"Ｅ８３．０", "1.37", "1.37"},
		"unknown":                                {"J06.9", "", ""},
		"not a code":                             {"感冒", "", ""},
		"only white space":                       {" \t", "", ""},
	} {
		m := Current().ByICD10(tc.code)
		if refs(m.Diseases) != tc.match || refs(m.Counted()) != tc.counted {
			t.Errorf("%s: got %q counted %q, want %q counted %q", name, refs(m.Diseases), refs(m.Counted()), tc.match, tc.counted)
		}
		if m.Ambiguous != (len(m.Diseases) > 1) {
			t.Errorf("%s: ambiguous %v with %d rows", name, m.Ambiguous, len(m.Diseases))
		}
	}
}

func TestNamesMatchWholeButLoosely(t *testing.T) {
	for name, tc := range map[string]struct{ name, want string }{
		"spaces inside":              {"Alport综合征", "1.3"},
		"brackets of the other kind": {"窒息性胸腔失养症(热纳综合征)", "1.7"},
		"a synonym":                  {"威尔逊氏病", "1.37"},
		"half of a joined name":      {"白塞病", "2.9"},
		"upper case":                 {"MARFAN SYNDROME", "1.68"},
		"another apostrophe":         {"Huntington's disease", "1.47"},
		"no accents":                 {"Behcets disease", "2.9"},
		"Roman numeral as letters":   {"血管性血友病III型", "2.84"},
		"the other common character": {"粘多糖贮积症", "1.73"},
		"right spelling":             {"Systemic sclerosis", "1.112"},
		"the source's spelling":      {"Systemic sclerosi", "1.112"},
		"part of a name":             {"糖原累积病", ""},
		"nothing":                    {"", ""},
	} {
		if got := refs(Current().ByName(tc.name).Diseases); got != tc.want {
			t.Errorf("%s: %q finds %q, want %q", name, tc.name, got, tc.want)
		}
	}
}

func TestSearch(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"part of a Chinese name":   {"糖原累积", "1.35"},
		"part of an English name":  {"huntington", "1.47"},
		"an ORPHA code":            {"Orphanet:558", "1.68"},
		"an OMIM number":           {"OMIM 154700", "1.68"},
		"an ICD-10 code":           {"E71.1", "1.58 1.99"},
		"an ORPHA code on two":     {"ORPHA:478", "1.53 1.59"},
		"reference of a row":       {" 2.86 ", "2.86"},
		"no row has the reference": {"2.87", ""},
		"blank":                    {"  ", ""},
		"only brackets":            {"（）", ""},
		"beyond the limit":         {strings.Repeat("病", 100), ""},
	} {
		if got := refs(Current().Search(tc.text)); got != tc.want {
			t.Errorf("%s: %q finds %q, want %q", name, tc.text, got, tc.want)
		}
	}
}

func TestHashIsFrozenWithTheEdition(t *testing.T) {
	const want = "65090df3483e0cc03edbac433614afd6ea7cc3ad1adc77919f1993dee82d7691"
	c := Current()
	h := c.Hash()
	if got := hex.EncodeToString(h[:]); got != want {
		t.Errorf("hash of %s: got %s, want %s; a changed table needs a new edition", c.Edition(), got, want)
	}
	changed := c.All()
	changed[0].Number = 2
	if hash(c.Edition(), changed) == h || hash("other", c.All()) == h {
		t.Error("another table or edition has the same hash")
	}
	if e, ok := Edition(c.Edition()); !ok || e != c {
		t.Error("the current edition is not found by name")
	}
	if _, ok := Edition("cn-1999/1"); ok {
		t.Error("an unknown edition is found")
	}
}
