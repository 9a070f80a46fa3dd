package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/daemon/query"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
)

var (
	// errNoWriter reports a letter from a node that writes none.
	errNoWriter = errors.New("only a national reader writes quality letters")
	// errNoLetter reports an index that is no letter's.
	errNoLetter = errors.New("no such letter")
)

// qualityLetters are those that this institution may open, in the order of the log.
func (s *service) qualityLetters(ctx context.Context) ([]reader.Opened, error) {
	if err := s.node.Whole(); err != nil {
		return nil, err
	}
	changes, err := s.reader.Changes(ctx)
	if err != nil {
		return nil, err
	}
	return changes.Letters(), nil
}

// letters lists the letters.
func (s *service) letters(r *http.Request) ([]admin.Letter, error) { return s.lettersNow(r.Context()) }

func (s *service) lettersNow(ctx context.Context) ([]admin.Letter, error) {
	all, err := s.qualityLetters(ctx)
	if err != nil {
		return nil, err
	}
	out := []admin.Letter{}
	for _, o := range all {
		sawOne(ctx, o.Index)
		l := o.Entry.Letter
		out = append(out, admin.Letter{
			Index: o.Index, Sender: o.Hospital, Hospital: l.Hospital, Month: l.Of.String(), Sent: rfc3339(o.LogTime), Size: l.Size, Open: l.Open, Oldest: l.Oldest,
		})
	}
	return out, nil
}

// showLetter writes a letter in the format that is asked for.
func (s *service) showLetter(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	kind, err := s.writeLetter(r, &b)
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(b.Bytes()) // the command has gone if it fails
}

func (s *service) writeLetter(r *http.Request, b *bytes.Buffer) (contentType string, err error) {
	index, err := number(r, "index")
	if err != nil {
		return "", err
	}
	made, err := s.readLetter(r.Context(), index)
	if err != nil {
		return "", err
	}
	return printed(made, r, b)
}

// readLetter is a letter with what this node knows besides: the queries that are open
// today and, at the hospital, entries that the letter's counts are of. They are not in
// the letter, which so holds nothing that goes when a patient withdraws.
func (s *service) readLetter(ctx context.Context, index uint64) (made report.Report, err error) {
	all, err := s.qualityLetters(ctx)
	if err != nil {
		return made, err
	}
	at := slices.IndexFunc(all, func(o reader.Opened) bool { return o.Index == index })
	if at < 0 {
		return made, fmt.Errorf("letter %d: %w", index, errNoLetter)
	}
	sawOne(ctx, index)
	l := *all[at].Entry.Letter
	asked, err := s.asked(ctx)
	if err != nil {
		return made, err
	}
	var queries []report.LetterQuery
	for _, a := range asked {
		if q := a.Entry.Query; a.State == query.Open && q.Hospital == l.Hospital {
			queries = append(queries, report.LetterQuery{
				Index: a.Index, Target: q.Target, Rule: q.Rule, Says: report.Text{EN: q.Text.Words("en"), ZH: q.Text.Words("zh")}, Days: a.Days(),
			})
		}
	}
	var examples []report.LetterExample
	if l.Hospital == s.self.Institution {
		if examples, err = s.letterExamples(ctx, l); err != nil {
			return made, err
		}
	}
	var name report.Text
	if m, ok := s.node.View().Member(l.Hospital); ok {
		name = report.Text{EN: orElse(m.NameEN, m.NameZH), ZH: orElse(m.NameZH, m.NameEN)}
	}
	return report.OfLetter(l, name, all[at].LogTime, examples, queries), nil
}

