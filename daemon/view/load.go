package view

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/raresync/raresync/registry/entry"
)

// The queries that fill a holding, each of one hospital. CROSS JOIN tells SQLite where
// to begin; NULL is none. Small numbers share a column, since a column costs as much as
// a row.
const (
	ofHospital = ` AND e.hospital = ?`
	loadCases  = `SELECT c.idx, coalesce(e.person, 0), e.day, e.month, {e.event_month}, {c.birth}, {c.diagnosed}, {c.delay}, c.needed * 256 + c.missing,
		c.sex + c.verification * 256 + c.vital * 65536 + e.strength * 16777216, c.hpo + c.onset_given * 2 + c.contact * 4 + c.disease * 8 + c.coded * 16 + c.queried * 32 + c.genetic * 64, c.id
		FROM live e CROSS JOIN cases c ON c.idx = e.idx WHERE e.type = 1` + ofHospital
	loadRows       = `SELECT x.idx, x.list, x.number FROM live e CROSS JOIN case_rows x ON x.idx = e.idx WHERE e.type = 1` + ofHospital
	loadTested     = `SELECT x.of_case FROM live e CROSS JOIN genetics x ON x.idx = e.idx WHERE e.type = 2 AND x.result IN (1, 2, 3)` + ofHospital
	loadMarks      = `SELECT day, month, type, stopped, problem = '', count(*) FROM entries e WHERE 1 = 1` + ofHospital + ` GROUP BY 1, 2, 3, 4, 5`
	loadIntakes    = `SELECT e.month, sum(i.refused), sum(i.offered) FROM live e CROSS JOIN intakes i ON i.idx = e.idx WHERE e.type = 18` + ofHospital + ` GROUP BY 1`
	loadDead       = `SELECT e.person FROM live e CROSS JOIN deaths d ON d.idx = e.idx WHERE e.type = 6 AND e.person IS NOT NULL` + ofHospital
	loadVisits     = `SELECT e.idx, e.person, e.event, x.vital FROM live e CROSS JOIN visits x ON x.idx = e.idx WHERE e.type = 3 AND e.person IS NOT NULL AND e.event IS NOT NULL` + ofHospital
	loadSpecimens  = `SELECT e.idx, coalesce(e.person, 0), x.kind, x.consent, x.status, x.of_case FROM live e CROSS JOIN specimens x ON x.idx = e.idx WHERE e.type = 4 AND e.stopped & 8 = 0` + ofHospital
	loadTreatments = `SELECT e.person, e.month, x.status, x.reason, x.access, x.band, {x.waiting}, x.of_case FROM live e CROSS JOIN treatments x ON x.idx = e.idx
		WHERE e.type = 5 AND e.person IS NOT NULL AND e.stopped & 16 = 0` + ofHospital
	loadBroken  = `SELECT e.month, f.code, f.severity, '', count(DISTINCT f.idx) FROM live e CROSS JOIN findings f ON f.idx = e.idx WHERE e.type = 1` + ofHospital + ` GROUP BY 1, 2, 3`
	loadMissing = `SELECT e.month, f.code, f.severity, f.field, count(*) FROM live e CROSS JOIN findings f ON f.idx = e.idx WHERE e.type = 1 AND f.code = '` + missingCode + `'` + ofHospital + ` GROUP BY 1, 4`
	loadRefused = `SELECT e.month, x.code, '', '', sum(x.refused) FROM live e CROSS JOIN intake_rules x ON x.idx = e.idx WHERE e.type = 18` + ofHospital + ` GROUP BY 1, 2`
)

// given puts none in the place of NULL.
var given = strings.NewReplacer("{", "coalesce(", "}", ", "+strconv.Itoa(none)+")")

// load reads what is held of a hospital.
func (q Query) load(h *holding, hospital uint32) error {
	return h.load(func(query string, f func(Row) error) error { return q.Each(given.Replace(query), f, hospital) }, hospital)
}

