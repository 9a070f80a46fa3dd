package daemon

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/query"
)

// doubtful is a case with a feature that is there and not there: rule PH003.
func doubtful(t *testing.T) (admin.File, string) {
	t.Helper()
	f, number := made(t)
	var packet map[string]any
	must(t, json.Unmarshal(f.Data, &packet))
	seizure := map[string]any{"id": "HP:0001250", "label": "Seizure"}
	packet["phenotypicFeatures"] = []any{map[string]any{"type": seizure}, map[string]any{"type": seizure, "excluded": true}}
	raw, err := json.Marshal(packet)
	must(t, err)
	f.Data = raw
	return f, number
}

func TestAHospitalAsksItselfWhatARuleDoubtsOnceAndForgetsItWithThePatient(t *testing.T) {
	places := network(t)
	for _, p := range places {
		p.start(t)
	}
	for _, p := range places {
		p.ready(t)
	}
	h1, h2, reader := places["h1"], places["h2"], places["reader"]
	file, number := doubtful(t)
	target := indexOf(t, h1.submitted(t, file), "case")
	q := h1.stands(t, "open")
	if q.Asker != 1 || q.Hospital != 1 || q.Target != target || q.Rule != "PH003" || q.Text == 0 {
		t.Errorf("at the hospital: %+v", q)
	}
	if seen := reader.stands(t, "open"); seen.Index != q.Index {
		t.Errorf("at the reader: %+v", seen)
	}
	if list, err := h2.client.Queries(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("at another hospital: %+v, %v", list, err)
	}

	if again := h1.submitted(t, file); again.Outcome != "known" {
		t.Errorf("dropped again: %+v", again)
	}
	until(t, "nothing waits to be asked", func() (bool, error) {
		book, err := query.OpenBook(filepath.Join(h1.cfg.Node.DataDir, "doubts.json"))
		return len(book.Waiting()) == 0, err
	})
	h1.stands(t, "open") // one, as before
	if _, err := h1.client.CloseQuery(t.Context(), q.Index, admin.Closing{}); problemCode(err) != admin.CodeNotAllowed {
		t.Errorf("it closes its own question: %v", err)
	}
	if got, err := h1.client.AnswerQuery(t.Context(), q.Index, admin.Answer{Text: 1, Wait: true}); err != nil || got.Outcome != "accepted" {
		t.Fatalf("answered: %+v, %v", got, err)
	}
	reader.stands(t, "answered")
	if f, err := h1.client.Correct(t.Context(), target, admin.Correction{File: admin.File{Name: "other.json", Data: otherCase(t)}, Reason: "mistyped", Wait: true}); err != nil || f.Outcome != "accepted" {
		t.Fatalf("corrected: %+v, %v", f, err)
	}
	h1.stands(t, "corrected")

	gone, err := h1.client.Withdraw(t.Context(), admin.Withdrawal{
		Action: "erase", Document: &admin.Document{Type: "RIC", Value: number}, By: "self", Scope: []string{"all"}, Now: true, Wait: true,
	})
	must(t, err)
	if !slices.ContainsFunc(gone.Entries, func(e admin.Entry) bool { return e.Index == q.Index && e.Type == "query" }) {
		t.Errorf("the question is not among what goes: %+v", gone.Entries)
	}
	until(t, "the reader has forgotten it", func() (bool, error) {
		_, err := reader.client.Entry(t.Context(), q.Index)
		return problemCode(err) == admin.CodeErased, nil
	})
}
