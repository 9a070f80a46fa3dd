package inbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
)

// desk is an inbox with a daemon that accepts everything once, and refuses
// patients of a record number that says so.
type desk struct {
	*Box
	t    *testing.T
	dir  string
	now  time.Time
	log  bytes.Buffer
	away error // of the network
	had  map[string]bool
	sent int
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, dir: filepath.Join(t.TempDir(), "inbox"), now: time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC), had: map[string]bool{}}
	d.open()
	return d
}

// open opens the inbox as a start of the daemon does.
func (d *desk) open() {
	d.t.Helper()
	box, err := Open(Config{
		Dir: d.dir, Send: d.take, Language: "en", Every: time.Second, Stable: 10 * time.Second, KeepDone: 30 * 24 * time.Hour,
		KeepQuarantine: 90 * 24 * time.Hour, Now: func() time.Time { return d.now }, Logger: slog.New(slog.NewTextHandler(&d.log, nil)),
	})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = box.Close() })
	d.Box = box
}

func (d *desk) take(_ context.Context, files []admin.File) (out []admin.FileResult, err error) {
	if d.away != nil {
		return nil, d.away
	}
	for _, f := range files {
		r := admin.FileResult{Name: f.Name, Outcome: delivery.Accepted, Entries: []admin.EntryRef{{Type: "case", Index: uint64(d.sent + 1), Receipt: true}}}
		switch {
		case bytes.Contains(f.Data, []byte("BAD")):
			r = admin.FileResult{Name: f.Name, Outcome: delivery.Refused, Findings: []admin.Finding{{Code: "DX001", Severity: "E", Where: f.Name + " $.diseases"}}}
		case d.had[string(f.Data)]:
			r.Outcome = delivery.Known
		default:
			d.sent++
		}
		d.had[string(f.Data)] = true
		out = append(out, r)
	}
	return out, nil
}

