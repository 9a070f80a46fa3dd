package console

import (
	"bytes"
	"fmt"

	"github.com/raresync/raresync/daemon/report"
)

// reports lists what may be printed and passed on.
func (c *Console) reports(v *visit) error {
	s := v.start("reports")
	t := &table{ID: "reports", Title: v.Say("reportsTitle"), Head: heads(v.Say("report"), v.Say("says"), v.Say("print"), "CSV", "JSON")}
	for _, l := range report.List() {
		if l.Name == "disease" {
			continue // it is of one disease: its sheet has the link
		}
		at := "/reports/" + l.Name + "?format="
		t.Rows = append(t.Rows, []cell{word(v.in(l.Title)), word(v.in(l.About)), {Text: "HTML", Href: at + "html"}, {Text: "CSV", Href: at + "csv"}, {Text: "JSON", Href: at + "json"}})
	}
	s.Blocks = []block{{Table: t}}
	s.Hints = []string{v.Say("reportsHint", c.cfg.MinCell())}
	return v.finish(s)
}

// report gives one, suppressed: it may be passed on.
func (c *Console) report(v *visit) error {
	name := v.R.PathValue("name")
	if !report.Known(name) {
		return errNone
	}
	done, err := v.audited("report " + name)
	if err != nil {
		return err
	}
	defer done()
	made, err := c.cfg.Report(v.R, v.Account.Province)
	if err != nil {
		return err
	}
	if made = made.Published(c.cfg.MinCell()); v.Account.Province != "" {
		made = made.Limited(v.Account.Province)
	}
	var b bytes.Buffer
	switch v.R.URL.Query().Get("format") {
	case "", "html":
		if err := made.HTML(&b, v.Lang); err != nil {
			return err
		}
		v.Printed(b.Bytes())
		return nil
	case "csv":
		err = made.CSV(&b, v.Lang)
	case "json":
		err = made.JSON(&b, v.Lang)
	default:
		return errAsked
	}
	if err != nil {
		return err
	}
	format := v.R.URL.Query().Get("format")
	v.Download(fmt.Sprintf("%s-%d.%s", name, made.Size, format), map[string]string{"csv": "text/csv; charset=utf-8", "json": "application/json"}[format], b.Bytes())
	return nil
}
