package view

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
	"github.com/raresync/raresync/registry/generate"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/validate"
)

// Nation is a log as a country would have it after some years, in a directory that is
// kept: a node's copy, the checkpoint that an auditor needs beside it, and the national
// reader's key.
type Nation struct {
	M           *machine.Machine
	Genesis     *envelope.Envelope
	Institution uint32
	sealing     *seal.ReaderPrivate
}

// What a nation is.
const (
	nationHospitals = 400
	nationYears     = 3
	perEnvelope     = 90 // entries, about
)

// OpenNation opens the nation in a directory, or makes one of at least so many entries
// there.
func OpenNation(t testing.TB, dir string, entries int) *Nation {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "genesis")); err != nil {
		makeNation(t, dir, entries)
	}
	n := &Nation{}
	raw, err := os.ReadFile(filepath.Join(dir, "genesis"))
	must(t, err)
	n.Genesis, err = envelope.Decode(raw)
	must(t, err)
	kept, err := os.ReadFile(filepath.Join(dir, "reader"))
	must(t, err)
	n.Institution = binary.BigEndian.Uint32(kept)
	n.sealing, err = seal.NewReaderFromSeed([seal.ReaderSeedBytes]byte(kept[4:]))
	must(t, err)
	n.M, err = machine.Open(dir, n.Genesis)
	must(t, err)
	t.Cleanup(func() { must(t, n.M.Close()) })
	policy, err := consensus.PolicyAt(n.M.View(), n.M.View().Tree.Size())
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "policy"), policy.Marshal(), 0o600)) // for an auditor
	return n
}

// Reader opens entries with the national reader's key.
func (n *Nation) Reader() *reader.Reader {
	return reader.New(reader.Config{
		Node: &world{m: n.M}, Institution: n.Institution, Sealing: func() []*seal.ReaderPrivate { return []*seal.ReaderPrivate{n.sealing} },
		Logger: slog.New(slog.DiscardHandler),
	})
}

// OpenView opens the national reader's view of it, which follows the log until closed.
func (n *Nation) OpenView(t testing.TB) (v *View, closed func()) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	v, err := Open(Config{
		Node: &world{m: n.M}, Institution: n.Institution, Dir: t.TempDir(), Patience: time.Hour, Logger: log, Reader: n.Reader(),
		Catalogue: func() (*catalog.Catalog, error) { return catalog.Current(), nil },
	})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); v.Run(ctx) }()
	return v, func() { cancel(); <-done; must(t, v.Close()) }
}

// nation is one that is made.
type nation struct {
	*world
	hospitals []*foundingtest.Member
	waiting   [][]entry.Entry // by hospital, for the next envelope
	sent      int
	want      int
}

func makeNation(t testing.TB, dir string, entries int) {
	t.Helper()
	w := &world{Network: foundingtest.New(t, 3), t: t, rng: mathrand.New(mathrand.NewPCG(31, 1))}
	var err error
	w.m, err = machine.Open(dir, w.Genesis)
	must(t, err)
	n := &nation{world: w, hospitals: w.Hospitals, waiting: make([][]entry.Entry, nationHospitals), want: entries}
	for len(n.hospitals) < nationHospitals {
		n.hospitals = append(n.hospitals, n.admit(len(n.hospitals)))
	}
	n.register()
	n.keep(dir)
	must(t, w.m.Close())
}

// admit takes a hospital in that is not among the founders.
func (n *nation) admit(at int) *foundingtest.Member {
	provinces := []string{"11", "12", "13", "21", "31", "32", "33", "34", "35", "37", "41", "42", "43", "44", "44", "50", "51", "53", "61", "65"}
	m := foundingtest.Newcomer(n.t, fmt.Sprintf("m%d", at), uint32(len(n.m.View().Members)+1))
	i := &m.Card.Institution
	i.NameEN, i.NameZH, i.Province = fmt.Sprintf("Hospital %d", at+1), fmt.Sprintf("第%d医院", at+1), provinces[at%len(provinces)]
	a := act.Act{
		Version: act.Version, Type: act.TypeAdmission, RosterVersion: n.m.View().RosterVersion, Expiry: foundingtest.SignedAt + 1_000_000,
		Payload: (&act.Admission{Institution: *i, Nodes: m.Card.Nodes}).Marshal(),
	}
	for _, h := range n.Hospitals {
		p, err := a.Approve(n.ID, h.Number, h.Envelope)
		must(n.t, err)
		a.Approvals = append(a.Approvals, p)
	}
	e, err := envelope.BuildAct(n.link(n.Hospitals[0]), a.Marshal(), n.Hospitals[0].Envelope)
	must(n.t, err)
	n.accept(e)
	return m
}

// read is a file as its hospital's node read it.
type read struct {
	hospital int
	entries  []entry.Entry
	err      error
}

// register has the hospitals register made-up patients until there are enough entries.
func (n *nation) register() {
	files := make(chan read, 4096)
	enough := make(chan struct{})
	go func() {
		defer close(files)
		for f := range generate.Files(generate.Options{Seed: 31, Hospitals: nationHospitals, Patients: n.want, Catalog: catalog.Current(), Tail: true, Today: entry.Date{Year: 2026, Month: 9, Day: 1}}) {
			select {
			case files <- accepted(f):
			case <-enough:
				return
			}
		}
	}()
	for f := range files {
		if n.sent >= n.want {
			break
		}
		n.take(f)
	}
	close(enough)
	for range files { // what was under way
	}
	for h := range n.hospitals {
		n.flush(h)
	}
}

