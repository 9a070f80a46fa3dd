package keyshare

import (
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cloudflare/circl/group"

	"github.com/raresync/raresync/crypto/cbor"
)

const (
	commitLabel = "raresync/v1/deal-commit\x00"
	dealFields  = 6
)

// ErrDeal reports a deal that does not hold: the dealer is faulty or lies. Its
// code is KS003.
var ErrDeal = errors.New("KS003: deal does not hold")

// Deal is a dealer's contribution to a run, all of it public.
type Deal struct {
	// Dealer is the dealer's number: among the new holders in a DKG, among
	// the old ones in a reshare.
	Dealer uint16
	// Nonce opens the commit hash.
	Nonce [32]byte
	// Commitments are the polynomial's t coefficients times the generator,
	// constant term first.
	Commitments [][32]byte
	// Proof shows that the dealer knows the constant term.
	Proof [64]byte
	// Sealed are the shares, one for each new holder in order,
	// SealedShareBytes each.
	Sealed [][]byte
}

// AppendCBOR appends the deal as the array [suite, dealer, nonce,
// [commitment...], proof, [sealed share...]].
func (d Deal) AppendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, dealFields)
	b = cbor.AppendUint(b, uint64(Suite))
	b = cbor.AppendUint(b, uint64(d.Dealer))
	b = cbor.AppendBytes(b, d.Nonce[:])
	b = cbor.AppendArray(b, len(d.Commitments))
	for i := range d.Commitments {
		b = cbor.AppendBytes(b, d.Commitments[i][:])
	}
	b = cbor.AppendBytes(b, d.Proof[:])
	b = cbor.AppendArray(b, len(d.Sealed))
	for _, s := range d.Sealed {
		b = cbor.AppendBytes(b, s)
	}
	return b
}

// DecodeDeal reads a deal that AppendCBOR wrote: up to MaxHolders commitments
// and sealed shares of the exact size. Anything else is refused with
// cbor.ErrEncoding. Whether the deal holds, CheckDKG or CheckReshare tells.
func DecodeDeal(b []byte) (Deal, error) {
	dec := cbor.NewDecoder(b)
	d := ReadDeal(dec)
	if err := dec.Done(); err != nil {
		return Deal{}, fmt.Errorf("decode deal: %w", err)
	}
	return d, nil
}

// ReadDeal is DecodeDeal for a deal inside a longer encoding: it reads one
// from dec. The sealed shares are copies.
func ReadDeal(dec *cbor.Decoder) Deal {
	dec.Array(dealFields)
	readSuite(dec)
	d := Deal{Dealer: dec.Uint16()}
	dec.BytesInto(d.Nonce[:])
	d.Commitments = make([][32]byte, dec.ArrayMax(MaxHolders))
	for i := range d.Commitments {
		dec.BytesInto(d.Commitments[i][:])
	}
	dec.BytesInto(d.Proof[:])
	d.Sealed = make([][]byte, dec.ArrayMax(MaxHolders))
	for i := range d.Sealed {
		d.Sealed[i] = append([]byte(nil), dec.BytesFixed(SealedShareBytes)...)
	}
	if dec.Err() != nil {
		return Deal{}
	}
	return d
}

// CheckDKG returns nil if the deal may go into a key that is made: the dealer
// is one of the run's and committed to this polynomial before, there are t
// commitments under which no holder's share is zero, n sealed shares, and the
// dealer knows the constant term. Otherwise ErrDeal with the reason, or ErrRun
// for a run that makes no key. Whether the sealed shares are right, only their
// holders see: see Open.
func (d Deal) CheckDKG(run Run, commit [32]byte) error {
	if err := run.checkDKG(); err != nil {
		return fmt.Errorf("check deal: %w", err)
	}
	points, err := d.points(run)
	if err != nil {
		return err
	}
	if commitHash(run, d.Dealer, d.Nonce, d.Commitments) != commit {
		return d.fault("it is not what the dealer committed to")
	}
	return d.checkPossession(run, points[0])
}

// CheckReshare returns nil if the deal may go into a reshare of old: as
// CheckDKG without a commit hash, which is not needed where the key is fixed,
// and with the constant term being the dealer's share under old. Otherwise
// ErrDeal, or ErrRun if the run does not reshare old.
func (d Deal) CheckReshare(run Run, old Record) error {
	if err := run.checkReshare(old); err != nil {
		return fmt.Errorf("check deal: %w", err)
	}
	points, err := d.points(run)
	if err != nil {
		return err
	}
	want, err := old.HolderKey(d.Dealer)
	if err != nil {
		return fmt.Errorf("check deal: %w", err)
	}
	if d.Commitments[0] != want {
		return d.fault("its constant term is not the dealer's share")
	}
	return d.checkPossession(run, points[0])
}

