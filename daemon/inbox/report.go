package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/daemon/delivery"
)

// The ends of names of reports.
const (
	jsonReport    = ".report.json"
	textReport    = ".report.txt"
	rejectsReport = ".rejects" // and the ending of its kind
	receiptsEnd   = ".receipts.zip"
)

// reportEnds are the ends of names of what is written beside a file.
var reportEnds = []string{jsonReport, textReport, rejectsReport + ".csv", rejectsReport + ".json", rejectsReport + ".zip", receiptsEnd}

func isReport(name string) bool {
	return slices.ContainsFunc(reportEnds, func(end string) bool { return strings.HasSuffix(name, end) })
}

// A Report is what became of one file.
type Report struct {
	File     string   `json:"file"`               // as it was dropped
	Taken    string   `json:"taken"`              // when, RFC 3339
	Rejects  []string `json:"rejects,omitempty"`  // files with what was refused
	Receipts string   `json:"receipts,omitempty"` // file with the receipts
	delivery.Report
}

// inLog returns how many of the entries the log has.
func (r *Report) inLog() (n int) {
	for _, e := range r.Entries {
		if e.Receipt || e.InLog {
			n++
		}
	}
	return n
}

// outcomeWords are the outcomes for people.
var outcomeWords = map[string][2]string{
	delivery.Accepted: {"accepted", "已接受"},
	delivery.Known:    {"nothing new in it", "没有新内容"},
	delivery.Partly:   {"accepted, but for what is below", "部分接受，下列除外"},
	delivery.Refused:  {"refused", "已拒绝"},
	delivery.Waiting:  {"taken in, and waiting for another day's quota", "已收下，等待另一天的配额"},
}

// Text is the report for a clerk, with the line ends and the mark by which any
// editor on any desk shows it.
func (r *Report) Text(lang string) []byte {
	say := func(en, zh string, values ...any) string {
		if lang == "zh" {
			en = zh
		}
		return fmt.Sprintf(en, values...)
	}
	words := outcomeWords[r.Outcome]
	lines := []string{
		say("File: %s", "文件：%s", r.File), say("Taken: %s", "收取时间：%s", r.Taken),
		say("Outcome: %s", "结果：%s", say(words[0], words[1])),
	}
	if r.About != "" {
		lines = append(lines, r.About)
	}
	if n := r.inLog(); n > 0 {
		lines = append(lines, say("Entries in the national log: %d", "已进入全国登记日志的条目：%d", n))
	}
	if r.Receipts != "" {
		lines = append(lines, say("Receipts: %s, with a page to print and proofs that anybody verifies offline",
			"回执：%s，内有可打印的页面和任何人可离线核验的证明", r.Receipts))
	}
	if n := len(r.Receipted()); r.Receipts != "" && n > maxReceipts {
		lines = append(lines, say("Of %d entries with a receipt, those of the first %d are in it; all of them: raresync log prove --report %s --receipts FOLDER",
			"共有 %d 条条目有回执，其中包含前 %d 条；导出全部：raresync log prove --report %s --receipts 文件夹", n, maxReceipts, strings.TrimSuffix(r.Receipts, receiptsEnd)+jsonReport))
	}
	for _, name := range r.Rejects {
		lines = append(lines, say("What was refused is in %s: mend it and drop that file into new", "被拒绝的内容已写入 %s：修改后将该文件放入 new 文件夹", name))
	}
	for _, part := range []struct {
		refuses bool
		head    string
	}{{true, say("To be mended:", "需要修改：")}, {false, say("To be looked at (accepted all the same):", "请留意（已接受）：")}} {
		var found []string
		for _, f := range r.Findings {
			if f.Refuses() == part.refuses {
				f.File = ""
				found = append(found, "- "+strings.TrimPrefix(strings.TrimSpace(f.String()), ": "))
			}
		}
		if len(found) > 0 {
			lines = append(lines, "", part.head)
			lines = append(lines, found...)
		}
	}
	return []byte("\ufeff" + strings.Join(lines, "\r\n") + "\r\n")
}

