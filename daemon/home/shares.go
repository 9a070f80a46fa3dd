package home

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/keyfile"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/daemon/config"
)

// Shares are what a node holds of the pseudonymisation key.
type Shares struct {
	Current  *keyshare.Share // of the epoch in force; nil if none is held
	Next     *keyshare.Share // of an epoch that is not in force yet; nil if there is none
	Ceremony uint64          // that made Next: envelope number of the act that opened it
}

const (
	shareName    = "share"
	nextName     = "share.next"
	maxNextBytes = 256
)

// A ShareFile keeps a node's shares in its key file. It is safe for concurrent
// use; the process holds the lock of the data directory.
type ShareFile struct {
	cfg config.Config

	mu     sync.Mutex
	shares Shares
}

// OpenShares returns the shares among keys that were loaded from the
// configuration's key file.
func OpenShares(cfg config.Config, k *Keys) *ShareFile { return &ShareFile{cfg: cfg, shares: k.Shares} }

// Shares returns what is held now.
func (f *ShareFile) Shares() Shares {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shares
}

// Of returns the share of an epoch, or nil. The caller asks for the epoch that
// is in force in the log, which may be Next's before that has become Current.
func (f *ShareFile) Of(epoch uint32) *keyshare.Share {
	s := f.Shares()
	for _, share := range []*keyshare.Share{s.Current, s.Next} {
		if share != nil && share.Epoch == epoch {
			return share
		}
	}
	return nil
}

// Save makes s what is held, durably. Shares that are not in s are destroyed:
// the file that held them is overwritten before it is gone, as far as the file
// system writes in place. Every error is an ErrKeys.
func (f *ShareFile) Save(s Shares) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := saveShares(f.cfg, s); err != nil {
		return fmt.Errorf("%w: save shares: %w", ErrKeys, err)
	}
	f.shares = s
	return nil
}

// SaveShare makes a share the only one in the key file. The caller holds the
// lock of the data directory. Every error is an ErrKeys.
func SaveShare(cfg config.Config, share keyshare.Share) error {
	return OpenShares(cfg, &Keys{}).Save(Shares{Current: &share})
}

func saveShares(cfg config.Config, s Shares) error {
	return updateBundle(cfg, func(b *keyfile.Bundle) error {
		b.Delete(shareName)
		b.Delete(nextName)
		return s.put(b)
	})
}

// replaceSecret is writeFile, and overwrites what was there once it has gone.
func replaceSecret(path string, data []byte) error {
	old, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer old.Close()
	info, err := old.Stat()
	if err != nil {
		return err
	}
	if err := writeFile(path, data); err != nil {
		return err
	}
	if _, err := old.WriteAt(make([]byte, info.Size()), 0); err != nil {
		return fmt.Errorf("overwrite the former file: %w", err)
	}
	return old.Sync()
}

func (s Shares) put(b *keyfile.Bundle) error {
	var problems []error
	if s.Current != nil {
		problems = append(problems, b.PutSeed(shareName, keyshare.MarshalShare(*s.Current)))
	}
	if s.Next != nil {
		raw := cbor.AppendUint(cbor.AppendArray(nil, 2), s.Ceremony)
		problems = append(problems, b.PutSeed(nextName, cbor.AppendBytes(raw, keyshare.MarshalShare(*s.Next))))
	}
	return errors.Join(problems...)
}

func sharesOf(b *keyfile.Bundle) (s Shares, err error) {
	if s.Current, err = shareOf(b.Seed(shareName)); err != nil {
		return Shares{}, fmt.Errorf("key %s: %w", shareName, err)
	}
	raw, err := b.Seed(nextName)
	if errors.Is(err, keyfile.ErrMissing) {
		return s, nil
	}
	if err == nil {
		d := cbor.NewDecoder(raw)
		d.Array(2)
		s.Ceremony = d.Uint()
		inner := d.Bytes(maxNextBytes)
		if err = d.Done(); err == nil {
			s.Next, err = shareOf(inner, nil)
		}
	}
	if err != nil {
		return Shares{}, fmt.Errorf("key %s: %w", nextName, err)
	}
	return s, nil
}

// shareOf reads a secret that may be missing.
func shareOf(raw []byte, err error) (*keyshare.Share, error) {
	if errors.Is(err, keyfile.ErrMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	share, err := keyshare.ParseShare(raw)
	if err != nil {
		return nil, err
	}
	return &share, nil
}
