package integration

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var updateProtocol = flag.Bool("update", false, "write the worked example of docs/PROTOCOL.md anew")

var protocolDir = filepath.Join("..", "docs", "protocol")

// workedExample is the content of docs/protocol: values by name in
// example.json, and the longer bytes in files of their own.
type workedExample struct {
	Given   map[string]string // where a second implementation starts
	Derived map[string]string // what it must arrive at
	files   map[string][]byte // by file name, as they are on disk
}

func newWorkedExample() *workedExample {
	return &workedExample{Given: map[string]string{}, Derived: map[string]string{}, files: map[string][]byte{}}
}

const exampleFile = "example.json"

// readWorkedExample returns the example in the tree: what random parts were
// pinned to, and what everything else must come out as.
func readWorkedExample(t *testing.T) *workedExample {
	t.Helper()
	found, err := os.ReadDir(protocolDir)
	if err != nil {
		t.Fatal(err)
	}
	e := newWorkedExample()
	for _, f := range found {
		if filepath.Ext(f.Name()) == ".py" {
			continue
		}
		if e.files[f.Name()], err = os.ReadFile(filepath.Join(protocolDir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.Unmarshal(e.files[exampleFile], e); err != nil {
		t.Fatal(err)
	}
	delete(e.files, exampleFile)
	return e
}

func (e *workedExample) marshal(t *testing.T) []byte {
	t.Helper()
	raw, err := json.MarshalIndent(e, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(raw, '\n')
}

func (e *workedExample) write(t *testing.T) {
	t.Helper()
	for name, content := range e.files {
		if err := os.WriteFile(filepath.Join(protocolDir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(protocolDir, exampleFile), e.marshal(t), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestProtocolExample makes the example's network from its seeds, with the
// random parts that the files pin, and compares everything byte for byte.
func TestProtocolExample(t *testing.T) {
	var pinned *workedExample
	if !*updateProtocol {
		pinned = readWorkedExample(t)
	}
	m := newExampleMaker(t, pinned)
	for _, stage := range []struct {
		name string
		make func(*testing.T)
	}{
		{"keys follow from their seeds", m.makeKeys},
		{"the genesis and its approvals are rebuilt to the byte", m.makeGenesis},
		{"an identity becomes a pseudonym and a case number", m.makePseudonym},
		{"two holders evaluate a batch", m.makeEvaluations},
		{"entries are sealed, placed and opened by those entitled", m.makeEntries},
		{"an act follows", m.makeAct},
		{"the ledger's files and the snapshot hold the three envelopes", m.makeLedger},
		{"two of three voters cosign, and a receipt proves an entry", m.makeCheckpoint},
	} {
		if !t.Run(stage.name, stage.make) {
			t.FailNow() // what follows builds on it
		}
	}
	if *updateProtocol {
		m.example.write(t)
		return
	}
	compareNamed(t, "given", m.example.Given, pinned.Given)
	compareNamed(t, "derived", m.example.Derived, pinned.Derived)
	for _, name := range slices.Sorted(maps.Keys(pinned.files)) {
		if !bytes.Equal(m.example.files[name], pinned.files[name]) {
			t.Errorf("%s differs", name)
		}
	}
	if len(m.example.files) != len(pinned.files) {
		t.Errorf("%d files, want %d", len(m.example.files), len(pinned.files))
	}
}

func compareNamed(t *testing.T, kind string, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s %s: got %s, want %s", kind, name, got[name], want[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d %s values, want %d", len(got), kind, len(want))
	}
}

// rederive runs the script that knows nothing of this code.
func rederive(t *testing.T, dir string) (output string, err error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "python3", filepath.Join(protocolDir, "rederive.py"), dir).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func TestProtocolExampleIsDerivedWithoutGo(t *testing.T) {
	out, err := rederive(t, protocolDir)
	if err != nil || !strings.HasPrefix(out, "re-derived ") || !strings.HasSuffix(out, " values, all equal") {
		t.Fatalf("rederive.py: %v\n%s", err, out)
	}
}

// The negative control: the script must see one changed byte, wherever it is.
func TestProtocolDerivationSeesAChangedByte(t *testing.T) {
	for name, tc := range map[string]struct {
		file, before string
		skip         int // characters after before
	}{
		"in a derived value":                     {exampleFile, `"entries.id": "`, 10},
		"in a given key":                         {exampleFile, `"entries.kek_g": "`, 4},
		"in an approval of the genesis":          {"genesis.hex", "", 100_000},
		"in a sealed body":                       {"entries.hex", "", -40},
		"in an ML-DSA signature of an envelope":  {"act.hex", "", 2000},
		"in a cosignature of the checkpoint":     {"checkpoint.note", "example.org/rare/v/h2 ", 40},
		"in the inclusion proof of the receipt":  {"receipt.tlog-proof", "index 1\n", 5},
		"in the wrap of the first reader":        {"entries.hex", "", 700},
		"in a holder's proof of its evaluation":  {exampleFile, `"toprf.proof.2": "`, 0},
		"in the network name, where text stands": {exampleFile, `"network_name": "`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(protocolDir)); err != nil {
				t.Fatal(err)
			}
			flipCharacter(t, filepath.Join(dir, tc.file), tc.before, tc.skip)
			out, err := rederive(t, dir)
			if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// flipCharacter changes one character of a file: the one skip characters
// behind the first occurrence of before, or from the end if skip is negative.
// It stays a character of the same alphabet, so that the file can be read.
func flipCharacter(t *testing.T, path, before string, skip int) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(content, []byte(before)) + len(before) + skip
	if skip < 0 {
		at = len(content) + skip
	}
	for content[at] == '\n' {
		at++
	}
	switch old := content[at]; old {
	case '0', 'A', 'a':
		content[at]++
	default:
		content[at] = '0'
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// hexLines writes bytes as a file of 32 bytes to the line.
func hexLines(b []byte) []byte {
	var out []byte
	for line := range slices.Chunk(b, 32) {
		out = append(hex.AppendEncode(out, line), '\n')
	}
	return out
}

func unhexLines(t *testing.T, file []byte) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(string(file), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
