package rule

import (
	"slices"
	"sort"
)

// severities holds every rule with its usual severity. ID006 (only the day
// differs) and DX006 (a disease of one sex) also occur as W.
var severities = map[string]Severity{
	"ID001": E, "ID002": E, "ID003": E, "ID004": E, "ID005": W, "ID006": E,
	"ID007": Q, "ID008": W, "ID009": E, "ID010": W, "ID011": E,
	"AL001": E, "AL002": E, "AL003": E, "AL004": E, "AL005": Q, "AL006": Q, "AL007": W,
	"OR001": E, "OR002": E, "OR003": E,
	"DT001": E, "DT002": E, "DT003": Q, "DT004": W, "DT005": Q,
	"DX001": E, "DX002": E, "DX003": W, "DX004": E, "DX005": Q, "DX006": Q, "DX007": W, "DX008": E,
	"PH001": E, "PH002": W, "PH003": Q, "PH004": W,
	"GN001": W, "GN002": Q, "GN003": W, "GN004": Q,
	"ST001": E, "ST002": Q,
	"TX001": E, "TX002": W, "TX003": Q,
	"SP001": E, "SP002": E, "SP003": Q, "SP004": W,
	"CD001": E, "CD002": E, "CD003": E, "CD004": E,
	"CN001": E, "CN002": E, "CN003": W, "CN004": E,
	"CR001": E, "CR002": E, "CR003": E,
	"DU001": W, "DU002": I, "DU003": Q, "DU004": I, "DU005": W, "DU006": I,
	"PR001": E,
	"QY001": E, "QY002": E, "QY003": E, "QY004": W,
	"FM001": E, "FM002": E, "FM003": E, "FM004": W, "FM005": E, "FM006": E, "FM007": E, "FM008": W, "FM009": E,
	"PP001": E, "PP002": E, "PP003": Q, "PP004": W,
	"FH001": E, "FH002": E, "FH003": W, "FH004": E, "FH005": W, "FH006": E, "FH007": E,
	"RQ001": E, "ENC001": E,
	"SEAL001": E, "SEAL002": E, "SEAL003": E, "SEAL004": E,
}

// Codes returns every rule's code, sorted.
func Codes() []string {
	codes := make([]string, 0, len(severities))
	for code := range severities {
		codes = append(codes, code)
	}
	sort.Strings(codes)
	return codes
}

// Known reports whether code names a rule.
func Known(code string) bool { return severities[code] != 0 }

// SeverityOf returns the rule's usual severity. A code that names no rule
// counts as E, so that a slip in a code refuses rather than lets pass.
func SeverityOf(code string) Severity {
	if s, ok := severities[code]; ok {
		return s
	}
	return E
}

// Languages returns the languages Text knows, the default first.
func Languages() []string { return slices.Clone(languages) }

var languages = []string{"en", "zh"}

// text is what one rule says in one language.
type text struct {
	what string // what happened
	todo string // what the reader can do about it
}

// Text returns what the rule means and what to do about it, in "zh" or "en";
// any other language is answered in English. A code that names no rule
// returns the code itself and an empty todo.
func Text(code, lang string) (what, todo string) {
	table := english
	if lang == "zh" {
		table = chinese
	}
	t, ok := table[code]
	if !ok {
		return code, ""
	}
	return t.what, t.todo
}