// points checks the deal's shape and decodes its commitments.
func (d Deal) points(run Run) ([]group.Element, error) {
	if err := d.checkShape(run); err != nil {
		return nil, err
	}
	// A dealer's polynomial obeys what a record's does.
	r := Record{Commitments: d.Commitments}
	points, err := r.points()
	if err == nil {
		err = checkHolders(points, int(run.Holders))
	}
	if err != nil {
		return nil, d.fault(err.Error())
	}
	return points, nil
}

// checkShape refuses what has the wrong number or size of anything.
func (d Deal) checkShape(run Run) error {
	switch {
	case d.Dealer == 0 || d.Dealer > run.Dealers:
		return d.fault(fmt.Sprintf("the run has %d dealers", run.Dealers))
	case len(d.Commitments) != int(run.Threshold):
		return d.fault(fmt.Sprintf("%d commitments, want %d", len(d.Commitments), run.Threshold))
	case len(d.Sealed) != int(run.Holders):
		return d.fault(fmt.Sprintf("%d sealed shares, want %d", len(d.Sealed), run.Holders))
	}
	for i, s := range d.Sealed {
		if len(s) != SealedShareBytes {
			return d.fault(fmt.Sprintf("sealed share %d has %d bytes, want %d", i+1, len(s), SealedShareBytes))
		}
	}
	return nil
}

func (d Deal) checkPossession(run Run, point group.Element) error {
	commit := commitHash(run, d.Dealer, d.Nonce, d.Commitments)
	if !verifyPossession(point, d.Commitments[0], commit, d.Proof) {
		return d.fault("its proof does not show that the dealer knows the constant term")
	}
	return nil
}

func (d Deal) fault(reason string) error {
	return fmt.Errorf("%w: dealer %d: %s", ErrDeal, d.Dealer, reason)
}

// Open opens the share sealed to a holder and checks it against the
// commitments. It returns ErrDeal if it does not open or is not the
// polynomial's value, which is the dealer's fault if the key is the one whose
// public keys the holder published; compare these first. ErrRun: the run has
// no such holder. The deal has passed CheckDKG or CheckReshare.
func (d Deal) Open(run Run, holder uint16, key *CeremonyKey) (Piece, error) {
	return d.open(run, holder, key.Reveal(run, d.Dealer))
}

// open is Open with the seed of the dealer's pair.
func (d Deal) open(run Run, holder uint16, seed [32]byte) (Piece, error) {
	if err := run.Validate(); err != nil {
		return Piece{}, fmt.Errorf("open deal: %w", err)
	}
	if holder == 0 || holder > run.Holders {
		return Piece{}, fmt.Errorf("open deal: %w: no holder %d of %d", ErrRun, holder, run.Holders)
	}
	points, err := d.points(run)
	if err != nil {
		return Piece{}, err
	}
	pair, err := pairOf(seed)
	if err != nil {
		return Piece{}, fmt.Errorf("open deal: %w", err)
	}
	raw, err := hpke.Open(pair, hpke.HKDFSHA256(), hpke.AES256GCM(), sealInfo(run, d.Dealer, holder), d.Sealed[holder-1])
	if err != nil || len(raw) != 32 {
		return Piece{}, d.fault(fmt.Sprintf("the share sealed to holder %d does not open", holder))
	}
	scalar, err := NewScalar([32]byte(raw))
	if err != nil {
		return Piece{}, d.fault(fmt.Sprintf("the share sealed to holder %d is no scalar to use", holder))
	}
	if !group.Ristretto255.NewElement().MulGen(scalar.scalar()).IsEqual(holderPoint(points, holder)) {
		return Piece{}, d.fault(fmt.Sprintf("the share sealed to holder %d is not what the commitments say", holder))
	}
	return Piece{run: run, dealer: d.Dealer, holder: holder, scalar: scalar}, nil
}

func commitHash(run Run, dealer uint16, nonce [32]byte, commitments [][32]byte) [32]byte {
	b := run.appendTo([]byte(commitLabel))
	b = binary.BigEndian.AppendUint16(b, dealer)
	b = append(b, nonce[:]...)
	for i := range commitments {
		b = append(b, commitments[i][:]...)
	}
	return sha256.Sum256(b)
}
