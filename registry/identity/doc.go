// Package identity turns identity documents into the canonical form from
// which pseudonyms are made, and checks them: idnorm v1.
//
// A row of a hospital's file gives a [Document]; [Normalize] answers with an
// [Identity], with flags, or with a refusal that a clerk can act on:
//
//	id, flags, err := identity.Normalize(identity.Document{
//		Type: identity.RIC, Value: cell, Origin: identity.Text,
//	}, identity.Options{Today: today, Production: true})
//
// [Identity.X] is then stretched, blinded and evaluated; see package
// pseudonym. The validator compares the identity with other columns by
// [CheckBirth] and [CheckSex], and with the rest of the file by
// [RoundedTails].
//
// # Promises
//
//  1. One document has one canonical form, however it was typed: full-width,
//     lower case, with spaces, 15 digits or 18, with or without a renewal
//     count. The forms are frozen by ../testdata/idnorm-v1.csv; a changed form
//     would split every patient it touches from their own past.
//  2. Doubt refuses: a number that a spreadsheet rounded or a clerk masked is
//     never completed, even where its check digit happens to fit.
//  3. An Identity, a Document and every finding print without the number.
//
// # Trust
//
// The package trusts nobody about values. It does trust the caller about
// Type, Origin and today's date: it reads no clock.
package identity
