package intake

import (
	"context"
	"errors"
	"slices"

	"github.com/raresync/raresync/daemon/spool"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/rule"
)

// hold is [Consents.Hold], or says that nobody has stopped anything.
func (in *Intake) hold(ctx context.Context) (stopped stopping, release func(), err error) {
	if in.cfg.Consents == nil {
		return func([32]byte, entry.Scope) string { return "" }, func() {}, nil
	}
	return in.cfg.Consents.Hold(ctx)
}

// stopping says why nothing may be posted of a pseudonym for some uses, or "".
type stopping = func(p [32]byte, uses entry.Scope) string

// refuseStopped refuses a file with a patient who has stopped a use that one of
// the entries is there for, or whose entries are erased: nothing of it may be
// posted.
func (w *work) refuseStopped(stopped stopping) {
	if w.result.Outcome != Accepted {
		return
	}
	var found []rule.Finding
	for _, p := range w.patients {
		if len(p.entries) == 0 || !p.entries[0].Pseudonym.Present {
			continue
		}
		var uses entry.Scope
		for _, e := range p.entries {
			uses |= e.Uses()
		}
		if stopped(p.entries[0].Pseudonym.Value, uses) == "" { // asked once a patient: it reads every consent
			continue
		}
		at := slices.IndexFunc(p.entries, func(e entry.Entry) bool { return stoppedEntry(e, stopped) != "" })
		first := p.entries[at]
		found = append(found, p.packet.Locate([]rule.Finding{rule.Find(stoppedEntry(first, stopped), stoppedAt(first), "")})...)
	}
	if len(found) > 0 {
		w.refuse(append(w.result.Findings, found...))
	}
}

// stoppedAt names what in a file a stopped use concerns: the patient, or the first
// of a case's specimens or treatments.
func stoppedAt(e entry.Entry) string {
	switch {
	case e.Specimen != nil:
		return "specimens"
	case e.Treatment != nil:
		return "treatments"
	}
	return "subject"
}

// stoppedEntry returns the code of why an entry may not be posted, or "".
func stoppedEntry(e entry.Entry, stopped stopping) string {
	names := [][32]byte{}
	if e.Pseudonym.Present {
		names = append(names, e.Pseudonym.Value)
	}
	if e.Alias != nil {
		names = append(names, e.Alias.Old, e.Alias.New)
	}
	for _, p := range names {
		if code := stopped(p, e.Uses()); code != "" {
			return code
		}
	}
	return ""
}

// DropWaiting takes the files that hold a person out of those that wait over
// quota, and returns how many they were. What else is in such a file goes with
// it: the hospital submits it again without the person. Lots that do not open
// are left for [Intake.Resume] to report.
func (in *Intake) DropWaiting(of identity.Identity) (dropped int, err error) {
	if in.cfg.Spool == nil {
		return 0, nil
	}
	for _, l := range in.cfg.Spool.Lots() {
		raw, ok, err := in.cfg.Spool.Read(l)
		if errors.Is(err, spool.ErrDamaged) || err == nil && !ok {
			continue
		}
		if err != nil {
			return dropped, err
		}
		files, profile, err := unmarshalLot(raw)
		if err != nil {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(files), func(f File) bool { return in.read(f, profile).holds(of) })
		if len(left) == len(files) {
			continue
		}
		if len(left) > 0 {
			if err := in.keepFiles(left, profile); err != nil {
				return dropped, err
			}
		}
		if err := in.cfg.Spool.Remove(l); err != nil {
			return dropped, err
		}
		dropped += len(files) - len(left)
	}
	return dropped, nil
}

// holds reports whether a file has a patient with an identity.
func (w *work) holds(id identity.Identity) bool {
	return slices.ContainsFunc(w.patients, func(p patient) bool { return p.id.Equal(id) })
}
