package daemon

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/entry"
)

// errNotDrawn reports a registration that no letter draws.
var errNotDrawn = errors.New("the letter does not draw this registration")

// drawing is a letter with the registrations that it draws.
type drawing struct {
	letter reader.Opened
	drawn  []uint64
}

// drawings are what the letters draw that this institution may open. A letter whose
// root is not that of this node's own copy draws nothing: who wrote it could have
// chosen.
func (s *service) drawings(ctx context.Context, part view.Part) (out []drawing, err error) {
	letters, err := s.qualityLetters(ctx)
	if err != nil {
		return nil, err
	}
	err = s.view.ReadPart(ctx, part, func(q view.Query) error {
		for _, o := range letters {
			l := *o.Entry.Letter
			if l.Size > q.Head.Size {
				continue // a copy that is behind
			}
			root, err := s.node.Machine().RootAt(l.Size)
			if err != nil {
				return err
			}
			if root != tlog.Hash(l.Root) {
				s.log.Warn("a quality letter has another root than this node's copy, and draws no checks", "letter", o.Index)
				continue
			}
			indexes, err := report.RegisteredIn(q, l.Hospital, view.MonthOf(l.Of), l.Size)
			if err != nil {
				return err
			}
			out = append(out, drawing{o, entry.Drawn(l, indexes)})
		}
		return nil
	})
	return out, err
}

// checksOf are the hospitals' words that stand, by letter and registration.
func (s *service) checksOf(ctx context.Context, list []drawing) (map[[2]uint64]reader.Opened, error) {
	changes, err := s.reader.Changes(ctx)
	if err != nil {
		return nil, err
	}
	hospital, st := map[uint64]uint32{}, s.node.View()
	for _, d := range list {
		hospital[d.letter.Index] = d.letter.Entry.Letter.Hospital
	}
	out := map[[2]uint64]reader.Opened{}
	for _, o := range changes.Checks() {
		c := o.Entry.Check
		at := [2]uint64{c.Letter, c.Index}
		if o.Hospital == hospital[c.Letter] && o.Index >= out[at].Index && !st.Withdrawn(o.Hospital, o.Index) {
			out[at] = o
		}
	}
	return out, nil
}

// checks lists what is drawn, with what came of it.
func (s *service) checks(r *http.Request) ([]admin.Check, error) { return s.checksNow(r.Context()) }