// file writes the reports of a file and moves it on.
func (b *Box) file(ctx context.Context, name string, report Report, rejects []delivery.RejectFile) error {
	to := doneDir
	if report.Outcome == delivery.Refused {
		to = quarantineDir
	}
	if len(report.Receipted()) > 0 && b.cfg.Receipts != nil {
		report.Receipts = name + receiptsEnd
		if err := b.writeReceipts(ctx, inDir(to, report.Receipts), &report); err != nil {
			return err
		}
	}
	for i, r := range rejects {
		beside := name + rejectsReport + delivery.Ending(r.Data)
		if len(rejects) > 1 {
			beside = fmt.Sprintf("%s-%d%s%s", name, i+1, rejectsReport, delivery.Ending(r.Data))
		}
		report.Rejects = append(report.Rejects, beside)
		if err := b.write(to, beside, r.Data); err != nil {
			return err
		}
	}
	raw, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	if err := b.write(to, name+jsonReport, append(raw, '\n')); err != nil {
		return err
	}
	if err := b.write(to, name+textReport, report.Text(b.cfg.Language)); err != nil {
		return err
	}
	if err := b.sync(to); err != nil {
		return err
	}
	fault.At(fault.InboxReported)
	if err := b.root.Rename(inDir(workDir, name), inDir(to, name)); err != nil {
		return err
	}
	fault.At(fault.InboxMoved)
	b.filed(to)
	b.cfg.Logger.Info("a file of the inbox was taken", "outcome", report.Outcome, "entries", len(report.Entries), "findings", len(report.Findings))
	return b.sync(workDir, to)
}

// write writes a whole file, in the place of one that a crash left.
func (b *Box) write(dir, name string, data []byte) error {
	f, err := b.root.OpenFile(inDir(dir, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// emptyEvery is how often the folders are looked through for what is old: they may
// hold much, on a slow share.
const emptyEvery = time.Hour

// emptyAtTimes is empty, at most once in emptyEvery.
func (b *Box) emptyAtTimes() error {
	if now := b.cfg.Now(); now.Sub(b.emptied) >= emptyEvery {
		b.emptied = now
		return b.empty()
	}
	return nil
}

// empty removes what has been in done and quarantine for long enough.
func (b *Box) empty() error {
	for dir, keep := range map[string]time.Duration{doneDir: b.cfg.KeepDone, quarantineDir: b.cfg.KeepQuarantine} {
		if keep == 0 {
			continue
		}
		names, err := b.names(dir)
		if err != nil {
			return err
		}
		for _, name := range names {
			at, err := time.Parse(stampLayout, name[:min(len(name), len(stampLayout))])
			if err != nil || b.cfg.Now().Sub(at) < keep { // what somebody else put there stays
				continue
			}
			if err := b.root.Remove(inDir(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// stampOf returns when a file was taken, RFC 3339.
func stampOf(name string) string {
	at, err := time.Parse(stampLayout, name[:min(len(name), len(stampLayout))])
	if err != nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// A File is a file of the inbox.
type File struct {
	Name    string // as it was dropped
	State   string // new, work, done or quarantine
	Taken   string // RFC 3339, "" of one in new
	Outcome string // of one in done or quarantine
	Rows    delivery.Counts
	Entries int
	Text    string // path of the report for people, within the inbox
}

// List returns the files of the inbox, those that were taken in the order in which
// they came, then the new ones, and why it waits, or "".
func (b *Box) List() (files []File, problem string, err error) {
	for _, dir := range []string{quarantineDir, doneDir, workDir} {
		names, err := b.names(dir)
		if err != nil {
			return nil, "", nameless(err)
		}
		for _, name := range names {
			if !isReport(name) {
				files = append(files, b.describe(dir, name))
			}
		}
	}
	slices.SortStableFunc(files, func(a, b File) int { return strings.Compare(a.Taken, b.Taken) })
	names, err := b.names(newDir)
	if err != nil {
		return nil, "", nameless(err)
	}
	for _, name := range names {
		if !passedOver(name) {
			files = append(files, File{Name: plainName(name), State: newDir})
		}
	}
	return files, b.Problem(), nil
}

func (b *Box) describe(dir, name string) File {
	f := File{Name: ownName(name), State: dir, Taken: stampOf(name)}
	if dir == workDir {
		return f
	}
	raw, err := b.root.ReadFile(inDir(dir, name+jsonReport))
	var r Report
	if err == nil && json.Unmarshal(raw, &r) == nil {
		f.Outcome, f.Entries, f.Text = r.Outcome, len(r.Entries), inDir(dir, name+textReport)
		if r.Rows != nil {
			f.Rows = *r.Rows
		}
	}
	return f
}