// letterExamples are entries of this hospital in which rules found what a letter says.
func (s *service) letterExamples(ctx context.Context, l entry.Letter) (out []report.LetterExample, err error) {
	var worst []report.Spot
	if err := s.view.Read(ctx, func(q view.Query) error {
		all, err := report.Worst(q, view.MonthOf(l.Of))
		worst = all[l.Hospital]
		return err
	}); err != nil {
		return nil, err
	}
	for _, spot := range worst {
		if !slices.ContainsFunc(l.Worst, func(said entry.LetterSpot) bool { return said.Rule == spot.Rule && said.Field == spot.Field }) {
			continue
		}
		for _, index := range spot.Examples {
			o, err := s.reader.Entry(index)
			if errors.Is(err, reader.ErrErased) { // meanwhile
				continue
			}
			if err != nil {
				return nil, err
			}
			e := report.LetterExample{Rule: spot.Rule, Field: spot.Field, Index: index}
			if p := o.Entry.Pseudonym; p.Present {
				e.CaseNumber = s.caseNumber(p.Value)
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// sendLetters sends the letters of a month that no reader has sent yet.
func (s *service) sendLetters(r *http.Request) ([]admin.LetterResult, error) {
	in, err := documentsOf[admin.LetterRequest](r)
	if err != nil {
		return nil, err
	}
	st := s.node.View()
	if m, ok := st.Member(s.self.Institution); !ok || !m.Rights.Has(act.RightNational) {
		return nil, errNoWriter
	}
	month, err := letterMonth(in.Month)
	if err != nil {
		return nil, err
	}
	to, err := recipients(st, in.Hospital)
	if err != nil {
		return nil, err
	}
	open, err := s.openQueries(r.Context())
	if err != nil {
		return nil, err
	}
	var letters []entry.Letter
	if err := s.viewFor("letter", false).Read(r.Context(), func(q view.Query) (err error) {
		if err := saw(r.Context(), q, ""); err != nil {
			return err
		}
		letters, err = report.Letters(q, month, int(st.Policy.MinCell), open, to)
		return err
	}); err != nil {
		return nil, err
	}
	return s.postLetters(r.Context(), letters, in.Wait)
}

// recipients are the hospitals that are sent letters: one, or all if it is 0.
func recipients(st *state.State, hospital uint32) (to []uint32, err error) {
	for i, m := range st.Members {
		number := uint32(i + 1)
		if _, gone := st.RemovedAt(number); m.Role == act.RoleHospital && !gone && (hospital == 0 || hospital == number) {
			to = append(to, number)
		}
	}
	if len(to) == 0 {
		return nil, fmt.Errorf("%w: the network has no hospital %d", errInvalid, hospital)
	}
	return to, nil
}

func letterMonth(text string) (view.Month, error) {
	if text == "" {
		return 0, nil
	}
	d, ok := entry.ParseDate(text)
	if !ok || d.Precision() != entry.PrecisionMonth {
		return 0, fmt.Errorf("%w: month is a month, as 2026-11", errInvalid)
	}
	return view.MonthOf(d), nil
}

// openQueries says what stands open of each hospital.
func (s *service) openQueries(ctx context.Context) (map[uint32]report.Asked, error) {
	all, err := s.asked(ctx)
	out := map[uint32]report.Asked{}
	for _, a := range all {
		if a.State == query.Open {
			o := out[a.Entry.Query.Hospital]
			o.Queries++
			o.OldestDays = max(o.OldestDays, uint32(a.Days()))
			out[a.Entry.Query.Hospital] = o
		}
	}
	return out, err
}

// postLetters sends letters, all of them before it waits for receipts. A hospital that
// has its letter of the month, from any reader, is sent none.
func (s *service) postLetters(ctx context.Context, letters []entry.Letter, wait bool) ([]admin.LetterResult, error) {
	if err := s.mayTake(); err != nil {
		return nil, err
	}
	before, err := s.qualityLetters(ctx)
	if err != nil {
		return nil, err
	}
	receipts := s.node.Status().Checkpoint.Size
	var all []intake.Taken
	out := make([]admin.LetterResult, len(letters))
	var sent []int // place in out of those in all
	for i, l := range letters {
		out[i] = admin.LetterResult{Hospital: l.Hospital, Month: l.Of.String(), Outcome: string(intake.Known)}
		if at := slices.IndexFunc(before, func(o reader.Opened) bool { return o.Entry.Letter.Hospital == l.Hospital && o.Entry.Letter.Of == l.Of }); at >= 0 {
			out[i].Index, out[i].Receipt = before[at].Index, before[at].Index < receipts
			continue
		}
		taken, err := s.intake.Post(ctx, s.intake.Letter(l))
		if err != nil {
			return nil, err
		}
		if !taken.Known { // else it waits in the outbox
			out[i].Outcome = string(intake.Accepted)
		}
		all, sent = append(all, taken), append(sent, i)
	}
	refs, err := s.references(ctx, all, map[uint64]outbox.Receipt{}, wait)
	if err != nil {
		return nil, err
	}
	for n, i := range sent {
		out[i].Receipt, out[i].Index = refs[n].Receipt, refs[n].Index
	}
	return out, nil
}
