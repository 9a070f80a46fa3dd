package daemon

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/raresync/raresync/daemon/admin"
)

// referred is a made-up file whose patient is sent to a hospital.
func referred(t *testing.T, to string) admin.File {
	t.Helper()
	f, _ := made(t)
	var packet map[string]any
	must(t, json.Unmarshal(f.Data, &packet))
	said, ok := packet["raresync"].(map[string]any)
	if !ok {
		said = map[string]any{}
	}
	said["referrals"] = []any{map[string]any{"date": time.Now().AddDate(0, 0, -1).Format(time.DateOnly), "to": to, "reason": "drug"}}
	packet["raresync"] = said
	var err error
	f.Data, err = json.Marshal(packet)
	must(t, err)
	return f
}

// submitted hands one file in and waits for its receipts.
func (p *place) submitted(t *testing.T, f admin.File) admin.FileResult {
	t.Helper()
	got, err := p.client.Submit(t.Context(), admin.Submission{Files: []admin.File{f}, Wait: true})
	must(t, err)
	return got.Files[0]
}

// indexOf is where the first entry of a type of a file stands in the log.
func indexOf(t *testing.T, f admin.FileResult, kind string) uint64 {
	t.Helper()
	at := slices.IndexFunc(f.Entries, func(e admin.EntryRef) bool { return e.Type == kind })
	if at < 0 {
		t.Fatalf("no %s in %+v", kind, f)
	}
	return f.Entries[at].Index
}

// reads waits until a node has an index and returns the types of the entries that
// it lists.
func (p *place) reads(t *testing.T, index uint64) (types []string) {
	t.Helper()
	until(t, p.cfg.Node.ID+" has the log", func() (bool, error) {
		s, err := p.client.Status(t.Context())
		return err == nil && s.Size > index, err
	})
	for e, err := range p.client.Entries(t.Context(), 0, 0) {
		must(t, err)
		types = append(types, e.Type)
	}
	return types
}

func TestAReferralIsReadAtTheHospitalThatItNames(t *testing.T) {
	places := network(t)
	for _, p := range places {
		p.start(t)
	}
	for _, p := range places {
		p.ready(t)
	}
	h1, h2, h3, reader := places["h1"], places["h2"], places["h3"], places["reader"]

	for code, to := range map[string]string{"OR003": "12100000400000000W", "OR001": "entity-h9"} {
		f := h1.submitted(t, referred(t, to))
		if f.Outcome != "refused" || !slices.ContainsFunc(f.Findings, func(f admin.Finding) bool { return f.Code == code }) {
			t.Errorf("a referral to %s: %+v, want %s", to, f, code)
		}
	}
	index := indexOf(t, h1.submitted(t, referred(t, "entity-h2")), "referral")
	if got := h2.reads(t, index); !slices.Equal(got, []string{"referral"}) {
		t.Errorf("the addressed hospital lists %v", got)
	}
	if e, err := h2.client.Entry(t.Context(), index); err != nil || e.Hospital != 1 || len(e.Content) == 0 {
		t.Errorf("at the addressed hospital: %+v, %v", e, err)
	}
	if got := h3.reads(t, index); len(got) != 0 {
		t.Errorf("another hospital lists %v", got)
	}
	if _, err := h3.client.Entry(t.Context(), index); problemCode(err) != admin.CodeNotAllowed {
		t.Errorf("at another hospital: %v", err)
	}
	if got := reader.reads(t, index); !slices.Contains(got, "referral") {
		t.Errorf("the national reader lists %v", got)
	}
	h2.end(t)
	h2.start(t)
	h2.ready(t)
	if got := h2.reads(t, index); !slices.Equal(got, []string{"referral"}) {
		t.Errorf("the addressed hospital, started again, lists %v", got)
	}
}

// stands waits until a node lists one query, in a state.
func (p *place) stands(t *testing.T, state string) (q admin.Query) {
	t.Helper()
	until(t, p.cfg.Node.ID+" lists the query as "+state, func() (bool, error) {
		list, err := p.client.Queries(t.Context())
		if err == nil && len(list) == 1 {
			q = list[0]
		}
		return len(list) == 1 && q.State == state, err
	})
	return q
}

