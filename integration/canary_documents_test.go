package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/identity"
)

// documentsAreTyped takes documents through every command that asks for some:
// from standard input, from a file, and at a terminal.
func (w *canaryWorld) documentsAreTyped(o *origin) {
	w.t.Helper()
	of := documentsOfPatients
	resident, newborn, local := o.with(identity.RIC), o.with(identity.BC), o.with(identity.LOCAL)
	for _, p := range []*canaryPatient{resident, o.with(identity.PP), local} {
		var found admin.PseudonymCheck
		said := w.wants(0, o.Process, of(p), "pseudonym", "check", "--documents", "-", "-o", "json")
		must(w.t, json.Unmarshal(said[bytes.IndexByte(said, '{'):], &found))
		w.marker(caseNumberMarker, found.CaseNumber, o.Node)
		w.wants(0, o.Process, "", "case-number", "check", found.CaseNumber)
		w.wants(0, o.Process, "", "case-number", "link", "show", found.CaseNumber)
		w.wants(0, o.Process, p.record+"\n", "case-number", "link", "find", "--from", "-", "-o", "json")
	}
	w.wants(8, o.Process, resident.name, "case-number", "link", "find", "--from", "-", "--lang", "zh")
	w.wants(7, o.Process, resident.name+"\n"+resident.phone, "case-number", "link", "find", "--from", "-")
	w.registrationsAreExported(o)
	file := filepath.Join(w.lay(o, "documents", map[string][]byte{"link.csv": []byte(of(newborn, resident))}), "link.csv")
	w.wants(0, o.Process, "", "entry", "link", "--reason", "newborn", "--documents", file)
	w.wants(0, o.Process, of(newborn, resident), "entry", "unlink", "--reason", "correction", "--documents", "-")
	w.wants(7, o.Process, of(newborn, newborn), "entry", "link", "--reason", "other", "--documents", "-")
	bad := *resident
	bad.document.Value = bad.document.Value[:16] + "*" + bad.document.Value[17:]
	w.wants(7, o.Process, of(&bad), "pseudonym", "check", "--documents", "-")
	w.wants(7, o.Process, of(resident, local), "pseudonym", "check", "--documents", "-")
	w.wants(7, o.Process, "type,issuer,value\n"+resident.name+",\""+resident.phone, "pseudonym", "check", "--documents", "-")
	for _, p := range []*canaryPatient{resident, o.with(identity.PP)} {
		w.typed(o.Process, []*canaryPatient{p}, "pseudonym", "check")
	}
	w.typed(o.Process, []*canaryPatient{newborn, resident}, "entry", "link", "--reason", "newborn")
}

// registrationsAreExported writes the hospital's own cases for another system, as they
// are and with what its own files know of the patients.
func (w *canaryWorld) registrationsAreExported(o *origin) {
	w.t.Helper()
	dir := w.lay(o, "exported", map[string][]byte{"own.csv": w.tableOf("plain.csv", tableRow(o.with(identity.RIC)))})
	w.wants(0, o.Process, "", "export", "upload", filepath.Join(dir, "plain.xlsx"))
	w.wants(0, o.Process, "", "export", "upload", filepath.Join(dir, "records.xlsx"), "--with-records", "--documents-from", filepath.Join(dir, "own.csv"), "--lang", "zh")
	w.wants(2, o.Process, "", "export", "upload", filepath.Join(dir, "plain.csv"))
}

// with returns the origin's first patient with a document of a type.
func (o *origin) with(kind identity.Type) *canaryPatient {
	return o.known[slices.IndexFunc(o.known, func(p *canaryPatient) bool { return p.document.Type == kind })]
}

// documentsOfPatients is a file of --documents.
func documentsOfPatients(patients ...*canaryPatient) string {
	rows := [][]string{{"type", "issuer", "value"}}
	for _, p := range patients {
		rows = append(rows, []string{string(p.document.Type), p.document.Issuer, p.document.Value})
	}
	return string(csvOf(rows...))
}

// patientsWithdraw has patients decide in every way: by a document from standard
// input or a file, and at a terminal. One of them is erased.
func (w *canaryWorld) patientsWithdraw(o *origin) {
	w.t.Helper()
	card, permit, passport := o.with(identity.FPR17), o.with(identity.HKM), o.with(identity.PP)
	document := documentsOfPatients
	w.wants(0, o.Process, document(card), "withdraw", "stop", "--yes", "--documents", "-")
	w.wants(0, o.Process, document(card), "withdraw", "resume", "--yes", "--documents", "-", "--lang", "zh")
	w.wants(0, o.Process, document(permit), "withdraw", "erase", "--yes", "--documents", "-")
	w.wants(6, o.Process, document(permit), "withdraw", "resume", "--yes", "--documents", "-")
	w.wants(0, o.Process, document(permit), "withdraw", "cancel", "--yes", "--documents", "-")
	file := filepath.Join(w.lay(o, "documents", map[string][]byte{"erase.csv": []byte(document(passport))}), "erase.csv")
	w.wants(0, o.Process, "", "withdraw", "erase", "--now", "--yes", "--documents", file)
	o.erased = passport
	bad := *card
	bad.document.Value = bad.name
	w.wants(7, o.Process, document(&bad), "withdraw", "stop", "--yes", "--documents", "-")
	w.typed(o.Process, []*canaryPatient{card}, "withdraw", "stop", "--yes")
	w.wants(0, o.Process, "", "withdraw", "list")
}

