package daily_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/daemon/daily"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/registry/entry"
)

var (
	monday  = entry.Date{Year: 2026, Month: 11, Day: 30}
	tuesday = entry.Date{Year: 2026, Month: 12, Day: 1}
	friday  = entry.Date{Year: 2026, Month: 12, Day: 4}
)

func open(t *testing.T, path string) *daily.Book {
	t.Helper()
	b, err := daily.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func count(t *testing.T, b *daily.Book, day entry.Date, decided ...intake.Decided) {
	t.Helper()
	if err := b.Count(day, decided); err != nil {
		t.Fatal(err)
	}
}

func TestADayIsCountedAcrossRestartsAndDueOnceItIsOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "daily.json")
	b := open(t, path)
	count(t, b, monday, intake.Decided{Source: entry.SourceFHIR, Outcome: intake.Accepted},
		intake.Decided{Source: entry.SourceCSV, Outcome: intake.Refused, Rules: []string{"DX001", "ID002"}})
	count(t, b, monday) // nothing
	b = open(t, path)
	count(t, b, monday, intake.Decided{Source: entry.SourceCSV, Outcome: intake.Refused, Rules: []string{"ID002"}},
		intake.Decided{Source: entry.SourceCSV, Outcome: intake.Known}, intake.Decided{Source: entry.SourceCSV, Outcome: intake.Accepted, Changed: true})
	count(t, b, tuesday, intake.Decided{Source: entry.SourcePhenopacket, Outcome: intake.Accepted})
	if due := b.Due(monday); len(due) != 0 {
		t.Errorf("on the day itself %v is due", due)
	}
	b = open(t, path)
	want := []daily.Day{
		{Date: monday, Intake: entry.Intake{
			Offered: []entry.Offered{{Source: entry.SourceCSV, Changed: 1, Known: 1, Refused: 2}, {Source: entry.SourceFHIR, Accepted: 1}},
			Refused: []entry.RuleUsed{{Rule: "DX001", Count: 1}, {Rule: "ID002", Count: 2}},
		}},
		{Date: tuesday, Intake: entry.Intake{Offered: []entry.Offered{{Source: entry.SourcePhenopacket, Accepted: 1}}}},
	}
	if due := b.Due(friday); !reflect.DeepEqual(due, want) {
		t.Errorf("due %+v\nwant %+v", due, want)
	}
	for _, d := range want {
		e := intake.New(intake.Config{Now: time.Now}).Daily(d.Date, d.Intake)
		if _, err := entry.Encode(e); err != nil || e.EventDate != d.Date {
			t.Errorf("%s has no entry: %v", d.Date, err)
		}
		if err := b.Sent(d.Date); err != nil {
			t.Fatal(err)
		}
	}
	if due := open(t, path).Due(friday); len(due) != 0 {
		t.Errorf("what was sent is due again: %v", due)
	}
}

func TestDamagedNumbersAreSaidAndCountingGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "daily.json")
	count(t, open(t, path), monday, intake.Decided{Source: entry.SourceCSV, Outcome: intake.Accepted})
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "张") || len(raw) > 200 {
		t.Errorf("the file holds %q", raw)
	}
	raw[0] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := daily.Open(path)
	if !errors.Is(err, daily.ErrDamaged) {
		t.Fatalf("got %v, want ErrDamaged", err)
	}
	count(t, b, tuesday, intake.Decided{Source: entry.SourceCSV, Outcome: intake.Known})
	if due := open(t, path).Due(friday); len(due) != 1 || due[0].Date != tuesday {
		t.Errorf("due %v", due)
	}
}
