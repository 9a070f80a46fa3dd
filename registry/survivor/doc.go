// Package survivor is the paper of a network that lost the majority of its voters
// for good: what the survivors say of their copies, what lead hospitals approve,
// and the file that begins a new log epoch on each of them.
//
//	s := survivor.Survey{...}                      // one of each survivor, signed
//	file, err := s.Sign(key)
//	d := survivor.Draft{Act: a, Surveys: files}    // by who has the longest copy
//	p, err := d.Act.Approve(network, number, key)  // q lead hospitals
//	r := survivor.Recovery{Envelope: e, ...}       // the act, with the approvals
//
// All files are armoured text. What they hold beside the act is signed by nobody
// but the surveys' own institutions, and vouched for by nobody: a survivor believes
// its own copy, the act, and what follows from both.
//
// # Trust
//
// Files come from outside: every list and every length is bounded. Whether a
// signature is a member's is for who has the roster: [Survey.Verify].
package survivor
