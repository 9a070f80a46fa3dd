package withdraw

import (
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/entry"
)

func name(letter byte) [32]byte { return [32]byte{letter} }

func under(letter byte) entry.Pseudonym { return entry.Pseudonym{Present: true, Value: name(letter)} }

// shelf is a hospital's entries in the log, at indexes 1, 2, 3, ...
type shelf []reader.Opened

func (s *shelf) add(e entry.Entry) uint64 {
	index := uint64(len(*s) + 1)
	if e.ID == [32]byte{} {
		e.ID = [32]byte{0xee, byte(index)}
	}
	*s = append(*s, reader.Opened{Index: index, Hospital: 1, Entry: e})
	return index
}

func (s *shelf) caseOf(letter byte) entry.Entry {
	e := entry.Entry{Type: entry.TypeCase, Profile: entry.Report, Source: entry.SourceForm, Pseudonym: under(letter), Facts: entry.Facts{Case: &entry.Case{}}}
	return (*s)[s.add(e)-1].Entry
}

func (s *shelf) alias(action entry.AliasAction, pair string) {
	s.add(entry.Entry{Type: entry.TypeAlias, Pseudonym: under(pair[0]), Alias: &entry.Alias{Action: action, Reason: entry.ReasonOther, Old: name(pair[0]), New: name(pair[1]), OldType: 1, NewType: 1}})
}

func (s shelf) seq() iter.Seq2[reader.Opened, error] {
	return func(yield func(reader.Opened, error) bool) {
		for _, o := range s {
			if !yield(o, nil) {
				return
			}
		}
	}
}

func none(uint64) bool { return false }

func TestFindFollowsEveryReferenceBothWays(t *testing.T) {
	var s shelf
	a := s.caseOf('a')                                                                                                   // 1
	s.add(entry.Entry{Type: entry.TypeGenetics, Pseudonym: under('a'), Facts: entry.Facts{Genetics: &entry.Genetics{}}}) // 2
	s.add(entry.Entry{Type: entry.TypeFollowUp, Facts: entry.Facts{FollowUp: &entry.FollowUp{Case: a.ID}}})              // 3: by its case alone
	s.add(entry.Entry{Type: entry.TypeCorrection, Supersedes: a.ID, Correction: &entry.Correction{Index: 1}})            // 4: by what it corrects
	s.alias(entry.Link, "ab")                                                                                            // 5
	s.caseOf('b')                                                                                                        // 6
	s.alias(entry.Link, "ac")                                                                                            // 7
	s.alias(entry.Unlink, "ca")                                                                                          // 8
	c := s.caseOf('c')                                                                                                   // 9: another person after all
	d := s.caseOf('d')                                                                                                   // 10
	s.add(entry.Entry{Type: entry.TypeConsent, Consent: &entry.Consent{Indexes: []uint64{1}}})                           // 11
	s.add(entry.Entry{Type: entry.TypeGenetics, Facts: entry.Facts{Genetics: &entry.Genetics{Case: c.ID}}})              // 12
	s = append(s, reader.Opened{Index: 13, Hospital: 1, Problem: "SEAL002"}, reader.Opened{Index: 14, Hospital: 1, Problem: "SEAL004"})
	s.add(entry.Entry{Type: entry.TypeReply, Reply: &entry.Reply{Query: 99, Entry: d.ID}})  // 15: the answer to what was asked about it
	s.add(entry.Entry{Type: entry.TypeQuery, Query: &entry.Query{Target: 10, Hospital: 1}}) // 16: what the hospital asked itself about it
	s.add(entry.Entry{Type: entry.TypeReply, Reply: &entry.Reply{Query: 16, Entry: d.ID}})  // 17
	s.add(entry.Entry{Type: entry.TypeQuery, Query: &entry.Query{Target: 99, Hospital: 1}}) // 18: about what is not there
	gone := func(index uint64) bool { return index == 13 }
	for letter, want := range map[byte][]uint64{
		'a': {1, 2, 3, 4, 5, 6, 7, 8}, 'b': {1, 2, 3, 4, 5, 6, 7, 8}, 'c': {7, 8, 9, 12}, 'd': {10, 15, 16, 17}, 'e': nil,
	} {
		got, err := Find(s.seq(), gone, name(letter))
		if err != nil || !slices.Equal(got.Indexes, want) || got.Unopened != 1 {
			t.Errorf("%c: got %v with %d unopened, %v; want %v", letter, got.Indexes, got.Unopened, err, want)
		}
	}
	if got, _ := Find(s.seq(), gone, name('b')); len(got.Pseudonyms) != 2 || got.Pseudonyms[0] != name('b') {
		t.Errorf("the person has %d pseudonyms", len(got.Pseudonyms))
	}
}

func TestMoreIdentitiesThanAPersonHasAreAWrongLink(t *testing.T) {
	var s shelf
	for _, pair := range []string{"ab", "bc", "cd", "de", "ef"} {
		s.alias(entry.Link, pair)
	}
	if got, err := Find(s.seq(), none, name('c')); err != nil || len(got.Pseudonyms) != entry.MaxMarks {
		t.Errorf("six: %d, %v", len(got.Pseudonyms), err)
	}
	s.alias(entry.Link, "fg")
	if _, err := Find(s.seq(), none, name('c')); !errors.Is(err, ErrIdentities) {
		t.Errorf("seven: %v", err)
	}
}
