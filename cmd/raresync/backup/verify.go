package backup

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/offline"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding"
)

// maxSmallBytes bounds the parts that are read into memory.
const maxSmallBytes = 1 << 20

func unverified(format string, args ...any) error {
	return fmt.Errorf("%w: %w", audit.ErrUnverified, fmt.Errorf(format, args...))
}

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

// Backup is a file whose framing and sums were checked.
type Backup struct {
	Manifest
	path     string
	f        *os.File
	size     int64
	sections []section
	genesis  *envelope.Envelope
	note     []byte
}

// Open opens a backup and compares every byte with its sums. reading, if set,
// is told of progress. The error is audit.ErrUnverified with what is wrong, or
// the system's.
func Open(path string, reading func(bytes uint64) (done func(bytes int))) (*Backup, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open backup: %w", err)
	}
	b := &Backup{path: path, f: f}
	if err := b.open(reading); err != nil {
		return nil, fmt.Errorf("open backup %s: %w", path, errors.Join(err, f.Close()))
	}
	return b, nil
}

// Close closes the file.
func (b *Backup) Close() error { return b.f.Close() }

func (b *Backup) open(reading func(uint64) func(int)) error {
	info, err := b.f.Stat()
	if err != nil {
		return err
	}
	b.size = info.Size()
	if b.sections, err = readSections(b.f, b.size); err != nil {
		return err
	}
	_, salts := b.section(saltsPart)
	if err := checkParts(b.sections, salts); err != nil {
		return err
	}
	if err := b.checkSums(reading); err != nil {
		return err
	}
	raw, err := b.small(manifestPart)
	if err != nil {
		return err
	}
	if b.Manifest, err = parseManifest(raw); err != nil {
		return err
	}
	if salts != (b.SaltsExpire != "") {
		return unverified("%s: salts and their expiry go together", manifestPart)
	}
	if b.note, err = b.small(checkpointPart); err != nil {
		return err
	}
	return b.readGenesis()
}

func (b *Backup) readGenesis() error {
	raw, err := b.small(genesisPart)
	if err != nil {
		return err
	}
	if b.genesis, err = founding.ParseGenesis(raw); err != nil {
		return unverified("%s: %w", genesisPart, err)
	}
	if !bytes.Equal(founding.MarshalGenesis(b.genesis), raw) {
		return unverified("%s: not as it is written", genesisPart)
	}
	return nil
}

func (b *Backup) section(name string) (section, bool) { return find(b.sections, name) }

func find(sections []section, name string) (section, bool) {
	for _, s := range sections {
		if s.name == name {
			return s, true
		}
	}
	return section{}, false
}

func (b *Backup) reader(s section) *io.SectionReader { return io.NewSectionReader(b.f, s.at, s.size) }

// small reads a part into memory.
func (b *Backup) small(name string) ([]byte, error) {
	s, _ := b.section(name)
	if s.size > maxSmallBytes {
		return nil, unverified("%s has %d bytes", name, s.size)
	}
	return io.ReadAll(b.reader(s))
}

// checkSums reads the whole file once.
func (b *Backup) checkSums(reading func(uint64) func(int)) error {
	last := len(b.sections) - 1
	total := int64(0)
	for _, s := range b.sections[:last] {
		total += s.size
	}
	done := told(reading, uint64(total))
	buffer := make([]byte, copyBytes)
	for i := range b.sections[:last] {
		s := &b.sections[i]
		sum := sha256.New()
		in := &watched{r: b.reader(*s), after: func(n int) error { done(n); return nil }}
		if _, err := io.CopyBuffer(sum, in, buffer); err != nil {
			return fmt.Errorf("part %s: %w", s.name, err)
		}
		s.sha256 = [32]byte(sum.Sum(nil))
	}
	want, err := b.small(sumsPart)
	if err != nil {
		return err
	}
	got := sums(b.sections[:last])
	if bytes.Equal(got, want) {
		return nil
	}
	lines := strings.Split(string(want), "\n")
	for i, line := range strings.Split(string(got), "\n") {
		if i >= len(lines) || lines[i] != line {
			return unverified("part %s is not the one that %s names", b.sections[min(i, last)].name, sumsPart)
		}
	}
	return unverified("%s has lines too many", sumsPart)
}

// VerifyOptions say what to verify a backup against.
type VerifyOptions struct {
	Policy *tlog.Policy // nil = the one that the backup's own founders make
	Key    *offline.Key // opens the salts; nil = they stay sealed
	Now    time.Time

	Verifying func(envelopes uint64) (verified func()) // told of progress
}

// Verify derives everything again from the genesis and compares it with the
// manifest and the checkpoint. The error is audit.ErrUnverified, or
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
		return nil, unverified("the backup was made without salts: there is nothing to open")
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