func (s *service) checksNow(ctx context.Context) ([]admin.Check, error) {
	list, err := s.drawings(ctx, view.Part{})
	if err != nil {
		return nil, err
	}
	found, err := s.checksOf(ctx, list)
	if err != nil {
		return nil, err
	}
	out := []admin.Check{}
	for _, d := range list {
		sawOne(ctx, d.letter.Index)
		for _, index := range d.drawn {
			sawOne(ctx, index)
			one := admin.Check{Letter: d.letter.Index, Month: d.letter.Entry.Letter.Of.String(), Hospital: d.letter.Entry.Letter.Hospital, Index: index}
			if o, ok := found[[2]uint64{d.letter.Index, index}]; ok {
				c := o.Entry.Check
				one.Result, one.Checked, one.CheckIndex = uint8(c.Result), rfc3339(o.LogTime), o.Index
				for _, f := range c.Differs {
					one.Differs = append(one.Differs, f.String())
				}
			}
			if one.Hospital == s.self.Institution {
				if one.CaseNumber, err = s.caseNumberAt(index); err != nil {
					return nil, err
				}
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// caseNumberAt is the case number of this hospital's entry, "" of one without or that
// was erased meanwhile.
func (s *service) caseNumberAt(index uint64) (string, error) {
	o, err := s.reader.Entry(index)
	if errors.Is(err, reader.ErrErased) {
		return "", nil
	}
	if err != nil || !o.Entry.Pseudonym.Present {
		return "", err
	}
	return s.caseNumber(o.Entry.Pseudonym.Value), nil
}

// compare takes what came of comparing a registration of this hospital.
func (s *service) compare(r *http.Request) (admin.QueryResult, error) {
	in, err := documentsOf[admin.Compared](r)
	if err != nil {
		return admin.QueryResult{}, err
	}
	index, err := number(r, "index")
	if err != nil {
		return admin.QueryResult{}, err
	}
	return s.compareAt(r.Context(), index, in)
}

func (s *service) compareAt(ctx context.Context, index uint64, in admin.Compared) (admin.QueryResult, error) {
	if err := s.isHospital(); err != nil {
		return admin.QueryResult{}, err
	}
	differs, err := checkFields(in)
	if err != nil {
		return admin.QueryResult{}, err
	}
	list, err := s.drawings(ctx, view.Part{})
	if err != nil {
		return admin.QueryResult{}, err
	}
	at := slices.IndexFunc(list, func(d drawing) bool {
		return d.letter.Index == in.Letter && d.letter.Entry.Letter.Hospital == s.self.Institution
	})
	if at < 0 || !slices.Contains(list[at].drawn, index) {
		return admin.QueryResult{}, fmt.Errorf("entry %d: %w", index, errNotDrawn)
	}
	target, err := s.reader.Entry(index)
	if err != nil {
		return admin.QueryResult{}, err
	}
	c := entry.Check{Letter: in.Letter, Index: index, Entry: target.Entry.ID, Result: entry.CheckResult(in.Result), Differs: differs}
	found, err := s.checksOf(ctx, list[at:at+1])
	if err != nil {
		return admin.QueryResult{}, err
	}
	before := found[[2]uint64{in.Letter, index}]
	if was := before.Entry.Check; was != nil && was.Result == c.Result && slices.Equal(was.Differs, c.Differs) {
		return admin.QueryResult{Outcome: string(intake.Known), Entry: &admin.EntryRef{
			Type: entry.TypeCheck.String(), ID: hex.EncodeToString(before.Entry.ID[:]), Index: before.Index, InLog: true,
		}}, nil
	}
	e, err := s.intake.Check(c, before.Entry.ID)
	if err != nil {
		return admin.QueryResult{}, err
	}
	return s.postQuery(ctx, e, nil, in.Wait, target.Entry.Pseudonym)
}

// checkFields reads the fields that differ: some with that result, none with another.
func checkFields(in admin.Compared) (fields []entry.CheckField, err error) {
	result := entry.CheckResult(in.Result)
	if result < entry.CheckAgrees || result > entry.CheckNoSource || (result == entry.CheckDiffers) != (len(in.Differs) > 0) {
		return nil, fmt.Errorf("%w: result is 1 (agrees), 2 (differs, with the fields) or 3 (no source record)", errInvalid)
	}
	all := entry.CheckFields()
	for _, name := range in.Differs {
		at := slices.IndexFunc(all, func(f entry.CheckField) bool { return f.String() == name })
		if at < 0 {
			return nil, fmt.Errorf("%w: differs names a field that is not compared", errInvalid)
		}
		fields = append(fields, all[at])
	}
	slices.Sort(fields)
	return slices.Compact(fields), nil
}

// reportChecks is what a report counts of checks.
func (s *service) reportChecks(ctx context.Context, part view.Part, of view.Period) (out []report.Checked, err error) {
	list, err := s.drawings(ctx, part)
	if err != nil {
		return nil, err
	}
	found, err := s.checksOf(ctx, list)
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		l := d.letter.Entry.Letter
		if month := view.MonthOf(l.Of); of.To != 0 && (month < of.From || month > of.To) {
			continue
		}
		for _, index := range d.drawn {
			one := report.Checked{Hospital: l.Hospital, Letter: d.letter.Index}
			if o, ok := found[[2]uint64{d.letter.Index, index}]; ok {
				one.Index, one.Result, one.Differs = o.Index, o.Entry.Check.Result, o.Entry.Check.Differs
			}
			out = append(out, one)
		}
	}
	return out, nil
}
