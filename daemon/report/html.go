package report

import (
	"fmt"
	"html/template"
	"io"
)

// HTML writes a report as one page to print: no script, nothing to load.
func (r Report) HTML(w io.Writer, lang string) error {
	if lang != "zh" {
		lang = "en"
	}
	page := struct {
		Lang, Title, Label, Disclosure string
		Notes                          []string
		Tables                         []htmlTable
	}{Lang: map[string]string{"zh": "zh-CN", "en": "en"}[lang], Title: r.Title.In(lang), Label: r.Label(lang), Disclosure: r.Disclosure(lang)}
	for _, n := range r.Notes {
		page.Notes = append(page.Notes, n.In(lang))
	}
	for _, t := range r.Tables {
		lines := t.lines(lang)
		h := htmlTable{Title: t.Title.In(lang)}
		for i, title := range lines[0] {
			h.Head = append(h.Head, htmlCell{title, t.Columns[i].Kind != Word})
		}
		for n, line := range lines[1:] {
			row := htmlRow{Total: t.Total != nil && n == len(lines)-2}
			for i, text := range line {
				row.Cells = append(row.Cells, htmlCell{text, t.Columns[i].Kind != Word})
			}
			h.Rows = append(h.Rows, row)
		}
		page.Tables = append(page.Tables, h)
	}
	t, err := template.New("report").Parse(pageHTML)
	if err == nil {
		err = t.Execute(w, page)
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

type htmlTable struct {
	Title string
	Head  []htmlCell
	Rows  []htmlRow
}

type htmlRow struct {
	Cells []htmlCell
	Total bool
}

type htmlCell struct {
	Text    string
	Numeric bool
}

const pageHTML = `<!DOCTYPE html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{{.Title}}</title>
<style>
body { font: 11pt/1.5 "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; color: #111; background: #fff }
h1 { font-size: 18pt; margin: 0 0 .3em } h2 { font-size: 13pt; margin: 1.5em 0 .4em; break-after: avoid }
p { margin: .2em 0 } .label { overflow-wrap: anywhere; color: #444; font-size: 9pt }
table { border-collapse: collapse; width: 100% } th, td { border-bottom: 1px solid #bbb; padding: .2em .6em; text-align: left; vertical-align: top; unicode-bidi: isolate }
th { border-bottom: 2px solid #444 } .n { text-align: right; font-variant-numeric: tabular-nums } .total td { border-top: 2px solid #444; font-weight: bold }
thead { display: table-header-group } tr { break-inside: avoid }
@page { size: A4; margin: 15mm } @media print { body { margin: 0; max-width: none; padding: 0 } }
</style>
</head>
<body>
<header>
<h1>{{.Title}}</h1>
<p class="label">{{.Label}}</p>
<p><strong>{{.Disclosure}}</strong></p>
</header>
<main>
{{range .Notes}}<p>{{.}}</p>
{{end}}{{range .Tables}}<h2>{{.Title}}</h2>
<table>
<thead><tr>{{range .Head}}<th scope="col"{{if .Numeric}} class="n"{{end}}>{{.Text}}</th>{{end}}</tr></thead>
<tbody>
{{range .Rows}}<tr{{if .Total}} class="total"{{end}}>{{range .Cells}}<td{{if .Numeric}} class="n"{{end}}>{{.Text}}</td>{{end}}</tr>
{{end}}</tbody>
</table>
{{end}}</main>
</body>
</html>
`
