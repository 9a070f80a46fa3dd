package reader

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// A letter is an envelope of another institution that carries entries meant for
// this one. Nothing tells it from others but that one of its slots opens, so each
// envelope's slots are tried, once: where that stands is kept in a file. What
// comes behind is tried whenever it is asked for.
type letters struct {
	mu      sync.Mutex // guards what follows
	read    bool       // the file was
	epoch   uint64     // of the log, for which the rest holds
	next    uint64     // number of the first envelope that was not tried
	saved   uint64     // next, as the file has it
	numbers []uint64   // of letters before next, ascending
}

// letterStep is how many envelopes are tried before the file is written again. A
// letter is written at once.
const letterStep = 1024

// lettersPath is the file's. Without it every envelope is tried again.
func (r *Reader) lettersPath() string { return filepath.Join(r.cfg.Dir, "letters") }

// watchLetters tries each envelope as it arrives, until the context ends.
func (r *Reader) watchLetters(ctx context.Context) error {
	if err := r.loadLetters(); err != nil {
		return err
	}
	next := r.letters.next
	for {
		view, err := r.cfg.Node.Wait(ctx, func(s *state.State) bool { return s.Envelopes > next })
		if err != nil {
			return nil
		}
		for ; next < view.Envelopes; next++ {
			var is bool
			err := r.cfg.Node.Machine().Repaired(ctx, func() (err error) {
				is, err = r.isLetter(next)
				return err
			})
			if ctx.Err() != nil {
				return nil
			}
			if err == nil {
				err = r.noteLetter(next, is)
			}
			if err != nil {
				return fmt.Errorf("try envelope %d: %w", next, err)
			}
		}
	}
}

// isLetter reports whether a slot of another institution's envelope opens.
func (r *Reader) isLetter(number uint64) (bool, error) {
	meta, err := r.cfg.Node.Machine().Meta(number)
	if err != nil || meta.Hospital == r.cfg.Institution {
		return false, err
	}
	env, _, err := r.cfg.Node.Machine().Envelope(number)
	if err != nil || env.Kind != envelope.KindEntries {
		return false, err
	}
	_, ok := r.fromSlot(env)
	return ok, nil
}

// fromSlot returns what an envelope's slots give this institution.
func (r *Reader) fromSlot(env *envelope.Envelope) (keys seal.Opened, ok bool) {
	for _, k := range r.cfg.Sealing() {
		if keys, err := env.UnwrapSlot(k); err == nil {
			return keys, true
		}
	}
	return seal.Opened{}, false
}

// noteLetter keeps what was found of the next envelope.
func (r *Reader) noteLetter(number uint64, is bool) error {
	l := &r.letters
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = number + 1
	if is {
		l.numbers = append(l.numbers, number)
	}
	if !is && l.next-l.saved < letterStep || r.cfg.Dir == "" {
		return nil
	}
	raw := binary.BigEndian.AppendUint64(nil, l.epoch)
	raw = binary.BigEndian.AppendUint64(raw, l.next)
	for _, n := range l.numbers {
		raw = binary.BigEndian.AppendUint64(raw, n)
	}
	l.saved = l.next
	err := ledger.WriteFileDurable(r.lettersPath(), raw)
	if err != nil && !errors.Is(err, ledger.ErrFsync) { // a full disk, say: it is tried again with the next step
		r.cfg.Logger.Warn("which envelopes are letters is not written down", "reason", err.Error())
		return nil
	}
	return err
}

// loadLetters reads the file, once.
func (r *Reader) loadLetters() error {
	l := &r.letters
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.read || r.cfg.Dir == "" {
		return nil
	}
	l.epoch = r.cfg.Node.View().LogEpoch
	raw, err := ledger.ReadFileDurable(r.lettersPath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, ledger.ErrDamaged), err == nil && (len(raw) < 16 || len(raw)%8 != 0):
		r.cfg.Logger.Warn("the file of letters is damaged; every envelope is tried again", "file", r.lettersPath())
	case err != nil:
		return fmt.Errorf("letters: %w", err)
	case binary.BigEndian.Uint64(raw) == l.epoch: // else a recovery has put others in their places
		l.next = binary.BigEndian.Uint64(raw[8:])
		for n := range slices.Chunk(raw[16:], 8) {
			l.numbers = append(l.numbers, binary.BigEndian.Uint64(n))
		}
	}
	l.read, l.saved = true, l.next
	return nil
}

// tried reports whether an envelope's slots have been tried, and what came of it.
func (r *Reader) tried(number uint64) (tried, is bool, err error) {
	if err := r.loadLetters(); err != nil {
		return false, false, err
	}
	l := &r.letters
	l.mu.Lock()
	defer l.mu.Unlock()
	_, is = slices.BinarySearch(l.numbers, number)
	return number < l.next, is, nil
}

// Received returns the entries of other institutions that are meant for this one, in
// the order of the log, without those that are withdrawn.
func (r *Reader) Received(ctx context.Context) (out []Opened, err error) {
	if err := r.loadLetters(); err != nil {
		return nil, err
	}
	view, l := r.cfg.Node.View(), &r.letters
	l.mu.Lock()
	numbers := slices.Clone(l.numbers)
	for n := l.next; n < view.Envelopes; n++ {
		numbers = append(numbers, n)
	}
	l.mu.Unlock()
	for _, n := range numbers {
		meta, err := r.cfg.Node.Machine().Meta(n)
		if err != nil {
			return nil, err
		}
		if n >= view.Envelopes || meta.Hospital == r.cfg.Institution {
			continue
		}
		opened, err := r.letter(view, meta, n)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		out = append(out, opened...)
	}
	return out, nil
}

// letter opens an envelope that this hospital may not open as its sender or
// reader: it gives the entries that are meant for it.
func (r *Reader) letter(view *state.State, meta ledger.EnvelopeMeta, number uint64) ([]Opened, error) {
	self, ok := view.Member(r.cfg.Institution)
	if !ok || self.Role != act.RoleHospital {
		return nil, nil
	}
	if tried, is, err := r.tried(number); err != nil || tried && !is {
		return nil, err
	}
	env, logTime, err := r.cfg.Node.Machine().Envelope(number)
	if err != nil || env.Kind != envelope.KindEntries {
		return nil, err
	}
	keys, ok := r.fromSlot(env)
	if !ok || !keys.HasClinical {
		return nil, nil
	}
	at := Opened{Hospital: env.Hospital, LogTime: logTime, Doubtful: view.Doubtful(number, env.KeyID)}
	bodies, err := env.OpenWith(keys, seal.Rights{Clinical: true})
	if err != nil {
		return nil, nil // nobody knows whether it was meant for this institution
	}
	return slices.DeleteFunc(r.entriesOf(view, at, meta.First, bodies), func(o Opened) bool {
		return o.Problem != "" || !o.Entry.Addressee().Is(r.cfg.Institution, self.Entity)
	}), nil
}
