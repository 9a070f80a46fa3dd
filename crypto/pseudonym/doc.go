// Package pseudonym turns a patient's identity number into a national
// pseudonym without anybody learning the number: a threshold oblivious
// pseudorandom function (OPRF) on ristretto255, whose output is that of
// RFC 9497 in base mode.
//
// A hospital stretches and blinds its numbers; t holders of key shares
// (package keyshare) each evaluate the blinded elements and prove it; the
// hospital checks the proofs, joins t answers and removes the blinding.
// Holders see random elements, the hospital never sees the key.
//
// A hospital:
//
//	inputs[i] = params.Input(params.Stretch(x))    // x: the normalised number
//	blinding, elements, err := pseudonym.Blind(inputs)
//	request := pseudonym.Request{..., Holder: 2, N: uint16(len(elements)),
//		ElementsHash: pseudonym.HashElements(elements)}
//	...                                            // sign, send to each of t holders
//	part, err := pseudonym.VerifyEvaluation(record, request, elements, evaluated, proof)
//	...                                            // from t holders
//	pseudonyms, err := blinding.Finalize(record, parts)
//
// A holder, after it has checked the request's signature, network and quota:
//
//	evaluated, proof, err := pseudonym.Evaluate(share, request, elements)
//	response := pseudonym.NewResponse(request, evaluated, proof)
//
// A person without an identity number gets a [Local] pseudonym, which links
// nowhere. What is printed is the [CaseNumber], which links only within its
// hospital.
//
// # Promises
//
//  1. The same input gives the same pseudonym from any t holders, in any
//     epoch of the key.
//  2. A holder that answers with anything but its share's evaluation is found
//     out: [Blinding.Finalize] takes only what [VerifyEvaluation] accepted.
//     A proof holds for one holder, epoch, hospital, request and batch as a
//     whole; see [VerifyEvaluation] on why the batch matters.
//  3. The identity element, non-canonical encodings and batches above
//     [MaxBatch] are refused on both sides.
//  4. A pseudonym or a blinding does not print itself; [Pseudonym.Hex] gives
//     a pseudonym away on purpose.
//
// # Trust
//
// Fewer than t holders learn nothing of the key. t of them can try all
// identity numbers; the stretching makes each try cost as much memory and
// time as the parameters say. A hospital that knows a number learns its
// pseudonym: holders keep quotas, and pseudonyms travel sealed. The OPRF is
// not post-quantum.
//
// The package does no I/O and reads no clock. Blinds and proof nonces come
// from crypto/rand. Values may be used by several goroutines at once.
package pseudonym
