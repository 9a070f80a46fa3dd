package archive_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/archive"
	"github.com/raresync/raresync/registry/rule"
)

// packed makes an archive of files, each a name and a text.
func packed(t testing.TB, files ...[2]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		add(t, w, &zip.FileHeader{Name: f[0], Method: zip.Deflate}, f[1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func add(t testing.TB, w *zip.Writer, h *zip.FileHeader, text string) {
	t.Helper()
	f, err := w.CreateHeader(h)
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// with makes an archive of one file with a header of its own.
func with(t testing.TB, h zip.FileHeader) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	add(t, w, &h, "{}")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// take reads all files, and returns their names and what ended it.
func take(raw []byte, limits archive.Limits) (names []string, err error) {
	a, err := archive.Open("a.zip", raw, limits)
	if err != nil {
		return nil, err
	}
	for f := range a.Files() {
		names = append(names, f.Name+"="+string(f.Data))
	}
	return names, a.Err()
}

func TestFilesComeInOrderWithoutWhatDesktopsAdd(t *testing.T) {
	raw := packed(t, [2]string{"b/", ""}, [2]string{"b/2.json", "{}"}, [2]string{"__MACOSX/b/._2.json", "x"}, [2]string{"1.json", "[]"}, [2]string{"b/.DS_Store", "x"})
	names, err := take(raw, archive.Limits{})
	if want := []string{"b/2.json={}", "1.json=[]"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("got %q, %v", names, err)
	}
}

func TestWhatIsNotTakenIsRefusedByName(t *testing.T) {
	link := zip.FileHeader{Name: "a.json"}
	link.SetMode(fs.ModeSymlink | 0o777)
	device := zip.FileHeader{Name: "a.json"}
	device.SetMode(fs.ModeDevice)
	good := packed(t, [2]string{"a.json", strings.Repeat("{} ", 1000)})
	broken := bytes.Clone(good)
	broken[60] ^= 0xff
	for name, tc := range map[string]struct {
		raw  []byte
		want string
	}{
		"a link":                  {with(t, link), "FM009"},
		"a device":                {with(t, device), "FM009"},
		"a password":              {with(t, zip.FileHeader{Name: "a.json", Flags: 1}), "FM009"},
		"a name that goes up":     {packed(t, [2]string{"../a.json", "{}"}), "FM009"},
		"a name from the root":    {packed(t, [2]string{"/etc/a.json", "{}"}), "FM009"},
		"a name of Windows":       {packed(t, [2]string{`C:\a.json`, "{}"}), "FM009"},
		"two files of one name":   {packed(t, [2]string{"a.json", "{}"}, [2]string{"a.json", "[]"}), "FM009"},
		"an archive within":       {packed(t, [2]string{"a.json", string(packed(t, [2]string{"b", "c"}))}), "FM009"},
		"cut off":                 {good[:len(good)-10], "FM009"},
		"a damaged file":          {broken, "FM009"},
		"text":                    {[]byte("PK\x03\x04 and more"), "FM009"},
		"a bomb":                  {packed(t, [2]string{"a.json", strings.Repeat(" ", 20<<20)}), "FM005"},
		"too many files":          {bytes.Repeat([]byte("PK\x01\x02"), 30_000), "FM005"},
		"files too large in all":  {packed(t, [2]string{"a", strings.Repeat("ab", 1200)}, [2]string{"b", strings.Repeat("ab", 1200)}), "FM005"},
		"one file that is larger": {packed(t, [2]string{"a", strings.Repeat("ab", 2100)}), "FM005"},
	} {
		limits := archive.Limits{Unpacked: 4000}
		if name == "a bomb" {
			limits = archive.Limits{}
		}
		_, err := take(tc.raw, limits)
		var refused *rule.Refusal
		if !errors.As(err, &refused) || refused.Code() != tc.want {
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
	}
}

// What opens gives files within the limits, and nothing makes it fall over.
func FuzzArchive(f *testing.F) {
	f.Add(packed(f, [2]string{"a.json", "{}"}, [2]string{"b/c.json", "[]"}))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		names, err := take(raw, archive.Limits{Bytes: 1 << 20, Files: 100, FileBytes: 1 << 16, Unpacked: 1 << 18})
		var refused *rule.Refusal
		if err != nil && !errors.As(err, &refused) || len(names) > 100 {
			t.Fatalf("%d files, %v", len(names), err)
		}
	})
}
