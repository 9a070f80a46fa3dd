package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/offline"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

func unverified(format string, args ...any) error {
	return fmt.Errorf("%w: %w", audit.ErrUnverified, fmt.Errorf(format, args...))
}

// ErrNoSalts reports a key for a backup that was made without salts. Nothing is
// wrong with the file.
var ErrNoSalts = errors.New("the backup was made without salts: there is nothing to open")

// Report is what a verified backup holds.
type Report struct {
	File string `json:"file"`
	Manifest
	Bytes     int64    `json:"bytes"`
	Cosigned  string   `json:"cosigned"` // median time of the cosignatures, RFC 3339
	Cosigners []string `json:"cosigners"`
	OwnPolicy bool     `json:"own_policy"` // the policy asked is the one the log's own founders make
	Salts     string   `json:"salts"`      // none, sealed, or verified

	// Expired says that the salts should have been destroyed by now.
	Expired bool `json:"expired"`
}

func newReport(m Manifest, r *audit.Result, bytes int64) *Report {
	out := &Report{
		Manifest: m, Bytes: bytes, Cosigned: r.Cosigned, Cosigners: r.Cosigners, OwnPolicy: r.OwnPolicy, Salts: "none",
	}
	if m.SaltsExpire != "" {
		out.Salts = "sealed"
	}
	return out
}

// VerifyOptions say what to verify a backup against.
type VerifyOptions struct {
	Policy *tlog.Policy // nil = the one that the backup's own founders make
	Key    *offline.Key // opens the salts; nil = they stay sealed
	Now    time.Time

	Verifying func(envelopes uint64) (verified func()) // told of progress
}

// Verify derives everything again from the genesis and compares it with the
// manifest and the checkpoint. The error is audit.ErrUnverified, ErrNoSalts or
// offline.ErrWrongKey.
func (b *Backup) Verify(o VerifyOptions) (*Report, error) {
	r, _, err := b.verify(o)
	if err != nil {
		return nil, fmt.Errorf("verify backup %s: %w", b.path, err)
	}
	return r, nil
}

func (b *Backup) verify(o VerifyOptions) (*Report, *state.State, error) {
	var salts io.ReaderAt = zeroReader{}
	var stream *forward
	if o.Key != nil {
		r, err := b.openSalts(*o.Key)
		if err != nil {
			return nil, nil, err
		}
		stream = &forward{r: r}
		salts = stream
	}
	l, err := openLedger(b.f, b.sections, b.Envelopes, b.Entries, salts)
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	result, s, err := derive(l, audit.Options{Policy: o.Policy, Note: b.note, Saltless: o.Key == nil, Progress: o.Verifying})
	if err == nil && stream != nil {
		err = stream.ended()
	}
	if errors.Is(err, offline.ErrDamaged) {
		err = unverified("%s: %w", saltsPart, err)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := b.compare(l, result, s); err != nil {
		return nil, nil, err
	}
	report := newReport(b.Manifest, result, b.size)
	report.File, report.Expired = b.path, b.expired(o.Now)
	if stream != nil {
		report.Salts = "verified"
	}
	return report, s, nil
}

func (b *Backup) openSalts(key offline.Key) (io.Reader, error) {
	s, found := b.section(saltsPart)
	if !found {
		return nil, ErrNoSalts
	}
	r, err := offline.Open(b.reader(s), key)
	if errors.Is(err, offline.ErrDamaged) {
		return nil, unverified("%s: %w", saltsPart, err)
	}
	return r, err
}

// compare holds what was derived against what the manifest and the genesis say.
func (b *Backup) compare(l *ledger.Ledger, r *audit.Result, s *state.State) error {
	want := manifestOf(r, s)
	want.Node, want.Version, want.Made, want.SaltsExpire = b.Node, b.Version, b.Made, b.SaltsExpire
	if b.Manifest != want {
		return unverified("%s says %+v, the envelopes make %+v", manifestPart, b.Manifest, want)
	}
	return sameGenesis(l, b.genesis)
}

// sameGenesis wants a genesis to be the one that a ledger begins with.
func sameGenesis(l *ledger.Ledger, g *envelope.Envelope) error {
	first, err := l.Envelope(0)
	if err != nil {
		return err
	}
	if !bytes.Equal(first.Header, g.HeaderBytes) || first.Ed25519 != g.Signature.Ed25519 || !bytes.Equal(first.MLDSA, g.Signature.MLDSA) {
		return unverified("%s is not envelope 0", genesisPart)
	}
	return nil
}

// openLedger opens the ledger of which parts lie in an archive.
func openLedger(f io.ReaderAt, sections []section, envelopes, size uint64, salts io.ReaderAt) (*ledger.Ledger, error) {
	l, err := ledger.OpenParts(envelopes, size, func(name string) (io.ReaderAt, uint64) {
		if name == ledger.SaltsPart {
			return salts, size * ledger.SaltBytes
		}
		s, _ := find(sections, ledgerFolder+name)
		return io.NewSectionReader(f, s.at, s.size), uint64(s.size)
	})
	if err != nil {
		return nil, unverified("%w", err)
	}
	return l, nil
}

// derive verifies a ledger that must end where its checkpoint does.
func derive(l *ledger.Ledger, o audit.Options) (*audit.Result, *state.State, error) {
	r, s, err := audit.Ledger(l, o)
	if err != nil {
		return nil, nil, err
	}
	if r.Checkpoint != r.Entries {
		return nil, nil, unverified("the copy has %d entries, its checkpoint %d", r.Entries, r.Checkpoint)
	}
	return r, s, nil
}
