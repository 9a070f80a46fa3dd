package daemon

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/raresync/raresync/daemon/reads"
	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/export"
)

// answerForm is a report as a partner gets it: a table, the same for programs, and a
// page to print.
const answerForm = "answer"

// checkAnswer refuses what no partner may ask.
func (e *exporting) checkAnswer() error {
	in := e.in
	if _, ok := report.Answering(in.Dataset); !ok {
		return errNoQuestion
	}
	if in.Disease != "" && in.Dataset != "disease" || in.Hospital != 0 || in.Province+in.From+in.To+in.At+in.Project != "" || in.Genetics {
		return fmt.Errorf("%w: a question is asked of the nation, and but for the question disease of all diseases", errInvalid)
	}
	return nil
}

// report makes a report, or the one that answers a question, without small counts and
// without those who have stopped the use that it is for.
func (e *exporting) report(ctx context.Context, r *http.Request, reading *reads.Reading) error {
	name := e.in.Dataset
	if e.in.Form == answerForm {
		name, _ = report.Answering(name)
	}
	asked := r.Clone(ctx)
	asked.SetPathValue("name", name)
	q := asked.URL.Query()
	for key, v := range map[string]string{"disease": e.in.Disease, "province": e.in.Province, "from": e.in.From, "to": e.in.To} {
		q.Set(key, v)
	}
	q.Set("hospital", strconv.FormatUint(uint64(e.in.Hospital), 10))
	asked.URL.RawQuery = q.Encode()
	made, err := e.s.reportOn(asked, view.Part{Without: usesOf[e.purpose]})
	if err != nil {
		return err
	}
	made = made.Published(int(e.s.node.View().Policy.MinCell))
	if err := e.fill(ctx, made.Size, reading); err != nil {
		return err
	}
	e.suppression(made)
	if e.in.Form == answerForm {
		made.Notes = append(e.addressed(), made.Notes...)
	}
	e.files = reportFiles(e.in.Dataset, e.in.Form)
	for i, write := range []func(io.Writer, string) error{made.CSV, made.JSON, made.HTML} {
		if name := reportFiles(e.in.Dataset, answerForm)[i]; e.in.Form == answerForm || name == e.files[0] {
			e.write[name] = func(w io.Writer) error { return write(w, e.in.Lang) }
		}
	}
	return nil
}

// reportFiles are the files of a report, or of an answer.
func reportFiles(name, form string) []string {
	if form == answerForm {
		return []string{name + ".csv", name + ".json", name + ".html"}
	}
	return []string{name + "." + form}
}

// suppression says in the manifest what a published report does not print.
func (e *exporting) suppression(made report.Report) {
	m := &e.manifest
	m.MinCell, m.Edition, m.Month = made.MinCell, made.Edition, made.Month
	for _, t := range made.Tables {
		s := export.Suppressed{Table: t.Title.In(e.in.Lang), LeftOut: t.Found}
		s.Figures, s.Withheld, s.Total = t.Suppressed()
		m.Rows, m.Withheld, m.Tables = m.Rows+uint64(len(t.Rows)), m.Withheld+s.Withheld, append(m.Tables, s)
	}
}

// addressed says on an answer whose it is, and how it is checked.
func (e *exporting) addressed() []report.Text {
	m := e.manifest
	out := []report.Text{{
		EN: fmt.Sprintf("For %s; purpose: %s. Made on %s by %s, institution %d of %s, whose reading is entry %d of the log.", m.Recipient, m.Purpose, m.Day, m.Name, m.Reader, m.Network, m.Act),
		ZH: fmt.Sprintf("接收方：%s；用途：%s。%s 由 %s（%s 的机构 %d）制作，该次读取为日志条目 %d。", m.Recipient, m.Purpose, m.Day, m.Name, m.Network, m.Reader, m.Act)}, {
		EN: "To check all files offline: raresync log verify --export FOLDER --policy FILE.",
		ZH: "离线验证全部文件：raresync log verify --export 文件夹 --policy 策略文件。"}}
	if usesOf[e.purpose] != 0 {
		out = append(out, report.Text{EN: "Patients who have stopped this use are not counted.", ZH: "已停止此用途的患者未计入。"})
	}
	return out
}
