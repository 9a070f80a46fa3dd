// Package keyshare holds the network's pseudonymisation key: as shares that
// holders keep secret, and as a public record by which everyone checks them.
//
// The key k turns an identity number into a national pseudonym (package
// pseudonym). Nobody holds k. It is the constant term of a polynomial f of
// degree t-1 over the scalars of ristretto255 (RFC 9496), and holder i of n
// keeps f(i): any t holders together can evaluate, any t-1 learn nothing
// (Shamir's scheme). The [Record] carries a commitment to each coefficient
// (Feldman's scheme), so k's public key and every holder's own public key
// follow from it and no holder can quietly use another share.
//
// Holders make a key together (joint-Feldman DKG) and pass it on to new ones
// (resharing) in a ceremony, whose parts travel on the log. A new holder of a
// [Run]; in a DKG it is also a dealer:
//
//	key, err := keyshare.NewCeremonyKey()
//	public, err := key.Public(run)                 // publish: one key for each dealer
//	dealing, err := keyshare.NewDealing(run, me, rand.Reader)
//	commit := dealing.Commit()                     // publish with it
//	...                                            // when all have: keys[i] = public_i[me-1]
//	deal, err := dealing.Deal(keys)                // publish
//	...                                            // for each dealer's deal
//	err = deal.CheckDKG(run, commits[i])           // everyone does, at once
//	piece, err := deal.Open(run, me, key)          // ErrDeal: publish key.Reveal(run, deal.Dealer)
//	...                                            // when all is there
//	record, err := keyshare.RecordOfDKG(run, deals)
//	share, err := keyshare.Join(run, record, pieces)
//	confirmed := keyshare.Transcript(run, publics, commits, deals) // sign and publish
//
// In a reshare t old holders deal with [NewReshare], nobody commits, and
// [Deal.CheckReshare] and [RecordOfReshare] take the old record. Any complaint
// ends the run; [Judge] says who lied, and the next run draws everything anew.
//
// A demo network starts with a key that one party deals. The record is part of
// its genesis, and only the genesis tells the network id to which the key id
// is bound:
//
//	record, shares, err := keyshare.DealAll(5, keyshare.Threshold(5), rand.Reader)
//	...                     // genesis takes record.AppendCBOR(nil) and gives network
//	record = record.Bind(network)
//	for i := range shares {
//		shares[i].KeyID = record.KeyID
//	}
//
// A holder, whenever it loads its share:
//
//	share, err := keyshare.ParseShare(opened)
//	err = keyshare.CheckShare(record, share)
//
// # Promises
//
//  1. A record that decodes has a majority threshold and n holders, each with
//     a public key; nobody's key is the identity.
//  2. A share that [CheckShare] accepts is the one the record commits to.
//  3. A share's scalar is printed by nothing: fmt, log/slog and JSON show a
//     placeholder. Only [Scalar.Reveal] and [MarshalShare] give it away. The
//     same holds for ceremony keys, dealings and pieces.
//  4. Fewer than t holders learn nothing of the key in a ceremony, whatever
//     they deal and whoever complains, and cannot choose the key: every dealer
//     commits before it sees another's polynomial.
//  5. Nothing of one run passes in another. A reshare leaves key and key id as
//     they are.
//  6. What every holder opened, joined and confirmed is the record's share; who
//     deals falsely, or complains falsely with evidence, is convicted.
//
// # Trust
//
// A ceremony is as secret as its sealed shares, which stay on the log and in
// all its copies: ceremony keys and dealings are to be wiped when the run ends.
// A holder that deals nothing, or complains without evidence, stops a run; the
// log shows who. Once the deals are out it can so reject a key that it does not
// like the look of, though not choose one. t old holders who kept their old shares keep the key.
//
// Whoever calls [DealAll] knows every share for as long as it runs. A record
// says so (origin [Dealt]), and only a network marked demo accepts one; the
// holders of any other network make their key together ([DKG]), so that no
// single one ever knows it. Record, share and check are the same for both.
//
// The package does no I/O. Its values are plain data: reading them from
// several goroutines is safe, changing them is the caller's to arrange.
package keyshare
