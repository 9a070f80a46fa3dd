package keyshare

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrRun reports a key ceremony that cannot be held, or something that is not
// of this ceremony. Its code is KS004.
var ErrRun = errors.New("KS004: not a key ceremony to hold")

// Run names one key ceremony. Everything made in it is bound to it, down to
// each sealed share, so nothing of one ceremony passes in another.
//
// Epoch 1 makes a key (a DKG): every new holder is a dealer. A later epoch
// reshares the key: the dealers are old holders.
type Run struct {
	// Network is the network id.
	Network [32]byte
	// Number is the envelope number of the act that opened the ceremony.
	Number uint64
	// Origin, Epoch, Threshold and Holders are those of the record it makes.
	// Resharing keeps the origin: whoever knew a dealt key knows it still.
	Origin    Origin
	Epoch     uint32
	Threshold uint16
	Holders   uint16
	// Dealers is the number of holders who may deal, numbered from 1: in a
	// DKG as many as Holders, in a reshare the old record's Holders.
	Dealers uint16
}

// Reshare tells whether the run keeps a key that is there.
func (r Run) Reshare() bool { return r.Epoch > 1 }

// Validate returns ErrRun with the reason if the run makes no valid record:
// an unknown origin, epoch 0, a threshold that is no majority or more than the
// holders, none or too many holders or dealers; or if it makes a key otherwise
// than by DKG with every holder a dealer.
func (r Run) Validate() error {
	n, t := int(r.Holders), int(r.Threshold)
	switch {
	case r.Origin != Dealt && r.Origin != DKG:
		return fmt.Errorf("%w: %v", ErrRun, r.Origin)
	case r.Epoch == 0:
		return fmt.Errorf("%w: epoch 0", ErrRun)
	case n == 0 || n > MaxHolders:
		return fmt.Errorf("%w: %d holders, want 1 to %d", ErrRun, n, MaxHolders)
	case t < Threshold(n) || t > n:
		return fmt.Errorf("%w: threshold %d of %d holders, want at least %d", ErrRun, t, n, Threshold(n))
	case r.Dealers == 0 || r.Dealers > MaxHolders:
		return fmt.Errorf("%w: %d dealers, want 1 to %d", ErrRun, r.Dealers, MaxHolders)
	case !r.Reshare() && r.Origin != DKG:
		return fmt.Errorf("%w: a new key of origin %v, want %v", ErrRun, r.Origin, DKG)
	case !r.Reshare() && r.Dealers != r.Holders:
		return fmt.Errorf("%w: %d dealers for a new key of %d holders", ErrRun, r.Dealers, r.Holders)
	}
	return nil
}

// appendTo appends the run's fixed 51 bytes, integers big endian: network 32,
// number u64, origin u8, epoch u32, threshold u16, holders u16, dealers u16.
func (r Run) appendTo(b []byte) []byte {
	b = append(b, r.Network[:]...)
	b = binary.BigEndian.AppendUint64(b, r.Number)
	b = append(b, byte(r.Origin))
	b = binary.BigEndian.AppendUint32(b, r.Epoch)
	b = binary.BigEndian.AppendUint16(b, r.Threshold)
	b = binary.BigEndian.AppendUint16(b, r.Holders)
	return binary.BigEndian.AppendUint16(b, r.Dealers)
}

// checkDKG returns ErrRun unless the run is valid and makes a new key.
func (r Run) checkDKG() error {
	if err := r.Validate(); err != nil {
		return err
	}
	if r.Reshare() {
		return fmt.Errorf("%w: epoch %d reshares a key, want a run that makes one", ErrRun, r.Epoch)
	}
	return nil
}

// checkReshare returns ErrRun unless the run is valid and reshares old.
func (r Run) checkReshare(old Record) error {
	if err := r.Validate(); err != nil {
		return err
	}
	switch {
	case !r.Reshare():
		return fmt.Errorf("%w: epoch %d makes a key, want a run that reshares one", ErrRun, r.Epoch)
	case uint64(r.Epoch) != uint64(old.Epoch)+1:
		return fmt.Errorf("%w: epoch %d does not follow the old record's %d", ErrRun, r.Epoch, old.Epoch)
	case r.Origin != old.Origin:
		return fmt.Errorf("%w: origin %v, the old record has %v", ErrRun, r.Origin, old.Origin)
	case r.Dealers != old.Holders:
		return fmt.Errorf("%w: %d dealers, the old record has %d holders", ErrRun, r.Dealers, old.Holders)
	case old.KeyID != KeyID(r.Network, old.PublicKey()):
		return fmt.Errorf("%w: the old record is not bound to this network", ErrRun)
	}
	return nil
}
