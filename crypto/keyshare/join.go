package keyshare

import (
	"errors"
	"fmt"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/math/polynomial"
)

// ErrPieces reports pieces that do not make a share: too few or many, two of
// one dealer, or of another run, holder or record. Its code is KS006.
var ErrPieces = errors.New("KS006: pieces do not join to a share")

// Piece is what one dealer gave one new holder, checked against the dealer's
// commitments. Only Open makes pieces. It does not print its secret.
type Piece struct {
	run            Run
	dealer, holder uint16
	scalar         Scalar
}

// Dealer returns the number of the dealer whose piece this is.
func (p Piece) Dealer() uint16 { return p.dealer }

// Join makes a new holder's share of the pieces of exactly those dealers whose
// deals made the record: all of them in a DKG, the old record's t in a
// reshare. It ends with CheckShare, so what it returns is the record's.
// It returns ErrPieces, ErrRun for a record that is not the run's, or ErrShare
// if pieces and record are of different dealers.
func Join(run Run, record Record, pieces []Piece) (Share, error) {
	if err := run.fits(record); err != nil {
		return Share{}, fmt.Errorf("join: %w", err)
	}
	dealers := make([]uint16, len(pieces))
	for i, p := range pieces {
		if p.run != run || p.holder != pieces[0].holder {
			return Share{}, fmt.Errorf("join: %w: piece %d is of another run or holder", ErrPieces, i)
		}
		dealers[i] = p.dealer
	}
	if err := checkDealers(run, dealers, ErrPieces); err != nil {
		return Share{}, fmt.Errorf("join: %w", err)
	}
	sum := group.Ristretto255.NewScalar()
	for i, w := range weights(run, dealers) {
		sum.Add(sum, group.Ristretto255.NewScalar().Mul(w, pieces[i].scalar.scalar()))
	}
	scalar, err := scalarOf(sum)
	if err != nil {
		return Share{}, fmt.Errorf("join: %w: %w", ErrPieces, err)
	}
	share := Share{KeyID: record.KeyID, Epoch: record.Epoch, Holder: pieces[0].holder, Scalar: scalar}
	if err := CheckShare(record, share); err != nil {
		return Share{}, fmt.Errorf("join: %w", err)
	}
	return share, nil
}

// fits returns ErrRun unless the record is one that the run can make.
func (r Run) fits(record Record) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if record.Origin != r.Origin || record.Epoch != r.Epoch || record.Threshold != r.Threshold ||
		record.Holders != r.Holders || record.KeyID != KeyID(r.Network, record.PublicKey()) {
		return fmt.Errorf("%w: the record is of another run", ErrRun)
	}
	return nil
}

// RecordOfDKG returns the record of the key that the deals make, bound to the
// network: all dealers' deals, in any order, each passed by CheckDKG. It
// returns ErrDeal with the reason if they make no valid record, or ErrRun.
func RecordOfDKG(run Run, deals []Deal) (Record, error) {
	if err := run.checkDKG(); err != nil {
		return Record{}, fmt.Errorf("record of the ceremony: %w", err)
	}
	return recordOf(run, deals)
}

// RecordOfReshare returns the record of the new sharing of old's key: the
// deals of exactly old.Threshold different old holders, in any order, each
// passed by CheckReshare. It returns ErrDeal with the reason if they make no
// valid record or another key, or ErrRun.
func RecordOfReshare(run Run, old Record, deals []Deal) (Record, error) {
	if err := run.checkReshare(old); err != nil {
		return Record{}, fmt.Errorf("record of the ceremony: %w", err)
	}
	if len(deals) != int(old.Threshold) {
		return Record{}, fmt.Errorf("record of the ceremony: %w: %d deals, want %d", ErrDeal, len(deals), old.Threshold)
	}
	r, err := recordOf(run, deals)
	if err != nil {
		return Record{}, err
	}
	if r.PublicKey() != old.PublicKey() {
		return Record{}, fmt.Errorf("record of the ceremony: %w: the deals make another key", ErrDeal)
	}
	return r, nil
}

// recordOf adds up the commitments, each deal's times its weight.
func recordOf(run Run, deals []Deal) (Record, error) {
	dealers := make([]uint16, len(deals))
	for i, d := range deals {
		if err := d.checkShape(run); err != nil {
			return Record{}, fmt.Errorf("record of the ceremony: %w", err)
		}
		dealers[i] = d.Dealer
	}
	if err := checkDealers(run, dealers, ErrDeal); err != nil {
		return Record{}, fmt.Errorf("record of the ceremony: %w", err)
	}
	sums := make([]group.Element, run.Threshold)
	for k := range sums {
		sums[k] = group.Ristretto255.Identity()
	}
	for i, w := range weights(run, dealers) {
		points, err := (Record{Commitments: deals[i].Commitments}).points()
		if err != nil {
			return Record{}, fmt.Errorf("record of the ceremony: %w", deals[i].fault(err.Error()))
		}
		for k, p := range points {
			sums[k].Add(sums[k], p.Mul(p, w))
		}
	}
	r := Record{Origin: run.Origin, Epoch: run.Epoch, Threshold: run.Threshold, Holders: run.Holders}
	for _, s := range sums {
		r.Commitments = append(r.Commitments, mustEncode(s))
	}
	if err := r.Validate(); err != nil {
		return Record{}, fmt.Errorf("record of the ceremony: %w: %w", ErrDeal, err)
	}
	return r.Bind(run.Network), nil
}

// checkDealers returns the given error if a dealer is not one of the run's or
// comes twice, or if in a DKG one is missing.
func checkDealers(run Run, dealers []uint16, refusal error) error {
	if len(dealers) == 0 || (!run.Reshare() && len(dealers) != int(run.Dealers)) {
		return fmt.Errorf("%w: of %d dealers, want all %d", refusal, len(dealers), run.Dealers)
	}
	seen := map[uint16]bool{}
	for _, d := range dealers {
		if d == 0 || d > run.Dealers {
			return fmt.Errorf("%w: no dealer %d of %d", refusal, d, run.Dealers)
		}
		if seen[d] {
			return fmt.Errorf("%w: dealer %d comes twice", refusal, d)
		}
		seen[d] = true
	}
	return nil
}

// weights returns by what each dealer's part is multiplied: 1 in a DKG; in a
// reshare the Lagrange coefficient of its number among the dealers', by which
// the old shares add up to the key. The dealers are distinct.
func weights(run Run, dealers []uint16) []group.Scalar {
	g := group.Ristretto255
	xs := make([]group.Scalar, len(dealers))
	for i, d := range dealers {
		xs[i] = g.NewScalar().SetUint64(uint64(d))
	}
	out := make([]group.Scalar, len(dealers))
	for i := range out {
		if run.Reshare() {
			out[i] = polynomial.LagrangeBase(uint(i), xs, g.NewScalar())
		} else {
			out[i] = g.NewScalar().SetUint64(1)
		}
	}
	return out
}
