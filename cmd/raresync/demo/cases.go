package demo

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/generate"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/phenopacket"
)

// visit is one file at one hospital.
type visit struct {
	hospital int // from 0
	file     admin.File
	second   bool // the patient's other hospital has the same file
}

// maxFileBytes is what a daemon takes of one file; larger ones are given as
// far as that, and refused by it.
const maxFileBytes = phenopacket.DefaultMaxBytes + 1

// readInput gives every *.json file below the paths to a hospital, and every
// tenth patient's file to a second one as well.
func readInput(paths []string, hospitals int, seed uint64) ([]visit, error) {
	var visits []visit
	for _, path := range paths {
		files, err := jsonFiles(path)
		if err != nil {
			return nil, fmt.Errorf("read input: %w", err)
		}
		for _, f := range files {
			raw, err := readBounded(f)
			if err != nil {
				return nil, fmt.Errorf("read input: %w", err)
			}
			visits = append(visits, visitsOf(filepath.Base(f), raw, hospitals, seed)...)
		}
	}
	return visits, nil
}

// jsonFiles lists a file, or the *.json files below a folder, in order.
func jsonFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if !strings.HasSuffix(path, ".json") {
			return nil, fmt.Errorf("%s is no *.json file", path)
		}
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(p, ".json") {
			files = append(files, p)
		}
		return err
	})
	slices.Sort(files)
	return files, err
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFileBytes))
}

// visitsOf spreads files by a hash of their name, so that the same input and
// seed always go the same ways.
func visitsOf(name string, raw []byte, hospitals int, seed uint64) []visit {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%s", seed, name)
	draw := h.Sum64()
	first := int(draw % uint64(hospitals))
	file := admin.File{Name: name, Data: raw, Identities: identitiesOf(name, raw, seed)}
	visits := []visit{{hospital: first, file: file}}
	if hospitals > 1 && draw/uint64(hospitals)%10 == 0 && len(file.Identities) > 0 {
		visits = append(visits, visit{hospital: (first + 1) % hospitals, file: file, second: true})
	}
	return visits
}

// identitiesOf makes up a resident ID for every patient of a file. A file that
// cannot be read has none; the daemon says why it is refused.
func identitiesOf(name string, raw []byte, seed uint64) map[string]admin.Document {
	packets, err := phenopacket.Read(name, bytes.NewReader(raw), phenopacket.Limits{})
	if err != nil {
		return nil
	}
	ids := map[string]admin.Document{}
	for _, p := range packets {
		ids[p.SubjectID] = admin.Document{
			Type: string(identity.RIC), Value: generate.ResidentID(seed, name, p.SubjectID, p.Sex(), p.Birth()),
		}
	}
	return ids
}

// generated makes up cases of the given number of patients.
func generated(patients, hospitals int, seed uint64) []visit {
	var visits []visit
	for f := range generate.Files(generate.Options{
		Seed: seed, Hospitals: hospitals, Patients: patients, Today: entry.DateOf(time.Now()), Catalog: catalog.Current(),
	}) {
		file := admin.File{Name: f.Name, Data: f.Raw, Identities: map[string]admin.Document{}}
		packets, err := phenopacket.Read(f.Name, bytes.NewReader(f.Raw), phenopacket.Limits{})
		if err != nil {
			continue // the daemon would refuse it as well; the generator's tests see to it
		}
		for _, p := range packets {
			file.Identities[p.SubjectID] = admin.Document{Type: string(identity.RIC), Value: f.ResidentID}
		}
		visits = append(visits, visit{hospital: f.Hospital, file: file, second: f.Second})
	}
	return visits
}
