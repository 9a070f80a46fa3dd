package outbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/envelope"
)

// store is the outbox on disk: envelopes/<sequence>, receipts/<sequence>, and
// known, the ids of the entries and acts ever taken, 32 bytes each.
type store struct {
	dir   string
	knows *os.File
}

func openStore(dir string) (*store, error) {
	if err := finishReplace(dir); err != nil {
		return nil, err
	}
	for _, d := range []string{dir, filepath.Join(dir, "envelopes"), filepath.Join(dir, "receipts")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, err
		}
		if err := ledger.DestroyUnfinished(d); err != nil {
			return nil, err
		}
	}
	if err := ledger.DestroyFormer(knownPath(dir)); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(knownPath(dir), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := syncDir(d); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return &store{dir: dir, knows: f}, nil
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func knownPath(dir string) string { return filepath.Join(dir, "known") }

func (s *store) knownPath() string { return knownPath(s.dir) }

func (s *store) close() error { return s.knows.Close() }

func (s *store) envelopePath(sequence uint64) string { return s.pathIn("envelopes", sequence) }

func (s *store) pathIn(folder string, sequence uint64) string {
	return filepath.Join(s.dir, folder, fmt.Sprintf("%020d", sequence))
}

func (s *store) receiptsDir() string { return filepath.Join(s.dir, "receipts") }

func (s *store) receiptPath(sequence uint64) string { return s.pathIn("receipts", sequence) }

// known reads the entry ids. A last one that was half written before a crash
// is cut off: its envelope is still in the outbox.
func (s *store) known() (map[[32]byte]bool, error) {
	raw, err := os.ReadFile(s.knownPath())
	if err != nil {
		return nil, err
	}
	whole := len(raw) / 32 * 32
	ids := make(map[[32]byte]bool, whole/32)
	for i := 0; i < whole; i += 32 {
		ids[[32]byte(raw[i:i+32])] = true
	}
	if err := s.knows.Truncate(int64(whole)); err != nil {
		return nil, err
	}
	_, err = s.knows.Seek(int64(whole), 0)
	return ids, err
}

// remember makes entry ids durable. Its error is ledger.ErrStorage, and
// ledger.ErrFsync if it was the fsync: what reached the disk is unknown.
func (s *store) remember(ids [][32]byte) error {
	if fault.Planted(fault.ForgetEntries) {
		return nil
	}
	var flat []byte
	for i := range ids {
		flat = append(flat, ids[i][:]...)
	}
	if _, err := s.knows.Write(flat); err != nil {
		return fmt.Errorf("%w: remember %d entries: %w", ledger.ErrStorage, len(ids), err)
	}
	if err := s.knows.Sync(); err != nil {
		return fmt.Errorf("%w: %w: remember %d entries: %w", ledger.ErrStorage, ledger.ErrFsync, len(ids), err)
	}
	return nil
}

func (s *store) save(it *item) error {
	if fault.Planted(fault.SendUnsaved) {
		return nil
	}
	return it.write(s.envelopePath(it.env.Sequence))
}

func (it *item) write(path string) error { return ledger.WriteFileDurable(path, it.marshal()) }

func (it *item) marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendBytes(b, it.env.Marshal())
	return appendIDs(b, it.ids)
}

func appendIDs(b []byte, ids [][32]byte) []byte {
	b = cbor.AppendArray(b, len(ids))
	for i := range ids {
		b = cbor.AppendBytes(b, ids[i][:])
	}
	return b
}

func readIDs(d *cbor.Decoder) [][32]byte {
	ids := make([][32]byte, d.ArrayMax(envelope.MaxEntries))
	for i := range ids {
		d.BytesInto(ids[i][:])
	}
	return ids
}

// remove takes an envelope away. Its bytes are zeros first: what it holds may
// be withdrawn one day, and the hospital can open it.
func (s *store) remove(sequence uint64) error {
	if fault.Planted(fault.OutboxKeep) {
		return nil
	}
	return ledger.Destroy(s.envelopePath(sequence))
}

