package pseudonym

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestNothingPrintsAPseudonym(t *testing.T) {
	p := Pseudonym(bytes.Repeat([]byte{0x0b}, 32))
	type row struct {
		Person Pseudonym
		Others map[Pseudonym]int
	}
	asJSON, err := json.Marshal(row{p, map[Pseudonym]int{p: 1}})
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "p", p, "row", row{Person: p})
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "p", p, "row", row{Person: p})
	printed := []string{string(asJSON), logged.String(), p.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d"} {
		for _, value := range []any{p, &p, row{Person: p}, []Pseudonym{p}} {
			printed = append(printed, fmt.Sprintf(verb, value))
		}
	}
	for _, text := range printed {
		if !strings.Contains(text, redacted) {
			t.Errorf("no placeholder: %s", text)
		}
		for _, leak := range []string{"0b0b", "0B0B", "11 11", "0xb, 0xb", `\v\v`, "11,11"} {
			if strings.Contains(text, leak) {
				t.Errorf("leaks the pseudonym: %s", text)
			}
		}
	}
	if got, want := p.Hex(), strings.Repeat("0b", 32); got != want {
		t.Errorf("Hex: got %s, want %s", got, want)
	}
}

func TestNothingPrintsABlinding(t *testing.T) {
	input := bytes.Repeat([]byte{0x0b}, 50)
	b, _, err := Blind([][]byte{input})
	if err != nil {
		t.Fatal(err)
	}
	type holder struct{ hidden *Blinding }
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "b", b)
	printed := []string{logged.String(), b.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		printed = append(printed, fmt.Sprintf(verb, b), fmt.Sprintf(verb, holder{b}))
	}
	for _, text := range printed {
		// A hash of random elements is printed too: six bytes of the input in a
		// row are no accident.
		for _, leak := range []string{"0b", "11 ", "0xb, ", `\v`, "11,"} {
			if strings.Contains(text, strings.Repeat(leak, 6)) {
				t.Errorf("leaks an input: %s", text)
			}
		}
	}
}

func TestLocalIsKeyedAndLabelled(t *testing.T) {
	key, number := [32]byte{1}, []byte("MRN 42")
	m := hmac.New(sha256.New, key[:])
	m.Write([]byte("raresync/v1/local\x00MRN 42"))
	got := Local(key, number)
	if want := Pseudonym(m.Sum(nil)); got != want {
		t.Errorf("got %s, want %s", got.Hex(), want.Hex())
	}
	if got == Local([32]byte{2}, number) {
		t.Error("two hospitals' keys give one pseudonym")
	}
	if got == Local(key, []byte("MRN 43")) {
		t.Error("two record numbers give one pseudonym")
	}
}
