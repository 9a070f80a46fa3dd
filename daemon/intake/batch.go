package intake

import (
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

// checkTails warns of numbers that a spreadsheet has rounded (ID008), which
// shows only over a whole batch.
func (in *Intake) checkTails(batch []*work) {
	var ids []identity.Identity
	var owner []*work
	for _, w := range batch {
		for _, p := range w.patients {
			ids, owner = append(ids, p.id), append(owner, w)
		}
	}
	for _, i := range identity.RoundedTails(ids) {
		owner[i].result.Findings = append(owner[i].result.Findings, rule.Find("ID008", owner[i].file.Name, ""))
	}
}

// checkAlike flags patients of a batch of whom several share birth, sex and
// diagnosis to the day (DU003).
func (in *Intake) checkAlike(batch []*work) {
	var all []validate.Patient
	var owner []*work
	var packets []phenopacket.Packet
	var patients []*patient
	for _, w := range batch {
		for i, p := range w.patients {
			patients = append(patients, &w.patients[i])
			c := p.entries[0]
			all = append(all, validate.Patient{Key: p.packet.SubjectID, Birth: p.packet.Birth(), Sex: c.Case.Sex, Diagnosis: c.EventDate})
			owner, packets = append(owner, w), append(packets, p.packet)
		}
	}
	for _, i := range validate.Alike(all) {
		found := []rule.Finding{rule.Find("DU003", "birth", "")}
		owner[i].result.Findings = append(owner[i].result.Findings, packets[i].Locate(found)...)
		patients[i].doubts = append(patients[i].doubts, validate.Doubts(found, patients[i].entries...)...)
	}
}
