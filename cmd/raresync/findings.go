package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/rule"
)

var (
	errPartly  = errors.New("some files were refused")
	errNothing = errors.New("no file was accepted")
)

// verdict turns counts into the error that carries the exit code.
func verdict(accepted, refused int) error {
	switch {
	case refused == 0:
		return nil
	case accepted == 0:
		return coded{exitInvalid, errNothing}
	}
	return coded{exitPartly, fmt.Errorf("%w: %d of %d", errPartly, refused, accepted+refused)}
}

// finding is what one rule says about one value of a file, in words.
type finding struct {
	File     string `json:"file"`
	Path     string `json:"path"` // JSON path, "" for the file as a whole
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	What     string `json:"what"`
	ToDo     string `json:"todo"`
	Detail   string `json:"detail"`
}

// explain puts findings on a file into words.
func explain(file string, findings []rule.Finding, lang string) []finding {
	var rows []finding
	for _, f := range findings {
		what, todo := rule.Text(f.Code, lang)
		path := strings.TrimPrefix(strings.TrimPrefix(f.Where, file), " ")
		rows = append(rows, finding{file, path, f.Code, f.Severity.String(), what, todo, f.Detail})
	}
	return rows
}

// ruleFindings reads findings as the daemon sends them.
func ruleFindings(list []admin.Finding) []rule.Finding {
	out := make([]rule.Finding, len(list))
	for i, f := range list {
		out[i] = rule.Finding{Code: f.Code, Where: f.Where, Detail: f.Detail}
		if f.Severity != "" {
			out[i].Severity = rule.Severity(f.Severity[0])
		}
	}
	return out
}

// line is the finding on one line, for a person.
func (f finding) line() string {
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
