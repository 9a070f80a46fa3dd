package reader

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
)

// Watch tries each envelope of the log once, in order, and posts an unopenable
// act for what this reader should be able to open and cannot. It goes on where
// it stopped, or tries again what came shortly before: the poster takes an act
// once. It ends with the context. On a hospital's node it looks for the letters
// to the hospital instead.
func (r *Reader) Watch(ctx context.Context) error {
	self, ok := r.cfg.Node.View().Member(r.cfg.Institution)
	switch {
	case ok && self.Role == act.RoleHospital:
		return r.watchLetters(ctx)
	case !ok || !state.SealRights(self.Rights).Clinical:
		return nil
	}
	next, err := r.place()
	if err != nil {
		return err
	}
	for {
		view, err := r.cfg.Node.Wait(ctx, func(s *state.State) bool { return s.Envelopes > next })
		if err != nil {
			return nil
		}
		for ; next < view.Envelopes; next++ {
			err := r.cfg.Node.Machine().Repaired(ctx, func() error { return r.try(ctx, view, next) })
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return fmt.Errorf("watch envelope %d: %w", next, err)
			}
		}
		if err := r.savePlace(next); err != nil {
			return err
		}
	}
}

// try opens one envelope and posts what did not open: the whole envelope once,
// or each entry.
func (r *Reader) try(ctx context.Context, view *state.State, number uint64) error {
	opened, err := r.envelope(view, 0, number)
	if err != nil {
		return err
	}
	opened = slices.DeleteFunc(opened, func(o Opened) bool { // nobody's fault, or not the sender's
		return o.Problem == offlineCode || o.Granted
	})
	bad := 0
	for _, o := range opened {
		if o.Problem != "" {
			bad++
		}
	}
	switch {
	case bad == 0:
		return nil
	case bad == len(opened):
		return r.post(ctx, number, act.WholeEnvelope, opened[0])
	}
	meta, err := r.cfg.Node.Machine().Meta(number)
	if err != nil {
		return err
	}
	for _, o := range opened {
		if o.Problem == "" {
			continue
		}
		if err := r.post(ctx, number, uint32(o.Index-meta.First), o); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) post(ctx context.Context, number uint64, place uint32, o Opened) error {
	r.cfg.Logger.Warn("an envelope does not open as its header claims", "envelope", number, "hospital", o.Hospital, "code", o.Problem)
	_, err := r.cfg.Poster.AddAct(ctx, act.Act{Version: act.Version, Type: act.TypeUnopenable, Payload: act.Unopenable{
		Envelope: number, Place: place, Reader: r.cfg.Sealing()[0].Public().ID(), Code: o.Problem,
	}.Marshal()})
	return err
}

func (r *Reader) placePath() string { return filepath.Join(r.cfg.Dir, "watched") }

// place returns the number of the next envelope to try.
func (r *Reader) place() (uint64, error) {
	raw, err := ledger.ReadFileDurable(r.placePath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("watch: %w", err)
	case len(raw) != 8:
		return 0, errors.New("watch: place file is damaged: remove it to try every envelope again")
	}
	return binary.BigEndian.Uint64(raw), nil
}

func (r *Reader) savePlace(next uint64) error {
	return ledger.WriteFileDurable(r.placePath(), binary.BigEndian.AppendUint64(nil, next))
}
