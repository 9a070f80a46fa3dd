package delivery

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/archive"
	"github.com/raresync/raresync/registry/fhir"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
)

// A Collection is a file of which each patient stands for itself: FHIR, or an
// archive of FHIR files and phenopackets. The FHIR files of an archive are one
// set, and may refer to one another.
type Collection struct {
	Name   string   // of the file
	Format string   // "FHIR", "ZIP"
	Files  []string // of an archive
	// Documents gives the documents of a phenopacket of an archive, by its name
	// in it; nil for none.
	Documents func(member string) map[string]admin.Document

	set      *fhir.Set
	archive  *archive.Archive
	findings []rule.Finding
}

// OpenCollection opens a collection. The error is a refusal by rule.
func OpenCollection(name string, raw []byte) (*Collection, error) {
	c := &Collection{Name: name, Format: "FHIR", set: fhir.NewSet(fhir.Limits{})}
	if archive.Is(raw) || strings.EqualFold(filepath.Ext(name), ".zip") {
		c.Format = "ZIP"
		var err error
		if c.archive, err = archive.Open(name, raw, archive.Limits{}); err != nil {
			return nil, err
		}
		if c.Files = c.archive.Names(); len(c.Files) == 0 {
			return nil, rule.Refuse("FM009", name, "no file in it")
		}
		return c, nil
	}
	return c, c.set.Add(name, raw)
}

// A Unit is what of a collection stands for itself: a patient of FHIR, or a
// phenopacket file of an archive.
type Unit struct {
	File     admin.File        // as it is submitted
	Document identity.Document // of a FHIR patient; zero where there is none
	Findings []rule.Finding    // of reading it
	patient  *fhir.Patient
}

// Placed brings findings about the unit's packets back to where they are in the
// file.
func (u Unit) Placed(findings []rule.Finding) (out []rule.Finding) {
	if u.patient == nil {
		return findings
	}
	for _, f := range findings {
		f.Where = strings.TrimPrefix(strings.TrimPrefix(f.Where, u.File.Name), " ")
		out = append(out, u.patient.Locate(f))
	}
	return out
}

// Units gives the units of the collection. It is called once.
func (c *Collection) Units() iter.Seq[Unit] {
	return func(yield func(Unit) bool) {
		resources := c.archive == nil
		if c.archive != nil {
			for f := range c.archive.Files() {
				u, ok := c.member(f)
				if !ok {
					resources = true
				} else if !yield(u) {
					return
				}
			}
			found, _ := RefusalsOf(c.archive.Err())
			c.findings = append(c.findings, found...)
		}
		if !resources || rule.Refusals(c.findings) != nil {
			return // a set that lacks a file would say that references lead nowhere
		}
		for p := range c.set.Patients() {
			u := Unit{Document: p.Document, Findings: p.Findings, patient: &p}
			u.File = admin.File{Name: p.At, Data: p.Packet, Source: "fhir", Identities: identified(p.Subject, p.Document)}
			if !yield(u) {
				return
			}
		}
		c.findings = append(c.findings, c.set.Findings()...)
	}
}

// member takes one file of an archive: a phenopacket is a unit, FHIR goes to the
// set.
func (c *Collection) member(f archive.File) (u Unit, ok bool) {
	name := c.Name + " " + f.Name
	refuse := func(findings ...rule.Finding) { c.findings = append(c.findings, findings...) }
	switch kind := KindOf(f.Name, f.Data); {
	case kind == Rows || kind == Collections && archive.Is(f.Data):
		refuse(rule.Find("FM009", name, "give tables by themselves"))
	case kind == Collections:
		found, _ := RefusalsOf(c.set.Add(name, f.Data))
		refuse(found...)
	case len(f.Data) > phenopacket.DefaultMaxBytes:
		refuse(rule.Find("FM005", name, fmt.Sprintf("file larger than %d bytes", phenopacket.DefaultMaxBytes)))
	default:
		u.File = admin.File{Name: name, Data: f.Data}
		if c.Documents != nil {
			u.File.Identities = c.Documents(f.Name)
		}
		return u, true
	}
	return u, false
}

