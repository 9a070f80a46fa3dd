package integration

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/generate"
)

// The names and numbers planted in files. In GB 18030 the names are the bytes
// that hospitals' older systems would leave.
const (
	plantedName   = "欧阳文静的儿子"
	plantedDoctor = "慕容晓峰之女"
	plantedNumber = "ZYH-2023-0048815"
	plantedRecord = "BAH/77120394/02"
)

var plantedGB18030 = map[string]string{
	plantedName:   "\xc5\xb7\xd1\xf4\xce\xc4\xbe\xb2\xb5\xc4\xb6\xf9\xd7\xd3",
	plantedDoctor: "\xc4\xbd\xc8\xdd\xcf\xfe\xb7\xe5\xd6\xae\xc5\xae",
}

// plantedVisits are two files with a name or number wherever one fits, one
// with a document number and one with a record number of the hospital.
func plantedVisits(t *testing.T) []visit {
	t.Helper()
	packet := func(subject string) []byte {
		raw, err := json.Marshal(map[string]any{
			"id": plantedName + " " + subject,
			"subject": map[string]any{
				"id": subject, "alternateIds": []any{plantedRecord}, "dateOfBirth": "2011-05-17T00:00:00Z", "sex": "MALE",
				"vitalStatus": map[string]any{"status": "ALIVE"},
			},
			"phenotypicFeatures": []any{
				map[string]any{"type": map[string]any{"id": "HP:0001250", "label": "Seizure"}, "description": "according to " + plantedName},
			},
			"diseases": []any{map[string]any{
				"term": map[string]any{"id": "ORPHA:33069", "label": "Dravet syndrome"}, "onset": map[string]any{"age": map[string]any{"iso8601duration": "P1Y"}},
			}},
			"raresync": map[string]any{"diagnosisDate": "2013-02-11", "department": "神经内科", "province": "11", "firstContact": "2013-02-01"},
			"metaData": map[string]any{
				"created": "2023-01-01T00:00:00Z", "createdBy": plantedDoctor, "phenopacketSchemaVersion": "2.0", "resources": []any{},
			},
		})
		must(t, err)
		return raw
	}
	number := generate.ResidentID(5, "planted", plantedNumber, entry.SexMale, entry.Date{Year: 2011, Month: 5, Day: 17})
	return []visit{
		{hospital: 0, file: admin.File{Name: plantedName + ".json", Data: packet(plantedNumber),
			Identities: map[string]admin.Document{plantedNumber: {Type: "RIC", Value: number}}}},
		{hospital: 3, file: admin.File{Name: plantedName + ".json", Data: packet(plantedRecord)}},
	}
}

// marker is what no other node may have in clear.
type marker struct {
	what   string
	owners map[int]bool // hospitals that know it themselves
}

// markers holds markers by their bytes.
type markers map[string]*marker

// shortestMarker keeps out what occurs anywhere by chance, such as the subject
// id "P4".
const shortestMarker = 8

func (m markers) add(what, value string, hospital int) {
	if len(value) < shortestMarker || len(value) < 12 && strings.Trim(value, "0123456789") == "" {
		return
	}
	if m[value] == nil {
		m[value] = &marker{what: what, owners: map[int]bool{}}
	}
	m[value].owners[hospital] = true
}

// coded is the form of the codes of diseases, features, genes and variants.
var coded = regexp.MustCompile(`^[A-Za-z0-9.]+:[A-Za-z0-9_.>-]+$`)

// addFile adds what identifies somebody in a file, and every code with its
// label.
func (m markers) addFile(v visit) {
	m.add("a file name", strings.TrimSuffix(v.file.Name, ".json"), v.hospital)
	for subject, d := range v.file.Identities {
		m.add("a subject id", subject, v.hospital)
		m.add("a document number", d.Value, v.hospital)
	}
	var packet map[string]any
	if json.Unmarshal(v.file.Data, &packet) != nil {
		return
	}
	if id, ok := packet["id"].(string); ok {
		m.add("a packet id", id, v.hospital)
	}
	if subject, ok := packet["subject"].(map[string]any); ok {
		if id, ok := subject["id"].(string); ok {
			m.add("a subject id", id, v.hospital)
		}
	}
	m.addCodes(packet, v.hospital)
}

func (m markers) addCodes(v any, hospital int) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			m.addCodes(item, hospital)
		}
	case map[string]any:
		id, _ := v["id"].(string)
		if label, ok := v["label"].(string); ok && coded.MatchString(id) {
			m.add("a code", id, hospital)
			m.add("a label", label, hospital)
		}
		for _, item := range v {
			m.addCodes(item, hospital)
		}
	}
}

