package table

import (
	"github.com/raresync/raresync/registry/rule"
)

// maxSheets bounds how many sheets are looked at.
const maxSheets = 255

// A workbook is what the sheets of an XLSX file share.
type workbook struct {
	archive *archive
	shared  shared
	formats formats
	from04  bool // dates are counted from 1904
}

func (b *Book) openWorkbook(raw []byte) error {
	a, err := openArchive(b.name, raw, b.limits)
	if err != nil {
		return err
	}
	_, top, err := a.related("")
	if err != nil {
		return err
	}
	main, ok := top["officeDocument"]
	if !ok {
		return rule.Refuse("FM007", b.name, "an archive that is no .xlsx workbook")
	}
	byID, byType, err := a.related(main)
	if err != nil {
		return err
	}
	w := &workbook{archive: a}
	if err := b.listSheets(w, main, byID); err != nil {
		return err
	}
	if part, ok := byType["sharedStrings"]; ok {
		if err := w.shared.read(a, part, b.limits.SharedBytes); err != nil {
			return err
		}
	}
	if part, ok := byType["styles"]; ok {
		return w.formats.read(a, part)
	}
	return nil
}

func (b *Book) listSheets(w *workbook, main string, byID map[string]string) error {
	err := w.archive.scan(main, func(s *scanner) error {
		switch string(s.name) {
		case "workbookPr":
			on := string(s.attr("date1904"))
			w.from04 = on == "1" || on == "true"
		case "sheet":
			part, ok := byID[s.value("r:id")]
			if !ok {
				part, ok = byID[relationOf(s)]
			}
			if !ok || len(b.sheets) >= maxSheets {
				return rule.Refuse("FM007", b.name, "a workbook with a sheet that is nowhere, or with too many")
			}
			b.sheets = append(b.sheets, &Sheet{
				Name: printable(s.value("name")), Hidden: s.value("state") != "" && s.value("state") != "visible",
				book: b, open: func(sheet *Sheet) (source, error) { return w.rows(sheet, part) },
			})
		}
		return nil
	})
	if err == nil && len(b.sheets) == 0 {
		err = rule.Refuse("FM007", b.name, "a workbook without a sheet")
	}
	return err
}

// relationOf returns a sheet's relation under whatever prefix its namespace has.
func relationOf(s *scanner) string {
	for _, prefix := range []string{"rel", "relationships", "d3p1", "ns1", "x"} {
		if id := s.value(prefix + ":id"); id != "" {
			return id
		}
	}
	return ""
}