// Findings are those on the collection beyond its units, complete after the last
// of them.
func (c *Collection) Findings() []rule.Finding { return c.findings }

// maxTold bounds the findings that are told one by one: where one patient lacks
// something, a hundred thousand may.
const maxTold = 5000

// Told collects findings to be told, of a rule beyond the bound how many there
// are. The zero Told is empty.
type Told struct {
	findings []rule.Finding
	more     map[string]int
}

// Add takes findings.
func (t *Told) Add(findings ...rule.Finding) {
	for _, f := range findings {
		if len(t.findings) < maxTold {
			t.findings = append(t.findings, f)
			continue
		}
		if t.more == nil {
			t.more = map[string]int{}
		}
		t.more[f.Code]++
	}
}

// All returns the findings, those that sum up others last, with a name for their
// place.
func (t *Told) All(name string) []rule.Finding {
	all := slices.Clone(t.findings)
	for _, code := range slices.Sorted(maps.Keys(t.more)) {
		all = append(all, rule.Find(code, name, fmt.Sprintf("%d more", t.more[code])))
	}
	return all
}

// A CollectionResult is what became of a collection.
type CollectionResult struct {
	Counts   Counts
	Entries  []admin.EntryRef
	Findings []rule.Finding
	Rejects  RefusedUnits
}

// Submit sends the collection's units, a batch at a time. After an error the same
// collection can be submitted again.
func (c *Collection) Submit(ctx context.Context, send Send) (*CollectionResult, error) {
	r := &CollectionResult{Rejects: RefusedUnits{collection: c.Name}}
	b := batch{send: send}
	var told Told
	for u := range c.Units() {
		r.Counts.Read++
		if rule.Refusals(u.Findings) != nil {
			r.Counts.Refused++
			r.Rejects.add(u)
			told.Add(u.Findings...)
			if err := b.refused(ctx, u.File.Source, u.Findings); err != nil {
				return r, err
			}
			continue
		}
		err := b.add(ctx, u.File, func(answer admin.FileResult) {
			r.Counts.take(answer)
			if answer.Outcome == Refused {
				r.Rejects.add(u)
			} else {
				r.Entries = append(r.Entries, answer.Entries...)
			}
			told.Add(distinct(append(u.Findings, u.Placed(Received(answer.Findings))...))...)
		})
		if err != nil {
			return r, err
		}
	}
	if p, ok := c.set.Strays(); ok {
		r.Rejects.patients = append(r.Rejects.patients, p)
	}
	if err := b.refused(ctx, "fhir", c.Findings()); err != nil {
		return r, err
	}
	if err := b.flush(ctx); err != nil {
		return r, err
	}
	told.Add(c.Findings()...)
	if r.Findings = told.All(c.Name); rule.Refusals(c.Findings()) != nil {
		r.Counts.Refused++ // what could not be read has no patient to count
	}
	return r, nil
}

// distinct drops findings that repeat rule and place.
func distinct(findings []rule.Finding) (out []rule.Finding) {
	seen := map[[2]string]bool{}
	for _, f := range findings {
		if k := [2]string{f.Code, f.Where}; !seen[k] {
			seen[k] = true
			out = append(out, f)
		}
	}
	return out
}

// About tells in a language what a collection is and what became of its patients;
// would is for one that was only looked at.
func (c *Collection) About(lang string, accepted, refused int, would bool) string {
	en, zh := "%s (%s): %d accepted, %d refused, of its patients and files", "%s（%s）：接受 %d，拒绝 %d（患者或文件）"
	if would {
		en, zh = "%s (%s): %d would be accepted, %d refused, of its patients and files", "%s（%s）：将接受 %d，拒绝 %d（患者或文件）"
	}
	return say(lang, en, zh, c.Name, c.Format, accepted, refused)
}
