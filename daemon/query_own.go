package daemon

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/query"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/validate"
)

// doubtsTick is how often it is looked whether entries that raised a question have
// come into the log.
const doubtsTick = 2 * time.Second

// openDoubts opens what this hospital has still to ask itself. It is worth no daemon
// that does not start: what is dropped again is asked again.
func (s *service) openDoubts(dir string) (err error) {
	s.doubts, err = query.OpenBook(filepath.Join(dir, "doubts.json"))
	if errors.Is(err, query.ErrDamaged) {
		s.log.Error("some questions about accepted entries will not be asked", "reason", err.Error())
		err = nil
	}
	return err
}

// noteDoubts keeps what this hospital is to ask itself.
func (s *service) noteDoubts(list []validate.Doubt) error {
	left, err := s.doubts.Note(list)
	if left > 0 {
		s.log.Warn("too many questions about accepted entries wait to be asked: these will not be", "questions", left)
	}
	return err
}

// runDoubts asks this hospital about its own entries on which a rule of severity Q
// was raised, until the context ends. Its error is a failed fsync's.
func (s *service) runDoubts(ctx context.Context) error {
	return s.everySoOften(ctx, doubtsTick, "questions about accepted entries wait to be asked", s.askItself)
}

// askItself asks about what is in the log, and drops doubts about what never will be.
func (s *service) askItself(ctx context.Context) error {
	list := s.doubts.Waiting()
	if len(list) == 0 {
		return nil
	}
	if err := s.node.Whole(); err != nil {
		return err
	}
	if err := s.mayTake(); err != nil {
		return err
	}
	ids := map[[32]byte]bool{}
	for _, d := range list {
		ids[d.Entry] = true
	}
	at, err := s.reader.IndexesOf(ctx, ids)
	if err != nil {
		return err
	}
	var questions []intake.Question
	var done []validate.Doubt
	for _, d := range list {
		index, there := at[d.Entry]
		if !there {
			if !s.outbox.Knows([][32]byte{d.Entry})[0] {
				done = append(done, d) // it was withdrawn, and is forgotten
			}
			continue
		}
		done = append(done, d)
		target, err := s.reader.Entry(index)
		switch {
		case errors.Is(err, reader.ErrErased):
			continue
		case err != nil:
			return err
		case target.Problem != "":
			continue
		}
		questions = append(questions, intake.Question{
			Query: entry.Query{Action: entry.Ask, Target: index, Hospital: s.self.Institution, Rule: d.Rule, Text: validate.Question(d.Rule)},
			About: target.Entry.Pseudonym,
		})
	}
	if len(done) == 0 {
		return nil
	}
	if err := s.intake.Ask(ctx, questions); err != nil {
		return err
	}
	return s.doubts.Done(done)
}
