package daemon

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/admin"
)

// lettersAt waits until a node lists so many letters.
func (p *place) lettersAt(t *testing.T, n int) (list []admin.Letter) {
	t.Helper()
	until(t, p.cfg.Node.ID+" has its letters", func() (_ bool, err error) {
		list, err = p.client.Letters(t.Context())
		return len(list) == n, err
	})
	return list
}

// letter is a letter as a node prints it.
func (p *place) letter(t *testing.T, index uint64) string {
	t.Helper()
	raw, err := p.client.ShowLetter(t.Context(), index, url.Values{"format": {"csv"}, "lang": {"en"}})
	must(t, err)
	return string(raw)
}

// checksAt waits until so many of what letters draw at a node are as wanted.
func (p *place) checksAt(t *testing.T, n int, wanted func(admin.Check) bool) (list []admin.Check) {
	t.Helper()
	until(t, p.cfg.Node.ID+" has its checks", func() (bool, error) {
		all, err := p.client.Checks(t.Context())
		list = slices.DeleteFunc(all, func(c admin.Check) bool { return !wanted(c) })
		return len(list) == n, err
	})
	return list
}

func TestAQualityLetterIsReadByItsHospitalAlone(t *testing.T) {
	places := network(t)
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
	asked, err := reader.client.OpenQuery(t.Context(), admin.Question{Index: target, Rule: "DT003", Text: 4, Wait: true})
	must(t, err)

	sent, err := reader.client.SendLetters(t.Context(), admin.LetterRequest{Wait: true})
	must(t, err)
	if len(sent) != 3 || slices.ContainsFunc(sent, func(r admin.LetterResult) bool { return r.Outcome != "accepted" || !r.Receipt }) {
		t.Fatalf("sent: %+v", sent)
	}
	again, err := reader.client.SendLetters(t.Context(), admin.LetterRequest{Month: sent[0].Month, Wait: true})
	must(t, err)
	for i, r := range again {
		if r.Outcome != "known" || r.Index != sent[i].Index {
			t.Errorf("sent again: %+v, want the letter at %d", r, sent[i].Index)
		}
	}
	if all := reader.lettersAt(t, 3); all[0].Open != 1 || all[1].Open != 0 {
		t.Errorf("at the reader: %+v", all)
	}
	if own := h2.lettersAt(t, 1); own[0].Index != sent[1].Index || own[0].Hospital != 2 || own[0].Sender != 4 {
		t.Errorf("at hospital 2: %+v", own)
	}
	if _, err := h2.client.ShowLetter(t.Context(), sent[0].Index, nil); problemCode(err) != admin.CodeNotFound {
		t.Errorf("hospital 2 reads the letter of hospital 1: %v", err)
	}
	if _, err := h2.client.Entry(t.Context(), sent[0].Index); problemCode(err) != admin.CodeNotAllowed {
		t.Errorf("hospital 2 opens the letter of hospital 1: %v", err)
	}
	for name, r := range map[string]admin.LetterRequest{"of a day": {Month: "2026-11-02"}, "of long ago": {Month: "1999-01"}, "to nobody": {Hospital: 9}, "to a reader": {Hospital: 4}} {
		if got, err := reader.client.SendLetters(t.Context(), r); problemCode(err) != admin.CodeInvalid {
			t.Errorf("a letter %s: %+v, %v", name, got, err)
		}
	}
	if _, err := h1.client.SendLetters(t.Context(), admin.LetterRequest{}); problemCode(err) != admin.CodeNotAllowed {
		t.Errorf("a hospital writes: %v", err)
	}

	drawn := h1.checksAt(t, 1, func(c admin.Check) bool { return c.Index == target && c.Letter == sent[0].Index })
	if drawn[0].CaseNumber == "" || drawn[0].Result != 0 {
		t.Errorf("hospital 1 is to compare %+v", drawn[0])
	}
	if theirs := reader.checksAt(t, 1, func(c admin.Check) bool { return c.Index == target }); theirs[0].CaseNumber != "" || theirs[0].Hospital != 1 {
		t.Errorf("at the reader: %+v", theirs[0])
	}
	h2.checksAt(t, 0, func(admin.Check) bool { return true })
	if _, err := h2.client.Compare(t.Context(), target, admin.Compared{Letter: sent[0].Index, Result: 1}); problemCode(err) != admin.CodeNotFound {
		t.Errorf("hospital 2 compares: %v", err)
	}
	compared, err := h1.client.Compare(t.Context(), target, admin.Compared{Letter: sent[0].Index, Result: 2, Differs: []string{"onset"}, Wait: true})
	must(t, err)
	reader.checksAt(t, 1, func(c admin.Check) bool {
		return c.CheckIndex == compared.Entry.Index && slices.Equal(c.Differs, []string{"onset"})
	})

	counted, err := reader.client.Report(t.Context(), "checks", url.Values{"exact": {"1"}, "format": {"csv"}, "lang": {"en"}})
	must(t, err)
	if text := string(counted); !strings.Contains(text, ",1,1,0,1,0,") || !strings.Contains(text, "onset,1") {
		t.Errorf("the report counts\n%s", text)
	}

	// Who wrote the letters is a reader, and no hospital that may be silent.
	counted, err = reader.client.Report(t.Context(), "quality", url.Values{"exact": {"1"}, "format": {"csv"}, "lang": {"en"}})
	must(t, err)
	if at := strings.Index(string(counted), "Q15.silent"); at < 0 || !strings.HasSuffix(strings.TrimSpace(strings.SplitN(string(counted)[at:], "\n", 2)[0]), ",1") {
		t.Errorf("silent are counted\n%s", counted)
	}

	open := ",DT003,The value is unusual: please confirm or correct it.,"
	if text := h1.letter(t, h1.lettersAt(t, 1)[0].Index); !strings.Contains(text, "Q8,") || !strings.Contains(text, open) {
		t.Errorf("hospital 1 reads\n%s", text)
	}
	_, err = h1.client.Withdraw(t.Context(), admin.Withdrawal{
		Action: "erase", Document: &admin.Document{Type: "RIC", Value: number}, By: "self", Scope: []string{"all"}, Now: true, Wait: true,
	})
	must(t, err)
	for _, p := range []*place{h1, reader} {
		until(t, p.cfg.Node.ID+" has forgotten the patient beside the letter", func() (bool, error) {
			_, err := p.client.Entry(t.Context(), asked.Entry.Index)
			return problemCode(err) == admin.CodeErased, err
		})
		if _, err := p.client.Entry(t.Context(), compared.Entry.Index); problemCode(err) != admin.CodeErased {
			t.Errorf("at %s the check of who withdrew: %v", p.cfg.Node.ID, err)
		}
		p.checksAt(t, 0, func(c admin.Check) bool { return c.Index == target })
		if text := p.letter(t, sent[0].Index); !strings.Contains(text, "Q8,") || strings.Contains(text, open) {
			t.Errorf("at %s the letter of who withdrew is\n%s", p.cfg.Node.ID, text)
		}
	}
}
