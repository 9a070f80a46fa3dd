package entry_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// full returns an entry of the type in which every field is set, found by
// reflection: a field that the layout forgets is lost on the way.
func full(t entry.Type) entry.Entry { return fullOf(t, entry.TypeGenetics) }

// factsOf keeps the facts of one type.
func factsOf(f entry.Facts, t entry.Type) (kept entry.Facts) {
	for field, v := range reflect.ValueOf(f).Fields() {
		one := entry.Facts{}
		reflect.ValueOf(&one).Elem().FieldByIndex(field.Index).Set(v)
		if one.Of() == t {
			return one
		}
	}
	return kept
}

// fullOf is full, with the type of the facts in a correction.
func fullOf(t, of entry.Type) entry.Entry {
	var e entry.Entry
	fill(reflect.ValueOf(&e).Elem())
	e.Type = t
	facts := e.Facts
	e.Facts = factsOf(facts, t)
	if e.Case != nil {
		e.Case.Birth.Day = 0
	}
	if t != entry.TypeAlias {
		e.Alias = nil
	} else {
		e.Alias.New[0] ^= 1 // of another person's document
	}
	if t != entry.TypeConsent {
		e.Consent = nil
	} else {
		e.Pseudonym = entry.Pseudonym{}
		e.Consent.Marks[1][0]++
		e.Consent.Indexes[1]++
	}
	if !t.IsCard() {
		e.Card = nil
	}
	if t != entry.TypeQuery {
		e.Query = nil
	} else {
		e.Query.Rule = "ID007"
	}
	if t != entry.TypeReply {
		e.Reply = nil
	}
	if t != entry.TypeIntake {
		e.Intake = nil
	} else {
		e.Supersedes = [32]byte{}
		e.Intake.Offered[1].Source++
		e.Intake.Refused[0].Rule, e.Intake.Refused[1].Rule = "DX001", "ID002"
	}
	if t != entry.TypeLetter {
		e.Letter = nil
	} else {
		e.Supersedes, e.Letter.Of.Day = [32]byte{}, 0
		for i := range 2 {
			e.Letter.Worst[i].Rule, e.Letter.Lines[i].Hospitals = "DT003", entry.LetterHospitals
		}
	}
	if t != entry.TypeCheck {
		e.Check = nil
	} else {
		e.Check.Differs[0] = entry.CheckSex
	}
	if t.IsCard() || slices.Contains([]entry.Type{entry.TypeQuery, entry.TypeReply, entry.TypeIntake, entry.TypeLetter, entry.TypeCheck}, t) {
		e.Pseudonym, e.Strength = entry.Pseudonym{}, 0
	}
	if t != entry.TypeCorrection {
		e.Correction = nil
	} else {
		e.Correction.Facts = factsOf(facts, of)
		if e.Correction.Case != nil {
			e.Correction.Case.Birth.Day = 0
		}
	}
	return e
}

func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case entry.When:
		v.Set(reflect.ValueOf(entry.When{Kind: entry.WhenInterval, A: "from", B: "to"}))
		return
	case entry.Date:
		v.Set(reflect.ValueOf(entry.Date{Year: 2024, Month: 2, Day: 29}))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(uint64(i + 1))
		}
	case reflect.String:
		v.SetString("罕见病 " + v.Type().Name())
	case reflect.Bool:
		v.SetBool(true)
	default:
		v.SetUint(2)
	}
}

var (
	facts = []entry.Type{entry.TypeCase, entry.TypeGenetics, entry.TypeFollowUp, entry.TypeSpecimen, entry.TypeTreatment,
		entry.TypeDeath, entry.TypeReferral}
	types = append(slices.Clone(facts), entry.TypeConsent, entry.TypeCorrection, entry.TypeAlias,
		entry.TypeQuery, entry.TypeReply, entry.TypeBiobank, entry.TypeCollection, entry.TypeCohort, entry.TypeIntake, entry.TypeLetter, entry.TypeCheck)
)

func TestEveryFieldComesBack(t *testing.T) {
	for _, kind := range types {
		want := full(kind)
		b, err := entry.Encode(want)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		got, err := entry.Decode(b)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v\nwant %+v", kind, got, want)
		}
	}
}

