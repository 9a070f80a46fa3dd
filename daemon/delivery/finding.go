package delivery

import (
	"errors"
	"fmt"
	"strings"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/mapping"
	"github.com/raresync/raresync/registry/rule"
)

// A Finding is what one rule says about one value of a file, in words.
type Finding struct {
	File     string `json:"file"`
	Path     string `json:"path"` // JSON path or cell, "" for the file as a whole
	Sheet    string `json:"sheet,omitempty"`
	Row      int    `json:"row,omitempty"`
	Column   string `json:"column,omitempty"` // its heading
	Rule     string `json:"rule"`
	Severity string `json:"severity"` // E refused, W flagged, Q query, I information
	What     string `json:"what"`
	ToDo     string `json:"todo"`
	Detail   string `json:"detail"`
	Original string `json:"detail_en,omitempty"` // the detail in English, where Detail is in another language
}

// Explain puts findings on a file into words of a language, "zh" or "en".
func Explain(file string, findings []rule.Finding, lang string) []Finding {
	var rows []Finding
	for _, f := range findings {
		path := strings.TrimPrefix(strings.TrimPrefix(f.Where, file), " ")
		rows = append(rows, Finding{File: file, Path: path, Rule: f.Code, Severity: f.Severity.String(), Detail: f.Detail}.In(lang))
	}
	return rows
}

// ExplainCells puts findings on a table into words.
func ExplainCells(file string, findings []mapping.Finding, lang string) []Finding {
	var rows []Finding
	for _, f := range findings {
		one := Explain(file, []rule.Finding{f.Finding}, lang)[0]
		one.Path, one.Sheet, one.Row, one.Column = f.Place.Within(), f.Place.Sheet, f.Place.Row, f.Place.Head
		rows = append(rows, one)
	}
	return rows
}

// In is the finding in a language, whatever language it was put into words in.
func (f Finding) In(lang string) Finding {
	f.What, f.ToDo = rule.Text(f.Rule, lang)
	if f.Original != "" {
		f.Detail, f.Original = f.Original, ""
	}
	if said := rule.Detail(f.Detail, lang); said != f.Detail {
		f.Detail, f.Original = said, f.Detail
	}
	return f
}

// Refuses reports whether the finding refuses what it is about.
func (f Finding) Refuses() bool { return f.Severity == rule.E.String() }

// String is the finding on one line, for a person.
func (f Finding) String() string {
	at := f.File
	if f.Path != "" {
		at += " " + f.Path
	}
	gap := " "
	if strings.HasSuffix(f.What, "。") {
		gap = ""
	}
	text := fmt.Sprintf("%s: %s %s %s%s%s", at, f.Rule, f.Severity, f.What, gap, f.ToDo)
	if f.Detail != "" {
		text += " (" + f.Detail + ")"
	}
	return text
}

// Received reads findings as the daemon sends them.
func Received(list []admin.Finding) []rule.Finding {
	out := make([]rule.Finding, len(list))
	for i, f := range list {
		out[i] = rule.Finding{Code: f.Code, Where: f.Where, Detail: f.Detail}
		if f.Severity != "" {
			out[i].Severity = rule.Severity(f.Severity[0])
		}
	}
	return out
}

// Sent is a finding as the daemon sends it.
func Sent(f rule.Finding) admin.Finding {
	return admin.Finding{Code: f.Code, Severity: f.Severity.String(), Where: f.Where, Detail: f.Detail}
}

// Merged drops findings that repeat rule and place.
func Merged(findings []mapping.Finding) []mapping.Finding {
	type key struct{ code, where string }
	seen := map[key]bool{}
	var out []mapping.Finding
	for _, f := range findings {
		if k := (key{f.Code, f.Where}); !seen[k] {
			seen[k] = true
			out = append(out, f)
		}
	}
	return out
}

// Placed brings findings about a row's packet back to its cells. name is what the
// findings call the packet.
func Placed(p mapping.Patient, name string, findings []rule.Finding) (out []mapping.Finding) {
	for _, f := range findings {
		f.Where = strings.TrimPrefix(strings.TrimPrefix(f.Where, name), " ")
		out = append(out, p.Locate(f))
	}
	return out
}

// RefusalsOf returns the findings of an error that is a refusal.
func RefusalsOf(err error) ([]rule.Finding, bool) {
	var r *rule.Refusal
	if !errors.As(err, &r) {
		return nil, false
	}
	return r.Findings, true
}
