// Package consensus replicates signed envelopes to every node of the network.
//
// [Open] starts a node: a voter, which runs Raft, or a mirror, which pulls.
// [Node.Submit] accepts an envelope on either, passes it to the leader and
// answers with its place in the log, or with the refusal that every node gives
// it. [Node.Receipt] proves an entry's place once a majority of the voters has
// cosigned a checkpoint that covers it.
//
//	n, err := consensus.Open(consensus.Config{...})
//	out, err := n.Submit(ctx, env.Marshal())
//	cp, err := n.WaitCheckpoint(ctx, out.First+uint64(out.Count))
//	proof, err := n.Receipt(out.First)
//
// # Promises
//
//  1. An envelope with a receipt survives the loss of any minority of voters.
//  2. Nodes at the same tree size have the same root; a node that finds it has
//     another than a majority stops and is quarantined.
//  3. A hospital's envelopes are applied in the order of its sequence numbers,
//     each exactly once, whoever sends them how often.
//  4. A voter that cosigned a size has every byte below it in its fsynced
//     ledger or its own Raft log, and never cosigns another root for it.
//
// # How it works
//
// The Raft log is the write-ahead log of the ledger: applies are not fsynced
// one by one, a snapshot fsyncs the ledger first. The snapshot is the state,
// a few megabytes, whatever the size of the log. The leader proposes tree
// sizes, voters cosign what they have applied themselves, and a majority makes
// a checkpoint; mirrors apply up to a checkpoint and compare.
//
// [Node.Demote] takes a voter out of the majority that commits, and
// [Node.Promote] takes it in again once it has all of the log. The roster, and
// with it what makes a checkpoint valid, stays as the acts have made it.
//
// # Trust
//
// Voters are trusted to stay available, not to be honest about content: each
// node verifies every signature itself. Raft is not Byzantine-fault tolerant:
// a malicious voter can halt the network and destroy commits that are not yet
// under a receipt. It cannot forge, and forks are proven by cosignatures. See
// docs/THREAT-MODEL.md.
package consensus
