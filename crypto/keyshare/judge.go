package keyshare

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

const transcriptLabel = "raresync/v1/ceremony\x00"

// Judge decides a complaint from public bytes. The complaining holder
// publishes the seed of the pair that the deal's dealer sealed to (Reveal of
// its CeremonyKey); public is that pair's public key on the log, and the deal
// has passed CheckDKG or CheckReshare.
//
// True: the dealer lied. False and no error: the share is good, the holder
// lied. ErrCeremonyKey: the seed is not that of public, so the complaint shows
// nothing; ErrRun: the run has no such holder. The answer is the same on all
// nodes.
//
// A complaint ends the run either way. What it gives away is what one dealer
// sealed to one holder: a liar's value if the dealer lied, a value the liar
// knew if the holder did.
func Judge(run Run, deal Deal, holder uint16, public [CeremonyPublicBytes]byte, seed [32]byte) (lied bool, err error) {
	pair, err := pairOf(seed)
	if err != nil {
		return false, fmt.Errorf("judge complaint: %w: %w", ErrCeremonyKey, err)
	}
	if [CeremonyPublicBytes]byte(pair.PublicKey().Bytes()) != public {
		return false, fmt.Errorf("judge complaint of holder %d: %w: the seed is of another key", holder, ErrCeremonyKey)
	}
	_, err = deal.open(run, holder, seed)
	if errors.Is(err, ErrDeal) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("judge complaint: %w", err)
	}
	return false, nil
}

// Transcript returns the hash of everything a holder confirms: SHA-256 of the
// label "raresync/v1/ceremony\0", the run, each new holder's keys (one for
// each dealer), the commit hashes in order (none in a reshare) and the deals
// in order of dealer. Each list is led by its length.
func Transcript(run Run, keys [][][CeremonyPublicBytes]byte, commits [][32]byte, deals []Deal) [32]byte {
	h := sha256.New()
	h.Write(run.appendTo([]byte(transcriptLabel)))
	count := func(n int) { h.Write(binary.BigEndian.AppendUint32(nil, uint32(n))) }
	count(len(keys))
	for _, ofHolder := range keys {
		count(len(ofHolder))
		for i := range ofHolder {
			h.Write(ofHolder[i][:])
		}
	}
	count(len(commits))
	for i := range commits {
		h.Write(commits[i][:])
	}
	count(len(deals))
	for _, d := range slices.SortedStableFunc(slices.Values(deals), func(a, b Deal) int { return cmp.Compare(a.Dealer, b.Dealer) }) {
		b := d.AppendCBOR(nil)
		count(len(b))
		h.Write(b)
	}
	return [32]byte(h.Sum(nil))
}