// accepted reads a file as a hospital's node does.
func accepted(f generate.File) read {
	packets, err := phenopacket.Read(f.Name, bytes.NewReader(f.Raw), phenopacket.Limits{})
	if err != nil {
		return read{err: err}
	}
	all, _, err := packets[0].Accept(phenopacket.Options{Key: sha256.Sum256(fmt.Append(nil, f.Hospital)), Catalog: catalog.Current(), Basis: entry.BasisStatutory},
		validate.Context{Today: entry.Date{Year: 2026, Month: 9, Day: 1}})
	all.SetPseudonym(sha256.Sum256([]byte(f.ResidentID)), entry.StrengthStrong)
	return read{f.Hospital, all.All(), err}
}

// take spoils a patient's entries a little, adds what generated patients lack, and sends
// when there is an envelope full.
func (n *nation) take(f read) {
	must(n.t, f.err)
	n.day = uint64(n.sent) * nationYears * 365 / uint64(n.want)
	h, c := f.hospital, f.entries[0]
	switch n.pick(50) {
	case 0:
		c.Case.Birth = entry.DateOf(time.UnixMilli(foundingtest.SignedAt)).YearMonth() // after the diagnosis
	case 1:
		c.Case.Diseases[0].Codes, c.Case.Diseases[0].Match = nil, entry.Match{}
	case 2:
		c.Case.Features, c.Case.Department, c.Case.Province = nil, "", ""
	case 3:
		c.Strength = entry.StrengthLocal
	case 4: // the same patient once more
		again := c
		again.ID = sha256.Sum256(fmt.Append(nil, "again ", n.sent, h))
		f.entries = append(f.entries, again)
	}
	for _, t := range []entry.Type{entry.TypeSpecimen, entry.TypeTreatment, entry.TypeReferral} {
		if n.sometimes(map[entry.Type]int{entry.TypeSpecimen: 22, entry.TypeTreatment: 30, entry.TypeReferral: 3}[t]) {
			one := n.blank(t, c.Pseudonym)
			one.EventDate = n.date(1)
			n.fillPart(&one)
			one.Facts = one.Under(c.ID)
			f.entries = append(f.entries, one)
		}
	}
	if n.waiting[h] = append(n.waiting[h], f.entries...); len(n.waiting[h]) >= perEnvelope {
		n.flush(h)
	}
}

// flush sends what waits, with a day's intake, and corrects or stops something of it.
func (n *nation) flush(h int) {
	batch := n.waiting[h]
	if len(batch) == 0 {
		return
	}
	intake := n.blank(entry.TypeIntake, entry.Pseudonym{})
	intake.EventDate, intake.Strength = entry.Date{Year: 2026, Month: 9, Day: 1}, entry.StrengthNone
	intake.Intake = &entry.Intake{Offered: []entry.Offered{{Source: entry.SourcePhenopacket, Accepted: uint32(len(batch)), Refused: 3}}, Refused: []entry.RuleUsed{{Rule: "DX001", Count: 1}, {Rule: "ID002", Count: 2}}}
	m := n.hospitals[h]
	indexes := n.send(m, append(batch, intake)...)
	n.sent, n.waiting[h] = n.sent+len(batch)+1, nil
	if at := n.pick(10 * perEnvelope); at < len(batch) && batch[at].Case == nil {
		n.say(sent{m, indexes[at], batch[at]}, []sent{{m, indexes[0], batch[0]}}, n.sent, n.pick(4))
		n.sent++
	}
}

// keep writes what opens the nation again, and a checkpoint of all voters beside it.
func (n *nation) keep(dir string) {
	_, err := n.m.Ledger().Sync()
	must(n.t, err)
	s, err := n.m.Snapshot()
	must(n.t, err)
	must(n.t, n.m.Save(s))
	must(n.t, os.WriteFile(filepath.Join(dir, "checkpoint"), n.checkpoint(), 0o600))
	seed := n.Reader.Sealing.Seed()
	must(n.t, os.WriteFile(filepath.Join(dir, "reader"), append(binary.BigEndian.AppendUint32(nil, n.Reader.Number), seed[:]...), 0o600))
	must(n.t, os.WriteFile(filepath.Join(dir, "genesis"), n.Genesis.Marshal(), 0o600)) // last: it says that all is there
}

func (n *nation) checkpoint() []byte {
	st := n.m.View()
	cp := tlog.Checkpoint{Origin: consensus.Origin(st), Size: st.Tree.Size(), Root: st.Tree.Root()}
	log, err := tlog.NewLogSigner(cp.Origin, n.Hospitals[0].Log.Ed25519())
	must(n.t, err)
	line, err := log.Sign(cp)
	must(n.t, err)
	sc := tlog.SignedCheckpoint{Checkpoint: cp, Signatures: []tlog.NoteSignature{line}}
	for _, h := range n.Hospitals {
		cosigner, err := tlog.NewCosigner(consensus.CosignerName(st, h.Node), h.Cosign.Ed25519(), h.Cosign.MLDSA44())
		must(n.t, err)
		lines, err := cosigner.Cosign(cp, foundingtest.SignedAt/1000+1)
		must(n.t, err)
		sc.Signatures = append(sc.Signatures, lines...)
	}
	return sc.Marshal()
}