// casesAreCorrected corrects a case to what a file says, and to what no file may
// say.
func (w *canaryWorld) casesAreCorrected(o *origin) {
	w.t.Helper()
	name := o.fileOf(o.with(identity.LOCAL))
	index := fmt.Sprint(o.indexes[name])
	dir := w.lay(o, "corrected", map[string][]byte{
		name:       bytes.ReplaceAll(o.good[name], []byte("2013-02-11"), []byte("2013-02-10")),
		"cut.json": o.good[name][:len(o.good[name])/2],
	})
	w.wants(0, o.Process, "", "entry", "correct", index, filepath.Join(dir, name), "--reason", "mistyped")
	w.wants(7, o.Process, "", "entry", "correct", index, filepath.Join(dir, name), "--reason", "revised", "--lang", "zh")
	w.wants(7, o.Process, "", "entry", "correct", index, filepath.Join(dir, "cut.json"), "--reason", "revised")
	for name, bad := range o.bad {
		if bad.rule == "PR001" {
			w.wants(7, o.Process, "", "entry", "correct", index, filepath.Join(w.exports(o.Process), "bad", name), "--reason", "revised")
		}
	}
}

// casesAreAskedAbout has the coordinator ask about a case, and the hospital answer.
func (w *canaryWorld) casesAreAskedAbout(o *origin) {
	w.t.Helper()
	index := fmt.Sprint(o.indexes[o.fileOf(o.with(identity.LOCAL))])
	var asked admin.QueryResult
	w.eventually("the coordinator has the case", func() error {
		_, err := w.Reader.Client.Entry(w.ctx, o.indexes[o.fileOf(o.with(identity.LOCAL))])
		return err
	})
	said := w.wants(0, w.Reader, "", "query", "open", index, "--rule", "DT003", "--text", "1", "-o", "json")
	must(w.t, json.Unmarshal(said[bytes.IndexByte(said, '{'):], &asked))
	w.eventually("the hospital has the query", func() error {
		list, err := o.Client.Queries(w.ctx)
		if err == nil && len(list) == 0 {
			err = errors.New("none is there")
		}
		return err
	})
	w.wants(0, o.Process, "", "query", "answer", fmt.Sprint(asked.Entry.Index), "--text", "1", "--lang", "zh")
	w.wants(7, w.Reader, "", "query", "open", index, "--rule", "ZZ999", "--text", "1")
}

// cardsArePut puts a card, and one with a patient's telephone on it.
func (w *canaryWorld) cardsArePut(o *origin) {
	w.t.Helper()
	const good = "kind = \"biobank\"\nid = \"BB\"\nname = \"central\"\ndepartment = \"laboratory\"\nstatus = \"open\"\n"
	p := o.with(identity.RIC)
	dir := w.lay(o, "cards", map[string][]byte{
		"good.toml":  []byte(good),
		"phone.toml": []byte(good + "description = \"" + p.phone + "\"\n"),
		"cut.toml":   []byte(good + "description = \"" + p.name + " " + p.document.Value),
	})
	w.wants(0, o.Process, "", "card", "put", filepath.Join(dir, "good.toml"))
	w.wants(7, o.Process, "", "card", "put", filepath.Join(dir, "phone.toml"))
	w.wants(7, o.Process, "", "card", "put", filepath.Join(dir, "cut.toml"), "--lang", "zh")
}

// fileOf returns the name of a patient's good file.
func (o *origin) fileOf(p *canaryPatient) string {
	for name, raw := range o.good {
		if bytes.Contains(raw, []byte(p.record)) {
			return name
		}
	}
	return ""
}

// patientsAsk has patients ask what is held about them: by a document, at a
// terminal, and by the number on their paper.
func (w *canaryWorld) patientsAsk(o *origin) {
	w.t.Helper()
	resident, local := o.with(identity.RIC), o.with(identity.LOCAL)
	var r admin.SubjectReport
	said := w.wants(0, o.Process, documentsOfPatients(resident), "subject", "report", "--documents", "-", "-o", "json")
	must(w.t, json.Unmarshal(said[bytes.IndexByte(said, '{'):], &r))
	w.wants(0, o.Process, "", "subject", "report", r.Cases[0], "--lang", "zh")
	w.wants(0, o.Process, documentsOfPatients(o.erased), "subject", "report", "--documents", "-")
	w.wants(7, o.Process, documentsOfPatients(&canaryPatient{document: identity.Document{Type: identity.RIC, Value: resident.name}}), "subject", "report", "--documents", "-")
	w.typed(o.Process, []*canaryPatient{local}, "subject", "report")
}
