package card

import (
	"fmt"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/tomlfile"
)

// MaxBytes is the largest file of a card.
const MaxBytes = 64 << 10

// file is a card as it is written.
type file struct {
	Kind        string   `toml:"kind"`
	ID          string   `toml:"id"`
	Name        string   `toml:"name"`
	NameEN      string   `toml:"name_en"`
	Description string   `toml:"description"`
	Within      string   `toml:"within"`
	Department  string   `toml:"department"`
	Address     string   `toml:"address"`
	Diseases    []string `toml:"diseases"`
	Kinds       []string `toml:"specimens"`
	Storage     []string `toml:"storage"`
	Design      string   `toml:"design"`
	Persons     *int64   `toml:"persons"`
	Specimens   *int64   `toml:"specimen_count"`
	Planned     *int64   `toml:"planned"`
	Status      string   `toml:"status"`
	Access      string   `toml:"access"`
	Start       string   `toml:"start"`
	End         string   `toml:"end"`
}

// Read reads the file of a card. The error is a *rule.Refusal: FM005 for a file
// that is too large, else CD001 with every word that is not known.
func Read(raw []byte) (kind entry.Type, c entry.Card, err error) {
	if len(raw) > MaxBytes {
		return 0, c, rule.Refuse("FM005", "", fmt.Sprintf("%d bytes, at most %d", len(raw), MaxBytes))
	}
	var f file
	unknown, err := tomlfile.Decode(string(raw), &f)
	if err != nil {
		return 0, c, rule.Refuse("CD001", "", err.Error())
	}
	r := reading{}
	for _, key := range unknown {
		r.refuse(key, "not a field of a card")
	}
	c = entry.Card{
		ID: strings.TrimSpace(f.ID), Name: strings.TrimSpace(f.Name), NameEN: strings.TrimSpace(f.NameEN), Description: strings.TrimSpace(f.Description),
		Within: strings.TrimSpace(f.Within), Department: strings.TrimSpace(f.Department), Address: strings.TrimSpace(f.Address),
		Diseases: trimmed(f.Diseases), Persons: r.count("persons", f.Persons), Specimens: r.count("specimen_count", f.Specimens), Planned: r.count("planned", f.Planned),
		Start: r.date("start", f.Start), End: r.date("end", f.End),
	}
	kind = word(&r, "kind", f.Kind, entry.ParseCardType)
	c.Design = word(&r, "design", f.Design, entry.ParseDesign)
	c.Status = word(&r, "status", f.Status, entry.ParseCardStatus)
	c.Access = word(&r, "access", f.Access, entry.ParseAnswer)
	c.Kinds = words(&r, "specimens", f.Kinds, entry.ParseSpecimenKind)
	c.Storage = words(&r, "storage", f.Storage, entry.ParseStorage)
	return kind, c, rule.Refusals(r.findings)
}

// trimmed returns texts without space around them; none is nil.
func trimmed(texts []string) (out []string) {
	for _, s := range texts {
		out = append(out, strings.TrimSpace(s))
	}
	return out
}

// reading collects what cannot be read.
type reading struct{ findings []rule.Finding }

func (r *reading) refuse(field, why string) {
	r.findings = append(r.findings, rule.Find("CD001", field, why))
}

// count reads a number that may be missing.
func (r *reading) count(field string, n *int64) entry.Count {
	switch {
	case n == nil:
		return 0
	case *n < 0 || *n >= 1<<32-1:
		r.refuse(field, "not a number from 0 on")
		return 0
	}
	return entry.CountOf(uint32(*n))
}

func (r *reading) date(field, text string) entry.Date {
	d, ok := entry.ParseDate(text)
	if !ok {
		r.refuse(field, "not YYYY, YYYY-MM or YYYY-MM-DD")
	}
	return d
}

func word[T any](r *reading, field, said string, parse func(string) (T, bool)) T {
	v, ok := parse(strings.TrimSpace(said))
	if !ok {
		r.refuse(field, "not one of its words")
	}
	return v
}

func words[T comparable](r *reading, field string, said []string, parse func(string) (T, bool)) (out []T) {
	var none T
	for i, s := range said {
		v := word(r, fmt.Sprintf("%s[%d]", field, i), s, parse)
		if v == none && strings.TrimSpace(s) == "" {
			r.refuse(fmt.Sprintf("%s[%d]", field, i), "empty")
		}
		out = append(out, v)
	}
	return out
}
