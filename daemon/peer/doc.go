// Package peer is what nodes ask of each other: HTTP over a session's streams,
// with deterministic CBOR bodies.
//
//	POST /v1/submit              an envelope for the leader
//	POST /v1/cosign              a proposal to cosign
//	POST /v1/checkpoint          a new checkpoint
//	GET  /v1/checkpoint?after=N  the newest one, as soon as it is larger than N
//	GET  /v1/envelopes?from=N    accepted envelopes; of erased entries no body
//	GET  /v1/salts?from=N        their salts
//	GET  /v1/lengths?envelopes=N the lengths of the ledger's files after so many
//	GET  /v1/node                where the node stands, for people to look at
//	GET  /v1/heard               what it knows of all others
//	POST /v1/evaluate            blinded elements for a share holder
//
// [Client] asks (and is the consensus package's Peers), [Handler] answers. Who
// asks is known from the session: TLS has authenticated the node's key against
// the roster.
//
// # Trust
//
// None in either direction. Every body has a limit that is enforced before it
// is read, and whatever comes back is verified by whoever asked: envelopes and
// cosignatures by package consensus, evaluations by their proof.
package peer
