// Package phenopacket reads GA4GH phenopackets of schema version 2 into
// entries and writes entries as phenopackets.
//
//	packets, err := phenopacket.Read("case.json", file, phenopacket.Limits{})
//	for _, p := range packets {
//		entries, findings, err := p.Accept(options, context)
//		...
//	}
//
// Reading goes through these steps, each a file of this package:
//
//	parse        the document, within bounds            tree.go, package jsontree
//	unwrap       Family and Cohort into packets         wrap.go
//	rename       snake_case fields to lowerCamelCase    names.go
//	deidentify   patient, relatives, staff              deidentify.go
//	leaks        refuse texts with personal numbers     leak.go
//	split        genetics from the rest                 split.go
//	cut          parts that are entries of their own    parts.go, native.go
//	map          fields of the entries                  layout.go, parts_layout.go, lens.go
//	subtract     what no field holds: the extension     overlay.go
//
// and writing goes back: fields and extension are laid over one another.
//
// # The raresync member
//
// Direct reporting asks for facts that the schema has no place for. They
// stand in a member "raresync" of the packet, all optional:
//
//	department, province, diagnosisDate, verification, status ("lost",
//	"opted out"), birth, deathDateUnknown, firstContact, familyHistory,
//	consanguinity, hospitalsBefore, referredFrom, payer, basis,
//	consent {by, date},
//	geneticTest {type, date, result, lab},
//	followUps [{visitDate, vitalStatus, diseaseStatus, nextVisit, scale,
//	score, measurements}],
//	specimens [{type, collected, biobank, count, status, consent, id,
//	derivedFrom, sprec, site, volume, storage, postMortem, prenatal}],
//	treatments [{agent, status, start, stop, stopReason, dose, line, response,
//	adverseEvents, access, payer, outOfPocket, monthsWaiting}],
//	death {date, cause, related},
//	referrals [{date, from, to, reason, accepted}]
//
// Dates are YYYY, YYYY-MM or YYYY-MM-DD; enumerations use the names that
// package entry prints; docs/INPUT.md lists them, with a sample. What surrounded the packet in a Family or Cohort is
// kept there too, with the first member.
//
// # Promises
//
//  1. A packet that becomes entries comes back field by field, less what
//     docs/DEIDENTIFICATION.md lists; Entries checks it for each packet.
//  2. Interpretations, variants, genomic observations, file links and any
//     text that spells out a variant are in the genetic entry only.
//  3. The same packet with the same key gives the same entry ids.
//  4. Memory stays within a small multiple of the size limit, whatever the
//     input; more than the limit is never read.
//  5. Findings name rule, file and JSON path, never a value.
//
// # Trust
//
// The input may be hostile. A Packet holds the patient's identifiers until
// the caller drops it; printing one shows none.
package phenopacket
