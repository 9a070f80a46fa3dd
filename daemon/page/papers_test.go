package page

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// uploadWith hands in a file with a file of identities beside it.
func (b *browser) uploadWith(name string, raw, papers []byte) (path string, p page) {
	b.t.Helper()
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	for _, f := range []struct {
		field, name string
		raw         []byte
	}{{"identities", "ids.csv", papers}, {"file", name, raw}} {
		part, err := m.CreateFormFile(f.field, f.name)
		must(b.t, err)
		_, err = part.Write(f.raw)
		must(b.t, err)
	}
	must(b.t, m.Close())
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.server.URL+"/deliveries", &form)
	must(b.t, err)
	r.Header.Set("Content-Type", m.FormDataContentType())
	p = b.do(r)
	return p.header.Get("Location"), p
}

const packet = `{"id":"p","subject":{"id":"S1"},"metaData":{}}`

func idsOf(file string) []byte {
	return []byte("file,subject,type,issuer,value\n" + file + ",S1,RIC,,110105199003077470\n")
}

func TestDocumentsComeBesideAFile(t *testing.T) {
	w := newWorld(t)
	bo := w.signsIn("bo")
	path, p := bo.uploadWith("case.json", []byte(packet), idsOf("case.json"))
	if p.status != http.StatusSeeOther {
		t.Fatalf("upload: %d %s", p.status, p.body)
	}
	bo.settled(path).has(t, "确认并上报")
	if w.files("staged") != 2 {
		t.Errorf("%d files are staged", w.files("staged"))
	}
	w.nothingInClear("110105199003077470")
	bo.post(path + "/confirm")
	bo.settled(path).has(t, "已接受")
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, seen := range w.documents {
		if seen != "110105199003077470" {
			t.Errorf("the daemon was given the document %q", seen)
		}
	}
	if len(w.documents) != 2 || w.files("staged") != 0 { // for the preview, and to take it
		t.Errorf("the daemon was given %d documents; %d files are left", len(w.documents), w.files("staged"))
	}
	if len(w.trail) != 1 || w.trail[0] != "delivery on the page by bo: 1" {
		t.Errorf("the trail is %q", w.trail)
	}
}

func TestDocumentsOfAnotherFileAreRefused(t *testing.T) {
	w := newWorld(t)
	bo := w.signsIn("bo")
	path, _ := bo.uploadWith("case.json", []byte(packet), idsOf("other.json"))
	p := bo.settled(path)
	p.has(t, "证件文件中的文件名既不是所上传的文件")
	if w.sent != 0 || strings.Contains(p.body, "other.json") {
		t.Errorf("%d were sent: %s", w.sent, p.body)
	}
	bo.post(path + "/discard")
	for _, bad := range []string{"a,b\n1,2\n", "file,subject,type,issuer,value\ncase.json,S1,RIC,,\"110105199003077470\n"} {
		_, p = bo.uploadWith("case.json", []byte(packet), []byte(bad))
		if p.has(t, "证件文件无法使用"); p.status != http.StatusUnprocessableEntity || strings.Contains(p.body, "110105199003077470") {
			t.Errorf("%d %s", p.status, p.body)
		}
	}
	if w.files("staged") != 0 {
		t.Errorf("%d files are left", w.files("staged"))
	}
}
