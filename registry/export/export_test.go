package export_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/export"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

const (
	network = "test.example/network"
	origin  = network + "/1"
	logTime = 1_790_000_000_000
)

// log is a small log of acts of the reader.
type log struct {
	net    *foundingtest.Network
	hashes []tlog.Hash
	leaves [][]byte
	acts   []*envelope.Envelope
}

func (l *log) ReadHashes(_ uint, first uint64, dst []tlog.Hash) error { // of height 0: the log is small
	copy(dst, l.hashes[first:])
	return nil
}

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (l *log) read(t testing.TB, m *foundingtest.Member, p act.Purpose) {
	t.Helper()
	a := act.Act{Version: act.Version, Type: act.TypeRead, Payload: act.Read{Purpose: p, Day: 20_718, Hash: [32]byte{9}}.Marshal()}
	e, err := envelope.BuildAct(envelope.Link{Network: l.net.ID, Hospital: m.Number, Sequence: 1, Attempt: 1, SignedAt: logTime}, a.Marshal(), m.Envelope)
	must(t, e, err)
	leaf := e.Leaf(0, logTime, e.Commitments()[0]).Append(nil)
	l.leaves, l.hashes, l.acts = append(l.leaves, leaf), append(l.hashes, tlog.LeafHash(leaf)), append(l.acts, e)
}

// checkpoint signs the log as its voters do, and policy is what takes that for valid.
func (l *log) checkpoint(t testing.TB) (tlog.SignedCheckpoint, *tlog.Policy) {
	t.Helper()
	c := tlog.Checkpoint{Origin: origin, Size: uint64(len(l.hashes))}
	root, err := tlog.RootAt(l, c.Size)
	c.Root = must(t, root, err)
	leader, err := tlog.NewLogSigner(origin, l.net.Hospitals[0].Log.Ed25519())
	must(t, leader, err)
	sig, err := leader.Sign(c)
	sc := tlog.SignedCheckpoint{Checkpoint: c, Signatures: []tlog.NoteSignature{must(t, sig, err)}}
	var keys []*tlog.CosignerKey
	for _, m := range l.net.Hospitals {
		k, err := tlog.NewCosigner(network+"/v/"+m.Node, m.Cosign.Ed25519(), m.Cosign.MLDSA44())
		must(t, k, err)
		keys = append(keys, k.Key())
		sigs, err := k.Cosign(c, 1_790_000_100)
		sc.Signatures = append(sc.Signatures, must(t, sigs, err)...)
	}
	policy, err := tlog.VoterPolicy([]*tlog.VKey{leader.VKey()}, keys)
	return sc, must(t, policy, err)
}

// made is an export of the tree of 3 entries, under a checkpoint of 5. change may
// alter the manifest before it is signed by a member.
func made(t testing.TB, l *log, change func(*export.Manifest), by *foundingtest.Member) (fstest.MapFS, *tlog.Policy) {
	t.Helper()
	sc, policy := l.checkpoint(t)
	const index = 3
	proof := tlog.Proof{Index: index, Checkpoint: sc, Extra: l.leaves[index]}
	hashes, err := tlog.InclusionProof(l, index, sc.Size)
	proof.Hashes = must(t, hashes, err)
	root, err := tlog.RootAt(l, 3)
	must(t, root, err)
	steps, err := tlog.ConsistencyProof(l, 3, sc.Size)
	must(t, steps, err)
	m := &export.Manifest{
		Version: export.Version, Network: network, NetworkID: hex.EncodeToString(l.net.ID[:]), Reader: l.net.Reader.Number, Name: "读取方 <R>",
		Day: "2026-09-21", Purpose: "research", Recipient: "University X", Dataset: "registrations", Question: map[string]string{"genetics": "false"},
		Form: "csv", Size: 3, Root: hex.EncodeToString(root[:]), Rows: 1, Act: index, Erased: []act.Span{}, Stopped: []act.Span{{First: 1, Count: 1}},
	}
	for _, h := range steps {
		m.Steps = append(m.Steps, hex.EncodeToString(h[:]))
	}
	dir := fstest.MapFS{
		"registrations.csv": {Data: []byte("index,person\r\n2,ab\r\n")},
		export.ActName:      {Data: l.acts[index].Marshal()},
		export.ReceiptName:  {Data: proof.Marshal()},
	}
	for _, name := range slices.Sorted(maps.Keys(dir)) {
		h := sha256.Sum256(dir[name].Data)
		m.Files = append(m.Files, export.File{Name: name, Bytes: uint64(len(dir[name].Data)), SHA256: hex.EncodeToString(h[:])})
	}
	if change != nil {
		change(m)
	}
	raw, err := m.Marshal()
	dir[export.ManifestName] = &fstest.MapFile{Data: must(t, raw, err)}
	sig, err := export.Sign(raw, by.Envelope)
	dir[export.SignatureName] = &fstest.MapFile{Data: must(t, sig, err)}
	return dir, policy
}

