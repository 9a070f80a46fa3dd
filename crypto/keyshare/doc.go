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
// A network starts like this; the record is part of its genesis, and only
// the genesis tells the network id to which the key id is bound:
//
//	record, shares, err := keyshare.Deal(5, keyshare.Threshold(5), rand.Reader)
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
//     placeholder. Only [Scalar.Reveal] and [MarshalShare] give it away.
//
// # Trust
//
// Whoever calls [Deal] knows every share for as long as it runs. A record
// says so (origin [Dealt]), and only a network marked demo accepts one; the
// holders of any other network make their key together ([DKG]), so that no
// single one ever knows it. Record, share and check are the same for both.
//
// The package does no I/O. Its values are plain data: reading them from
// several goroutines is safe, changing them is the caller's to arrange.
package keyshare