func TestAQueryIsAskedAnsweredCorrectedClosedAndForgotten(t *testing.T) {
	places := network(t)
	places["reader"].cfg.Withdraw.Spread = 0
	for _, p := range places {
		p.start(t)
	}
	for _, p := range places {
		p.ready(t)
	}
	h1, h2, reader := places["h1"], places["h2"], places["reader"]
	file, number := made(t)
	target := indexOf(t, h1.submitted(t, file), "case")
	reader.reads(t, target)

	ask := admin.Question{Index: target, Rule: "DT003", Text: 4, Wait: true}
	asked, err := reader.client.OpenQuery(t.Context(), ask)
	must(t, err)
	if asked.Outcome != "accepted" || asked.Entry == nil || !asked.Entry.Receipt {
		t.Fatalf("asked: %+v", asked)
	}
	if again, err := reader.client.OpenQuery(t.Context(), ask); err != nil || again.Outcome != "known" || again.Entry.Index != asked.Entry.Index {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	if q := h1.stands(t, "open"); q.Target != target || q.Rule != "DT003" || q.Text != 4 || q.Asker != 4 || q.Hospital != 1 {
		t.Errorf("at the hospital: %+v", q)
	}
	for _, what := range []struct {
		by   *place
		ask  admin.Question
		want string
	}{
		{h1, ask, admin.CodeNotAllowed},
		{reader, admin.Question{Index: target, Rule: "DT003", Text: 99}, admin.CodeInvalid},
		{reader, admin.Question{Index: 1 << 40, Rule: "DT003", Text: 1}, admin.CodeNotFound},
		{reader, admin.Question{Index: 0, Rule: "DT003", Text: 1}, admin.CodeNotAllowed},
	} {
		if got, err := what.by.client.OpenQuery(t.Context(), what.ask); problemCode(err) != what.want {
			t.Errorf("%s asks %+v: %+v, %v; want %s", what.by.cfg.Node.ID, what.ask, got, err, what.want)
		}
	}
	for rule, index := range map[string]uint64{"ZZ999": target, "DT003": asked.Entry.Index} {
		if got, err := reader.client.OpenQuery(t.Context(), admin.Question{Index: index, Rule: rule, Text: 1}); err != nil || got.Outcome != "refused" {
			t.Errorf("asked by %s about %d: %+v, %v", rule, index, got, err)
		}
	}
	if _, err := h2.client.AnswerQuery(t.Context(), asked.Entry.Index, admin.Answer{Text: 1}); problemCode(err) != admin.CodeNotFound {
		t.Errorf("another hospital answers: %v", err)
	}

	reply, err := h1.client.AnswerQuery(t.Context(), asked.Entry.Index, admin.Answer{Text: 2, Wait: true})
	must(t, err)
	if reply.Outcome != "accepted" || len(reply.Findings) != 1 || reply.Findings[0].Code != "QY004" {
		t.Errorf("answered: %+v", reply)
	}
	if q := reader.stands(t, "answered"); q.Reply != 2 || q.ReplyIndex != reply.Entry.Index {
		t.Errorf("at the reader: %+v", q)
	}
	if f, err := h1.client.Correct(t.Context(), target, admin.Correction{File: admin.File{Name: "other.json", Data: otherCase(t)}, Reason: "mistyped", Wait: true}); err != nil || f.Outcome != "accepted" {
		t.Fatalf("corrected: %+v, %v", f, err)
	}
	if q := reader.stands(t, "corrected"); q.Correction <= asked.Entry.Index {
		t.Errorf("at the reader: %+v", q)
	}
	if _, err := reader.client.CloseQuery(t.Context(), asked.Entry.Index, admin.Closing{Wait: true}); err != nil {
		t.Errorf("closed: %v", err)
	}
	h1.stands(t, "closed")
	if late, err := h1.client.AnswerQuery(t.Context(), asked.Entry.Index, admin.Answer{Text: 1}); err != nil || late.Outcome != "refused" || late.Findings[0].Code != "QY003" {
		t.Errorf("answered late: %+v, %v", late, err)
	}

	gone, err := h1.client.Withdraw(t.Context(), admin.Withdrawal{
		Action: "erase", Document: &admin.Document{Type: "RIC", Value: number}, By: "self", Scope: []string{"all"}, Now: true, Wait: true,
	})
	must(t, err)
	if !slices.ContainsFunc(gone.Entries, func(e admin.Entry) bool { return e.Index == reply.Entry.Index }) {
		t.Errorf("the answer is not among what goes: %+v", gone.Entries)
	}
	for _, p := range []*place{h1, reader} {
		until(t, p.cfg.Node.ID+" has forgotten the query", func() (bool, error) {
			list, err := p.client.Queries(t.Context())
			if err != nil || len(list) != 0 {
				return false, err
			}
			_, err = p.client.Entry(t.Context(), asked.Entry.Index)
			return problemCode(err) == admin.CodeErased, err
		})
	}
	until(t, "the query's body is withdrawn", func() (bool, error) {
		claims, err := h2.client.Withdrawn(t.Context())
		return slices.ContainsFunc(claims, func(c admin.Claim) bool {
			return c.Hospital == 4 && len(c.Entries) == 2 && c.Entries[0][0] == asked.Entry.Index
		}), err
	})
}

// otherCase is the file of another patient, whose case says something else.
func otherCase(t *testing.T) []byte {
	t.Helper()
	f, _ := made(t)
	var packet map[string]any
	must(t, json.Unmarshal(f.Data, &packet))
	packet["phenotypicFeatures"] = []any{map[string]any{"type": map[string]any{"id": "HP:0001250", "label": "Seizure"}}}
	raw, err := json.Marshal(packet)
	must(t, err)
	return raw
}
