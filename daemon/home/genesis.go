package home

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding"
)

// maxPublicBytes bounds a card or genesis file.
const maxPublicBytes = 1 << 20

const cardName = "card.pem"

// ErrNoGenesis reports a node that belongs to no network yet.
var ErrNoGenesis = errors.New("the node belongs to no network yet")

// ErrOtherGenesis reports a node that belongs to another network. It cannot
// change: its keys and its log are that network's.
var ErrOtherGenesis = errors.New("the node belongs to another network")

// ReadGenesis reads the genesis of the node's network. Whether it founds one is
// the state machine's to say. It fails with ErrNoGenesis if the file is not
// there.
func ReadGenesis(cfg config.Config) (*envelope.Envelope, error) {
	raw, _, err := readFile(cfg.Network.Genesis, maxPublicBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is not there", ErrNoGenesis, cfg.Network.Genesis)
	}
	if err != nil {
		return nil, fmt.Errorf("read genesis: %w", err)
	}
	e, err := founding.ParseGenesis(raw)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", cfg.Network.Genesis, err)
	}
	return e, nil
}

// WriteGenesis puts the genesis in its place. The same once more is a success,
// another one is ErrOtherGenesis. The caller holds the lock of the data
// directory.
func WriteGenesis(cfg config.Config, e *envelope.Envelope) error {
	have, err := ReadGenesis(cfg)
	switch {
	case errors.Is(err, ErrNoGenesis):
	case err != nil:
		return err
	case bytes.Equal(have.Marshal(), e.Marshal()):
		return nil
	default:
		return fmt.Errorf("%w: %s", ErrOtherGenesis, cfg.Network.Genesis)
	}
	if err := createFile(cfg.Network.Genesis, founding.MarshalGenesis(e)); err != nil {
		return fmt.Errorf("write genesis: %w", err)
	}
	return nil
}

// Card reads the card that [Init] left in a data directory.
func Card(dir string) (*founding.Card, error) {
	raw, _, err := readFile(filepath.Join(dir, cardName), maxPublicBytes)
	if err != nil {
		return nil, fmt.Errorf("read card: %w", err)
	}
	return founding.ParseCard(raw)
}
