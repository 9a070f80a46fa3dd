package delivery_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/identity"
)

// What each hostile file may take. Patience is for a loaded machine.
const (
	mostWork   = 5 * time.Second
	mostMemory = 256 << 20
	patience   = 10 * time.Minute
)

// hostileFolder names the folder whose files this process, as a child of the test,
// is to read.
const hostileFolder = "RARESYNC_TEST_HOSTILE_FOLDER"

// A verdict is what the child says of a file.
type verdict struct {
	File, Outcome string
	Rules         []string
	Text          string
	Work          time.Duration // that the processors did for it
	Peak          int64         // bytes of memory, of it or those before
}

func TestMain(m *testing.M) {
	dir := os.Getenv(hostileFolder)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := judgeAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// judgeAll reads the files of a folder behind a wall that the system keeps.
func judgeAll(dir string) error {
	if err := wall(); err != nil {
		return err
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		v, err := judge(filepath.Join(dir, e.Name()))
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
			return err
		}
		debug.FreeOSMemory()
	}
	return nil
}

// judge reads a file as the inbox does.
func judge(path string) (v verdict, err error) {
	before, err := work()
	if err != nil {
		return v, err
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return v, err
	}
	in := &intake{entries: map[string]string{}, ids: map[string]identity.Identity{}, said: map[string]string{}}
	r, _, err := delivery.File{Name: filepath.Base(path), Raw: raw, Language: "en"}.Deliver(context.Background(), in.send)
	if err != nil {
		return v, err
	}
	v = verdict{File: filepath.Base(path), Outcome: r.Outcome}
	for _, f := range r.Findings {
		if f.Refuses() {
			v.Rules = append(v.Rules, f.Rule)
		}
		if len(v.Text) < 1<<16 {
			v.Text += f.String() + "\n"
		}
	}
	slices.Sort(v.Rules)
	v.Rules = slices.Compact(v.Rules)
	after, err := work()
	if err != nil {
		return v, err
	}
	v.Work = after - before
	v.Peak, err = peak()
	return v, err
}

// work is what the processors have done for this process.
func work() (time.Duration, error) {
	var used syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), err
}

// peak is the most memory that this process has had.
func peak() (bytes int64, err error) {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &bytes); err == nil {
			return bytes << 10, nil
		}
	}
	return 0, errors.New("the system tells no peak")
}

func zipped(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, data := range files {
		pack(t, w, &zip.FileHeader{Name: name, Method: zip.Deflate}, data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pack(t *testing.T, w *zip.Writer, h *zip.FileHeader, data []byte) {
	t.Helper()
	f, err := w.CreateHeader(h)
	if err == nil {
		_, err = f.Write(data)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// grown makes an archive of one file of blanks, which it never holds.
func grown(t *testing.T, name string, size int, before map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, data := range before {
		pack(t, w, &zip.FileHeader{Name: name, Method: zip.Deflate}, data)
	}
	f, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for range size >> 20 {
		if _, err := f.Write(bytes.Repeat([]byte(" "), 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// packed makes an archive of one file with a header of its own.
func packed(t *testing.T, h zip.FileHeader, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	pack(t, w, &h, data)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// workbook makes an XLSX file of a sheet's XML.
func workbook(t *testing.T, sheet string) []byte {
	t.Helper()
	parts := workbookParts()
	parts[sheetPart] = []byte(sheet)
	return zipped(t, parts)
}

const sheetPart = "xl/worksheets/sheet1.xml"

// workbookParts are those of a workbook without its sheet.
func workbookParts() map[string][]byte {
	return map[string][]byte{
		"[Content_Types].xml":        []byte(`<Types/>`),
		"_rels/.rels":                []byte(`<Relationships><Relationship Id="r1" Type="http://x/officeDocument" Target="xl/workbook.xml"/></Relationships>`),
		"xl/workbook.xml":            []byte(`<workbook xmlns:r="x"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`),
		"xl/_rels/workbook.xml.rels": []byte(`<Relationships><Relationship Id="r1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`),
	}
}

func sheet(rows string) string { return `<worksheet><sheetData>` + rows + `</sheetData></worksheet>` }

// link is the header of a file that is none.
func link(mode fs.FileMode) zip.FileHeader {
	h := zip.FileHeader{Name: "a.json"}
	h.SetMode(mode | 0o777)
	return h
}

const (
	somebody = `{"resourceType":"Patient","id":"1","identifier":[{"system":"urn:oid:2.16.156.10011.1.3","value":"110105199003077470"}]}`
	case1    = `{"id":"p","subject":{"id":"s-1"},"diseases":[{"term":{"id":"OMIM:154700"}}],"metaData":{"externalReferences":[{"id":"PMID:1"}]}`
)

// batch writes a Bundle.
func batch(kind string, resources ...string) []byte {
	for i, r := range resources {
		resources[i] = `{"resource":` + r + `}`
	}
	return []byte(`{"resourceType":"Bundle","type":"` + kind + `","entry":[` + strings.Join(resources, ",") + `]}`)
}

func levels(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func TestHostileFiles(t *testing.T) {
	dir := t.TempDir()
	cases := hostile(t)
	if len(cases) < 60 {
		t.Errorf("%d files, want 60", len(cases))
	}
	for i, c := range cases {
		path := filepath.Join(dir, fileOf(i, c))
		if err := os.WriteFile(path, c.raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if c.size > 0 {
			if err := os.Truncate(path, c.size); err != nil {
				t.Fatal(err)
			}
		}
	}
	verdicts := child(t, dir)
	var most verdict
	for _, v := range verdicts {
		most.Work, most.Peak = max(most.Work, v.Work), max(most.Peak, v.Peak)
	}
	t.Logf("%d files; at most %s of work and %d MiB", len(cases), most.Work, most.Peak>>20)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v, ok := verdicts[fileOf(i, c)]
			if got := strings.Join(v.Rules, " "); !ok || got != c.want {
				t.Errorf("got %q, want %q: %s %.300s", got, c.want, v.Outcome, v.Text)
			}
			if (v.Outcome == delivery.Refused) != (c.want != "") {
				t.Errorf("it is %s, with %q", v.Outcome, v.Rules)
			}
			for _, telling := range []string{"110105199003077470", "13800138000", "root:", "\x00"} {
				if strings.Contains(v.Text, telling) {
					t.Errorf("the report holds %q", telling)
				}
			}
			if raceEnabled { // the detector takes time and memory of its own
				return
			}
			if v.Work > mostWork {
				t.Errorf("it took %s of work", v.Work)
			}
			if v.Peak > mostMemory {
				t.Errorf("with it, or before, %d MiB were taken", v.Peak>>20)
			}
		})
	}
}

func fileOf(i int, c hostileCase) string { return fmt.Sprintf("%02d%s", i, c.ending) }

// child has a process of its own read all files of a folder.
func child(t *testing.T, dir string) map[string]verdict {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), hostileFolder+"="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%v: %.2000s", err, stderr.String())
	}
	verdicts := map[string]verdict{}
	for line := range bytes.Lines(out) {
		var v verdict
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		verdicts[v.File] = v
	}
	return verdicts
}
