// Package fhir turns the FHIR R4 resources of a hospital's export into
// phenopackets, one for each Patient.
//
//	set := fhir.NewSet(fhir.Limits{})
//	err := set.Add("export.json", raw) // as often as there are files
//	for patient := range set.Patients() {
//		packets, err := phenopacket.Read("", bytes.NewReader(patient.Packet), phenopacket.Limits{})
//		...
//	}
//	findings := set.Findings() // on what belongs to no patient
//
// From there on a patient goes the way of any phenopacket, as the rows of a
// table do, and becomes the same entries with the same ids as a table or a
// phenopacket that says the same. Findings about the packet are brought back to
// resource and element by [Patient.Locate], as Bundle.entry[3].resource.birthDate.
//
// # What is read
//
// A file is a Bundle (collection, document, searchset, batch, transaction), a
// single resource, or a resource on each line (NDJSON). The files of a [Set] may
// refer to one another.
//
//	index         which resources there are, and of whom     set.go, file.go
//	follow        references to where they lead              reference.go
//	who           identifiers to document and record number  document.go
//	translate     resources into parts of a packet           patient.go, condition.go, observation.go,
//	                                                         genetics.go, care.go, parts.go
//	codes, times  as a packet writes them                    code.go, time.go
//	keep          coded elements that have no place          keep.go
//	write         the packet                                 write.go
//	locate        findings to elements                       place.go
//
// docs/INPUT.md has the table of elements. Facts that FHIR has no element for
// stand in extensions, urn:raresync: and the name that the fact has in the
// raresync member of a phenopacket.
//
// # Promises
//
//  1. Nothing is guessed: a resource that lacks what its entry needs is left out
//     and named (FH005), a reference that leads nowhere is refused (FH001), and
//     two Patients are two, however alike.
//  2. Names, addresses, telephones, notes and narratives are compared with what
//     is kept (PR001) and go nowhere; the number of a document stands in
//     [Patient.Document] and a record number in the packet's subject.
//  3. Memory stays within a small multiple of the limits: one resource is taken
//     apart at a time.
//  4. Findings name rule, file, resource and element, never a value.
//
// # Trust
//
// The input may be hostile.
package fhir