func TestACorrectionOfEveryTypeComesBack(t *testing.T) {
	for _, of := range facts {
		want := fullOf(entry.TypeCorrection, of)
		b, err := entry.Encode(want)
		if err != nil {
			t.Fatalf("%s: %v", of, err)
		}
		got, err := entry.Decode(b)
		if err != nil || !reflect.DeepEqual(got, want) || got.Correction.Of() != of {
			t.Errorf("%s: got %+v, %v\nwant %+v", of, got, err, want)
		}
	}
}

func TestFactsNameTheirCase(t *testing.T) {
	id := [32]byte{7}
	for _, of := range facts {
		f := entry.Blank(of)
		under := f.Under(id)
		want := id
		if of == entry.TypeCase {
			want = [32]byte{}
		}
		if under.BelongsTo() != want || f.BelongsTo() != [32]byte{} || under.Of() != of {
			t.Errorf("a %s under a case is a %s of %x; the first of %x", of, under.Of(), under.BelongsTo(), f.BelongsTo())
		}
	}
	two := entry.Facts{Case: &entry.Case{}, Death: &entry.Death{}}
	if (entry.Facts{}).Any() || (entry.Facts{}).Of() != 0 || !two.Any() || two.Of() != 0 || entry.Blank(entry.TypeAlias).Any() {
		t.Error("none, several and those of an alias are told apart wrongly")
	}
}

func TestAnEntryOfWhichNothingIsGivenComesBack(t *testing.T) {
	want := entry.Entry{Type: entry.TypeCase, Profile: entry.Report, Source: entry.SourceForm, Facts: entry.Facts{Case: &entry.Case{}}}
	b, err := entry.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := entry.Decode(b)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A change of a single bit is either refused or is another entry with that
// very encoding: there is never a second encoding of one entry.
func TestEveryFlippedBitIsRefusedOrIsAnotherEntry(t *testing.T) {
	for _, kind := range types {
		b, err := entry.Encode(full(kind))
		if err != nil {
			t.Fatal(err)
		}
		for i := range b {
			for bit := range 8 {
				changed := bytes.Clone(b)
				changed[i] ^= 1 << bit
				e, err := entry.Decode(changed)
				if err != nil {
					if !errors.Is(err, cbor.ErrEncoding) {
						t.Fatalf("%s byte %d: %v is not ENC001", kind, i, err)
					}
					continue
				}
				if again, err := entry.Encode(e); err != nil || !bytes.Equal(again, changed) {
					t.Fatalf("%s byte %d bit %d: decodes but encodes otherwise (%v)", kind, i, bit, err)
				}
			}
		}
	}
}

func TestBytesMissingOrLeftOverAreRefused(t *testing.T) {
	for _, kind := range types {
		b, err := entry.Encode(full(kind))
		if err != nil {
			t.Fatal(err)
		}
		for n := range b {
			if _, err := entry.Decode(b[:n]); err == nil {
				t.Fatalf("%s cut to %d of %d bytes decodes", kind, n, len(b))
			}
		}
		if _, err := entry.Decode(append(b, 0)); err == nil {
			t.Errorf("%s with a byte more decodes", kind)
		}
	}
}

func TestValuesWithoutAnEncodingAreRefusedWhereTheyAreMade(t *testing.T) {
	for name, change := range map[string]func(*entry.Entry){
		"birth known to the day":            func(e *entry.Entry) { e.Case.Birth.Day = 3 },
		"a day that is not in the month":    func(e *entry.Entry) { e.EventDate = entry.Date{Year: 2023, Month: 2, Day: 29} },
		"a day without a month":             func(e *entry.Entry) { e.EventDate = entry.Date{Year: 2023, Day: 2} },
		"no profile":                        func(e *entry.Entry) { e.Profile = 0 },
		"a reserved type":                   func(e *entry.Entry) { e.Type = 4 },
		"an alias without its fields":       func(e *entry.Entry) { e.Type = entry.TypeAlias },
		"a type that does not fit":          func(e *entry.Entry) { e.Type = entry.TypeGenetics },
		"two sets of fields":                func(e *entry.Entry) { e.Genetics = &entry.Genetics{} },
		"an unknown sex":                    func(e *entry.Entry) { e.Case.Sex = 9 },
		"a text that is not UTF-8":          func(e *entry.Entry) { e.Case.Department = "\xff" },
		"an unknown way of giving an onset": func(e *entry.Entry) { e.Case.LastEncounter.Kind = 99 },
	} {
		t.Run(name, func(t *testing.T) {
			e := full(entry.TypeCase)
			change(&e)
			if _, err := entry.Encode(e); err == nil {
				t.Error("encodes")
			} else if strings.Contains(err.Error(), "罕见病") {
				t.Errorf("the error quotes a value: %v", err)
			}
		})
	}
}

func TestAnEntryAboveTheLimitIsFM005(t *testing.T) {
	e := full(entry.TypeCase)
	e.Case.Extension = nil
	b, err := entry.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	room := entry.MaxBytes - len(b) - 4 // the extension's length grows from 1 to 5 bytes
	e.Case.Extension = bytes.Repeat([]byte{'x'}, room)
	if b, err = entry.Encode(e); err != nil || len(b) != entry.MaxBytes {
		t.Fatalf("%d bytes, %v; want exactly %d", len(b), err, entry.MaxBytes)
	}
	if _, err := entry.Decode(b); err != nil {
		t.Error(err)
	}
	e.Case.Extension = append(e.Case.Extension, 'x')
	var refused *rule.Refusal
	if _, err := entry.Encode(e); !errors.As(err, &refused) || refused.Code() != "FM005" {
		t.Errorf("one byte more: %v, want FM005", err)
	}
}

// The bytes of a small entry, written out by hand from the layout.
func TestTheEncodingIsTheDocumentedOne(t *testing.T) {
	e := entry.Entry{
		Type: entry.TypeFollowUp, Profile: entry.Report, Strength: entry.StrengthStrong,
		EventDate: entry.Date{Year: 2024, Month: 5}, Source: entry.SourceCSV, Basis: entry.BasisStatutory,
		Facts: entry.Facts{FollowUp: &entry.FollowUp{Vital: entry.Alive, Disease: entry.StatusStable, Scale: "mRS", Score: "2"}},
	}
	want := "8b" + "03" + "01" + "01" + // array of 11: follow-up, schema 1, report
		"5820" + strings.Repeat("00", 32) + // entry id
		"40" + "01" + // no pseudonym, strong
		"83" + "1907e8" + "05" + "00" + // 2024-05
		"02" + "01" + "40" + // csv, statutory, supersedes none
		"88" + "5820" + strings.Repeat("00", 32) + // fields: the case it follows
		"01" + "01" + "83000000" + "636d5253" + "6132" + "80" + "40"
	got, err := entry.Encode(e)
	if err != nil || hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s (%v)", got, want, err)
	}
}

