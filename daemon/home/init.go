package home

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/raresync/raresync/crypto/keyfile"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/registry/act"
)

const configName = "raresync.toml"

// ErrOccupied reports a directory that holds something already.
var ErrOccupied = errors.New("the directory is not empty")

// InitOptions say whose node a data directory is made for.
type InitOptions struct {
	Dir    string // made if it is not there
	NodeID string
	Kind   act.NodeKind

	// Institution describes the institution that runs the node; its keys are
	// made by Init.
	Institution act.Institution

	Listen    string   // host:port to listen at, or "" to dial only
	Addresses []string // host:port at which others reach the node, for its card

	// How the node goes out, as in the configuration; may be empty.
	Proxy, ProxyLogin string
	Copies            []string
}

// Init makes a data directory with fresh keys: file key, key file, card, and
// last the configuration, so that a directory with a configuration is whole.
// An Init that was cut short is ended by another with the same options. It
// fails with ErrOccupied if anything else is in the directory, a finished node
// included.
func Init(o InitOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	if err := checkOccupied(o.Dir); err != nil {
		return err
	}
	release, err := Lock(o.Dir)
	if err != nil {
		return err
	}
	return errors.Join(fill(o), release())
}

// own lists what an Init that was cut short may have left.
var own = []string{lockName, fileKeyName, keysName, cardName, fileKeyName + ".tmp", keysName + ".tmp", cardName + ".tmp", configName + ".tmp"}

func checkOccupied(dir string) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	for _, e := range list {
		if !slices.Contains(own, e.Name()) {
			return fmt.Errorf("init %s: %w: it holds %s", dir, ErrOccupied, e.Name())
		}
	}
	return nil
}

func fill(o InitOptions) error {
	path := func(name string) string { return filepath.Join(o.Dir, name) }
	key, err := ensureFileKey(path(fileKeyName))
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	keys, err := ensureKeys(path(keysName), key)
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	if err := writeFile(path(cardName), keys.card(o).Marshal()); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	if err := createFile(path(configName), o.toml()); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	return syncDir(filepath.Dir(o.Dir))
}

func (o *InitOptions) toml() []byte {
	return config.InitialTOML(config.Initial{ID: o.NodeID, Listen: o.Listen, Proxy: o.Proxy, ProxyLogin: o.ProxyLogin, Copies: o.Copies})
}

func ensureFileKey(path string) (keyfile.Key, error) {
	if !isAbsent(path) {
		text, err := readPrivate(path, maxSecretBytes)
		if err != nil {
			return keyfile.Key{}, err
		}
		return keyfile.ParseKey(string(text))
	}
	key, err := keyfile.NewKey()
	if err != nil {
		return keyfile.Key{}, err
	}
	return key, createFile(path, []byte(key.Text()+"\n"))
}

func ensureKeys(path string, key keyfile.Key) (*Keys, error) {
	if !isAbsent(path) {
		file, err := readPrivate(path, keyfile.MaxFileBytes)
		if err != nil {
			return nil, err
		}
		b, err := keyfile.Open(file, key)
		if err != nil {
			return nil, err
		}
		return keysOf(b)
	}
	keys, err := newKeys()
	if err != nil {
		return nil, err
	}
	b, err := keys.bundle()
	if err != nil {
		return nil, err
	}
	file, err := keyfile.Seal(b, key)
	if err != nil {
		return nil, err
	}
	return keys, createFile(path, file)
}
