package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
)

// collect returns the files that the arguments name: themselves, and of a
// folder its *.json files in order, not those of folders within.
func collect(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, filepath.Clean(arg))
			continue
		}
		list, err := os.ReadDir(arg) // in order of the names
		if err != nil {
			return nil, err
		}
		found := false
		for _, e := range list {
			if filepath.Ext(e.Name()) == ".json" && !e.IsDir() { // what cannot be read is refused by name
				files, found = append(files, filepath.Join(arg, e.Name())), true
			}
		}
		if !found {
			return nil, fmt.Errorf("%s: %w: no *.json file in the folder", arg, fs.ErrNotExist)
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// readSource reads a file to check or submit. What keeps it from being read is
// a refusal, so that the other files go on: FM005 above the limit, of which no
// more is taken into memory, else PP002.
func readSource(path string) ([]byte, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, phenopacket.DefaultMaxBytes+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	if len(raw) > phenopacket.DefaultMaxBytes {
		return nil, rule.Refuse("FM005", path, fmt.Sprintf("file larger than %d bytes", phenopacket.DefaultMaxBytes))
	}
	return raw, nil
}

var errNotRegular = errors.New("not a regular file")

// openRegular opens a file for reading, and nothing else: a named pipe would
// wait for a writer. It asks before, since opening a device may do something,
// and again for what it opened.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// unreadable is the refusal of a file that the system does not let us read.
func unreadable(path string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err // the path is there already
	}
	return rule.Refuse("PP002", path, "not readable: "+err.Error())
}

// refusalsOf returns the findings of an error that is a refusal.
func refusalsOf(err error) ([]rule.Finding, bool) {
	var r *rule.Refusal
	if !errors.As(err, &r) {
		return nil, false
	}
	return r.Findings, true
}
