package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/daemon/quota"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

// Pseudonymiser turns normalised identities into national pseudonyms.
type Pseudonymiser interface {
	Pseudonyms(ctx context.Context, identities [][]byte) ([]pseudonym.Pseudonym, error)
}

// Outbox takes the encoded entries.
type Outbox interface {
	AddEntries(ctx context.Context, groups [][]outbox.Entry) ([][]outbox.Placed, error)
}

// Consents tells whose use is stopped; [withdraw.Desk] is one.
type Consents interface {
	// Hold keeps decisions from being taken until release. stopped returns the
	// code of why nothing may be posted of a pseudonym, or "".
	Hold(ctx context.Context) (stopped func(p [32]byte, uses entry.Scope) string, release func(), err error)
}

// Config is what intake needs.
type Config struct {
	Pseudonymiser Pseudonymiser
	Outbox        Outbox
	Catalogue     func() (*catalog.Catalog, error)  // the edition to check by; nil: the program's own
	Consents      Consents                          // nil: nobody has stopped anything
	Memory        Memory                            // nil: nothing was ever taken, as far as a preview knows
	Links         func([]Link) error                // keeps whose record numbers pseudonyms are; nil: nobody does
	Registry      Registry                          // nil: nothing was ever registered
	Spool         Spool                             // keeps what is over quota; nil: that is an error
	Quota         func() uint64                     // today's, of this hospital at each holder; nil: not known
	Logger        *slog.Logger                      // told what became of files that waited; may be nil without a spool
	EntryID       [32]byte                          // the hospital's key for entry ids
	Local         [32]byte                          // the hospital's key for local record numbers
	Production    bool                              // refuse test numbers
	Doubts        func([]validate.Doubt) error      // keeps what the hospital is to ask itself about entries that were handed to the outbox; may be nil
	Decided       func(entry.Date, []Decided) error // told on which day what became of files, and keeps it; may be nil
	Validated     func(took time.Duration)          // told how long files took to read and check; may be nil
	ConsentForm   entry.Date                        // first day of the consent form in use; may be unknown
	Outside       func(code string) string          // why a hospital is not of this network, or ""; nil: nobody knows
	Biobanks      func() []string                   // names and ids of the hospital's biobank cards; nil: there are none
	Now           func() time.Time
}

// Intake takes files. It is safe for concurrent use.
type Intake struct{ cfg Config }

// New returns an intake.
func New(cfg Config) *Intake { return &Intake{cfg: cfg} }

// File is one file with the documents of the patients in it.
type File struct {
	Name       string
	Data       []byte
	Identities map[string]identity.Document // by subject id; else the subject id is a local record number
	Source     entry.Source                 // what the phenopacket was made from; zero: it is the file
	Refused    []string                     // codes of rules that refused it where it was read; there is no data then
}

// Outcome says what became of a file.
type Outcome string

// The outcomes.
const (
	Accepted Outcome = "accepted"
	Known    Outcome = "known" // everything in it was taken before
	Refused  Outcome = "refused"
	Waiting  Outcome = "waiting" // over quota: it is kept and goes on by itself
)

// Result is what became of one file.
type Result struct {
	Outcome  Outcome
	Findings []rule.Finding
	Entries  []Taken
}

// Taken is an entry with its way into the log.
type Taken struct {
	Type entry.Type
	ID   [32]byte
	outbox.Placed
}

// work is a file on its way through a batch.
type work struct {
	file     File
	result   Result
	patients []patient
	changed  bool // see Decided
}

// patient is one packet of a file with its normalised identity.
type patient struct {
	id      identity.Identity
	packet  phenopacket.Packet // says where in the file the patient is
	entries []entry.Entry
	doubts  []validate.Doubt
}

