package validate

import (
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
