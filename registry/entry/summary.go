package entry

import "github.com/raresync/raresync/registry/catalog"

// A Summary is what a list of entries shows of one: nothing that identifies a
// person beyond what the entry's reader may read anyway.
type Summary struct {
	Type      Type
	Profile   Profile
	EventDate Date
	Source    Source
	Strength  Strength
	// Disease is the principal disease of a case: the Chinese name of its row
	// in the catalogue or, outside the lists, the source's own text or code.
	Disease string
	Match   Match
}

// Summary returns the entry's summary, with the disease named by c.
func (e Entry) Summary(c *catalog.Catalog) Summary {
	s := Summary{Type: e.Type, Profile: e.Profile, EventDate: e.EventDate, Source: e.Source, Strength: e.Strength}
	if e.Case == nil {
		return s
	}
	d, ok := e.Case.Principal()
	if !ok {
		return s
	}
	s.Match, s.Disease = d.Match, d.Text
	if s.Disease == "" && len(d.Codes) > 0 {
		s.Disease = d.Codes[0]
	}
	if rows := d.Match.Counted(); len(rows) == 1 {
		if row, ok := c.ByNumber(int(rows[0].List), int(rows[0].Number)); ok {
			s.Disease = row.ZH[0]
		}
	}
	return s
}
