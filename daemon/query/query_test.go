package query

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/daemon/withdraw"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
)

const day = 24 * 60 * 60 * 1000 // ms

// Institutions of the test: two hospitals and two readers.
const hospital, other, asker, second = 1, 2, 4, 5

// book is a log of one entry a day, at indexes 0, 1, 2, ...
type book []reader.Opened

func (b *book) add(from uint32, e entry.Entry) uint64 {
	index := uint64(len(*b))
	e.ID = [32]byte{0xee, byte(index)}
	*b = append(*b, reader.Opened{Index: index, Hospital: from, LogTime: index * day, Entry: e})
	return index
}

func (b *book) registers() uint64 {
	return b.add(hospital, entry.Entry{Type: entry.TypeFollowUp, Facts: entry.Facts{FollowUp: &entry.FollowUp{}}})
}

func (b *book) asks(from uint32, action entry.QueryAction, target uint64) uint64 {
	return b.add(from, entry.Entry{Type: entry.TypeQuery, Query: &entry.Query{Action: action, Target: target, Hospital: hospital, Rule: "DT003", Text: 1}})
}

func (b *book) replies(from uint32, query uint64, text entry.ReplyText) {
	b.add(from, entry.Entry{Type: entry.TypeReply, Reply: &entry.Reply{Query: query, QueryID: (*b)[query].Entry.ID, Text: text}})
}

func (b *book) corrects(from uint32, index uint64) {
	first := (*b)[index].Entry
	b.add(from, entry.Entry{Type: entry.TypeCorrection, Supersedes: first.ID, Correction: &entry.Correction{Index: index, Facts: first.Facts}})
}

func (b book) open(index uint64) (reader.Opened, error) { return b[index], nil }

func (b book) changes() *reader.Changes {
	c := &reader.Changes{}
	for _, o := range b {
		c.Add(o)
	}
	return c
}

// said puts a list into words: index, state, days, and the answer's text.
func said(list []Asked) (out []string) {
	for _, a := range list {
		s := fmt.Sprintf("%d %s %d", a.Index, a.State, a.Days())
		if a.Reply.Entry.Reply != nil {
			s += " " + a.Reply.Entry.Reply.Text.String()
		}
		out = append(out, s)
	}
	return out
}

func TestWhereAQuestionStands(t *testing.T) {
	for name, tc := range map[string]struct {
		happens func(b *book, entry, query uint64)
		want    []string // on day 10; the entry is 0, the question 1
	}{
		"nothing happens": {func(*book, uint64, uint64) {}, []string{"1 open 9"}},
		"it is answered":  {func(b *book, _, q uint64) { b.replies(hospital, q, entry.ReplyRight) }, []string{"1 answered 1 right"}},
		"the answer is changed": {func(b *book, _, q uint64) {
			b.replies(hospital, q, entry.ReplyRight)
			b.replies(hospital, q, entry.ReplyUnknown)
		}, []string{"1 answered 2 cannot be found out"}},
		"another hospital answers":     {func(b *book, _, q uint64) { b.replies(other, q, entry.ReplyRight) }, []string{"1 open 9"}},
		"the entry is corrected":       {func(b *book, e, _ uint64) { b.corrects(hospital, e) }, []string{"1 corrected 1"}},
		"another hospital corrects it": {func(b *book, e, _ uint64) { b.corrects(other, e) }, []string{"1 open 9"}},
		"answered, then corrected": {func(b *book, e, q uint64) { b.replies(hospital, q, entry.ReplyCorrected); b.corrects(hospital, e) },
			[]string{"1 corrected 2 corrected"}},
		"it is closed":                  {func(b *book, e, _ uint64) { b.asks(asker, entry.Close, e) }, []string{"1 closed 1"}},
		"another reader closes its own": {func(b *book, e, _ uint64) { b.asks(second, entry.Close, e) }, []string{"1 open 9"}},
		"asked twice":                   {func(b *book, e, _ uint64) { b.asks(asker, entry.Ask, e) }, []string{"1 open 9"}},
		"asked by two":                  {func(b *book, e, _ uint64) { b.asks(second, entry.Ask, e) }, []string{"1 open 9", "2 open 8"}},
		"closed and asked again": {func(b *book, e, _ uint64) { b.asks(asker, entry.Close, e); b.asks(asker, entry.Ask, e) },
			[]string{"1 closed 1", "3 open 7"}},
	} {
		var b book
		target := b.registers()
		tc.happens(&b, target, b.asks(asker, entry.Ask, target))
		list, err := List(b.changes(), &state.State{LogTime: 10 * day}, b.open)
		if got := said(list); err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, tc.want)
		}
	}
}

