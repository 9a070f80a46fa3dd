package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

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
			if filepath.Ext(e.Name()) == ".json" && !e.IsDir() {
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

// readSource reads a file to submit. One above the limit, or none that can be
// read to the end, is a refusal (FM005) and is not taken into memory.
func readSource(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", path)
	case info.Size() > phenopacket.DefaultMaxBytes:
		return nil, rule.Refuse("FM005", path, "")
	}
	raw, err := io.ReadAll(io.LimitReader(f, phenopacket.DefaultMaxBytes+1))
	if err == nil && len(raw) > phenopacket.DefaultMaxBytes {
		err = rule.Refuse("FM005", path, "") // it grew
	}
	return raw, err
}

// refusalsOf returns the findings of an error that is a refusal.
func refusalsOf(err error) ([]rule.Finding, bool) {
	var r *rule.Refusal
	if !errors.As(err, &r) {
		return nil, false
	}
	return r.Findings, true
}