// items reads the envelopes on their way, in order.
func (s *store) items() ([]*item, error) {
	sequences, err := numbered(filepath.Join(s.dir, "envelopes"))
	if err != nil {
		return nil, err
	}
	var items []*item
	for _, n := range sequences {
		it, err := s.item(n)
		if err != nil {
			return nil, fmt.Errorf("envelope %d: %w", n, err)
		}
		items = append(items, it)
	}
	return items, nil
}

func (s *store) item(sequence uint64) (*item, error) {
	raw, err := ledger.ReadFileDurable(s.envelopePath(sequence))
	if err != nil {
		return nil, err
	}
	it, err := decodeItem(raw)
	if err != nil {
		return nil, err
	}
	if it.env.Sequence != sequence {
		return nil, fmt.Errorf("holds sequence %d", it.env.Sequence)
	}
	return it, nil
}

func decodeItem(raw []byte) (*item, error) {
	it := &item{}
	d := cbor.NewDecoder(raw)
	d.Array(2)
	encoded := d.Bytes(envelope.MaxBytes)
	it.ids = readIDs(d)
	if err := d.Done(); err != nil {
		return nil, err
	}
	var err error
	if it.env, err = envelope.Decode(encoded); err != nil {
		return nil, err
	}
	if len(it.ids) != int(it.env.Count) {
		return nil, fmt.Errorf("holds %d ids of %d entries", len(it.ids), it.env.Count)
	}
	return it, nil
}

func (s *store) saveReceipt(r Receipt) error {
	return ledger.WriteFileDurable(s.receiptPath(r.Sequence), r.marshal())
}

func (r Receipt) marshal() []byte {
	b := cbor.AppendArray(nil, 8)
	b = cbor.AppendUint(b, r.Sequence)
	b = cbor.AppendBytes(b, r.ID[:])
	b = cbor.AppendUint(b, r.Number)
	b = cbor.AppendUint(b, r.First)
	b = cbor.AppendUint(b, uint64(r.Count))
	b = cbor.AppendUint(b, r.LogTime)
	b = cbor.AppendBytes(b, r.Checkpoint)
	return appendIDs(b, r.Entries)
}

// receipt reads one receipt; ok is false if there is none.
func (s *store) receipt(sequence uint64) (r Receipt, ok bool, err error) {
	raw, err := ledger.ReadFileDurable(s.receiptPath(sequence))
	if errors.Is(err, fs.ErrNotExist) {
		return Receipt{}, false, nil
	}
	if err != nil {
		return Receipt{}, false, fmt.Errorf("receipt %d: %w", sequence, err)
	}
	if r, err = decodeReceipt(raw); err != nil {
		return Receipt{}, false, fmt.Errorf("receipt %d: %w", sequence, err)
	}
	return r, true, nil
}

func decodeReceipt(raw []byte) (r Receipt, err error) {
	d := cbor.NewDecoder(raw)
	d.Array(8)
	r.Sequence = d.Uint()
	d.BytesInto(r.ID[:])
	r.Number = d.Uint()
	r.First = d.Uint()
	r.Count = d.Uint32()
	r.LogTime = d.Uint()
	r.Checkpoint = d.Bytes(64 << 10)
	r.Entries = readIDs(d)
	if err := d.Done(); err != nil {
		return Receipt{}, err
	}
	return r, nil
}

func (s *store) newestReceipt() (r Receipt, ok bool, err error) {
	sequences, err := numbered(s.receiptsDir())
	if err != nil || len(sequences) == 0 {
		return Receipt{}, false, err
	}
	return s.receipt(sequences[len(sequences)-1])
}

// numbered lists the files of a directory whose names are numbers, ascending.
// Temporary files of an interrupted write are passed over.
func numbered(dir string) ([]uint64, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []uint64
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".tmp") {
			continue
		}
		n, err := strconv.ParseUint(f.Name(), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: not a file of the outbox", f.Name())
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return out, nil
}
