// Package catalog holds China's two national lists of rare diseases, 121 and
// 86 rows, with the codes that lead to them, and finds the row a diagnosis
// belongs to.
//
// The usual call gives everything a row of a hospital's file says about its
// disease and takes the best answer:
//
//	m := catalog.Current().Resolve(catalog.Query{ORPHA: "Orphanet:558", ICD10: "Q87.400"})
//	for _, d := range m.Counted() { ... } // rows the case counts under
//
// Codes and rows are not one to one. An ORPHA code that stands on two rows
// goes to the row that it names exactly; where none does, both rows are
// listed and the match is marked ambiguous. ICD-10 codes are compared by
// letter and three digits only, and one that fits several rows counts under
// none until a person confirms it. [Match.Counted] keeps these rules.
//
// # Promises
//
//  1. The first table is part of the program, later ones come by act, for which
//     [Parse] reads them: the same [Catalog.Edition] has the same [Catalog.Hash]
//     everywhere, and an act of the network names both.
//  2. An edition never changes. A corrected or enlarged table is a new
//     edition beside the old one, so old figures stay reproducible.
//  3. Nothing is guessed: names match whole, apart from case, spaces,
//     brackets, hyphens and width.
//
// The table rests on public sources named in NOTICE; it is not the official
// text of the lists, and most of its ICD-10 codes are of the US edition.
package catalog
