package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/rule"
)

// inFolder are the endings of the files that are taken of a folder. One that a
// hospital may have named so is taken too, and refused by name.
var inFolder = []string{".json", ".ndjson", ".zip", ".csv", ".tsv", ".xlsx", ".xls"}

// collect returns the files that the arguments name: themselves, and of a
// folder its phenopackets, FHIR files, archives and tables in order, not those of folders within. A
// file that is given as something else, such as --identities, is left out.
func collect(args []string, but ...string) ([]string, error) {
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
			path := filepath.Join(arg, e.Name())
			taken := slices.Contains(inFolder, strings.ToLower(filepath.Ext(e.Name()))) && !isNamed(path, but)
			if taken && !e.IsDir() { // what cannot be read is refused by name
				files, found = append(files, path), true
			}
		}
		if !found {
			return nil, fmt.Errorf("%s: %w", arg, errNoFiles)
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// isNamed reports whether a path is that of one of some files.
func isNamed(path string, files []string) bool {
	info, err := os.Stat(path)
	for _, f := range files {
		if other, bad := os.Stat(f); f != "" && err == nil && bad == nil && os.SameFile(info, other) {
			return true
		}
	}
	return false
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
	most := delivery.Packets.MaxBytes()
	raw, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if kind := delivery.KindOf(path, raw); err == nil && len(raw) > most && kind != delivery.Packets {
		most = kind.MaxBytes()
		var rest []byte
		rest, err = io.ReadAll(io.LimitReader(f, int64(most-len(raw))+1))
		raw = append(raw, rest...)
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	if len(raw) > most {
		return nil, rule.Refuse("FM005", path, fmt.Sprintf("file larger than %d bytes", most))
	}
	return raw, nil
}

// errNoFiles reports a folder with nothing to read.
var errNoFiles = coded{exitNotFound, errors.New("the folder holds no *.json, *.ndjson, *.zip, *.csv, *.tsv or *.xlsx file")}

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
