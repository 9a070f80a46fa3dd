package catalog

import "testing"

func TestResolveTakesTheMostSpecificField(t *testing.T) {
	for name, tc := range map[string]struct {
		q         Query
		want, by  string
		ambiguous bool
	}{
		"list number before codes":                  {q: Query{List: 1, Number: 68, ORPHA: "ORPHA:63"}, want: "1.68", by: ByNumber},
		"ORPHA before OMIM":                         {q: Query{ORPHA: "558", OMIM: "143100"}, want: "1.68", by: ByORPHA},
		"OMIM where ORPHA is unknown":               {q: Query{ORPHA: "999999", OMIM: "143100"}, want: "1.47", by: ByOMIM},
		"name before ICD-10":                        {q: Query{Name: "马方综合征", ICD10: "G10"}, want: "1.68", by: ByName},
		"ICD-10 alone":                              {q: Query{ICD10: "G10"}, want: "1.47", by: ByICD10},
		"an ambiguous ORPHA code alone":             {q: Query{ORPHA: "ORPHA:26"}, want: "1.45 1.71", by: ByORPHA, ambiguous: true},
		"a name settles an ambiguous code":          {q: Query{ORPHA: "ORPHA:26", Name: "甲基丙二酸尿症"}, want: "1.71", by: ByName},
		"another disease's name does not settle it": {q: Query{ORPHA: "ORPHA:26", Name: "马方综合征"}, want: "1.45 1.71", by: ByORPHA, ambiguous: true},
		"nothing known":                             {q: Query{List: 3, Number: 1, ORPHA: "x", OMIM: "1", Name: "感冒", ICD10: "J06.9"}},
		"nothing given":                             {},
	} {
		m := Current().Resolve(tc.q)
		if refs(m.Diseases) != tc.want || m.By != tc.by || m.Ambiguous != tc.ambiguous {
			t.Errorf("%s: got %q by %q ambiguous %v", name, refs(m.Diseases), m.By, m.Ambiguous)
		}
	}
}

func TestAgree(t *testing.T) {
	for name, tc := range map[string]struct {
		q    Query
		want bool
	}{
		"all name one row":                           {Query{List: 1, Number: 68, ORPHA: "558", ICD10: "Q87.400"}, true},
		"ICD-10 of another row":                      {Query{List: 1, Number: 68, ICD10: "G10"}, false},
		"ORPHA of another row":                       {Query{List: 1, Number: 68, ORPHA: "399"}, false},
		"one code only":                              {Query{ORPHA: "558"}, true},
		"a code the table does not know":             {Query{ORPHA: "558", ICD10: "J06.9"}, true},
		"a row without ICD-10 fits any":              {Query{List: 1, Number: 85, ICD10: "E72.2"}, true},
		"an ambiguous code that includes the row":    {Query{Name: "异戊酸血症", ICD10: "E71.1"}, true},
		"two rows of which no code names the same":   {Query{ORPHA: "ORPHA:26", Name: "马方综合征"}, false},
		"an exact row and the one it was taken from": {Query{List: 1, Number: 53, ORPHA: "ORPHA:478"}, true},
	} {
		if got := Current().Agree(tc.q); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}
