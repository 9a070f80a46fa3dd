package reads

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
)

// label is what records are sealed under.
const label = "raresync/v1/read-record"

// maxLineBytes bounds a line of a file.
const maxLineBytes = 64 << 20

// Sealed is a line of a day's file: a record with the hash that names what was
// asked, sealed to each of those who may open it.
type Sealed struct {
	Day   uint32  `json:"day"` // quota day
	Hash  string  `json:"hash"`
	Boxes []boxed `json:"sealed"`
}

type boxed struct {
	Key string `json:"key"` // id of the sealing key
	Box []byte `json:"box"`
}

// keep seals a record and writes it into the file of the day that it is; it is on
// disk then. Nothing is added to a day's file once [Log.Notify] has read it.
func (l *Log) keep(view *state.State, hash [32]byte, plain []byte) error {
	line := Sealed{Hash: hex.EncodeToString(hash[:])}
	for i := range view.Members {
		m := &view.Members[i]
		_, removed := view.RemovedAt(uint32(i + 1))
		if uint32(i+1) != l.cfg.Institution && (removed || !m.Rights.Has(act.RightNational)) {
			continue
		}
		box, err := m.Institution.Sealing.SealMessage(label, plain)
		if err != nil {
			return err
		}
		id := m.Institution.Sealing.ID()
		line.Boxes = append(line.Boxes, boxed{Key: id.String(), Box: box})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	line.Day = today(l.cfg.Now())
	raw, err := json.Marshal(line)
	if err != nil {
		return err
	}
	return appendTo(l.cfg.Dir, strconv.FormatUint(uint64(line.Day), 10)+".jsonl", append(raw, '\n'))
}

// appendTo adds a line to a file. What a crash left of another line goes: nobody
// was told that it is kept.
func appendTo(dir, name string, line []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, name)
	_, missing := os.Stat(path)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	end, err := wholeLines(f)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.WriteAt(line, end)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil || missing == nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// wholeLines returns where the last line that has an end ends.
func wholeLines(f *os.File) (int64, error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	for piece := make([]byte, 64<<10); end > 0; {
		n := min(end, int64(len(piece)))
		if _, err := f.ReadAt(piece[:n], end-n); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(piece[:n], '\n'); i >= 0 {
			return end - n + int64(i) + 1, nil
		}
		end -= n
	}
	return 0, nil
}

// days lists the days that there are files of, ascending.
func (l *Log) days() (days []uint32, err error) {
	list, err := os.ReadDir(l.cfg.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, f := range list {
		name, ok := bytes.CutSuffix([]byte(f.Name()), []byte(".jsonl"))
		if n, err := strconv.ParseUint(string(name), 10, 32); ok && err == nil {
			days = append(days, uint32(n))
		}
	}
	slices.Sort(days)
	return days, nil
}

// Records returns the sealed records of all days.
func (l *Log) Records() (out []Sealed, err error) {
	days, err := l.days()
	if err != nil {
		return nil, err
	}
	for _, day := range days {
		list, err := l.ofDay(day)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// ofDay reads a day's file; a last line without its end is left out.
func (l *Log) ofDay(day uint32) (out []Sealed, err error) {
	l.mu.Lock()
	raw, err := os.ReadFile(filepath.Join(l.cfg.Dir, strconv.FormatUint(uint64(day), 10)+".jsonl"))
	l.mu.Unlock()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	s := bufio.NewScanner(bytes.NewReader(raw[:bytes.LastIndexByte(raw, '\n')+1]))
	s.Buffer(nil, maxLineBytes)
	for s.Scan() {
		var one Sealed
		if err := json.Unmarshal(s.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("read audit: the records of day %d are damaged: %w", day, err)
		}
		out = append(out, one)
	}
	return out, s.Err()
}

// open opens a record with one of some keys; ok is false of one that is sealed to
// others.
func (s Sealed) open(keys []*seal.ReaderPrivate) (r record, plain []byte, ok bool) {
	for _, box := range s.Boxes {
		for _, k := range keys {
			if id := k.Public().ID(); id.String() != box.Key {
				continue
			}
			plain, err := k.OpenMessage(label, box.Box)
			if err == nil && json.Unmarshal(plain, &r) == nil {
				return r, plain, true
			}
		}
	}
	return record{}, nil, false
}

// committed reports whether the plaintext of a record is the one that its hash
// names.
func (s Sealed) committed(plain []byte) bool {
	h := hashOf(plain)
	return hex.EncodeToString(h[:]) == s.Hash
}