// The expected value was computed apart from this program, with Python's hmac.
func TestEntryIDsAreTheDocumentedHMAC(t *testing.T) {
	var key, content [32]byte
	for i := range key {
		key[i], content[i] = byte(i), byte(255-i)
	}
	got := fmt.Sprintf("%x", entry.ID(key, entry.TypeGenetics, "P-17", content))
	if want := "179c9772a1df78d7511f096b3181415cf2c54144455c7d4632bf0e95e0c922b7"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	other := key
	other[0] ^= 1
	for name, id := range map[string][32]byte{
		"another key":     entry.ID(other, entry.TypeGenetics, "P-17", content),
		"another type":    entry.ID(key, entry.TypeCase, "P-17", content),
		"another source":  entry.ID(key, entry.TypeGenetics, "P-18", content),
		"another content": entry.ID(key, entry.TypeGenetics, "P-17", key),
	} {
		if fmt.Sprintf("%x", id) == got {
			t.Errorf("%s gives the same id", name)
		}
	}
}

func TestPrintingAnEntryHidesThePseudonym(t *testing.T) {
	e := entry.Entry{Pseudonym: entry.Pseudonym{Present: true, Value: [32]byte{0xab, 0xcd, 0xef}}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := strings.ToLower(fmt.Sprintf(verb, e)); strings.Contains(s, "0xab") || strings.Contains(s, "171 205") {
			t.Errorf("%s shows the pseudonym: %s", verb, s)
		}
	}
}

func FuzzWhatDecodesEncodesToTheSameBytes(f *testing.F) {
	for _, kind := range types {
		b, err := entry.Encode(full(kind))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0x8b, 0x01})
	f.Add(bytes.Repeat([]byte{0x9b, 0xff}, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := entry.Decode(b)
		if err != nil {
			return
		}
		again, err := entry.Encode(e)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("decodes but encodes otherwise: %v", err)
		}
	})
}