// Take takes a batch of files. profile 0 chooses by content. After an error the
// same batch can be given again: what was taken of it is known then. Refused
// files are results, not errors.
func (in *Intake) Take(ctx context.Context, files []File, profile entry.Profile) ([]Result, error) {
	began := time.Now()
	batch := in.readAll(files, profile)
	if in.cfg.Validated != nil {
		in.cfg.Validated(time.Since(began))
	}
	if err := in.coveredInADay(batch); err != nil {
		return nil, err
	}
	waiting, err := in.take(ctx, batch)
	if err != nil {
		return nil, err
	}
	for _, lot := range waiting {
		if err := in.keep(lot, profile); err != nil {
			return nil, err
		}
	}
	if err := in.tell(batch); err != nil {
		return nil, err
	}
	results := make([]Result, len(batch))
	for i, w := range batch {
		results[i] = w.result
	}
	return results, nil
}

// readAll reads and checks the files of a batch.
func (in *Intake) readAll(files []File, profile entry.Profile) (batch []*work) {
	for _, f := range files {
		batch = append(batch, in.read(f, profile))
	}
	in.checkTails(batch)
	in.checkAlike(batch)
	return batch
}

// take takes files as far as the quota goes. What is left over is returned in
// the lots in which it is to wait.
func (in *Intake) take(ctx context.Context, batch []*work) (waiting [][]*work, err error) {
	for _, lot := range in.lots(batch) {
		if len(waiting) > 0 && persons(lot...) > 0 { // the holders have said it
			waiting = append(waiting, lot)
			continue
		}
		err := in.pseudonymise(ctx, lot)
		switch {
		case errors.Is(err, quota.ErrOver) && in.cfg.Spool != nil:
			waiting = append(waiting, lot)
			continue
		case err != nil:
			return nil, err
		}
		if err := in.compare(ctx, lot); err != nil {
			return nil, err
		}
		if err := in.post(ctx, lot); err != nil {
			return nil, err
		}
	}
	return waiting, nil
}

// refuse ends a file's way.
func (w *work) refuse(findings []rule.Finding) {
	w.result = Result{Outcome: Refused, Findings: findings}
	w.patients = nil
}

// fail ends a file's way with an error of a reader or rule.
func (w *work) fail(err error) {
	var r *rule.Refusal
	if !errors.As(err, &r) {
		r = rule.Refuse("PP002", w.file.Name, "not readable")
	}
	w.refuse(append(w.result.Findings, r.Findings...))
}

// read reads and checks one file.
func (in *Intake) read(f File, profile entry.Profile) *work {
	if len(f.Refused) > 0 {
		return refusedAlready(f)
	}
	w := &work{file: f, result: Result{Outcome: Accepted}}
	packets, err := phenopacket.Read(f.Name, bytes.NewReader(f.Data), phenopacket.Limits{})
	if err != nil {
		w.fail(err)
		return w
	}
	refusals := phenopacket.Strangers(f.Name, packets, f.Identities)
	for _, p := range packets {
		if err := in.readPacket(w, p, profile); err != nil {
			w.fail(err)
			refusals = append(refusals, w.result.Findings...)
			w.result.Findings = nil
		}
	}
	if len(refusals) > 0 {
		w.refuse(unique(refusals))
	}
	return w
}

func (in *Intake) readPacket(w *work, p phenopacket.Packet, profile entry.Profile) error {
	in.leak(w.file, document(w.file, p))
	id, findings, err := identity.Normalize(document(w.file, p), in.identityOptions())
	w.result.Findings = append(w.result.Findings, p.Locate(findings)...)
	unknown := (*rule.Refusal)(nil)
	if err != nil && !errors.As(err, &unknown) {
		return err
	}
	lists, err := in.catalogue()
	if err != nil {
		return err
	}
	made, findings, err := p.Accept(
		phenopacket.Options{Key: in.cfg.EntryID, Catalog: lists, Profile: profile, Basis: entry.BasisStatutory, Source: w.file.Source},
		in.context(id))
	if unknown != nil { // what else is wrong is told at once
		return together(p.Locate(unknown.Findings), err)
	}
	if err != nil {
		return err
	}
	w.result.Findings = append(w.result.Findings, findings...)
	w.patients = append(w.patients, patient{id: id, packet: p, entries: made.All(), doubts: made.Doubts})
	return nil
}