// markersOf collects the markers of all visits, and the pseudonyms that the
// coordinator sees.
func (n *network) markersOf(t *testing.T, visits []visit) markers {
	t.Helper()
	m := markers{}
	for _, v := range visits {
		m.addFile(v)
	}
	for _, text := range []string{plantedName, plantedDoctor, plantedNumber, plantedRecord} {
		for _, hospital := range []int{0, 3} {
			m.add("a planted name or number", text, hospital)
		}
	}
	for _, v := range visits {
		if strings.HasPrefix(v.file.Name, plantedName) && v.result.Outcome != "accepted" {
			t.Errorf("the planted names are not sealed in the log: %s, %v", v.result.Outcome, v.result.Findings)
		}
	}
	for _, e := range n.entries(n.Reader) {
		raw, err := hex.DecodeString(e.Person)
		must(t, err)
		m.add("a pseudonym", string(raw), int(e.Hospital)-1)
	}
	kinds := map[string]int{}
	for _, one := range m {
		kinds[one.what]++
	}
	t.Logf("searched for: %v", kinds)
	for _, what := range []string{"a document number", "a subject id", "a packet id", "a code", "a label", "a pseudonym"} {
		if kinds[what] == 0 {
			t.Errorf("the search for %s is void: there is none", what)
		}
	}
	return m
}

// encodings returns the forms in which a text or key may lie around. Base64
// comes in three, for the three ways it can fall on a stream's groups; what
// depends on the neighbours is cut off.
func encodings(value string) map[string]string {
	all := map[string]string{
		"as it is":         value,
		"in UTF-16":        utf16le(value),
		"in hex":           hex.EncodeToString([]byte(value)),
		"in HEX":           strings.ToUpper(hex.EncodeToString([]byte(value))),
		"in GB 18030":      plantedGB18030[value],
		"in JSON's escape": strings.Trim(fmt.Sprintf("%+q", value), `"`),
	}
	for shift := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte("\x00\x00"[:shift] + value))
		text = text[[]int{0, 2, 3}[shift]:]
		text = strings.TrimRight(text, "=")
		text = text[:len(text)-1]
		all[fmt.Sprintf("in base64, %d", shift)] = text
		all[fmt.Sprintf("in base64url, %d", shift)] = strings.NewReplacer("+", "-", "/", "_").Replace(text)
	}
	return all
}

func utf16le(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

// needle is one form of a marker.
type needle struct {
	bytes, value, form string
	marker             *marker
}

// searcher looks for all needles at once: a filter of one bit per hash of
// eight bytes passes over nearly every place, a table of first eight bytes
// decides the others.
type searcher struct {
	filter [1 << 18]uint64
	heads  map[uint64][]needle
}

func newSearcher(m markers) *searcher {
	s := &searcher{heads: map[uint64][]needle{}}
	for value, one := range m {
		for form, text := range encodings(value) {
			if len(text) < shortestMarker {
				continue
			}
			head := binary.LittleEndian.Uint64([]byte(text[:8]))
			at := filterPlace(head)
			s.filter[at/64] |= 1 << (at % 64)
			s.heads[head] = append(s.heads[head], needle{bytes: text, value: value, form: form, marker: one})
		}
	}
	return s
}

func filterPlace(head uint64) uint64 { return head * 0x9e3779b97f4a7c15 >> 40 }

// find returns the needles in b.
func (s *searcher) find(b []byte) []needle {
	var found []needle
	for i := 0; i+8 <= len(b); i++ {
		head := binary.LittleEndian.Uint64(b[i:])
		at := filterPlace(head)
		if s.filter[at/64]&(1<<(at%64)) == 0 {
			continue
		}
		for _, n := range s.heads[head] {
			if len(b)-i >= len(n.bytes) && string(b[i:i+len(n.bytes)]) == n.bytes {
				found = append(found, n)
			}
		}
	}
	return found
}

// leak is a needle with where it was found.
type leak struct {
	needle
	where string
}

func (l leak) String() string {
	return fmt.Sprintf("%s: %s, %s: %q", l.where, l.marker.what, l.form, l.value)
}

// files searches every file below a folder.
func (s *searcher) files(t *testing.T, dir string) (leaks []leak, searched int64) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		searched += int64(len(raw))
		for _, n := range s.find(raw) {
			leaks = append(leaks, leak{n, path})
		}
		return nil
	}))
	return leaks, searched
}

