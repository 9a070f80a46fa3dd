package backup_test

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/backup"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/crypto/offline"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

const now = foundingtest.SignedAt + 60_000

// world is a node's copy of a log, open as in a running node.
type world struct {
	t       testing.TB
	net     *foundingtest.Network
	dir     string
	machine *machine.Machine
}

// newWorld makes a log of the genesis and one envelope for each count of
// entries, by the hospitals in turn, and an act at the end.
func newWorld(t testing.TB, counts ...int) *world {
	t.Helper()
	w := &world{t: t, net: foundingtest.New(t, 3), dir: t.TempDir()}
	var err error
	if w.machine, err = machine.Open(w.dir, w.net.Genesis); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.machine.Close() })
	for i, n := range counts {
		w.add(i%3, n)
	}
	w.apply(w.act(act.Act{Version: act.Version, Type: act.TypeUnopenable, Payload: act.Unopenable{
		Reader: w.net.Reader.Sealing.Public().ID(), Code: "SEAL003",
	}.Marshal()}))
	return w
}

func (w *world) link(m *foundingtest.Member) envelope.Link {
	s := w.machine.View()
	member, _ := s.Member(m.Number)
	return envelope.Link{
		Network: s.Network, Hospital: m.Number, Sequence: member.Chain.Sequence + 1, Attempt: 1,
		Previous: member.Chain.ID, SignedAt: now,
	}
}

// add appends an envelope of a hospital.
func (w *world) add(hospital, entries int) {
	w.t.Helper()
	m := w.net.Hospitals[hospital]
	set, _ := w.machine.View().ReadersFor(m.Number)
	plain := make([]envelope.Plain, entries)
	for i := range plain {
		plain[i] = envelope.Plain{Part: seal.Clinical, CBOR: []byte{byte(i)}}
	}
	e, _, err := envelope.BuildEntries(w.link(m), set, plain, m.Envelope, rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	w.apply(e)
}

func (w *world) act(a act.Act) *envelope.Envelope {
	w.t.Helper()
	e, err := envelope.BuildAct(w.link(w.net.Reader), a.Marshal(), w.net.Reader.Envelope)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func (w *world) apply(e *envelope.Envelope) {
	w.t.Helper()
	if out, err := w.machine.Apply(e.Marshal(), now); err != nil || out.Refusal != nil {
		w.t.Fatal(err, out.Refusal)
	}
}

// note returns a valid checkpoint of the log as it is.
func (w *world) note() []byte {
	w.t.Helper()
	s := w.machine.View()
	cp := tlog.Checkpoint{Origin: consensus.Origin(s), Size: s.Tree.Size(), Root: s.Tree.Root()}
	log, err := tlog.NewLogSigner(cp.Origin, w.net.Hospitals[0].Log.Ed25519())
	if err != nil {
		w.t.Fatal(err)
	}
	line, err := log.Sign(cp)
	if err != nil {
		w.t.Fatal(err)
	}
	sc := tlog.SignedCheckpoint{Checkpoint: cp, Signatures: []tlog.NoteSignature{line}}
	for _, h := range w.net.Hospitals[:2] {
		cosigner, err := tlog.NewCosigner(consensus.CosignerName(s, h.Node), h.Cosign.Ed25519(), h.Cosign.MLDSA44())
		if err != nil {
			w.t.Fatal(err)
		}
		lines, err := cosigner.Cosign(cp, 1_790_000_100)
		if err != nil {
			w.t.Fatal(err)
		}
		sc.Signatures = append(sc.Signatures, lines...)
	}
	return sc.Marshal()
}

// options are those of a backup of the log as it is.
func (w *world) options() backup.SaveOptions {
	return backup.SaveOptions{
		Ledger: filepath.Join(w.dir, "ledger"), Genesis: w.net.Genesis, Note: w.note(),
		Node: "h1", Version: "test", Now: time.Unix(1_790_000_200, 0),
	}
}

// saved returns a file with a backup; salts may be nil.
func (w *world) saved(salts *backup.Salts) string {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "b.tar")
	o := w.options()
	o.Salts = salts
	if _, err := backup.Save(w.t.Context(), path, o); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// sealedTo returns a key and salts that go to it, to be destroyed in 90 days.
func sealedTo(t *testing.T) (offline.Key, *backup.Salts) {
	t.Helper()
	key, err := offline.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key, &backup.Salts{To: key.Recipient(), Expire: time.Unix(1_790_000_200, 0).AddDate(0, 0, 90)}
}

// verify opens and verifies a file.
func verify(path string, o backup.VerifyOptions) (*backup.Report, error) {
	b, err := backup.Open(path, nil)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	return b.Verify(o)
}

// restore makes a node's folder from a file.
func (w *world) restore(path, node string, key *offline.Key) (folder string, err error) {
	w.t.Helper()
	b, err := backup.Open(path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer b.Close()
	folder = filepath.Join(w.t.TempDir(), "node")
	_, err = b.Restore(folder, backup.RestoreOptions{
		Node: node, Genesis: w.net.Genesis, Verify: backup.VerifyOptions{Key: key},
	})
	return folder, err
}

// wantFiles wants exactly these names in a folder.
func wantFiles(t testing.TB, dir string, names ...string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, names) {
		t.Errorf("%s holds %v, want %v", dir, got, names)
	}
}

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
