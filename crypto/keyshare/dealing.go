package keyshare

import (
	"crypto/hpke"
	"fmt"
	"io"
	"log/slog"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/math/polynomial"

	"github.com/raresync/raresync/crypto/cbor"
)

const (
	redactedDealing = "dealing(redacted)"
	dealingFields   = 11
)

// Dealing is a dealer's secret polynomial in one run. It is kept from the
// commitment until the run ends, in storage that is wiped then: after a
// restart a dealer goes on with the same one. It prints a placeholder.
type Dealing struct {
	run          Run
	dealer       uint16
	nonce        [32]byte
	coefficients []Scalar // constant term first, t of them
}

// NewDealing draws a dealer's polynomial for a key to be made. The dealer is a
// new holder, by number. It reads 64 bytes of random per coefficient and 32
// for the nonce; a real ceremony needs crypto/rand's Reader. It returns
// random's error, or ErrRun for a run that makes no key or has no such dealer.
func NewDealing(run Run, dealer uint16, random io.Reader) (*Dealing, error) {
	if err := run.checkDKG(); err != nil {
		return nil, fmt.Errorf("new dealing: %w", err)
	}
	return newDealing(run, dealer, nil, random)
}

// NewReshare draws an old holder's polynomial for a reshare: its constant term
// is the share. Random is used as by NewDealing, for one coefficient less. It
// returns random's error, or ErrRun if the run does not reshare the epoch of
// the share or has no such dealer.
func NewReshare(run Run, share Share, random io.Reader) (*Dealing, error) {
	if err := run.Validate(); err != nil {
		return nil, fmt.Errorf("new reshare: %w", err)
	}
	if uint64(run.Epoch) != uint64(share.Epoch)+1 {
		return nil, fmt.Errorf("new reshare: %w: epoch %d does not follow the share's %d", ErrRun, run.Epoch, share.Epoch)
	}
	constant, err := NewScalar(share.Scalar.Reveal())
	if err != nil {
		return nil, fmt.Errorf("new reshare: %w: %w", ErrShare, err)
	}
	return newDealing(run, share.Holder, []Scalar{constant}, random)
}

// newDealing draws the coefficients that are not given, and all of them again
// in the unlikely case that one is zero or the polynomial is zero at a holder.
func newDealing(run Run, dealer uint16, given []Scalar, random io.Reader) (*Dealing, error) {
	if dealer == 0 || dealer > run.Dealers {
		return nil, fmt.Errorf("new dealing: %w: no dealer %d of %d", ErrRun, dealer, run.Dealers)
	}
	d := &Dealing{run: run, dealer: dealer}
	if _, err := io.ReadFull(random, d.nonce[:]); err != nil {
		return nil, fmt.Errorf("new dealing: %w", err)
	}
	for {
		d.coefficients = append([]Scalar(nil), given...)
		for len(d.coefficients) < int(run.Threshold) {
			c, err := randomScalar(random)
			if err != nil {
				return nil, fmt.Errorf("new dealing: %w", err)
			}
			s, err := scalarOf(c)
			if err != nil {
				continue
			}
			d.coefficients = append(d.coefficients, s)
		}
		if d.zeroAtNoHolder() {
			return d, nil
		}
	}
}

// zeroAtNoHolder tells whether every holder gets a share that can be used.
func (d *Dealing) zeroAtNoHolder() bool {
	for i := uint16(1); i <= d.run.Holders; i++ {
		if d.at(i).IsZero() {
			return false
		}
	}
	return true
}

// at evaluates the polynomial at a holder's number.
func (d *Dealing) at(holder uint16) group.Scalar {
	c := make([]group.Scalar, len(d.coefficients))
	for i, s := range d.coefficients {
		c[i] = s.scalar()
	}
	return polynomial.New(c).Evaluate(group.Ristretto255.NewScalar().SetUint64(uint64(holder)))
}

// commitments returns the coefficients times the generator.
func (d *Dealing) commitments() [][32]byte {
	out := make([][32]byte, len(d.coefficients))
	for i, s := range d.coefficients {
		out[i] = mustEncode(group.Ristretto255.NewElement().MulGen(s.scalar()))
	}
	return out
}

// Commit returns the hash by which the dealer fixes its polynomial before it
// sees another's: SHA-256 of the label "raresync/v1/deal-commit\0", run,
// dealer, nonce and commitments.
func (d *Dealing) Commit() [32]byte {
	return commitHash(d.run, d.dealer, d.nonce, d.commitments())
}