// load reads the answers to all queries. A row may not be readable, as when who looked
// has gone: then nothing of it is there.
func (h *holding) load(read func(string, func(Row) error) error, hospital uint32) error {
	at, err := h.loadCases(read, hospital)
	if err != nil {
		return err
	}
	rows := func(of []byte) (out []entry.Row) { // of all cases of an id, as an entry belongs to it
		for _, i := range at[[32]byte(of)] {
			out = append(out, h.cases[i].Rows...)
		}
		return out
	}
	into := func(list *[]Finding) func(Row) error {
		return func(row Row) error {
			f := Finding{Hospital: hospital}
			err := row(&f.Month, &f.Code, &f.Severity, &f.Field, &f.N)
			*list = append(*list, f)
			return err
		}
	}
	var id []byte
	for _, one := range []struct {
		query string
		f     func(Row) error
	}{
		{loadTested, func(row Row) error {
			if err := row(&id); err != nil {
				return err
			}
			for _, i := range at[[32]byte(id)] {
				h.cases[i].Tested = true
			}
			return nil
		}},
		{loadMarks, func(row Row) error {
			var m mark
			err := row(&m.day, &m.month, &m.kind, &m.stopped, &m.sound, &m.n)
			h.marks = append(h.marks, m)
			return err
		}},
		{loadIntakes, func(row Row) error {
			var t took
			err := row(&t.month, &t.refused, &t.offered)
			h.intakes = append(h.intakes, t)
			return err
		}},
		{loadDead, func(row Row) error {
			var person int64
			err := row(&person)
			h.dead = append(h.dead, person)
			return err
		}},
		{loadVisits, func(row Row) error {
			var v visit
			var vital entry.Vital
			err := row(&v.index, &v.person, &v.day, &vital)
			v.lost = vital == entry.Lost
			h.visits = append(h.visits, v)
			return err
		}},
		{loadSpecimens, func(row Row) error {
			var s Specimen
			var status entry.SpecimenStatus
			if err := row(&s.Index, &s.Person, &s.Kind, &s.Consent, &status, &id); err != nil {
				return err
			}
			h.sampled = append(h.sampled, s.Person)
			if s.Rows = rows(id); status == 0 || status == 1 || status == 5 { // available
				h.specimens = append(h.specimens, s)
			}
			return nil
		}},
		{loadTreatments, func(row Row) error {
			var t Treatment
			if err := row(&t.Person, &t.Month, &t.Status, &t.Reason, &t.Access, &t.Band, &t.Waiting, &id); err != nil {
				return err
			}
			t.Rows = rows(id)
			h.treatments = append(h.treatments, t)
			return nil
		}},
		{loadBroken, into(&h.broken)}, {loadMissing, into(&h.missing)}, {loadRefused, into(&h.refused)},
	} {
		if err := read(one.query, one.f); err != nil {
			return err
		}
	}
	return nil
}

// loadCases reads the registrations, and says where those of an entry id are.
func (h *holding) loadCases(read func(string, func(Row) error) error, hospital uint32) (at map[[32]byte][]int, err error) {
	type identified struct {
		Case
		id [32]byte
	}
	var all []identified
	if err := read(loadCases, func(row Row) error {
		one := identified{Case: Case{Hospital: hospital}}
		c := &one.Case
		var fields, small, flags int64
		var id []byte
		if err := row(&c.Index, &c.Person, &c.Day, &c.Month, &c.EventMonth, &c.Birth, &c.Diagnosed, &c.Delay, &fields, &small, &flags, &id); err != nil {
			return err
		}
		c.Needed, c.Missing = int32(fields>>8), int32(fields&0xff)
		c.Sex, c.Verification, c.Vital, c.Strength = uint8(small), uint8(small>>8), uint8(small>>16), entry.Strength(small>>24)
		for bit, into := range []*bool{&c.Features, &c.Onset, &c.Contact, &c.Disease, &c.Coded, &c.Queried, &c.Genetic} {
			*into = flags>>bit&1 == 1
		}
		one.id = [32]byte(id)
		all = append(all, one)
		return nil
	}); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b identified) int { return cmp.Compare(a.Index, b.Index) })
	h.cases, at = make([]Case, len(all)), make(map[[32]byte][]int, len(all))
	for i, one := range all {
		h.cases[i], at[one.id] = one.Case, append(at[one.id], i)
	}
	return at, read(loadRows, func(row Row) error {
		var index int64
		var r entry.Row
		if err := row(&index, &r.List, &r.Number); err != nil {
			return err
		}
		if i, ok := slices.BinarySearchFunc(h.cases, index, func(c Case, to int64) int { return cmp.Compare(c.Index, to) }); ok {
			h.cases[i].Rows = append(h.cases[i].Rows, r)
		}
		return nil
	})
}
