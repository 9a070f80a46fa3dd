package query

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/entry"
)

// State is where a question stands.
type State string

// The states. A question that was closed is closed, whatever came before.
const (
	Open      State = "open"
	Answered  State = "answered"
	Corrected State = "corrected" // the entry was, after the question
	Closed    State = "closed"    // by who asked
)

// Asked is a question with what became of it.
type Asked struct {
	reader.Opened // the query entry; Hospital is who asked
	State         State
	Ended         uint64        // log time, in ms, of what ended it; while it is open, of the newest envelope
	Reply         reader.Opened // the answer that counts; Entry.Reply is nil if there is none
	Correction    uint64        // index of the correction; 0: none
	First         reader.Opened // of the answer and the correction, what came first; Index is 0 without either
	Last          reader.Opened // the newest query entry of the question: this one, or its closing
}

// Days returns how many whole days the question was open, by log time.
func (a Asked) Days() int {
	return int(time.Duration(a.Ended-min(a.LogTime, a.Ended)) * time.Millisecond / (24 * time.Hour))
}

// List returns the questions that some changes know, in the order of the log,
// without those about entries that are withdrawn at a state. open opens an entry,
// to see whether a correction is one of it; what this institution may not open
// counts as not corrected.
func List(changes *reader.Changes, view *state.State, open func(index uint64) (reader.Opened, error)) ([]Asked, error) {
	var out []Asked
	standing := map[question]int{} // place in out of the question that is not closed
	for _, o := range sorted(changes.Queries()) {
		q := *o.Entry.Query
		if view.Withdrawn(q.Hospital, q.Target) || view.Withdrawn(o.Hospital, o.Index) {
			continue
		}
		key := questionOf(o)
		at, asked := standing[key]
		switch {
		case q.Action == entry.Ask && !asked:
			standing[key] = len(out)
			out = append(out, Asked{Opened: o, State: Open, Ended: view.LogTime, Last: o})
		case q.Action == entry.Close && asked:
			out[at].State, out[at].Ended, out[at].Last = Closed, o.LogTime, o
			delete(standing, key)
		}
	}
	for i := range out {
		if err := out[i].settle(changes, view, open); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// question is what makes query entries ones about the same.
type question struct {
	asker uint32
	entry.Query
}

func questionOf(o reader.Opened) question {
	key := question{o.Hospital, *o.Entry.Query}
	key.Action = 0
	return key
}

func sorted(list []reader.Opened) []reader.Opened {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b reader.Opened) int { return cmp.Compare(a.Index, b.Index) })
	return list
}

// settle finds the answer and the correction.
func (a *Asked) settle(changes *reader.Changes, view *state.State, open func(index uint64) (reader.Opened, error)) error {
	for _, o := range sorted(changes.Replies()) {
		r := o.Entry.Reply
		if o.Hospital == a.Entry.Query.Hospital && r.Query == a.Index && r.QueryID == a.Entry.ID && !view.Withdrawn(o.Hospital, o.Index) {
			a.Reply = o
		}
	}
	var corrected reader.Opened
	if changes.Corrects(a.Entry.Query.Hospital, a.Entry.Query.Target, a.Index) {
		target, err := open(a.Entry.Query.Target)
		switch {
		case errors.Is(err, reader.ErrNotAllowed), errors.Is(err, reader.ErrErased):
		case err != nil:
			return err
		default:
			_, corrected, _ = changes.Correction(target)
		}
	}
	if corrected.Index > a.Index {
		a.Correction = corrected.Index
	}
	for _, o := range []reader.Opened{a.Reply, corrected} {
		if o.Index > a.Index && (a.First.Index == 0 || o.Index < a.First.Index) {
			a.First = o
		}
	}
	switch {
	case a.State == Closed:
	case a.Correction != 0:
		a.State, a.Ended = Corrected, corrected.LogTime
	case a.Reply.Entry.Reply != nil:
		a.State, a.Ended = Answered, a.Reply.LogTime
	}
	return nil
}
