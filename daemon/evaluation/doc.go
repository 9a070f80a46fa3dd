// Package evaluation turns identities into national pseudonyms with the help
// of t share holders, and answers as a holder when this node has a share.
//
//	s := evaluation.New(evaluation.Config{...})
//	defer s.Close()
//	pseudonyms, err := s.Pseudonyms(ctx, identities) // as a hospital
//	answer, err := s.Evaluate(from, request)         // as a holder
//
// A hospital stretches each identity (Argon2id), blinds it, and asks the
// holders in parallel. No holder sees an identity or a pseudonym, and fewer
// than t holders together cannot compute one. Each answer carries a proof; a
// holder whose proof fails is left out and another asked. Evidence of what it
// signed goes to the log, where every node checks it; [Service.Alarms] tells
// what could not be shown to others.
//
// A holder counts a request ([Count], package quota) and has that on disk before
// it computes anything. A hospital notes what it asks (quota.Asked) before it
// asks.
//
// # Trust
//
// Holders are not trusted to answer correctly, only fewer than t of them not
// to collude. Askers are members, known by the signature on the request: the
// node that carries it must be theirs.
package evaluation
