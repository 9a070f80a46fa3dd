package integration

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/backup"
	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/offline"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/envelope"
)

// rotateSealing gives the coordinator another sealing key, so that what was
// sealed before opens with its former key only.
func (n *network) rotateSealing() {
	n.t.Helper()
	out, errs, code := n.run("key", "rotate", "--sealing", "--yes", "-c", n.Reader.Config())
	if code != 0 {
		n.t.Fatalf("key rotate: exit code %d, %s%s", code, out, errs)
	}
	n.converge()
}

// backupsBefore are two backups of a mirror from before an erasure.
type backupsBefore struct {
	n                *network
	mirror           *demo.Process
	saltless, salted string
	key              offline.Key // opens the salts
}

// backups makes both.
func (n *network) backups(mirror *demo.Process) backupsBefore {
	n.t.Helper()
	key, err := offline.NewKey()
	must(n.t, err)
	b := backupsBefore{
		n: n, mirror: mirror, key: key,
		saltless: filepath.Join(n.Dir, "saltless.backup"), salted: filepath.Join(n.Dir, "salted.backup"),
	}
	to := filepath.Join(n.Dir, "offline.pub")
	must(n.t, os.WriteFile(to, []byte(key.Recipient().String()+"\n"), 0o600))
	n.save(mirror, b.saltless)
	n.save(mirror, b.salted, "--with-salts", "--to", to, "--expires", "1")
	return b
}

// wantUnreadable has everybody who could read the erased entries try to, from
// the backups, with all keys that they ever had. The salts are what decides.
func (b backupsBefore) wantUnreadable(gone []uint64) {
	b.n.t.Helper()
	keys := b.n.sealingKeys()
	for _, tc := range []struct {
		file string
		key  *offline.Key
		want int
	}{{b.saltless, nil, 0}, {b.salted, &b.key, len(gone)}, {b.salted, nil, 0}} {
		unwrapped, opened := b.read(tc.file, tc.key, keys, gone)
		if unwrapped != len(gone) || opened != tc.want {
			b.n.t.Errorf("%s, with the key to its salts: %t: of %d erased entries the envelopes of %d open and %d entries, want %d",
				filepath.Base(tc.file), tc.key != nil, len(gone), unwrapped, opened, tc.want)
		}
		b.n.t.Logf("proof: of %d erased entries %s opens %d (with the key to its salts: %t)", len(gone), filepath.Base(tc.file), opened, tc.key != nil)
	}
}

// sealingKeys returns every present and former sealing key of all institutions.
func (n *network) sealingKeys() (keys []*seal.ReaderPrivate) {
	n.t.Helper()
	for _, p := range n.Processes() {
		k := keysOf(n.t, p)
		keys = append(append(keys, k.Sealing), k.Former...)
	}
	if len(keys) != len(n.Processes())+1 {
		n.t.Fatalf("%d sealing keys of %d nodes, want one former one", len(keys), len(n.Processes()))
	}
	return keys
}

func configOf(t *testing.T, p *demo.Process) config.Config {
	t.Helper()
	cfg, err := config.Load(p.Config())
	must(t, err)
	return cfg
}

// read restores a backup to a folder of its own and counts the entries whose
// envelope gives its keys to any of the given ones, and those that then open.
func (b backupsBefore) read(file string, key *offline.Key, keys []*seal.ReaderPrivate, indexes []uint64) (unwrapped, opened int) {
	t := b.n.t
	t.Helper()
	genesis, err := home.ReadGenesis(configOf(t, b.mirror))
	must(t, err)
	from, err := backup.Open(file, nil)
	must(t, err)
	defer from.Close()
	folder := filepath.Join(t.TempDir(), "node")
	_, err = from.Restore(folder, backup.RestoreOptions{
		Node: b.mirror.Node, Genesis: genesis, Verify: backup.VerifyOptions{Key: key, Now: time.Now()},
	})
	must(t, err)
	l, err := ledger.OpenReadOnly(filepath.Join(folder, "ledger"))
	must(t, err)
	defer l.Close()
	for _, index := range indexes {
		e, body := sealedIn(t, l, index)
		if bytes.Equal(body.Ciphertext, make([]byte, len(body.Ciphertext))) {
			t.Errorf("%s does not hold entry %d at all", filepath.Base(file), index)
		}
		got, here := e.openedBy(keys, body)
		if got {
			unwrapped++
		}
		if here {
			opened++
		}
	}
	return unwrapped, opened
}

// sealedEntry is the envelope's header around one entry, and the entry's place.
type sealedEntry struct {
	envelope.Header
	place uint32
}

// sealedIn reads an entry of a ledger as whoever has the files would, without
// asking whether it was withdrawn.
func sealedIn(t *testing.T, l *ledger.Ledger, index uint64) (sealedEntry, seal.Body) {
	t.Helper()
	number, err := l.EnvelopeAt(index)
	must(t, err)
	rec, err := l.Envelope(number)
	must(t, err)
	h, err := envelope.DecodeHeader(rec.Header)
	must(t, err)
	held, err := l.Body(index)
	must(t, err)
	return sealedEntry{h, uint32(index - rec.First)}, seal.Body{Salt: held.Salt, Tag: held.Tag, Ciphertext: held.Ciphertext}
}

// openedBy reports whether one of the keys opens a wrap of the envelope, and
// whether the entry then opens.
func (e sealedEntry) openedBy(keys []*seal.ReaderPrivate, body seal.Body) (unwrapped, opened bool) {
	for _, k := range keys {
		for _, w := range e.Wraps {
			got, err := e.Context().Unwrap(k, w, e.CommitC, e.CommitG)
			if err != nil {
				continue
			}
			unwrapped = true
			if _, _, err := e.Context().Open(e.place, got.KEKs, body); err == nil {
				return true, true
			}
		}
	}
	return unwrapped, false
}