func newLog(t testing.TB, purpose act.Purpose) *log {
	l := &log{net: foundingtest.New(t, 3)}
	for range 5 {
		l.read(t, l.net.Reader, purpose)
	}
	return l
}

func TestAnExportSaysWhereItComesFrom(t *testing.T) {
	l := newLog(t, act.PurposeResearch)
	dir, policy := made(t, l, nil, l.net.Reader)
	v, err := export.Verify(dir, policy)
	if err != nil {
		t.Fatal(err)
	}
	if v.Size != 3 || v.Checkpoint.Size != 5 || len(v.Cosigned) != 3 || v.Name != "读取方 <R>" || v.Stopped[0].First != 1 {
		t.Errorf("verified: %+v", v)
	}
	if other := foundingtest.New(t, 3); other != nil {
		_, policy := (&log{net: other, hashes: l.hashes}).checkpoint(t)
		if _, err := export.Verify(dir, policy); !errors.Is(err, export.ErrExport) {
			t.Errorf("with another network's policy: %v", err)
		}
	}
}

// TestOneChangedByteOfAnExportIsFound changes every byte of the small files and of
// the data, and of the large ones one in each 61.
func TestOneChangedByteOfAnExportIsFound(t *testing.T) {
	l := newLog(t, act.PurposeResearch)
	dir, policy := made(t, l, nil, l.net.Reader)
	tried := 0
	for name, file := range dir {
		step := 1
		if len(file.Data) > 200 {
			step = 61
		}
		for at := 0; at < len(file.Data); at += step {
			for _, bit := range []byte{1, 0x20} { // another letter, another case
				changed := maps.Clone(dir)
				data := bytes.Clone(file.Data)
				data[at] ^= bit
				changed[name] = &fstest.MapFile{Data: data}
				if _, err := export.Verify(changed, policy); !errors.Is(err, export.ErrExport) {
					t.Errorf("%s, byte %d of %d: %v", name, at, len(data), err)
				}
				tried++
			}
		}
		for what, data := range map[string][]byte{"shorter": file.Data[:len(file.Data)-1], "longer": append(bytes.Clone(file.Data), '\n'), "empty": {}} {
			changed := maps.Clone(dir)
			changed[name] = &fstest.MapFile{Data: data}
			if _, err := export.Verify(changed, policy); !errors.Is(err, export.ErrExport) {
				t.Errorf("%s is %s: %v", name, what, err)
			}
		}
		without := maps.Clone(dir)
		delete(without, name)
		if _, err := export.Verify(without, policy); !errors.Is(err, export.ErrExport) && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	if tried < 300 {
		t.Errorf("%d bytes were tried", tried)
	}
	dir["extra.csv"] = &fstest.MapFile{Data: []byte("x")}
	if _, err := export.Verify(dir, policy); !errors.Is(err, export.ErrExport) {
		t.Errorf("with a file more: %v", err)
	}
}

func TestWhatAReaderMayNotSignOfAnExport(t *testing.T) {
	l := newLog(t, act.PurposeResearch)
	for name, tc := range map[string]struct {
		change func(*export.Manifest)
		by     *foundingtest.Member
	}{
		"signed by a hospital":        {nil, l.net.Hospitals[0]},
		"of another reader":           {func(m *export.Manifest) { m.Reader = 1 }, l.net.Reader},
		"for another purpose":         {func(m *export.Manifest) { m.Purpose = "quality" }, l.net.Reader},
		"of a tree that was not":      {func(m *export.Manifest) { m.Root = hex.EncodeToString(make([]byte, 32)) }, l.net.Reader},
		"of a size that does not fit": {func(m *export.Manifest) { m.Size = 4 }, l.net.Reader},
		"of another act":              {func(m *export.Manifest) { m.Act = 2 }, l.net.Reader},
		"of another network":          {func(m *export.Manifest) { m.Network = "other" }, l.net.Reader},
		"of another network's id":     {func(m *export.Manifest) { m.NetworkID = hex.EncodeToString(make([]byte, 32)) }, l.net.Reader},
		"without the receipt":         {func(m *export.Manifest) { m.Files = slices.Delete(m.Files, 1, 2) }, l.net.Reader},
		"with a path":                 {func(m *export.Manifest) { m.Files[2].Name = "../x" }, l.net.Reader},
		"of another version":          {func(m *export.Manifest) { m.Version = "raresync-export-2" }, l.net.Reader},
	} {
		dir, policy := made(t, l, tc.change, tc.by)
		if _, err := export.Verify(dir, policy); !errors.Is(err, export.ErrExport) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	m := export.Manifest{Version: export.Version, Question: map[string]string{"a": "b"}, Files: []export.File{{Name: "a.csv"}}}
	raw, _ := m.Marshal()
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if m, err := export.Parse(raw); err == nil {
			if again, err := m.Marshal(); err != nil || !bytes.Equal(again, raw) {
				t.Errorf("parses, and writes %q, %v", again, err)
			}
		}
	})
}
