// Package rule names the rules that entries, identities and files are checked
// against, and carries what a check answers.
//
// A rule has a stable code such as "ID002". A check answers with a [Finding]:
// the code, how severe it is, where, and a detail that never identifies a
// person. One or more findings that refuse make a [Refusal], which is an
// error:
//
//	return rule.Refuse("ID002", "id_number", rule.Mask(raw))
//
// and a caller that branches on it uses errors.As:
//
//	var refusal *rule.Refusal
//	if errors.As(err, &refusal) && refusal.Code() == "ID002" { ... }
//
// [Text] turns a code into two sentences for the clerk who will act on it, in
// Chinese or English: what happened, and what to do. [Detail] does the same with a
// finding's detail, which checks make in English.
//
// # Promises
//
//  1. A code is never reused for another meaning.
//  2. Every code has a severity and both texts in both languages.
//  3. Every phrase that a detail is made of is known in Chinese; values stay as
//     they are.
//  4. [Mask] shows at most the first three characters and the last one.
//
// The package trusts its callers to mask what they put into Detail.
package rule