// Deal returns what goes on the log: the commitments, a proof that the dealer
// knows the constant term, and for each new holder its share, sealed. Keys are
// what the holders published for this dealer (element dealer-1 of each one's
// CeremonyKey.Public), in the order of the holders. It returns
// ErrCeremonyKey for a key to which nothing can be sealed, or for too many or
// few. Called again it gives the same polynomial, sealed anew.
func (d *Dealing) Deal(keys [][CeremonyPublicBytes]byte) (Deal, error) {
	if len(keys) != int(d.run.Holders) {
		return Deal{}, fmt.Errorf("deal: %w: %d keys, want %d, one of each holder", ErrCeremonyKey, len(keys), d.run.Holders)
	}
	deal := Deal{Dealer: d.dealer, Nonce: d.nonce, Commitments: d.commitments(), Sealed: make([][]byte, len(keys))}
	for i := range keys {
		holder := uint16(i + 1)
		sealed, err := d.seal(holder, keys[i])
		if err != nil {
			return Deal{}, fmt.Errorf("deal to holder %d: %w", holder, err)
		}
		deal.Sealed[i] = sealed
	}
	commit := commitHash(d.run, d.dealer, d.nonce, deal.Commitments)
	deal.Proof = provePossession(d.coefficients[0].scalar(), deal.Commitments[0], commit)
	return deal, nil
}

func (d *Dealing) seal(holder uint16, public [CeremonyPublicBytes]byte) ([]byte, error) {
	key, err := parsePublic(public)
	if err != nil {
		return nil, err
	}
	plain, err := d.at(holder).MarshalBinary()
	if err != nil {
		return nil, err
	}
	return hpke.Seal(key, hpke.HKDFSHA256(), hpke.AES256GCM(), sealInfo(d.run, d.dealer, holder), plain)
}

// Marshal returns the dealing as the array [suite, network, number, origin,
// epoch, t, n, dealers, dealer, nonce, [coefficient...]]. The result is
// secret: it is for storage that is wiped when the run ends.
func (d *Dealing) Marshal() []byte {
	r := d.run
	b := cbor.AppendArray(nil, dealingFields)
	b = cbor.AppendUint(b, uint64(Suite))
	b = cbor.AppendBytes(b, r.Network[:])
	b = cbor.AppendUint(b, r.Number)
	for _, v := range []uint64{uint64(r.Origin), uint64(r.Epoch), uint64(r.Threshold),
		uint64(r.Holders), uint64(r.Dealers), uint64(d.dealer)} {
		b = cbor.AppendUint(b, v)
	}
	b = cbor.AppendBytes(b, d.nonce[:])
	b = cbor.AppendArray(b, len(d.coefficients))
	for _, s := range d.coefficients {
		raw := s.Reveal()
		b = cbor.AppendBytes(b, raw[:])
	}
	return b
}

// ParseDealing reads what Marshal wrote. Anything else is refused with
// cbor.ErrEncoding.
func ParseDealing(b []byte) (*Dealing, error) {
	dec := cbor.NewDecoder(b)
	dec.Array(dealingFields)
	readSuite(dec)
	d := &Dealing{}
	dec.BytesInto(d.run.Network[:])
	d.run.Number = dec.Uint()
	d.run.Origin, d.run.Epoch = Origin(dec.Uint8()), dec.Uint32()
	d.run.Threshold, d.run.Holders, d.run.Dealers = dec.Uint16(), dec.Uint16(), dec.Uint16()
	d.dealer = dec.Uint16()
	dec.BytesInto(d.nonce[:])
	raw := make([][32]byte, dec.ArrayMax(MaxHolders))
	for i := range raw {
		dec.BytesInto(raw[i][:])
	}
	if dec.Err() == nil {
		d.fill(dec, raw)
	}
	if err := dec.Done(); err != nil {
		return nil, fmt.Errorf("parse dealing: %w", err)
	}
	return d, nil
}

// fill takes in decoded coefficients, or makes dec fail if the dealing is not
// one that newDealing makes.
func (d *Dealing) fill(dec *cbor.Decoder, raw [][32]byte) {
	if err := d.run.Validate(); err != nil {
		dec.Fail("%v", err)
		return
	}
	if d.dealer == 0 || d.dealer > d.run.Dealers || len(raw) != int(d.run.Threshold) {
		dec.Fail("dealer or number of coefficients do not fit the run")
		return
	}
	for i := range raw {
		s, err := NewScalar(raw[i])
		if err != nil {
			dec.Fail("coefficient %d: %v", i, err)
			return
		}
		d.coefficients = append(d.coefficients, s)
	}
	if !d.zeroAtNoHolder() {
		dec.Fail("the polynomial is zero at a holder")
	}
}

// String returns a placeholder.
func (d *Dealing) String() string { return redactedDealing }

// Format writes the placeholder whatever the verb.
func (d *Dealing) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redactedDealing) }

// LogValue returns the placeholder.
func (d *Dealing) LogValue() slog.Value { return slog.StringValue(redactedDealing) }

// MarshalText returns the placeholder; JSON and other encodings use it.
func (d *Dealing) MarshalText() ([]byte, error) { return []byte(redactedDealing), nil }
