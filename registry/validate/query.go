package validate

import (
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// Query checks a question to a hospital by the entry that it is about: QY001 if
// no rule has its code, QY002 if the entry holds no facts to ask about.
func Query(q entry.Query, target entry.Entry) (findings []rule.Finding) {
	if !rule.Known(q.Rule) {
		findings = append(findings, rule.Find("QY001", "rule", ""))
	}
	if !target.Any() {
		findings = append(findings, rule.Find("QY002", "index", "a "+target.Type.String()+" entry"))
	}
	return findings
}

// A Doubt is a finding of severity Q on an entry that was accepted: the hospital
// asks itself about it.
type Doubt struct {
	Entry [32]byte // entry id
	Rule  string
}

// Doubts returns, of findings that [Entries] gave of some entries, those of severity
// Q, each rule once an entry. Of a published case, whose source record is not the
// hospital's, there are none.
func Doubts(findings []rule.Finding, entries ...entry.Entry) (out []Doubt) {
	for _, f := range findings {
		e := about(f.Where, sortOut(entries))
		if f.Severity != rule.Q || e == nil || e.Profile == entry.Published {
			continue
		}
		if d := (Doubt{e.ID, f.Code}); !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}

// about returns the entry that a field belongs to; nil if there is none.
func about(field string, p patient) *entry.Entry {
	for _, part := range p.parts {
		if strings.HasPrefix(field, part.prefix) {
			return part.Entry
		}
	}
	if strings.HasPrefix(field, "interpretations") && len(p.genetics) > 0 {
		return &p.genetics[0]
	}
	return p.clinical
}

// Question is what a hospital is asked about an entry on which a rule of severity Q
// was raised.
func Question(code string) entry.QueryText {
	switch code {
	case "DT005", "DX006":
		return entry.QueryUnusual
	case "GN002":
		return entry.QueryMissing
	case "DU003":
		return entry.QuerySource
	}
	return entry.QueryConflict
}

// Reply checks an answer by where its question stands: QY003 if that was closed,
// QY004 if the answer says that the entry was wrong and no correction of it is in
// the log.
func Reply(r entry.Reply, closed, corrected bool) (findings []rule.Finding) {
	if closed {
		findings = append(findings, rule.Find("QY003", "index", ""))
	}
	if r.Text == entry.ReplyCorrected && !corrected {
		findings = append(findings, rule.Find("QY004", "text", ""))
	}
	return findings
}