// nothingLeaks searches every file of every node, the owner's and the
// coordinator's included, which keep entries only sealed; and what a hospital's
// daemon answers on its own machine, where it may tell what the hospital knows
// itself.
func (n *network) nothingLeaks(t *testing.T, visits []visit) {
	n = n.with(t)
	m := n.markersOf(t, visits)
	s := newSearcher(m)
	for _, p := range n.Processes() {
		leaks, searched := s.files(t, p.Dir)
		reportLeaks(t, leaks)
		if log, err := os.Stat(p.Log()); err != nil || log.Size() == 0 || searched < 256<<10 {
			t.Errorf("%s: the search of %d bytes is void: %v", p.Node, searched, err)
		}
	}
	for i, p := range n.Hospitals {
		reportLeaks(t, n.leaksInAnswers(t, s, i, p, visits))
	}
	n.plantedLeaksAreFound(t, s, m)
}

func reportLeaks(t *testing.T, leaks []leak) {
	t.Helper()
	for i, l := range leaks {
		if i == 10 {
			t.Errorf("and %d more", len(leaks)-10)
			return
		}
		t.Error(l)
	}
}

// leaksInAnswers searches what a hospital's daemon answers to everything that
// can be asked about the log and about other hospitals' entries. In the list of
// its own entries a hospital sees diseases that others have, too, but none of
// their persons.
func (n *network) leaksInAnswers(t *testing.T, s *searcher, hospital int, p *demo.Process, visits []visit) (leaks []leak) {
	t.Helper()
	paths := []string{"/v1/status", "/v1/members", "/v1/log/head", "/v1/log/leaves", "/v1/log/policy", "/v1/entries"}
	for i, v := range visits {
		if v.hospital == hospital || i%8 != 0 {
			continue
		}
		for _, e := range v.result.Entries {
			paths = append(paths, fmt.Sprintf("/v1/entries/%d", e.Index), fmt.Sprintf("/v1/entries/%d/phenopacket", e.Index),
				fmt.Sprintf("/v1/log/proof/%d", e.Index))
		}
	}
	for _, path := range paths {
		answer, status := n.answer(t, p, path)
		if others := strings.HasPrefix(path, "/v1/entries/"); others != (status == http.StatusForbidden) {
			t.Errorf("%s%s: HTTP status %d", p.Node, path, status)
		}
		for _, found := range s.find(answer) {
			ownList := path == "/v1/entries" && (found.marker.owners[hospital] || found.marker.what == "a code" || found.marker.what == "a label")
			if !ownList {
				leaks = append(leaks, leak{found, p.Node + path})
			}
		}
	}
	for _, e := range n.entries(p) {
		if e.Hospital != p.Number {
			t.Errorf("%s opens entry %d of hospital %d", p.Node, e.Index, e.Hospital)
		}
	}
	return leaks
}

// answer asks a daemon on its admin socket and returns the bytes it sends.
func (n *network) answer(t *testing.T, p *demo.Process, path string) ([]byte, int) {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(p.Dir, "admin.sock"))
	}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(n.ctx, http.MethodGet, "http://daemon"+path, nil)
	must(t, err)
	resp, err := transport.RoundTrip(req)
	must(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	must(t, err)
	return raw, resp.StatusCode
}

// plantedLeaksAreFound puts one marker of each sort, in each of its forms, into
// a file of another node and into a line of its log's copy, where the same
// search must find it.
func (n *network) plantedLeaksAreFound(t *testing.T, s *searcher, m markers) {
	node := n.Hospitals[2]
	log, err := os.ReadFile(node.Log())
	must(t, err)
	samples := map[string]string{}
	for value, one := range m {
		samples[one.what] = value
	}
	samples["a planted name or number"] = plantedName
	dir := filepath.Join(node.Dir, "planted")
	must(t, os.Mkdir(dir, 0o700))
	lost := map[string]string{} // planted and not found yet, by file
	for what, value := range samples {
		for form, text := range encodings(value) {
			if len(text) < shortestMarker {
				continue
			}
			file, line := filepath.Join(dir, fmt.Sprint(len(lost), ".bin")), filepath.Join(dir, fmt.Sprint(len(lost)+1, ".log"))
			must(t, os.WriteFile(file, append(make([]byte, 4093), text...), 0o600))
			must(t, os.WriteFile(line, fmt.Appendf(log, "level=INFO msg=planted %s\n", text), 0o600))
			lost[file], lost[line] = what+" "+form, what+" "+form+" in a log"
		}
	}
	planted := len(lost)
	leaks, _ := s.files(t, node.Dir)
	for _, l := range leaks {
		delete(lost, l.where)
	}
	for _, what := range lost {
		t.Errorf("the search is void: %s planted at %s was not found", what, node.Node)
	}
	if planted < 100 {
		t.Errorf("%d leaks planted, want at least 100", planted)
	}
	must(t, os.RemoveAll(dir))
}
