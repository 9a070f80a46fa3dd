package home

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/crypto/custody"
	"github.com/raresync/raresync/crypto/keyfile"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/config"
)

// partName is the name of a custody part in its file.
const partName = "custody.part"

// ErrParts reports custody files that do not give the keys: fewer than two of
// one splitting, damaged, or readable by others.
var ErrParts = errors.New("the custody files do not give the keys")

// A Keeper is where one part goes, or comes from, and what seals it.
type Keeper struct {
	Path       string // file, or a folder for one
	Passphrase string
}

// partFile is the file of a part in a keeper's folder.
const partFile = "raresync-custody-%d.age"

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// file is the keeper's file of a part.
func (k Keeper) file(index int) string {
	if isFolder(k.Path) {
		return filepath.Join(k.Path, fmt.Sprintf(partFile, index))
	}
	return k.Path
}

// found is the keeper's file, whichever part it has.
func (k Keeper) found() (string, error) {
	if !isFolder(k.Path) {
		return k.Path, nil
	}
	var found []string
	for i := range custody.Parts {
		path := filepath.Join(k.Path, fmt.Sprintf(partFile, i+1))
		if !isAbsent(path) {
			found = append(found, path)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("the folder %s holds %d custody files: name the file", k.Path, len(found))
	}
	return found[0], nil
}

// TakeOffline splits the former sealing keys among three keepers, any two of
// whom can bring them back, and removes them from the key file once all three
// parts are on their disks and were read back. It returns how many keys it took.
// What fails leaves the key file as it was, and no part. The caller holds the
// lock of the data directory.
func TakeOffline(cfg config.Config, keepers [custody.Parts]Keeper) (int, error) {
	k, _, err := LoadKeys(cfg)
	if err != nil {
		return 0, err
	}
	if len(k.Former) == 0 {
		return 0, fmt.Errorf("%w: the key file holds no former sealing key; rotate the present one first", ErrKeyring)
	}
	var seeds [][]byte
	for _, f := range k.Former {
		seed := f.Seed()
		seeds = append(seeds, seed[:])
	}
	if err := writeParts(keepers, seeds); err != nil {
		return 0, fmt.Errorf("take keys offline: %w", err)
	}
	gone := k.Gone
	for _, f := range k.Former {
		gone = withGone(gone, goneSealing(f))
	}
	if err := OpenKeyring(cfg, k).save(func(k *Keys) { k.Former, k.Gone = nil, gone }); err != nil {
		return 0, err
	}
	return len(seeds), nil
}

// writeParts writes the three parts, and checks that any two of the files give
// the secrets.
func writeParts(keepers [custody.Parts]Keeper, secrets [][]byte) (err error) {
	parts, err := custody.Split(secrets)
	if err != nil {
		return err
	}
	var written []string
	defer func() {
		for _, path := range written {
			if err != nil {
				err = errors.Join(err, os.Remove(path))
			}
		}
	}()
	var back [custody.Parts]custody.Part
	for i, keeper := range keepers {
		b := &keyfile.Bundle{}
		if err := b.PutSeed(partName, parts[i].Marshal()); err != nil {
			return err
		}
		path := keeper.file(i + 1)
		onDisk, err := writeSealed(path, b, keeper.Passphrase)
		if err != nil {
			return fmt.Errorf("part %d: %w", i+1, err)
		}
		written = append(written, path)
		if back[i], err = partOf(onDisk); err != nil {
			return fmt.Errorf("part %d: %w", i+1, err)
		}
	}
	for i := range back {
		got, err := custody.Join(back[i], back[(i+1)%len(back)])
		if err != nil {
			return err
		}
		for n := range secrets {
			if !bytes.Equal(got[n], secrets[n]) {
				return ErrParts
			}
		}
	}
	return nil
}

func readPart(k Keeper) (custody.Part, error) {
	path, err := k.found()
	if err != nil {
		return custody.Part{}, err
	}
	b, err := openSealed(path, k.Passphrase)
	if err != nil {
		return custody.Part{}, err
	}
	part, err := partOf(b)
	if err != nil {
		return custody.Part{}, fmt.Errorf("%s: %w", path, err)
	}
	return part, nil
}

func partOf(b *keyfile.Bundle) (custody.Part, error) {
	raw, err := b.Seed(partName)
	if err != nil {
		return custody.Part{}, err
	}
	return custody.Parse(raw)
}

// BringBack puts the keys that two keepers' parts give into the key file, as
// former sealing keys, until they are taken offline again. It returns how many
// were not there. What fails is an ErrParts and changes nothing. The caller holds
// the lock of the data directory.
func BringBack(cfg config.Config, keepers [custody.Needed]Keeper) (int, error) {
	k, _, err := LoadKeys(cfg)
	if err != nil {
		return 0, err
	}
	var parts [custody.Needed]custody.Part
	for i, keeper := range keepers {
		if parts[i], err = readPart(keeper); err != nil {
			return 0, fmt.Errorf("%w: %w", ErrParts, err)
		}
	}
	seeds, err := custody.Join(parts[0], parts[1])
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrParts, err)
	}
	var back []*seal.ReaderPrivate
	for _, seed := range seeds {
		if len(seed) != seal.ReaderSeedBytes {
			return 0, fmt.Errorf("%w: a key of %d bytes", ErrParts, len(seed))
		}
		key, err := seal.NewReaderFromSeed([seal.ReaderSeedBytes]byte(seed))
		if err != nil {
			return 0, fmt.Errorf("%w: %w", ErrParts, err)
		}
		if !k.Holds(key.Public().ID()) {
			back = append(back, key)
		}
	}
	if len(k.Former)+len(back) > maxFormer {
		return 0, fmt.Errorf("%w: the key file holds %d former keys and has room for %d; take them offline first", ErrKeyring, len(k.Former), maxFormer)
	}
	former := append(append([]*seal.ReaderPrivate(nil), k.Former...), back...)
	return len(back), OpenKeyring(cfg, k).save(func(k *Keys) { k.Former = former })
}
