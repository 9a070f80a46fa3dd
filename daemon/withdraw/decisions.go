package withdraw

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/entry"
)

const (
	fileLabel    = "raresync/v1/withdrawals"
	fileFormat   = 1
	maxDecisions = 100_000
)

// decision is what is known of one person who has decided anything: the newest
// consent, and what is left to do.
type decision struct {
	consent entry.Entry
	cases   []string  // the person's case numbers; empty if the file was lost
	due     time.Time // when its act is posted; zero: it takes none
	posted  time.Time // when its act was handed over, with all of the same moment; zero: not yet
}

func (d *decision) shares(marks [][32]byte) bool {
	return slices.ContainsFunc(d.consent.Consent.Marks, func(m [32]byte) bool { return slices.Contains(marks, m) })
}

// marshalDecisions returns the file's content: an array of format and decisions.
func marshalDecisions(all []decision) ([]byte, error) {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, fileFormat)
	b = cbor.AppendArray(b, len(all))
	for _, d := range all {
		raw, err := entry.Encode(d.consent)
		if err != nil {
			return nil, err
		}
		b = cbor.AppendArray(b, 4)
		b = cbor.AppendBytes(b, raw)
		b = appendTime(appendTime(b, d.due), d.posted)
		b = cbor.AppendArray(b, len(d.cases))
		for _, c := range d.cases {
			b = cbor.AppendText(b, c)
		}
	}
	return b, nil
}

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return cbor.AppendUint(b, 0)
	}
	return cbor.AppendUint(b, uint64(t.UnixMilli()))
}

func readTime(d *cbor.Decoder) time.Time {
	if ms := d.UintMax(1 << 52); ms > 0 {
		return time.UnixMilli(int64(ms))
	}
	return time.Time{}
}

func unmarshalDecisions(raw []byte) ([]decision, error) {
	d := cbor.NewDecoder(raw)
	d.Array(2)
	if format := d.Uint(); d.Err() == nil && format != fileFormat {
		d.Fail("format %d, this release reads %d", format, fileFormat)
	}
	var all []decision
	for n := d.ArrayMax(maxDecisions); n > 0 && d.Err() == nil; n-- {
		var one decision
		d.Array(4)
		encoded := d.Bytes(entry.MaxBytes)
		one.due, one.posted = readTime(d), readTime(d)
		for m := d.ArrayMax(entry.MaxMarks); m > 0 && d.Err() == nil; m-- {
			one.cases = append(one.cases, d.Text(32))
		}
		if d.Err() != nil {
			break
		}
		var err error
		if one.consent, err = entry.Decode(encoded); err != nil {
			return nil, err
		}
		if one.consent.Consent == nil {
			return nil, fmt.Errorf("holds a %s entry", one.consent.Type)
		}
		all = append(all, one)
	}
	return all, d.Done()
}

// file is the decisions on disk, sealed to the hospital's own key.
type file struct {
	path    string
	sealing func() []*seal.ReaderPrivate // the present one first
}

// save replaces the file. Errors are ledger.ErrStorage.
func (f file) save(all []decision) error {
	raw, err := marshalDecisions(all)
	if err != nil {
		return err
	}
	sealed, err := f.sealing()[0].Public().SealMessage(fileLabel, raw)
	if err != nil {
		return err
	}
	return ledger.ReplaceDurable(f.path, sealed)
}

// errUnread says that the file does not open: the log still knows all that
// matters.
var errUnread = errors.New("the file of decisions does not open")

// load reads the file; nothing, if there is none. It destroys what a crash left
// of a former one.
func (f file) load() ([]decision, error) {
	if err := ledger.DestroyFormer(f.path); err != nil {
		return nil, err
	}
	sealed, err := ledger.ReadFileDurable(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if errors.Is(err, ledger.ErrDamaged) {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	if err != nil {
		return nil, err
	}
	for _, key := range f.sealing() {
		raw, failed := key.OpenMessage(fileLabel, sealed)
		if failed != nil {
			err = failed
			continue
		}
		all, err := unmarshalDecisions(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUnread, err)
		}
		return all, nil
	}
	return nil, fmt.Errorf("%w: %w", errUnread, err)
}
