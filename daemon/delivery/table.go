package delivery

import (
	"fmt"
	"strings"

	"github.com/raresync/raresync/registry/mapping"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
)

// A Table is a book with the profile that reads it.
type Table struct {
	Name    string // of the file
	Book    *table.Book
	Profile *mapping.Profile
}

// Open opens a table, read by a profile or, with nil, by the shipped one that
// knows the headings. The error is a refusal by rule: FM002 if no profile is given
// and none knows the headings.
func Open(name string, raw []byte, p *mapping.Profile) (*Table, error) {
	book, err := table.Open(name, raw, table.Limits{})
	if err != nil {
		return nil, err
	}
	if p == nil {
		if p, err = mapping.Choose(book, mapping.Shipped()); err != nil {
			return nil, err
		}
	}
	if p == nil {
		return nil, rule.Refuse("FM002", name, "no shipped profile knows these headings: begin one with raresync mapping init, and give it with --mapping or inbox.mapping")
	}
	return &Table{name, book, p}, nil
}

// Format names the table's format, as "CSV, GB18030".
func (t *Table) Format() string {
	format := strings.ToUpper(string(t.Book.Format))
	if t.Book.Encoding != "" {
		format += ", " + t.Book.Encoding
	}
	return format
}

// About tells in a language how a table was read and what became of its patients;
// would is for one that was only looked at.
func (t *Table) About(lang string, read mapping.Counts, accepted, refused int, would bool) string {
	en, zh := "%s (%s, mapping %s): %d rows, %d patients accepted, %d refused", "%s（%s，映射 %s）：%d 行，接受 %d 名患者，拒绝 %d 名"
	if would {
		en, zh = "%s (%s, mapping %s): %d rows, %d patients would be accepted, %d refused", "%s（%s，映射 %s）：%d 行，将接受 %d 名患者，拒绝 %d 名"
	}
	text := say(lang, en, zh, t.Name, t.Format(), t.Profile.Name, read.Rows, accepted, refused)
	if read.Passed > 0 {
		text += say(lang, ", %d rows passed over (no disease of the lists, or a patient and disease that came before)",
			"，略过 %d 行（不含目录疾病，或同一患者同一疾病已出现）", read.Passed)
	}
	return text
}

// say puts values into the form of a language, "zh" or any other for English.
func say(lang, en, zh string, values ...any) string {
	if lang == "zh" {
		en = zh
	}
	return fmt.Sprintf(en, values...)
}
