package mapping

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/tomlfile"
)

// MaxProfileBytes bounds a profile's text.
const MaxProfileBytes = 1 << 20

// A Profile says how the tables of one system are read.
type Profile struct {
	// Name is the shipped profile's name, or what the caller calls it.
	Name string `toml:"-"`
	// Title says in both languages what tables it is for.
	Title Words `toml:"title"`
	// KnownBy are headings of which all stand in a table that the profile is
	// for, and in no other; "病案号|record number" stands for either. A file is read without naming a profile if one
	// shipped profile alone knows it by them.
	KnownBy []string `toml:"known_by"`
	// Sheet is the one sheet to read. Default: every sheet with the headings.
	Sheet string `toml:"sheet"`
	// Document is the type of the patients' documents where no column says it:
	// RIC, HKM, TWP, FPR17, PP or BC. Default RIC.
	Document identity.Type `toml:"document"`
	// Missing are words that stand for an empty cell, besides the usual ones.
	Missing []string `toml:"missing"`
	// Identifying are columns that hold who a patient is: names, telephones,
	// addresses. They are read for one purpose, to find them in texts (PR001).
	Identifying []string `toml:"identifying"`
	// Join makes one patient of rows that follow each other with one record
	// number, as REDCap writes repeated forms.
	Join bool `toml:"join"`
	// OnlyListed passes over rows of which no diagnosis is in the national
	// lists, and puts the one that is first: for tables of all inpatients.
	OnlyListed bool `toml:"only_listed"`
	// Once takes of a patient's rows with one disease the first.
	Once bool `toml:"once"`
	// Fields say where each field stands, by the names that this package lists.
	Fields map[string]Field `toml:"fields"`
	// Diagnoses are the places of a row where a disease stands.
	Diagnoses []Diagnosis `toml:"diagnosis"`
	// Diseases are the hospital's own words for diseases, with a code each:
	// LIST:1.27, ORPHA:324, OMIM:301500, E75.2.
	Diseases map[string]string `toml:"diseases"`
}

// Words are one text in both languages.
type Words struct {
	ZH string `toml:"zh"`
	EN string `toml:"en"`
}

// In returns the text in "zh" or "en".
func (w Words) In(lang string) string {
	if lang == "zh" {
		return w.ZH
	}
	return w.EN
}

// A Field says where a field stands and what its codes mean.
type Field struct {
	// Columns are headings, the first of which that is there counts.
	Columns []string `toml:"columns"`
	// Value is taken where no column gives one.
	Value string `toml:"value"`
	// Codes are the system's own codes with a word that this package knows.
	Codes map[string]string `toml:"codes"`
}

// A Diagnosis says in which columns the parts of one diagnosis stand. Each is
// a list of headings, the first of which that is there counts.
type Diagnosis struct {
	Name  []string `toml:"name"`
	List  []string `toml:"list"` // number in a national list, as 1.27
	ORPHA []string `toml:"orpha"`
	OMIM  []string `toml:"omim"`
	ICD10 []string `toml:"icd10"`
	Code  []string `toml:"code"` // of any system, with the system's name
	// Standing is how sure the diagnosis is; with one of the words of Excluded
	// it was looked for and not found.
	Standing []string `toml:"standing"`
	Excluded []string `toml:"excluded"`
}

// parts returns the lists of headings with the names of their keys.
func (d Diagnosis) parts() map[string][]string {
	return map[string][]string{"name": d.Name, "list": d.List, "orpha": d.ORPHA, "omim": d.OMIM,
		"icd10": d.ICD10, "code": d.Code, "standing": d.Standing}
}

// Parse reads a profile. The error tells all that is wrong with it, a line each.
func Parse(name, text string) (*Profile, error) {
	if len(text) > MaxProfileBytes {
		return nil, fmt.Errorf("larger than %d bytes", MaxProfileBytes)
	}
	p := &Profile{Name: name}
	unknown, err := tomlfile.Decode(text, p)
	if err != nil {
		return nil, err
	}
	var wrong []error
	for _, key := range unknown {
		wrong = append(wrong, fmt.Errorf("%s is not known", key))
	}
	return p, errors.Join(append(wrong, p.check()...)...)
}

func (p *Profile) check() (wrong []error) {
	found := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if p.Document == "" {
		p.Document = identity.RIC
	}
	if !slices.Contains(documentTypes, p.Document) {
		found("document: want one of %s", strings.Join(typeNames(), ", "))
	}
	for _, key := range slices.Sorted(maps.Keys(p.Fields)) {
		f, info := p.Fields[key], fieldOf(key)
		if info == nil {
			found("fields.%s is not known: the fields are %s", key, strings.Join(Keys(), ", "))
			continue
		}
		for _, code := range slices.Sorted(maps.Keys(f.Codes)) {
			if word := f.Codes[code]; !info.means(word) {
				found("fields.%s.codes: %q is not known: %s", key, word, info.allowed())
			}
		}
		if len(f.Columns) == 0 && f.Value == "" {
			found("fields.%s needs columns or a value", key)
		}
	}
	for i, d := range p.Diagnoses {
		if len(slices.Concat(d.Name, d.List, d.ORPHA, d.OMIM, d.ICD10, d.Code)) == 0 {
			found("diagnosis %d names no column", i+1)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Diseases)) {
		if _, ok := readCode(p.Diseases[name]); !ok {
			found("diseases: %q is no code: want LIST:1.27, ORPHA:324, OMIM:301500 or ICD-10", p.Diseases[name])
		}
	}
	if len(p.Fields["record"].Columns) == 0 && len(p.Fields["id_number"].Columns) == 0 {
		found("fields.record and fields.id_number: a patient needs one of them")
	}
	if len(p.Diagnoses) == 0 {
		found("diagnosis: no column holds a disease")
	}
	return wrong
}

// Headings returns every heading that the profile looks for, sorted.
func (p *Profile) Headings() []string {
	all := slices.Clone(p.Identifying)
	for _, f := range p.Fields {
		all = append(all, f.Columns...)
	}
	for _, d := range p.Diagnoses {
		for _, columns := range d.parts() {
			all = append(all, columns...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
