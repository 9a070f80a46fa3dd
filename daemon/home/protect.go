package home

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/crypto/keyfile"
	"github.com/raresync/raresync/daemon/config"
)

// ErrPassphrase reports a passphrase that is not the one that sealed a file.
var ErrPassphrase = errors.New("the passphrase does not open")

// ErrCopy reports a copy of the key file that does not give it back: a damaged
// one, or another file. What it was to replace is as it was.
var ErrCopy = errors.New("the copy does not give them back")

// ErrCredential reports a file key that the service manager keeps, which this
// process cannot change.
var ErrCredential = errors.New("the file key is a credential of the service manager")

// Reseal seals the key file under a new file key and destroys the old one. The
// caller holds the lock of the data directory.
//
// The key file is sealed under both keys before the file key changes, and under
// the new one alone after that: whichever step a crash interrupts, the two files
// that are there open. Reseal begins anew then. It fails with ErrCredential if
// the file key does not lie in a file of the node's; all else is an ErrKeys.
func Reseal(cfg config.Config) error {
	if name, ok := cfg.Credential(); ok {
		return fmt.Errorf("reseal: %w: %s", ErrCredential, name)
	}
	if err := reseal(cfg, func(string) error { return nil }); err != nil {
		return fmt.Errorf("%w: reseal: %w", ErrKeys, err)
	}
	return nil
}

// reseal calls done after each of its steps.
func reseal(cfg config.Config, done func(step string) error) error {
	fileMutex.Lock()
	defer fileMutex.Unlock()
	b, old, err := openBundle(cfg)
	if err != nil {
		return err
	}
	if _, err := keysOf(b); err != nil {
		return err
	}
	fresh, err := keyfile.NewKey()
	if err != nil {
		return err
	}
	both, err := keyfile.Seal(b, old, fresh)
	if err != nil {
		return err
	}
	alone, err := keyfile.Seal(b, fresh)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"both", func() error { return replaceSecret(cfg.Keys.File, both) }},
		{"file key", func() error { return replaceSecret(cfg.Keys.Key, []byte(fresh.Text()+"\n")) }},
		{"alone", func() error { return replaceSecret(cfg.Keys.File, alone) }},
	} {
		if err := errors.Join(step.do(), done(step.name)); err != nil {
			return err
		}
	}
	_, _, err = openBundle(cfg)
	return err
}

// CopyKeys writes a copy of the key file, sealed with a passphrase, for keeping
// offline. It fails with fs.ErrExist if there is something at path, and reads
// back what it wrote.
func CopyKeys(cfg config.Config, path, passphrase string) error {
	b, _, err := openBundle(cfg)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKeys, err)
	}
	if _, err := writeSealed(path, b, passphrase); err != nil {
		return fmt.Errorf("copy keys: %w", err)
	}
	return nil
}

// PutBack makes a key file from a copy that [CopyKeys] wrote, where the key file
// was lost. It fails with fs.ErrExist if there is one, and with ErrCopy if the
// copy is of no use. The caller holds the lock of the data directory.
func PutBack(cfg config.Config, path, passphrase string) error {
	key, err := fileKey(cfg)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKeys, err)
	}
	b, err := openSealed(path, passphrase)
	if err == nil {
		if _, err = keysOf(b); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w: %w", ErrKeys, ErrCopy, err)
	}
	file, err := keyfile.Seal(b, key)
	if err != nil {
		return err
	}
	return createFile(cfg.Keys.File, file)
}

// writeSealed writes a bundle to a new file, sealed with a passphrase, and opens
// the file again. What fails leaves no file.
func writeSealed(path string, b *keyfile.Bundle, passphrase string) (back *keyfile.Bundle, err error) {
	file, err := sealPassphrase(b, passphrase)
	if err != nil {
		return nil, err
	}
	if err := createFile(path, file); err != nil {
		return nil, err
	}
	if back, err = openSealed(path, passphrase); err != nil {
		return nil, errors.Join(fmt.Errorf("read back %s: %w", path, err), os.Remove(path), syncDir(filepath.Dir(path)))
	}
	return back, nil
}

func openSealed(path, passphrase string) (*keyfile.Bundle, error) {
	file, err := readPrivate(path, keyfile.MaxFileBytes)
	if err != nil {
		return nil, err
	}
	b, err := openPassphrase(file, passphrase)
	switch {
	case errors.Is(err, keyfile.ErrWrongKey):
		return nil, fmt.Errorf("%w %s", ErrPassphrase, path)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// The work of a passphrase, a second and 256 MiB; tests that are not about it
// have less.
var sealPassphrase, openPassphrase = keyfile.SealPassphrase, keyfile.OpenPassphrase
