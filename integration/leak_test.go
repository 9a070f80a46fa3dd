package integration

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/integration/canary"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/generate"
)

// The names and numbers planted in files.
const (
	plantedName   = "欧阳文静瑾鸿"
	plantedDoctor = "慕容晓峰夏渊"
	plantedNumber = "ZYH-2023-0048815"
	plantedRecord = "BAH/77120394/02"
)

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

// texts are what no other node may have in clear, by their bytes.
type texts map[string]*canary.Marker

// shortestMarker keeps out what occurs anywhere by chance, such as the subject
// id "P4".
const shortestMarker = 8

// add adds a text of a hospital's. It is searched for as a whole: the packets
// have pieces in common.
func (m texts) add(what, value string, hospital int) {
	if len(value) < shortestMarker || len(value) < 12 && strings.Trim(value, "0123456789") == "" {
		return
	}
	if m[value] == nil {
		m[value] = &canary.Marker{What: what, Value: value, Whole: true}
	}
	if node := hospitalNode(hospital); !m[value].At(node) {
		m[value].Homes = append(m[value].Homes, node)
	}
}

// hospitalNode is the node of a hospital, numbered from 0.
func hospitalNode(hospital int) string { return fmt.Sprintf("h%d", hospital+1) }

// search returns the search for all of them.
func (m texts) search() *canary.Search { return canary.New(slices.Collect(maps.Values(m))) }

// coded is the form of the codes of diseases, features, genes and variants.
var coded = regexp.MustCompile(`^[A-Za-z0-9.]+:[A-Za-z0-9_.>-]+$`)

// addFile adds what identifies somebody in a file, and every code with its
// label.
func (m texts) addFile(v visit) {
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

func (m texts) addCodes(v any, hospital int) {
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

// textsOf collects the texts of all visits, and the pseudonyms that the
// coordinator sees.
func (n *network) textsOf(t *testing.T, visits []visit) texts {
	t.Helper()
	m := texts{}
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
		kinds[one.What]++
	}
	t.Logf("searched for: %v", kinds)
	for _, what := range []string{"a document number", "a subject id", "a packet id", "a code", "a label", "a pseudonym"} {
		if kinds[what] == 0 {
			t.Errorf("the search for %s is void: there is none", what)
		}
	}
	return m
}

// nothingLeaks searches every file of every node, the owner's and the
// coordinator's included, which keep entries only sealed; and what a hospital's
// daemon answers on its own machine, where it may tell what the hospital knows
// itself.
func (n *network) nothingLeaks(t *testing.T, visits []visit) {
	n = n.with(t)
	m := n.textsOf(t, visits)
	s := m.search()
	for _, p := range n.Processes() {
		leaks, searched, err := s.Files(p.Dir)
		must(t, err)
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

func reportLeaks(t *testing.T, leaks []canary.Hit) {
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
func (n *network) leaksInAnswers(t *testing.T, s *canary.Search, hospital int, p *demo.Process, visits []visit) (leaks []canary.Hit) {
	t.Helper()
	paths := []string{"/v1/status", "/v1/members", "/v1/log/head", "/v1/log/leaves", "/v1/log/policy", "/v1/log/withdrawn", "/v1/entries"}
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
		answer, status := n.ask(p, http.MethodGet, path, "")
		if others := strings.HasPrefix(path, "/v1/entries/"); others != (status == http.StatusForbidden) {
			t.Errorf("%s%s: HTTP status %d", p.Node, path, status)
		}
		for _, found := range s.Bytes(p.Node+path, answer) {
			m := found.Marker
			if ownList := path == "/v1/entries" && (m.At(p.Node) || m.What == "a code" || m.What == "a label"); !ownList {
				leaks = append(leaks, found)
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

// ask sends a request to a daemon's admin socket and returns the bytes of its
// answer, and its status.
func (n *network) ask(p *demo.Process, method, path, body string) ([]byte, int) {
	n.t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(p.Dir, "admin.sock"))
	}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(n.ctx, method, "http://daemon"+path, strings.NewReader(body))
	must(n.t, err)
	resp, err := transport.RoundTrip(req)
	must(n.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	must(n.t, err)
	return raw, resp.StatusCode
}

// plantedLeaksAreFound puts one text of each sort, in each of its forms, into a
// file of another node and into a line of its log's copy, where the same search
// must find it.
func (n *network) plantedLeaksAreFound(t *testing.T, s *canary.Search, m texts) {
	node := n.Hospitals[2]
	log, err := os.ReadFile(node.Log())
	must(t, err)
	samples := map[string]*canary.Marker{}
	for _, one := range m {
		samples[one.What] = one
	}
	samples["a planted name or number"] = m[plantedName]
	dir := filepath.Join(node.Dir, "planted")
	must(t, os.Mkdir(dir, 0o700))
	lost := map[string]string{} // planted and not found yet, by file
	for what, sample := range samples {
		for form, text := range sample.Forms() {
			file, line := filepath.Join(dir, fmt.Sprint(len(lost), ".bin")), filepath.Join(dir, fmt.Sprint(len(lost)+1, ".log"))
			must(t, os.WriteFile(file, append(make([]byte, 4093), text...), 0o600))
			must(t, os.WriteFile(line, fmt.Appendf(log, "level=INFO msg=planted %s\n", text), 0o600))
			lost[file], lost[line] = what+" "+form, what+" "+form+" in a log"
		}
	}
	planted := len(lost)
	leaks, _, err := s.Files(node.Dir)
	must(t, err)
	for _, l := range leaks {
		delete(lost, l.Where)
	}
	for _, what := range lost {
		t.Errorf("the search is void: %s planted at %s was not found", what, node.Node)
	}
	if planted < 100 {
		t.Errorf("%d leaks planted, want at least 100", planted)
	}
	must(t, os.RemoveAll(dir))
}
