package view

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"

	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/validate"
)

// Lived returns the coordinator's view of a network in which much has happened, and
// the reader that it is made with.
func Lived(t testing.TB, persons int) (*View, *reader.Reader) {
	w := newWorld(t, 21)
	w.live(persons)
	v := w.view(w.Reader, nil)
	return v, v.cfg.Reader
}

// Own returns the view of the second hospital of such a network.
func Own(t testing.TB, persons int) *View {
	w := newWorld(t, 21)
	w.live(persons)
	return w.view(w.Hospitals[1], nil)
}

// RealCases is a network of published cases, as the national reader has it.
type RealCases struct {
	M      *machine.Machine
	View   *View
	Reader *reader.Reader
	N      int // cases that were accepted
}

// Real returns the coordinator's view of a network in which two of three hospitals
// registered every published case, the same patient under one pseudonym, and how many
// these are. Without the cases it is of made-up ones.
func Real(t testing.TB) RealCases {
	t.Helper()
	w := newWorld(t, 23)
	patients, n := published(t), 0
	for at, h := range w.Hospitals[:2] {
		var batch []entry.Entry
		for _, p := range patients {
			all, _, err := p.Accept(phenopacket.Options{Key: [32]byte{byte(at)}, Catalog: catalog.Current(), Basis: entry.BasisStatutory},
				validate.Context{Today: entry.Date{Year: 2026, Month: 11, Day: 22}})
			if err != nil {
				continue // refused by a rule: of package phenopacket's tests
			}
			if at == 0 {
				n++
			}
			all.SetPseudonym(sha256.Sum256([]byte(p.SubjectID+" of "+p.name)), entry.StrengthStrong)
			batch = append(batch, all.All()...)
			if len(batch) >= 20 {
				w.send(h, batch...)
				batch = nil
			}
		}
		if len(batch) > 0 {
			w.send(h, batch...)
		}
	}
	return RealCases{w.m, w.view(w.Reader, nil), w.reader(w.Reader), n}
}

type patient struct {
	phenopacket.Packet
	name string // of the file
}

// published are the real cases; RARESYNC_REQUIRE_TESTDATA=1 makes their absence a
// failure.
func published(t testing.TB) (out []patient) {
	t.Helper()
	root := os.Getenv("RARESYNC_TESTDATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	paths, err := filepath.Glob(filepath.Join(root, "phenopackets", "*.json"))
	must(t, err)
	if len(paths) == 0 && os.Getenv("RARESYNC_REQUIRE_TESTDATA") == "1" {
		t.Fatalf("no packets in %s", root)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		must(t, err)
		packets, err := phenopacket.Read(filepath.Base(path), bytes.NewReader(raw), phenopacket.Limits{})
		must(t, err)
		out = append(out, patient{packets[0], filepath.Base(path)})
	}
	return out
}

// Counted is an entry as the recount has it.
type Counted = counted

// Recounted returns all entries of a view's log, decoded and joined without SQL.
func Recounted(t testing.TB, v *View) []Counted {
	return v.cfg.Node.(*world).recount(v.cfg.Reader).entries
}

// Live reports whether the entry counts.
func (o counted) Live() bool { return o.stopped&1 == 0 && o.Problem == "" }

// Stopped reports whether a use of the entry is stopped.
func (o counted) Stopped(use entry.Scope) bool { return o.stopped&use != 0 }

// Person returns whom the entry is about; ok is false of nobody.
func (o counted) Person() (p [32]byte, ok bool) { return o.person, o.named }

// Day is the day of the log time, counted from 1970-01-01.
func (o counted) Day() int { return day(o.at) }