func TestACorrectionFromBeforeAnswersNothing(t *testing.T) {
	var b book
	target := b.registers()
	b.corrects(hospital, target)
	b.asks(asker, entry.Ask, target)
	if list, err := List(b.changes(), &state.State{LogTime: 10 * day}, b.open); err != nil || list[0].State != Open {
		t.Errorf("%q, %v", said(list), err)
	}
}

func TestWhatIsWithdrawnIsNotAskedAbout(t *testing.T) {
	var b book
	target := b.registers()
	q := b.asks(asker, entry.Ask, target)
	b.replies(hospital, q, entry.ReplyRight)
	for name, tc := range map[string]struct {
		claim state.Claim
		want  []string
	}{
		"the entry":         {state.Claim{Hospital: hospital, Entries: []act.Span{{First: target, Count: 1}}}, nil},
		"the question":      {state.Claim{Hospital: asker, Entries: []act.Span{{First: q, Count: 1}}}, nil},
		"the answer":        {state.Claim{Hospital: hospital, Entries: []act.Span{{First: 2, Count: 1}}}, []string{"1 open 9"}},
		"in another's name": {state.Claim{Hospital: other, Entries: []act.Span{{First: target, Count: 2}}}, []string{"1 answered 1 right"}},
	} {
		list, err := List(b.changes(), &state.State{LogTime: 10 * day, Claims: []state.Claim{tc.claim}}, b.open)
		if got := said(list); err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, tc.want)
		}
	}
}

// desk is a log that a test moves, and what was posted to it.
type desk struct {
	view   *state.State
	change chan *state.State
	posted []time.Time
	fails  int
}

func (d *desk) View() *state.State { return d.view }

func (d *desk) Wait(ctx context.Context, cond func(*state.State) bool) (*state.State, error) {
	for !cond(d.view) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case d.view = <-d.change:
		}
	}
	return d.view, nil
}

func (d *desk) PostAct(_ context.Context, a act.Act) error {
	if d.fails--; d.fails >= 0 {
		return errors.New("no way")
	}
	w, err := act.DecodeWithdrawal(a.Payload)
	if err != nil {
		return err
	}
	d.posted = append(d.posted, time.Now())
	next := &state.State{Claims: d.view.Claims, Withdrawals: d.view.Withdrawals}
	next.Claims = append(slices.Clone(next.Claims), state.Claim{Hospital: w.Hospital, Entries: w.Entries})
	next.Withdrawals = append(next.Withdrawals, state.Withdrawal{Envelope: 9})
	d.view = next
	return nil
}

func TestQuestionsAboutWithdrawnEntriesAreWithdrawnLater(t *testing.T) {
	for name, fails := range map[string]int{"at once": 0, "after it failed": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b book
				target, kept := b.registers(), b.registers()
				q := b.asks(asker, entry.Ask, target)
				b.asks(asker, entry.Ask, kept)
				b.asks(second, entry.Ask, target)
				b.asks(asker, entry.Close, target)
				d := &desk{view: &state.State{}, change: make(chan *state.State), fails: fails}
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan bool)
				go func() {
					Forget(ctx, Forgetting{
						Institution: asker, Changes: func(context.Context) (*reader.Changes, error) { return b.changes(), nil },
						Log: d, Poster: d, Schedule: withdraw.Schedule{Spread: 2 * time.Hour}, Random: rand.Reader, Now: time.Now,
						Logger: slog.New(slog.DiscardHandler),
					})
					close(ended)
				}()
				synctest.Wait()
				began := time.Now()
				d.change <- &state.State{
					Claims:      []state.Claim{{Hospital: hospital, Entries: []act.Span{{First: target, Count: 1}}}},
					Withdrawals: []state.Withdrawal{{Envelope: 8}},
				}
				<-time.After(12 * time.Hour)
				synctest.Wait()
				if len(d.posted) != 1 || d.posted[0].Sub(began) > time.Duration(1+fails)*3*time.Hour {
					t.Fatalf("posted %v, began at %v", d.posted, began)
				}
				want := []act.Span{{First: q, Count: 1}, {First: q + 3, Count: 1}}
				if got := d.view.Claims[1]; got.Hospital != asker || !slices.Equal(got.Entries, want) {
					t.Errorf("withdrawn %+v, want %+v", got, want)
				}
				cancel()
				<-ended
			})
		})
	}
}
