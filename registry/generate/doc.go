// Package generate makes up cases for demos, load tests and tests: realistic
// in shape, about nobody. It writes phenopackets, so that what is tested is
// the path that hospitals' files take.
//
//	for file := range generate.Files(generate.Options{Seed: 7, Hospitals: 3, Patients: 600, Today: today, Catalog: c}) {
//		// file.Raw goes to hospital file.Hospital
//	}
//
// Every row of the national lists occurs once in as many patients as there
// are rows. One patient in ten is registered at a second hospital too, under
// the same identity: that is what the network is for.
//
// # Promises
//
//  1. The same options give the same bytes, on every platform.
//  2. A patient does not depend on how many others there are.
//  3. Resident IDs have the area 100000, which was never assigned, and a
//     right check digit; no living person has one.
//
// Genes, features and diseases are drawn apart from each other: the files are
// good for testing software and worthless for medicine.
package generate
