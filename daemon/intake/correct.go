package intake

import (
	"bytes"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
)

// Corrected is an entry that is to be corrected.
type Corrected struct {
	Index    uint64
	First    entry.Entry // as it stands in the log
	Present  entry.Entry // as corrections have made it so far
	Previous [32]byte    // id of the newest of these, or zeros
}

// Correct makes the entry that corrects another of the same patient to what a
// file says, which holds exactly one entry of that type. The file's identities
// are not looked at: the patient stays who it is. Findings are flags on what was
// accepted; a refusal by rule is a *rule.Refusal, also if nothing would change.
func (in *Intake) Correct(c Corrected, f File, reason entry.CorrectionReason) (entry.Entry, []rule.Finding, error) {
	if !c.First.Any() {
		return entry.Entry{}, nil, rule.Refuse("CR003", "", "")
	}
	packets, err := phenopacket.Read(f.Name, bytes.NewReader(f.Data), phenopacket.Limits{})
	if err != nil {
		return entry.Entry{}, nil, err
	}
	if len(packets) != 1 {
		return entry.Entry{}, nil, rule.Refuse("CR001", f.Name, "")
	}
	lists, err := in.catalogue()
	if err != nil {
		return entry.Entry{}, nil, err
	}
	made, found, err := packets[0].Accept(
		phenopacket.Options{Key: in.cfg.EntryID, Catalog: lists, Profile: c.First.Profile, Basis: entry.BasisStatutory},
		in.context(identity.Identity{}))
	if err != nil {
		return entry.Entry{}, nil, err
	}
	right, err := only(c.First, made.All(), f.Name)
	if err != nil {
		return entry.Entry{}, nil, err
	}
	if says(right, c.Present) {
		return entry.Entry{}, nil, rule.Refuse("CR002", f.Name, "")
	}
	e, err := entry.Correct(in.cfg.EntryID, c.Index, c.First, right, reason, c.Previous)
	return e, found, err
}

// only returns the one entry of a type, belonging to the case that the first
// belongs to.
func only(first entry.Entry, made []entry.Entry, name string) (right entry.Entry, err error) {
	n := 0
	for _, e := range made {
		if e.Type == first.Type {
			right, n = e, n+1
		}
	}
	if n != 1 {
		return right, rule.Refuse("CR001", name, "")
	}
	right.Facts = right.Under(first.BelongsTo())
	if right.Specimen != nil {
		right.Specimen.DerivedFrom = first.Specimen.DerivedFrom
	}
	return right, nil
}

// says reports whether two entries say the same, whoever they are about.
func says(a, b entry.Entry) bool {
	plain := func(e entry.Entry) []byte {
		e.ID, e.Supersedes, e.Pseudonym, e.Strength, e.Basis, e.Source = [32]byte{}, [32]byte{}, entry.Pseudonym{}, 0, 0, entry.SourceForm
		raw, _ := entry.Encode(e) // both had an encoding before
		return raw
	}
	return bytes.Equal(plain(a), plain(b))
}
