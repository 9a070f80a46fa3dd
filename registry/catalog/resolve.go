package catalog

import "slices"

// A Query is what one diagnosis says about its disease. Every field may be
// empty; codes may have any spelling that NormalizeCode reads.
type Query struct {
	List, Number             int
	ORPHA, OMIM, Name, ICD10 string
}

// Resolve returns the match of the most specific field that is in the table:
// list number, ORPHA, OMIM, name, ICD-10. An ambiguous match gives way to a
// later field that names one of its rows alone.
func (c *Catalog) Resolve(q Query) Match {
	var best Match
	for _, m := range c.matches(q) {
		switch {
		case !m.Found():
		case !m.Ambiguous && (!best.Found() || slices.Contains(best.Diseases, m.Diseases[0])):
			return m
		case !best.Found():
			best = m
		}
	}
	return best
}

// orphaField is the place of the ORPHA code's match in matches.
const orphaField = 1

// matches looks up every field of q, the most specific first.
func (c *Catalog) matches(q Query) []Match {
	var byNumber Match
	if d, ok := c.ByNumber(q.List, q.Number); ok {
		byNumber = Match{Diseases: []*Disease{d}, By: ByNumber}
	}
	return []Match{byNumber, c.ByORPHA(q.ORPHA), c.ByOMIM(q.OMIM), c.ByName(q.Name), c.ByICD10(q.ICD10)}
}

// Agree reports whether one row fits every field of q that the table knows
// (DX005 is raised where none does). A row without codes of a system fits any
// code of that system.
func (c *Catalog) Agree(q Query) bool {
	all := c.matches(q)
	if id, ok := read(q.ORPHA, ORPHA); ok {
		all[orphaField] = match(c.orpha[id], ByORPHA) // rows that the tie rule passes over agree too
	}
	found := slices.DeleteFunc(all, func(m Match) bool { return !m.Found() })
	if len(found) < 2 {
		return true
	}
	for _, candidate := range found {
		for _, d := range candidate.Diseases {
			if fitsAll(d, found) {
				return true
			}
		}
	}
	return false
}

func fitsAll(d *Disease, found []Match) bool {
	for _, m := range found {
		if !d.silent(m.By) && !slices.Contains(m.Diseases, d) {
			return false
		}
	}
	return true
}

// silent reports whether the row has no code of the system.
func (d *Disease) silent(by string) bool {
	switch by {
	case ByORPHA:
		return len(d.ORPHA) == 0
	case ByOMIM:
		return len(d.OMIM) == 0
	case ByICD10:
		return len(d.ICD10) == 0
	}
	return false
}
