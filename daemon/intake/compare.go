package intake

import (
	"context"
	"fmt"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// Registry is what this hospital has registered in the log.
type Registry interface {
	// Registered returns the cases under a pseudonym, as corrected.
	Registered(ctx context.Context, pseudonym [32]byte) ([]Registration, error)
	// SamePerson reports whether a case, by its entry id, is of the person with a
	// pseudonym; known is false if the log has no such case.
	SamePerson(ctx context.Context, id, pseudonym [32]byte) (same, known bool, err error)
}

// Registration is a case in the log.
type Registration struct {
	Index uint64
	Entry entry.Entry
}

// compare holds the patients of files, once their pseudonyms are known, against
// what the hospital has registered: the same patient and disease is flagged
// (DU001), and a file is refused that gives one patient's name in the source the
// document of another (ID009).
func (in *Intake) compare(ctx context.Context, batch []*work) error {
	if in.cfg.Registry == nil {
		return nil
	}
	for _, w := range batch {
		var refused []rule.Finding
		for _, p := range w.patients {
			twice, err := in.registeredBefore(ctx, p)
			if err != nil {
				return err
			}
			w.result.Findings = append(w.result.Findings, p.packet.Locate(twice)...)
			exchanged, err := in.exchanged(ctx, p)
			if err != nil {
				return err
			}
			if exchanged {
				refused = append(refused, p.packet.Locate([]rule.Finding{rule.Find("ID009", "subject", "")})...)
			}
		}
		if len(refused) > 0 {
			w.refuse(append(w.result.Findings, refused...))
		}
	}
	return nil
}

// registeredBefore finds the cases of the same person and disease; the very same
// entry is none of them.
func (in *Intake) registeredBefore(ctx context.Context, p patient) (found []rule.Finding, err error) {
	e := p.entries[0]
	if e.Case == nil || !e.Pseudonym.Present {
		return nil, nil
	}
	d, ok := e.Case.Principal()
	if !ok {
		return nil, nil
	}
	earlier, err := in.cfg.Registry.Registered(ctx, e.Pseudonym.Value)
	if err != nil {
		return nil, fmt.Errorf("compare with what is registered: %w", err)
	}
	for _, r := range earlier {
		if r.Entry.Case == nil || r.Entry.ID == e.ID {
			continue
		}
		if other, ok := r.Entry.Case.Principal(); ok && other.Same(d) {
			found = append(found, rule.Find("DU001", "diseases", fmt.Sprintf("registered as entry %d", r.Index)))
		}
	}
	return found, nil
}

// exchanged reports whether the source's own name for a patient and the document
// belong to two patients who are known here, and whom no link joins.
func (in *Intake) exchanged(ctx context.Context, p patient) (bool, error) {
	if in.cfg.Memory == nil || !p.entries[0].Pseudonym.Present {
		return false, nil
	}
	others := in.cfg.Memory.Contradicts(in.markOf(p))
	for _, id := range others {
		same, known, err := in.cfg.Registry.SamePerson(ctx, id, p.entries[0].Pseudonym.Value)
		if err != nil {
			return false, fmt.Errorf("compare with what is registered: %w", err)
		}
		if same || !known {
			return false, nil // linked, or nothing that the log tells of
		}
	}
	return len(others) > 0, nil
}
