package entry_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/entry"
)

func intakeOf(change func(*entry.Entry)) entry.Entry {
	e := queryOf(func(e *entry.Entry) { e.Type, e.Query = entry.TypeIntake, nil })
	e.Intake = &entry.Intake{
		Offered: []entry.Offered{{Source: entry.SourceCSV, Accepted: 300, Changed: 1, Known: 2, Refused: 3}, {Source: entry.SourceFHIR, Known: 5}},
		Refused: []entry.RuleUsed{{Rule: "DX001", Count: 1}, {Rule: "ID002", Count: 3}},
	}
	change(&e)
	return e
}

// The bytes of an intake, written out by hand from docs/PROTOCOL.md.
func TestTheIntakeEncodingIsTheDocumentedOne(t *testing.T) {
	want := "8b" + "12" + "01" + "01" + "582001" + strings.Repeat("00", 31) + "40" + "00" + "83" + "1907ea" + "0b" + "181a" + "05" + "01" + "40" +
		"82" + "82" + "85" + "02" + "19012c" + "01" + "02" + "03" + "85" + "04" + "00" + "00" + "05" + "00" +
		"82" + "82" + "65" + "4458303031" + "01" + "82" + "65" + "4944303032" + "03"
	got, err := entry.Encode(intakeOf(asIs))
	if err != nil || hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s (%v)", got, want, err)
	}
	back, err := entry.Decode(got)
	if err != nil || back.Type != entry.TypeIntake || back.Intake.Offered[0].All() != 306 {
		t.Errorf("decodes as %+v, %v", back, err)
	}
	said := `{"offered":[{"accepted":300,"changed":1,"known":2,"refused":3,"source":"csv"},{"known":5,"source":"fhir"}],` +
		`"refused":[{"count":1,"rule":"DX001"},{"count":3,"rule":"ID002"}]}`
	if content, err := back.Content(); err != nil || string(content) != said {
		t.Errorf("content %s, %v", content, err)
	}
}

func TestIntakesThatContradictThemselvesHaveNoEncoding(t *testing.T) {
	for name, change := range map[string]func(*entry.Entry){
		"of nothing":               func(e *entry.Entry) { e.Intake = &entry.Intake{} },
		"of a format with nothing": func(e *entry.Entry) { e.Intake.Offered[1].Known = 0 },
		"of a format twice":        func(e *entry.Entry) { e.Intake.Offered[1].Source = entry.SourceCSV },
		"of formats out of order":  func(e *entry.Entry) { e.Intake.Offered[1].Source = entry.SourcePhenopacket },
		"of no format":             func(e *entry.Entry) { e.Intake.Offered[0].Source = 0 },
		"refused by no rule":       func(e *entry.Entry) { e.Intake.Refused = nil },
		"a rule that refused none": func(e *entry.Entry) { e.Intake.Refused[0].Count = 0 },
		"a rule of more than all":  func(e *entry.Entry) { e.Intake.Refused[0].Count = 4 },
		"rules out of order":       func(e *entry.Entry) { e.Intake.Refused[0].Rule = "PR001" },
		"free text":                func(e *entry.Entry) { e.Intake.Refused[0].Rule = "张三" },
		"under a pseudonym":        func(e *entry.Entry) { e.Pseudonym.Present = true },
		"of no day":                func(e *entry.Entry) { e.EventDate.Day = 0 },
		"in place of another":      func(e *entry.Entry) { e.Supersedes = [32]byte{1} },
		"of a case as well":        func(e *entry.Entry) { e.Case = &entry.Case{} },
		"no intake":                func(e *entry.Entry) { e.Intake = nil },
	} {
		if _, err := entry.Encode(intakeOf(change)); err == nil {
			t.Errorf("%s: encodes", name)
		}
	}
}

func TestHostileIntakesAreENC001(t *testing.T) {
	good, err := entry.Encode(intakeOf(asIs))
	if err != nil {
		t.Fatal(err)
	}
	text := hex.EncodeToString(good)
	for name, change := range map[string][2]string{
		"a number too large":  {"8504000005", "850400001b0000000100000000"},
		"a claimed length":    {"82828502", "829affffffff8502"},
		"a format twice":      {"8504000005", "8502000005"},
		"of a type of before": {"8b12", "8b11"},
		"of a type of later":  {"8b12", "8b1818"},
	} {
		raw, err := hex.DecodeString(strings.Replace(text, change[0], change[1], 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Decode(raw); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%s: got %v, want ENC001", name, err)
		}
	}
}

// The expected value was computed apart from this program, with Python's hmac.
func TestADayHasOneIntakeID(t *testing.T) {
	day := entry.Date{Year: 2026, Month: 11, Day: 26}
	id := entry.IntakeID([32]byte{7}, day)
	if got, want := fmt.Sprintf("%x", id), "9922e7664e4251d2fd7f2c0ba364903fefa81e173b5bb8d05e8d36336c58e7a6"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if day.Day++; entry.IntakeID([32]byte{7}, day) == id {
		t.Error("the next day has the id of the day")
	}
}
