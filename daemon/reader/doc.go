// Package reader opens what this node's institution may open: a hospital its
// own entries and those that others mean for it, a reader what its rights cover.
//
//	r := reader.New(reader.Config{...})
//	for e, err := range r.Entries(ctx, 0, 0) { ... }
//	packet, err := r.Phenopacket(index)
//	figures, err := r.Persons(ctx)
//
// Persons are counted by pseudonym, and links join pseudonyms: one counts as
// long as its hospital has not undone it, has an entry of its own under one of
// the two, and makes no person of more than [MostPseudonyms]. A [Tally] does
// the counting, alike for the coordinator over all entries and for a hospital
// over its own.
//
// What was sealed before the institution was a reader opens once somebody has
// granted it ([Reader.Grant] on that somebody's node); a granted key that the
// header does not commit to is refused. Former sealing keys open what was sealed
// to them for as long as they are on the node.
//
// No header names whom an entry is meant for. A hospital tries the slots of every
// envelope once, as it arrives, and keeps the numbers of those that opened.
//
// Nothing opened is stored; every call opens anew from the ledger. On a
// reader's node [Reader.Watch] tries every envelope once as it arrives, and
// posts an "unopenable" act for one that is not sealed to this reader as its
// header claims: the sender gave different readers different contents, or
// copied another's.
package reader
