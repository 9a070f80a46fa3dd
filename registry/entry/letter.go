package entry

import (
	"crypto/sha256"
	"fmt"
)

// A Letter tells a hospital how it stands: its own indicators of a month beside what
// is usual. A national reader sends it, sealed to the hospital as well. It counts, and
// names no person and no entry; its entry's day is that of sending.
type Letter struct {
	Hospital uint32
	Of       Date   // the month
	Size     uint64 // tree size of the log that the figures are of
	Root     [32]byte
	Edition  string       // of the disease lists
	Open     uint32       // queries to the hospital that were open when it was sent
	Oldest   uint32       // days for which the oldest of them was
	Worst    []LetterSpot // what rules found most often, that first
	Lines    []LetterLine
}

// LetterSpot is a field in which a rule found something.
type LetterSpot struct {
	Rule  string // code, as DT003
	Field string
	Count uint32 // registrations of the month
}

// LetterLine is an indicator. Of a share Value is the numerator, of a quantile the
// value; Of is of how many.
type LetterLine struct {
	Indicator string // id, as "Q3.median"
	Value, Of uint64
	Median    uint64 // of hospitals, a whole number
	Hospitals uint32 // that have the indicator; 0: too few to say their median, or the band
	Band      uint8  // 1 the best quarter of them to 4 the last; 0: not said
}

const (
	// maxLetterLines bounds a letter.
	maxLetterLines = 256
	// MaxLetterSpots is of how many fields a letter tells.
	MaxLetterSpots = 5
	// LetterHospitals is of how many hospitals a letter tells anything, at least.
	LetterHospitals = 5
	// MaxLetterWord bounds, in bytes, the names of a letter.
	MaxLetterWord = 64

	lastBand = 4
)

// LetterID returns the entry id of a letter: [ID] over hospital and month as local id,
// as "2 2026-10", and the SHA-256 of "raresync/v1/letter\0". So a hospital has one
// letter of a month from a sender, whatever it says.
func LetterID(key [32]byte, hospital uint32, month Date) [32]byte {
	return ID(key, TypeLetter, fmt.Sprintf("%d %s", hospital, month), sha256.Sum256([]byte("raresync/v1/letter\x00")))
}

// letterFields carries the layout.
func (w *wire) letterFields(e *Entry) {
	l := e.Letter
	w.array(9)
	number(w, &l.Hospital, 1, ^uint32(0))
	w.date(&l.Of)
	w.index(&l.Size)
	w.hash(&l.Root)
	w.text(&l.Edition)
	number(w, &l.Open, 0, ^uint32(0))
	number(w, &l.Oldest, 0, ^uint32(0))
	list(w, &l.Worst, func(w *wire, s *LetterSpot) {
		w.array(3)
		w.text(&s.Rule)
		w.text(&s.Field)
		number(w, &s.Count, 1, ^uint32(0))
	})
	list(w, &l.Lines, func(w *wire, line *LetterLine) {
		w.array(6)
		w.text(&line.Indicator)
		w.index(&line.Value)
		w.index(&line.Of)
		w.index(&line.Median)
		number(w, &line.Hospitals, 0, ^uint32(0))
		number(w, &line.Band, 0, lastBand)
	})
	w.nobody(e)
	if l.Of.Precision() != PrecisionMonth || e.Supersedes != [32]byte{} || !l.agrees() {
		w.fail("a letter of no month, or one that contradicts itself")
	}
}

// agrees reports whether the letter says something, and nothing of few hospitals.
func (l *Letter) agrees() bool {
	if len(l.Lines) == 0 || len(l.Lines) > maxLetterLines || len(l.Worst) > MaxLetterSpots || len(l.Edition) > MaxLetterWord || l.Open == 0 && l.Oldest != 0 {
		return false
	}
	for _, s := range l.Worst {
		if !isRuleCode(s.Rule) || len(s.Field) > MaxLetterWord {
			return false
		}
	}
	for _, line := range l.Lines {
		said := line.Median != 0 || line.Band != 0 || line.Hospitals != 0
		if line.Indicator == "" || len(line.Indicator) > MaxLetterWord || said && line.Hospitals < LetterHospitals {
			return false
		}
	}
	return true
}
