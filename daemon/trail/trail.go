package trail

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
)

// ErrBroken reports a trail whose chain does not hold: a line was changed, taken
// out or put in.
var ErrBroken = errors.New("the trail is broken")

// maxLineBytes bounds a line.
const maxLineBytes = 64 << 10

// Event is what was done.
type Event struct {
	Time    time.Time
	What    string   // such as "subject report"
	Cases   []string // case numbers of the patient
	Entries int      // shown or concerned
}

// line is an event in the file.
type line struct {
	Number   uint64   `json:"number"` // from 1
	Time     string   `json:"time"`
	What     string   `json:"what"`
	Cases    []string `json:"case_numbers"`
	Entries  int      `json:"entries"`
	Previous string   `json:"previous"` // SHA-256 of the line before, zeros for the first
}

// Trail is an open file. It is safe for concurrent use; one process at a time
// may have it open.
type Trail struct {
	mu   sync.Mutex // guards what follows
	f    *os.File
	last [32]byte
	n    uint64
}

// Open opens the file, or begins it, mode 0600 in a folder of mode 0700, and
// checks its chain. The error is [ErrBroken] or ledger.ErrStorage.
func Open(path string) (*Trail, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, storage(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, storage(err)
	}
	t := &Trail{f: f}
	if err := t.read(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		if err := syncDir(dir); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return t, nil
}

// read checks the chain, and cuts off a last line without its end.
func (t *Trail) read() error {
	raw, err := io.ReadAll(t.f)
	if err != nil {
		return storage(err)
	}
	whole := bytes.LastIndexByte(raw, '\n') + 1
	if t.n, t.last, err = Check(bytes.NewReader(raw[:whole])); err != nil {
		return err
	}
	if err := t.f.Truncate(int64(whole)); err != nil {
		return storage(err)
	}
	if _, err := t.f.Seek(int64(whole), io.SeekStart); err != nil {
		return storage(err)
	}
	return nil
}

// Check reads a trail and returns how many lines it has and the hash of the
// last, or [ErrBroken] with the line at which the chain does not hold.
func Check(r io.Reader) (lines uint64, last [32]byte, err error) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLineBytes)
	for s.Scan() {
		var one line
		d := json.NewDecoder(bytes.NewReader(s.Bytes()))
		d.DisallowUnknownFields()
		if d.Decode(&one) != nil || one.Number != lines+1 || one.Previous != hex.EncodeToString(last[:]) {
			return lines, last, fmt.Errorf("%w at line %d", ErrBroken, lines+1)
		}
		lines, last = lines+1, sha256.Sum256(s.Bytes())
	}
	if s.Err() != nil {
		return lines, last, fmt.Errorf("%w at line %d: %w", ErrBroken, lines+1, s.Err())
	}
	return lines, last, nil
}

// Add writes an event. It is on disk when Add returns; the error is
// ledger.ErrStorage.
func (t *Trail) Add(e Event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	raw, err := json.Marshal(line{
		Number: t.n + 1, Time: e.Time.UTC().Format(time.RFC3339), What: e.What, Cases: e.Cases, Entries: e.Entries,
		Previous: hex.EncodeToString(t.last[:]),
	})
	if err != nil {
		return err
	}
	if _, err := t.f.Write(append(raw, '\n')); err != nil {
		return storage(err)
	}
	if err := t.f.Sync(); err != nil {
		return fmt.Errorf("%w: %w: trail: %w", ledger.ErrStorage, ledger.ErrFsync, err)
	}
	t.n, t.last = t.n+1, sha256.Sum256(raw)
	return nil
}

// Close closes the file.
func (t *Trail) Close() error { return t.f.Close() }

func storage(err error) error { return fmt.Errorf("%w: trail: %w", ledger.ErrStorage, err) }

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return storage(err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("%w: %w: trail: %w", ledger.ErrStorage, ledger.ErrFsync, err)
	}
	return nil
}
