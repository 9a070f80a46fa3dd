// Package intake takes files from the hospital's side to the outbox: read,
// check, identify, pseudonymise, encode.
//
//	r, err := intake.New(intake.Config{...}).Take(ctx, files, options)
//
// This is the only package in which identifiers and the entries about them
// meet. Identifiers live in memory while a batch is taken and are dropped with
// it; what leaves is sealed under a pseudonym.
//
// A batch is read and checked as a whole. Then, in lots of up to 4096 persons,
// its identities go to the share holders together and its entries enter the
// outbox. A file is accepted or refused as a whole, and its findings name rule
// and place.
//
// What the holders have no quota left for waits sealed in the spool, and goes on
// when [Intake.Resume] is called on another day. It leaves the spool once the
// outbox has it on disk; if a crash comes in between, the outbox knows the
// entries by their ids.
//
// [Intake.Preview] says what would become of files, from what the hospital itself
// knows; it asks nobody.
//
// [Intake.Identify] gives documents that a person types their pseudonyms, as
// Take would; [Intake.Alias] and [Intake.Post] send what links two of them.
package intake
