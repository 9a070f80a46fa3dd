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
//  5. What a withdrawal names is in none of a node's files, and in nothing that
//     it sends, once [Node.Erased] says that it is carried out. The tree stays.
//
// # How it works
//
// The Raft log is the write-ahead log of the ledger: applies are not fsynced
// one by one, a snapshot fsyncs the ledger first. The snapshot is the state,
// a few megabytes, whatever the size of the log. The leader proposes tree
// sizes, voters cosign what they have applied themselves, and a majority makes
// a checkpoint; mirrors apply up to a checkpoint and compare.
//
// Who votes is in the roster, which acts change. The leader brings the Raft
// configuration to it, one server at a time and only after the act is committed;
// a checkpoint needs a majority of those who are voters at its size. A node whose
// part changes, from mirror to voter or back, is opened again: Config.Part says
// so. A voter that missed the act that made a mirror of it reads it in the others'
// copies. [Node.Demote] takes a voter out of the majority that commits for one
// leader's time, and [Node.Promote] takes it in again.
//
// # Trust
//
// Voters are trusted to stay available, not to be honest about content: each
// node verifies every signature itself. Raft is not Byzantine-fault tolerant:
// a malicious voter can halt the network and destroy commits that are not yet
// under a receipt. It cannot forge, and forks are proven by cosignatures. See
// docs/THREAT-MODEL.md.
package consensus
