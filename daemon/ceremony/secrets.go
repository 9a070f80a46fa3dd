package ceremony

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/keyshare"
)

// secrets are what a new holder keeps for one run.
type secrets struct {
	number  uint64                // of the ceremony
	key     *keyshare.CeremonyKey // opens what is dealt to this holder
	dealing *keyshare.Dealing     // what it deals of a new key; nil in a reshare
	dealt   []byte                // the payload of its deal, once made
}

const redacted = "[secrets of a ceremony]"

// String returns a placeholder.
func (*secrets) String() string { return redacted }

// Format prints a placeholder whatever the verb.
func (*secrets) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// LogValue returns a placeholder.
func (*secrets) LogValue() slog.Value { return slog.StringValue(redacted) }

const (
	vaultName       = "ceremony"
	maxVaultBytes   = 64 << 10
	maxDealingBytes = 32 << 10
)

// vault keeps the secrets of a run over a restart of the process, in a file of
// a file system that lives in memory. The zero vault keeps nothing.
type vault struct{ path string }

// openVault returns the vault in a directory, if its file system forgets.
func openVault(dir string) vault {
	if dir == "" || !isVolatile(dir) {
		return vault{}
	}
	return vault{filepath.Join(dir, vaultName)}
}

func (v vault) save(s *secrets) error {
	if v.path == "" {
		return nil
	}
	seed := s.key.Seed()
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendUint(b, s.number)
	b = cbor.AppendBytes(b, seed[:])
	if s.dealing == nil {
		b = cbor.AppendBytes(b, nil)
	} else {
		b = cbor.AppendBytes(b, s.dealing.Marshal())
	}
	if err := os.WriteFile(v.path, b, 0o600); err != nil {
		return fmt.Errorf("keep the secrets of the run: %w", err)
	}
	return nil
}

// load returns the secrets of the run that was under way, or nil. A file that
// is not readable is no loss that matters: the run is given up.
func (v vault) load() (*secrets, error) {
	if v.path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(v.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := parseSecrets(raw)
	if err != nil {
		return nil, v.destroy()
	}
	return s, nil
}

func parseSecrets(raw []byte) (*secrets, error) {
	if len(raw) > maxVaultBytes {
		return nil, errors.New("too large")
	}
	var seed [32]byte
	d := cbor.NewDecoder(raw)
	d.Array(3)
	s := &secrets{number: d.Uint()}
	d.BytesInto(seed[:])
	dealing := d.Bytes(maxDealingBytes)
	if err := d.Done(); err != nil {
		return nil, err
	}
	var err error
	if s.key, err = keyshare.CeremonyKeyFromSeed(seed); err != nil {
		return nil, err
	}
	if len(dealing) > 0 {
		if s.dealing, err = keyshare.ParseDealing(dealing); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// destroy makes the file as if it had never been.
func (v vault) destroy() error {
	if v.path == "" {
		return nil
	}
	if err := os.Remove(v.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("destroy the secrets of the run: %w", err)
	}
	return nil
}
