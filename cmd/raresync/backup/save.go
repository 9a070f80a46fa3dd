package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/space"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/offline"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding"
)

// SaveOptions say what to save.
type SaveOptions struct {
	Ledger  string // folder of the node's ledger; the node may be running
	Genesis *envelope.Envelope
	Note    []byte // valid checkpoint, where the backup ends
	Node    string
	Version string // of the program
	Now     time.Time
	Salts   *Salts // nil = without
	Links   string // path of the hospital's link file, sealed as it is; "" = without

	// BytesPerSecond bounds the reading, to spare the node's disk; 0 = no bound.
	BytesPerSecond uint64

	Copying   func(bytes uint64) (copied func(bytes int)) // told of progress
	Verifying func(envelopes uint64) (verified func())    // likewise
}

// Salts say how the salts are taken along.
type Salts struct {
	To     offline.Recipient
	Expire time.Time // as the network is told

	// Declare tells the network, when all that can be seen beforehand promises
	// a backup and before any salt is written. Its error means that none is made.
	Declare func() error
}

// Save writes a backup to path, where nothing may be yet, and verifies what it
// wrote before the file gets that name. The error is audit.ErrUnverified if
// the node's copy turns out damaged.
func Save(ctx context.Context, path string, o SaveOptions) (*Report, error) {
	if err := absent(path); err != nil {
		return nil, fmt.Errorf("save backup: %w", err)
	}
	f, err := create(path + unfinished)
	if err != nil {
		return nil, fmt.Errorf("save backup: %w", err)
	}
	report, err := save(ctx, f, o)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = publish(path)
	}
	if err != nil {
		return nil, fmt.Errorf("save backup: %w", errors.Join(err, ignoreAbsent(os.Remove(path+unfinished))))
	}
	report.File = path
	return report, nil
}

// besidesBytes is room for what a backup holds besides the ledger's files, and
// seldom fills; sealing adds less than a thousandth.
const besidesBytes = 1 << 20

func save(ctx context.Context, f *os.File, o SaveOptions) (*Report, error) {
	sc, err := tlog.ParseSignedCheckpoint(o.Note)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	l, err := ledger.OpenReadOnly(o.Ledger)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	at, err := l.LengthsAtSize(sc.Size)
	if err != nil {
		return nil, fmt.Errorf("the copy on disk does not reach the checkpoint at %d: %w", sc.Size, err)
	}
	total := o.bytes(at)
	if err := room(space.Disk(filepath.Dir(f.Name())), total+total/1024+besidesBytes); err != nil {
		return nil, err
	}
	if o.Salts != nil && o.Salts.Declare != nil {
		if err := o.Salts.Declare(); err != nil {
			return nil, err
		}
	}
	w := &writer{ctx: ctx, f: f, pace: pace{perSecond: o.BytesPerSecond}, copied: told(o.Copying, total)}
	if err := w.content(l, at, o); err != nil {
		return nil, err
	}
	fault.At(fault.BackupParts)
	result, s, err := w.verify(l, at, o)
	if err != nil {
		return nil, err
	}
	fault.At(fault.BackupVerified)
	m := manifestOf(result, s)
	m.Node, m.Version, m.Made = o.Node, o.Version, o.Now.UTC().Format(time.RFC3339)
	if o.Salts != nil {
		m.SaltsExpire = o.Salts.Expire.UTC().Format(time.RFC3339)
	}
	if err := w.close(m); err != nil {
		return nil, err
	}
	fault.At(fault.BackupSynced)
	return newReport(m, result, w.at+trailerBytes), nil
}

// SizeOf returns how many entries a backup has that ends at a checkpoint.
func SizeOf(note []byte) (uint64, error) {
	sc, err := tlog.ParseSignedCheckpoint(note)
	if err != nil {
		return 0, fmt.Errorf("checkpoint: %w", err)
	}
	return sc.Size, nil
}

// told starts telling of progress, if anybody listens.
func told(progress func(uint64) func(int), total uint64) func(int) {
	if progress == nil {
		return func(int) {}
	}
	return progress(total)
}

// bytes returns how many bytes are to be read.
func (o SaveOptions) bytes(at ledger.Lengths) (total uint64) {
	for _, p := range at.Parts() {
		if p.Name != ledger.SaltsPart || o.Salts != nil {
			total += p.Bytes
		}
	}
	return total
}

// content writes everything that comes from elsewhere.
func (w *writer) content(l *ledger.Ledger, at ledger.Lengths, o SaveOptions) error {
	if err := w.small(genesisPart, founding.MarshalGenesis(o.Genesis)); err != nil {
		return err
	}
	if err := w.small(checkpointPart, o.Note); err != nil {
		return err
	}
	for _, p := range at.Parts() {
		if p.Name == ledger.SaltsPart {
			continue
		}
		r, err := l.OpenPart(p)
		if err != nil {
			return err
		}
		if err := w.copy(ledgerFolder+p.Name, r, int64(p.Bytes)); err != nil {
			return err
		}
	}
	if err := w.links(o.Links); err != nil || o.Salts == nil {
		return err
	}
	return w.salts(l, at, o.Salts.To)
}

// links takes the link file along as it is.
func (w *writer) links(path string) error {
	if path == "" {
		return nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("link file: %w", err)
	}
	return w.small(linksPart, raw)
}

func (w *writer) salts(l *ledger.Ledger, at ledger.Lengths, to offline.Recipient) error {
	r, err := l.OpenPart(ledger.Part{Name: ledger.SaltsPart, Bytes: at.SaltsBytes})
	if err != nil {
		return err
	}
	return w.add(saltsPart, func(out io.Writer) error {
		sealed, err := offline.Seal(out, to)
		if err != nil {
			return err
		}
		_, err = w.paced(sealed, r)
		return errors.Join(err, sealed.Close())
	})
}

// verify derives everything again from what was written, with the node's own
// salts.
func (w *writer) verify(l *ledger.Ledger, at ledger.Lengths, o SaveOptions) (*audit.Result, *state.State, error) {
	salts, err := l.OpenPart(ledger.Part{Name: ledger.SaltsPart, Bytes: at.SaltsBytes})
	if err != nil {
		return nil, nil, err
	}
	written, err := openLedger(w.f, w.sections, at.Envelopes, at.TreeSize, salts)
	if err != nil {
		return nil, nil, err
	}
	defer written.Close()
	if err := sameGenesis(written, o.Genesis); err != nil {
		return nil, nil, err
	}
	return derive(written, audit.Options{Note: o.Note, Progress: o.Verifying})
}

// close writes the manifest and the sums.
func (w *writer) close(m Manifest) error {
	raw, err := m.marshal()
	if err != nil {
		return err
	}
	if err := w.small(manifestPart, raw); err != nil {
		return err
	}
	if err := w.small(sumsPart, sums(w.sections)); err != nil {
		return err
	}
	return w.finish()
}
