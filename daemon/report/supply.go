package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/entry"
)

// specimens finds available specimens that may be used.
func specimens(q view.Query, _ Options, r *Report) error {
	t := Table{Title: Text{"Available specimens", "可用标本"}, Found: true, Columns: []Column{
		diseaseColumn, {Name: "kind", Title: Text{"Kind", "种类"}, Kind: Word}, {Name: "consent", Title: Text{"Consent", "同意"}, Kind: Word},
		{Name: "specimens", Title: Text{"Specimens", "标本"}, Kind: People}, personsColumn,
	}}
	type key struct {
		row     entry.Row
		kind    entry.SpecimenKind
		consent entry.Answer
	}
	type found struct {
		n, last int64 // of specimens, which come by their indexes
		persons view.Persons
	}
	all := map[key]*found{}
	if err := q.Specimens(func(s *view.Specimen) {
		for _, row := range s.Rows {
			at := key{row, s.Kind, s.Consent}
			f := all[at]
			if f == nil {
				f = &found{last: -1}
				all[at] = f
			}
			if f.last != s.Index {
				f.n, f.last = f.n+1, s.Index
			}
			f.persons.Add(s.Person)
		}
	}); err != nil {
		return err
	}
	names, err := rowNames(q)
	for _, at := range slices.SortedFunc(maps.Keys(all), func(a, b key) int {
		return cmp.Or(compareRows(a.row, b.row), cmp.Compare(a.kind, b.kind), cmp.Compare(a.consent, b.consent))
	}) {
		t.Rows = append(t.Rows, []Cell{{Text: names[at.row]}, {Text: specimenText(at.kind)}, {Text: answerText(at.consent)}, number(all[at].n), number(all[at].persons.Len())})
	}
	r.Tables = append(r.Tables, t)
	return err
}

func compareRows(a, b entry.Row) int {
	return cmp.Or(cmp.Compare(a.List, b.List), cmp.Compare(a.Number, b.Number))
}

// rowNames are the names of the rows of the lists.
func rowNames(q view.Query) (map[entry.Row]Text, error) {
	out := map[entry.Row]Text{}
	return out, q.Each(`SELECT list, number, en, zh FROM diseases`, func(row view.Row) error {
		var r entry.Row
		var name Text
		err := row(&r.List, &r.Number, &name.EN, &name.ZH)
		out[r] = name
		return err
	})
}
