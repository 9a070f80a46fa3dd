// Package staticcopy writes a copy of the log as plain files, which any web
// server can serve, and reads such a copy from there or from a folder.
//
//	report, err := staticcopy.Write(ctx, "/srv/www/rare", staticcopy.Options{...})
//
//	source, err := staticcopy.Open("https://copies.example/rare", dial)
//	list, err := source.Envelopes(ctx, 0, 64)
//
// The files are those of C2SP tlog-tiles (checkpoint, tile/L/N, tile/entries/N),
// which stock clients read, and three more for the network's own nodes:
//
//	copy.json    what it is: format, network, whether it has bodies
//	envelope/N   log time, header and signatures of an envelope; an act is whole,
//	             of an entry there is its commitment and length
//	bodies/N     tags and ciphertexts of an envelope's entries, if it has bodies
//
// N is written as in tlog-tiles, x001/x234/567. No salt is ever written: without
// the salts, which every node destroys at an erasure, nobody opens a body, not even
// one of a copy that was made before.
//
// # Promises of Write
//
//  1. What is under its name is whole; the checkpoint comes last, and all below it
//     is fsynced before. A run that was killed anywhere is ended by the next.
//  2. What the node's state lists as withdrawn has no body in the copy after a run;
//     the files that had it were overwritten before they were replaced.
//  3. Every tile is derived again from the one below, down to the leaves.
//
// # Trust
//
// None in a copy that is read. Sizes and deadlines are bounded here; what the bytes
// say is verified by package consensus.
package staticcopy