// context is what a patient's entries are checked against.
func (in *Intake) context(id identity.Identity) validate.Context {
	ctx := validate.Context{Today: in.today(), Identity: id, ConsentForm: in.cfg.ConsentForm, Outside: in.cfg.Outside}
	if in.cfg.Biobanks != nil {
		ctx.Biobanks = in.cfg.Biobanks()
	}
	return ctx
}

// catalogue returns the edition of the national lists to check by.
func (in *Intake) catalogue() (*catalog.Catalog, error) {
	if in.cfg.Catalogue == nil {
		return catalog.Current(), nil
	}
	return in.cfg.Catalogue()
}

// together joins findings that refuse with those of another refusal.
func together(findings []rule.Finding, err error) error {
	var more *rule.Refusal
	if errors.As(err, &more) {
		findings = append(findings, more.Findings...)
	}
	return &rule.Refusal{Findings: findings}
}

// china is the time zone of a hospital's day.
var china = time.FixedZone("UTC+8", 8*3600)

// document returns the patient's document, or the subject id as a record
// number that only this hospital understands.
func document(f File, p phenopacket.Packet) identity.Document {
	if d, ok := f.Identities[p.SubjectID]; ok {
		return d
	}
	return identity.Document{Type: identity.LOCAL, Value: p.SubjectID}
}

func unique(findings []rule.Finding) []rule.Finding {
	seen := map[rule.Finding]bool{}
	var out []rule.Finding
	for _, f := range findings {
		if !seen[f] {
			seen[f] = true
			out = append(out, f)
		}
	}
	return out
}

// pseudonymise gives every entry its pseudonym.
func (in *Intake) pseudonymise(ctx context.Context, batch []*work) error {
	var ids []identity.Identity
	for _, w := range batch {
		for _, p := range w.patients {
			ids = append(ids, p.id)
		}
	}
	names, err := in.pseudonyms(ctx, ids)
	if err != nil {
		return err
	}
	for _, w := range batch {
		for _, p := range w.patients {
			for i := range p.entries {
				p.entries[i].Pseudonym = entry.Pseudonym{Present: true, Value: names[0]}
				p.entries[i].Strength = strengthOf(p.id)
			}
			names = names[1:]
		}
	}
	return nil
}

// post encodes the entries and hands them to the outbox, a file a group.
func (in *Intake) post(ctx context.Context, batch []*work) error {
	stopped, release, err := in.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	var groups [][]outbox.Entry
	var owners []*work
	for _, w := range batch {
		w.refuseStopped(stopped)
		group, err := encode(w)
		if err != nil {
			w.fail(err)
		}
		if w.result.Outcome == Accepted {
			groups, owners = append(groups, group), append(owners, w)
		}
	}
	if len(groups) == 0 {
		return nil
	}
	placed, err := in.cfg.Outbox.AddEntries(ctx, groups)
	if err != nil {
		return fmt.Errorf("post %d files: %w", len(groups), err)
	}
	for i, w := range owners {
		w.settle(placed[i])
	}
	in.noteChanged(owners)
	if err := in.doubt(owners); err != nil {
		return err
	}
	if err := in.mark(owners); err != nil {
		return err
	}
	return in.link(owners)
}

func encode(w *work) ([]outbox.Entry, error) {
	var group []outbox.Entry
	for _, p := range w.patients {
		for _, e := range p.entries {
			plain, err := entry.Encode(e)
			if err != nil {
				return nil, err
			}
			group = append(group, outbox.Entry{ID: e.ID, Plain: plainOf(e, plain)})
		}
	}
	return group, nil
}

// settle records where a file's entries went.
func (w *work) settle(placed []outbox.Placed) {
	known, i := true, 0
	for _, p := range w.patients {
		for _, e := range p.entries {
			w.result.Entries = append(w.result.Entries, Taken{Type: e.Type, ID: e.ID, Placed: placed[i]})
			known = known && placed[i].Known
			i++
		}
	}
	if known {
		w.result.Outcome = Known
	}
}
