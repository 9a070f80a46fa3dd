package query

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/raresync/raresync/registry/validate"
)

func openBook(t *testing.T, path string) *Book {
	t.Helper()
	b, err := OpenBook(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDoubtsWaitAcrossRestartsUntilTheyAreAsked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doubts.json")
	one, two := validate.Doubt{Entry: [32]byte{1}, Rule: "DT003"}, validate.Doubt{Entry: [32]byte{2}, Rule: "ID007"}
	b := openBook(t, path)
	for _, list := range [][]validate.Doubt{{one, two, one}, {two}} {
		if left, err := b.Note(list); left != 0 || err != nil {
			t.Fatalf("%d left, %v", left, err)
		}
	}
	if got := openBook(t, path).Waiting(); !slices.Equal(got, []validate.Doubt{one, two}) {
		t.Errorf("after a restart %v", got)
	}
	if err := b.Done([]validate.Doubt{one}); err != nil {
		t.Fatal(err)
	}
	if got := openBook(t, path).Waiting(); !slices.Equal(got, []validate.Doubt{two}) {
		t.Errorf("after one is asked %v", got)
	}
}

func TestABookHasNoRoomForMoreThanItsMeasure(t *testing.T) {
	b := openBook(t, filepath.Join(t.TempDir(), "doubts.json"))
	many := make([]validate.Doubt, maxDoubts+2)
	for i := range many {
		many[i] = validate.Doubt{Entry: [32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, Rule: "DT003"}
	}
	if left, err := b.Note(many); left != 2 || err != nil || len(b.Waiting()) != maxDoubts {
		t.Errorf("%d left, %d wait, %v", left, len(b.Waiting()), err)
	}
}

func TestADamagedBookBeginsEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doubts.json")
	if _, err := openBook(t, path).Note([]validate.Doubt{{Rule: "DT003"}}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := OpenBook(path); !errors.Is(err, ErrDamaged) || len(b.Waiting()) != 0 {
		t.Errorf("%d wait, %v", len(b.Waiting()), err)
	}
}
