package staticcopy

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// folder is a copy that is written: each file is whole under its name, or not
// there.
type folder struct {
	dir  string
	step func(what, path string) error // asked before each step; tests end a run there

	mu      sync.Mutex
	dirs    map[string]bool // whose names are not durable yet; guarded by mu
	written int             // files; guarded by mu
	bytes   int64           // in them; guarded by mu
}

// put gives a file its content, unless it has it.
func (f *folder) put(path string, data []byte) error {
	full := filepath.Join(f.dir, path)
	if old, err := os.ReadFile(full); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err := f.makeDir(filepath.Dir(full)); err != nil {
		return err
	}
	if err := f.write(path, full+temporary, data); err != nil {
		return err
	}
	if err := f.step("rename", path); err != nil {
		return err
	}
	if err := os.Rename(full+temporary, full); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dirs[filepath.Dir(full)] = true
	f.written++
	f.bytes += int64(len(data))
	return nil
}

func (f *folder) write(path, temp string, data []byte) error {
	if err := f.step("write", path); err != nil {
		return err
	}
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = f.step("fsync", path)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// replace is put for a file whose old content must not stay on the disk: it is
// overwritten first.
func (f *folder) replace(path string, data []byte) error {
	full := filepath.Join(f.dir, path)
	old, err := os.ReadFile(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f.put(path, data)
	case err != nil:
		return err
	case bytes.Equal(old, data):
		return nil
	}
	if err := f.step("overwrite", path); err != nil {
		return err
	}
	file, err := os.OpenFile(full, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(make([]byte, len(old)))
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return f.put(path, data)
}

// makeDir makes a folder of the copy and those above it.
func (f *folder) makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for up := dir; len(up) > len(f.dir); up = filepath.Dir(up) {
		f.dirs[filepath.Dir(up)] = true
	}
	return nil
}

// remove removes a folder with all in it, if it is there.
func (f *folder) remove(path string) error {
	full := filepath.Join(f.dir, path)
	if _, err := os.Lstat(full); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := f.step("remove", path); err != nil {
		return err
	}
	f.mu.Lock()
	f.dirs[filepath.Dir(full)] = true
	delete(f.dirs, full)
	f.mu.Unlock()
	return os.RemoveAll(full)
}

// sync makes the names of all files durable.
func (f *folder) sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var dirs []string
	for dir := range f.dirs {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	for _, dir := range dirs {
		if err := f.step("fsync folder", dir); err != nil {
			return err
		}
		d, err := os.Open(dir)
		if errors.Is(err, fs.ErrNotExist) { // removed since
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return fmt.Errorf("fsync %s: %w", dir, err)
		}
	}
	clear(f.dirs)
	return nil
}
