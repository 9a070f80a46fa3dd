package intake

import "github.com/raresync/raresync/registry/mapping"

// A Link says under which number of the hospital's own a patient was submitted.
type Link struct {
	Pseudonym [32]byte
	Record    string
}

// link tells whose record numbers the patients of files that were taken have. A
// subject's id that was made of a document, for want of a record number, is none.
func (in *Intake) link(taken []*work) error {
	if in.cfg.Links == nil {
		return nil
	}
	var list []Link
	for _, w := range taken {
		for _, p := range w.patients {
			record := p.packet.SubjectID
			if d, ok := w.file.Identities[record]; ok && record == mapping.SubjectOf(d) {
				continue
			}
			list = append(list, Link{p.entries[0].Pseudonym.Value, record})
		}
	}
	return in.cfg.Links(list)
}