func (d *desk) drop(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, newDir, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// wait lets time pass and looks through the folder before and after.
func (d *desk) wait(by time.Duration) error {
	before := d.round(d.t.Context())
	d.now = d.now.Add(by)
	return errors.Join(before, d.round(d.t.Context()))
}

// holds lists a folder.
func (d *desk) holds(dir string) (names []string) {
	d.t.Helper()
	list, err := os.ReadDir(filepath.Join(d.dir, dir))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func (d *desk) want(dir string, names ...string) {
	d.t.Helper()
	if got := d.holds(dir); !slices.Equal(got, names) {
		d.t.Errorf("%s holds %q, want %q", dir, got, names)
	}
}

func (d *desk) report(path string) (r Report) {
	d.t.Helper()
	raw, err := os.ReadFile(filepath.Join(d.dir, path))
	if err != nil {
		d.t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		d.t.Fatal(err)
	}
	return r
}

const heads = "病案号,证件号码,性别,出生日期,居住省份,科室,疾病名称,目录编号,诊断日期,起病,生存状态\n"

func row(record string) string {
	return record + ",110105199003077470,男,1990-03-07,广东,肾内科,法布雷病,1.27,2020-05-06,8岁,存活\n"
}

const packet = `{"id": "p", "subject": {"id": "P1"}}`

func TestAFileIsTakenOnceItIsStable(t *testing.T) {
	d := newDesk(t)
	d.drop("case.json", packet)
	if err := d.wait(9 * time.Second); err != nil {
		t.Fatal(err)
	}
	d.want(newDir, "case.json")
	d.drop("case.json", packet+" ") // it grows
	if err := d.wait(9 * time.Second); err != nil {
		t.Fatal(err)
	}
	d.want(newDir, "case.json")
	if err := d.wait(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	d.want(newDir)
	d.want(workDir)
	name := "20261127-090028-1-case.json"
	d.want(doneDir, name, name+jsonReport, name+textReport)
	if r := d.report("done/" + name + jsonReport); r.Outcome != delivery.Accepted || r.File != "case.json" || len(r.Entries) != 1 || r.Taken != "2026-11-27T09:00:28Z" {
		t.Errorf("the report is %+v", r)
	}
	if strings.Contains(d.log.String(), "case") {
		t.Errorf("the log names the file: %s", d.log.String())
	}
}

func TestWhatIsNotAFinishedFileStays(t *testing.T) {
	d := newDesk(t)
	secret := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(secret, []byte(heads+row("B1")), 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(d.dir, newDir, name) }
	if err := errors.Join(os.Symlink(secret, at("link.csv")), os.Mkdir(at("folder"), 0o700), os.Symlink("/etc", at("dir"))); err != nil {
		t.Fatal(err)
	}
	stay := []string{".hidden.csv", "Thumbs.db", "a.csv.part", "b.TMP", "dir", "folder", "link.csv", "~$cases.xlsx"}
	for _, name := range stay {
		if _, err := os.Lstat(at(name)); err != nil {
			d.drop(name, heads+row("B1"))
		}
	}
	if err := d.wait(time.Hour); err != nil {
		t.Fatal(err)
	}
	d.want(newDir, stay...)
	d.want(workDir)
	if d.sent != 0 {
		t.Errorf("%d were taken", d.sent)
	}
}

func TestAFolderThatIsALinkLeadsNowhere(t *testing.T) {
	d := newDesk(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "case.json"), []byte(packet), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(filepath.Join(d.dir, newDir)), os.Symlink(outside, filepath.Join(d.dir, newDir))); err != nil {
		t.Fatal(err)
	}
	if err := d.wait(time.Hour); err == nil {
		t.Error("the inbox follows a link out of its folder")
	}
	if d.sent != 0 {
		t.Errorf("%d were taken", d.sent)
	}
}

func TestRefusedRowsComeBackToBeMended(t *testing.T) {
	d := newDesk(t)
	d.drop("cases.csv", heads+row("B1")+row("BAD"))
	if err := d.wait(time.Minute); err != nil {
		t.Fatal(err)
	}
	name := "20261127-090100-1-cases.csv"
	d.want(doneDir, name, name+rejectsReport+".csv", name+jsonReport, name+textReport)
	r := d.report("done/" + name + jsonReport)
	if r.Outcome != delivery.Partly || r.Rows == nil || r.Rows.Accepted != 1 || r.Rows.Refused != 1 || len(r.Findings) != 1 || r.Findings[0].Row != 3 {
		t.Errorf("the report is %+v", r)
	}
	text, _ := os.ReadFile(filepath.Join(d.dir, "done", name+textReport))
	for _, want := range []string{"\ufeffFile: cases.csv\r\n", "What was refused is in " + name + rejectsReport + ".csv", "To be mended:", "G3 疾病名称: DX001"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	rejects, _ := os.ReadFile(filepath.Join(d.dir, "done", name+rejectsReport+".csv"))
	if s := string(rejects); !strings.Contains(s, "BAD,") || strings.Contains(s, "110105199003077470") || strings.Contains(s, "B1,") {
		t.Errorf("the rejects are %s", s)
	}
	mended := strings.ReplaceAll(string(rejects), "BAD", "B2")
	d.drop(name+rejectsReport+".csv", mended)
	if err := d.wait(time.Minute); err != nil {
		t.Fatal(err)
	}
	d.want(workDir)
	again := "20261127-090200-2-cases.csv-rejects.csv"
	if r := d.report("done/" + again + jsonReport); r.Outcome != delivery.Accepted || r.File != "cases.csv-rejects.csv" {
		t.Errorf("the report is %+v", r)
	}
}

func TestWhatNobodyCanReadIsQuarantined(t *testing.T) {
	d := newDesk(t)
	d.drop("names.csv", "a,b\n1,2\n")
	d.drop("old.xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	d.drop("bad.json", `{"BAD": 1}`)
	if err := d.wait(time.Minute); err != nil {
		t.Fatal(err)
	}
	d.want(doneDir)
	codes := map[string]string{}
	for _, name := range d.holds(quarantineDir) {
		if base, ok := strings.CutSuffix(name, jsonReport); ok {
			codes[ownName(base)] = d.report(filepath.Join(quarantineDir, name)).Findings[0].Rule
		}
	}
	if len(codes) != 3 || codes["names.csv"] != "FM002" || codes["old.xls"] != "FM007" || codes["bad.json"] != "DX001" {
		t.Errorf("refused are %v", codes)
	}
}

func TestTheSameFileTwiceAddsNothing(t *testing.T) {
	d := newDesk(t)
	for range 2 {
		d.drop("cases.csv", heads+row("B1"))
		if err := d.wait(time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if d.sent != 1 || len(d.holds(doneDir)) != 6 {
		t.Errorf("%d were sent, done holds %q", d.sent, d.holds(doneDir))
	}
	if r := d.report("done/20261127-090200-2-cases.csv" + jsonReport); r.Outcome != delivery.Known {
		t.Errorf("the second is %s", r.Outcome)
	}
}

// A file that cannot be taken now is tried again ever more rarely, and keeps back
// no other; after a start of the daemon too.
func TestAFileWaitsForTheNetwork(t *testing.T) {
	d := newDesk(t)
	d.away = errors.New("no leader")
	d.drop("慕容.csv", heads+row("B1"))
	if err := d.wait(time.Minute); err == nil {
		t.Fatal("it was taken without a network")
	}
	d.want(workDir, "20261127-090100-1-慕容.csv")
	if files, _, err := d.List(); err != nil || len(files) != 1 || files[0].State != workDir || files[0].Name != "慕容.csv" {
		t.Errorf("listed are %+v, %v", files, err)
	}
	d.note(d.away)
	if d.Problem() != "no leader" || strings.Contains(d.log.String(), "慕容") {
		t.Errorf("the problem is %q, the log %s", d.Problem(), d.log.String())
	}
	d.away = nil
	if err := d.round(t.Context()); err == nil {
		t.Error("it is tried again at once")
	}
	d.open()
	if err := d.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.want(workDir)
	if len(d.holds(doneDir)) != 3 || d.sent != 1 {
		t.Errorf("done holds %q", d.holds(doneDir))
	}
}

// A crash after the reports and before the move takes the file again, which adds
// nothing, and leaves one set of reports.
func TestACrashBeforeTheMoveTakesTheFileAgain(t *testing.T) {
	d := newDesk(t)
	name := "20261127-085900-1-case.json"
	for path, text := range map[string]string{
		filepath.Join(workDir, name): packet, filepath.Join(doneDir, name+jsonReport): `{"outcome": "acc`, filepath.Join(doneDir, name+textReport): "",
	} {
		if err := os.WriteFile(filepath.Join(d.dir, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.want(workDir)
	d.want(doneDir, name, name+jsonReport, name+textReport)
	if r := d.report("done/" + name + jsonReport); r.Outcome != delivery.Accepted || r.File != "case.json" {
		t.Errorf("the report is %+v", r)
	}
}

func TestOldFilesAreRemoved(t *testing.T) {
	d := newDesk(t)
	d.drop("cases.csv", heads+row("B1"))
	d.drop("none.csv", "a\n")
	if err := d.wait(time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.dir, doneDir, "my own notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.wait(31 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	d.want(doneDir, "my own notes.txt")
	if len(d.holds(quarantineDir)) != 3 {
		t.Errorf("quarantine holds %q", d.holds(quarantineDir))
	}
	if err := d.wait(60 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	d.want(quarantineDir)
}

func TestNamesAreShortPlainAndOnes(t *testing.T) {
	for name, want := range map[string]string{
		"cases.csv":                              "cases.csv",
		"a\nb\x1b[31m.csv":                       "a_b_[31m.csv",
		"x\xff.csv":                              "x_.csv",
		"20261127-090100-1-cases.csv":            "cases.csv",
		"20261127-090100-1-c.csv.rejects.csv":    "c.csv-rejects.csv",
		"mine.report.json":                       "mine-report.json",
		strings.Repeat("长", 80) + ".xlsx":        strings.Repeat("长", 58) + ".xlsx",
		strings.Repeat("x", 250):                 strings.Repeat("x", 180),
		"20261327-090100-1-no month so late.csv": "20261327-090100-1-no month so late.csv",
	} {
		if got := plainName(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

func TestAnErrorOfTheFileSystemNamesNoFile(t *testing.T) {
	err := nameless(&fs.PathError{Op: "open", Path: "new/慕容.csv", Err: fs.ErrPermission})
	if s := err.Error(); strings.Contains(s, "慕容") || !errors.Is(err, fs.ErrPermission) || !strings.Contains(s, "open") {
		t.Errorf("got %q", s)
	}
	link := nameless(&os.LinkError{Op: "rename", Old: "new/慕容.csv", New: "work/慕容.csv", Err: fs.ErrExist})
	if strings.Contains(link.Error(), "慕容") {
		t.Errorf("got %q", link)
	}
}
