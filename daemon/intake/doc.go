// Package intake takes files from the hospital's side to the outbox: read,
// check, identify, pseudonymise, encode.
//
//	r, err := intake.New(intake.Config{...}).Take(ctx, files, options)
//
// This is the only package in which identifiers and the entries about them
// meet. Identifiers live in memory while a batch is taken and are dropped with
// it; what leaves is sealed under a pseudonym.
//
// A batch is taken as a whole: all its files are read and checked first, then
// all its identities go to the share holders at once, then everything enters
// the outbox. A file is accepted or refused as a whole, and its findings name
// rule and place.
//
// [Intake.Identify] gives documents that a person types their pseudonyms, as
// Take would; [Intake.Alias] and [Intake.Post] send what links two of them.
package intake
