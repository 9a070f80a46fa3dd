// Package validate checks what the fields of entries say, against the rules
// of the registry: dates, consents, diseases, phenotypes, genetics, vital
// status, and the fields that a profile requires.
//
// The entries that one source gave for one patient are checked together, so
// that a follow-up is compared with the death its case states:
//
//	findings := validate.Entries(validate.Context{Today: today, Catalog: c, Identity: id}, entries...)
//	if err := rule.Refusals(findings); err != nil { ... } // none may be submitted
//
// [Batch] looks at all patients of one file, and [PersonalNumber] finds
// telephone and ID numbers in text.
//
// # Promises
//
//  1. All problems are reported, not the first only.
//  2. A contradiction between dates is reported only if no reading of the
//     dates as far as they are known avoids it.
//  3. A finding names the field, as "diseases[0].onset", and never its value.
//
// # Trust
//
// The package trusts its caller to have read the entries from the source it
// states, and to have looked for PR001 in the Extension it made: only typed
// fields are searched here.
package validate
