package home

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/crypto/keyfile"
	"github.com/raresync/raresync/daemon/config"
)

// ErrKeys reports keys that cannot be used: missing, not to be opened, damaged,
// or readable by other accounts of the machine. Starting again does not help.
var ErrKeys = errors.New("the node's keys cannot be used")

// ErrNoKeys reports that the key file is not where the configuration says. It is
// an ErrKeys.
var ErrNoKeys = errors.New("the key file is not there")

// credentialsEnv is where the service manager says it put the credentials.
const credentialsEnv = "CREDENTIALS_DIRECTORY"

// maxSecretBytes bounds the text of a file key or of a login, with room for a
// comment-free line end.
const maxSecretBytes = 4096

// LoadKeys opens the key file. The second result tells the operator what is
// allowed but unwise. Every error is an ErrKeys.
func LoadKeys(cfg config.Config) (*Keys, []string, error) {
	b, _, err := openBundle(cfg)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	k, err := keysOf(b)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrKeys, cfg.Keys.File, err)
	}
	return k, keyWarnings(cfg), nil
}

func openBundle(cfg config.Config) (*keyfile.Bundle, keyfile.Key, error) {
	key, err := fileKey(cfg)
	if err != nil {
		return nil, keyfile.Key{}, err
	}
	file, err := readPrivate(cfg.Keys.File, keyfile.MaxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, keyfile.Key{}, fmt.Errorf("%w: %s", ErrNoKeys, cfg.Keys.File)
	}
	if err != nil {
		return nil, keyfile.Key{}, err
	}
	b, err := keyfile.Open(file, key)
	if err != nil {
		return nil, keyfile.Key{}, fmt.Errorf("%s: %w", cfg.Keys.File, err)
	}
	return b, key, nil
}

func fileKey(cfg config.Config) (keyfile.Key, error) {
	text, where, err := readSecret(cfg.Keys.Key)
	if err != nil {
		return keyfile.Key{}, err
	}
	key, err := keyfile.ParseKey(string(text))
	if err != nil {
		return keyfile.Key{}, fmt.Errorf("%s: %w", where, err)
	}
	return key, nil
}

// readSecret reads a short text from where a setting says: a path or a
// credential.
func readSecret(setting string) (text []byte, where string, err error) {
	where, read := setting, readPrivate
	if name, ok := config.Credential(setting); ok {
		dir := os.Getenv(credentialsEnv)
		if dir == "" {
			return nil, "", fmt.Errorf("credential %s: $%s is not set: start the node from its service unit", name, credentialsEnv)
		}
		where, read = filepath.Join(dir, name), readCredential
	}
	text, err = read(where, maxSecretBytes)
	return text, where, err
}

// readPrivate reads a file that only its owner may read.
func readPrivate(path string, limit int64) ([]byte, error) {
	raw, mode, err := readFile(path, limit)
	if err == nil && mode.Perm()&0o077 != 0 {
		err = fmt.Errorf("%s has mode %#o: others on this machine may read or write it; set it to 0600", path, mode.Perm())
	}
	return raw, err
}

// readCredential reads without a look at the mode: the service manager guards
// credentials by access lists, which a mode shows as group rights.
func readCredential(path string, limit int64) ([]byte, error) {
	raw, _, err := readFile(path, limit)
	return raw, err
}

func keyWarnings(cfg config.Config) []string {
	if _, ok := cfg.Credential(); ok || filepath.Dir(cfg.Keys.Key) != filepath.Dir(cfg.Keys.File) {
		return nil
	}
	return []string{fmt.Sprintf("%s lies beside the key file it opens: a copy of the folder is enough to be this node; move it to the service manager's credentials", cfg.Keys.Key)}
}

// isAbsent reports that a path leads to nothing.
func isAbsent(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}
