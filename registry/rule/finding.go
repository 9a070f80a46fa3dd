package rule

import (
	"fmt"
	"strings"
)

// A Severity says what follows from a finding. Its value is the letter shown
// to people.
type Severity byte

// The four severities, most severe first.
const (
	E Severity = 'E' // refused: the row or entry goes no further
	W Severity = 'W' // accepted with a flag
	Q Severity = 'Q' // accepted, and a quality query is opened
	I Severity = 'I' // accepted; worth knowing
)

// String returns the letter, or "?" for a value that is no severity.
func (s Severity) String() string {
	switch s {
	case E, W, Q, I:
		return string(rune(s))
	}
	return "?"
}

// A Finding is what one rule says about one value.
type Finding struct {
	// Code names the rule, for example "ID002".
	Code string
	// Severity is this finding's own: a few rules (ID006, DX006) have two.
	Severity Severity
	// Where is a column of the file or a JSON path; it may be empty.
	Where string
	// Detail helps to find the cause. It holds nothing that identifies a
	// person: values in it went through Mask.
	Detail string
}

// Find returns a finding with the rule's usual severity.
func Find(code, where, detail string) Finding {
	return Finding{Code: code, Severity: SeverityOf(code), Where: where, Detail: detail}
}

// String returns the finding on one line, such as
// "ID002 E id_number: check digit".
func (f Finding) String() string {
	head := strings.TrimSpace(f.Code + " " + f.Severity.String() + " " + f.Where)
	if f.Detail == "" {
		return head
	}
	return head + ": " + f.Detail
}

// A Refusal is an error that carries the findings it rests on, all of
// severity E, at least one.
type Refusal struct {
	Findings []Finding
}

// Refuse returns a Refusal with one finding of severity E.
func Refuse(code, where, detail string) *Refusal {
	return &Refusal{Findings: []Finding{{Code: code, Severity: E, Where: where, Detail: detail}}}
}

// Refusals returns a Refusal of the findings with severity E, in order, or
// nil if there are none. The result is of type error so that "none" compares
// equal to nil.
func Refusals(findings []Finding) error {
	var bad []Finding
	for _, f := range findings {
		if f.Severity == E {
			bad = append(bad, f)
		}
	}
	if bad == nil {
		return nil
	}
	return &Refusal{Findings: bad}
}

// Code returns the first finding's code, or "" for an empty Refusal.
func (r *Refusal) Code() string {
	if r == nil || len(r.Findings) == 0 {
		return ""
	}
	return r.Findings[0].Code
}

// Error returns the findings joined with "; ".
func (r *Refusal) Error() string {
	if r == nil || len(r.Findings) == 0 {
		return "refused"
	}
	parts := make([]string, len(r.Findings))
	for i, f := range r.Findings {
		parts[i] = f.String()
	}
	return fmt.Sprintf("refused: %s", strings.Join(parts, "; "))
}
