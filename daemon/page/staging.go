package page

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"os"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/offline"
	"github.com/raresync/raresync/daemon/delivery"
)

// papersEnd ends the name of the file of identities beside an upload.
const papersEnd = ".identities"

// maxPapersBytes bounds a file of identities; it is read as a whole.
const maxPapersBytes = 8 << 20

var (
	errLarge  = errors.New("the file is too large")
	errNoFile = errors.New("no file came in, or it is empty")
)

// newID names a delivery.
func newID() (string, error) {
	id := make([]byte, 16)
	_, err := rand.Read(id)
	return hex.EncodeToString(id), err
}

// receive seals what comes in into a file of the staging folder as it comes, so that
// no upload is held in memory. One that is too large leaves nothing: errLarge.
func (d *desk) receive(name string, from io.Reader, most int64) (size int64, err error) {
	path := d.stagedPath(name)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	sealed, err := offline.Seal(f, d.staging.Recipient())
	if err == nil {
		size, err = io.Copy(sealed, io.LimitReader(from, most+1))
		err = errors.Join(err, sealed.Close())
	}
	if err == nil && size > most {
		err = errLarge
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return 0, errors.Join(err, ledger.Destroy(path))
	}
	return size, nil
}

// staged opens what was received under a name.
func (d *desk) staged(name string) ([]byte, error) {
	f, err := os.Open(d.stagedPath(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	plain, err := offline.Open(f, d.staging)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(plain, delivery.MaxFileBytes))
}

// papers opens the identities of a delivery; nil if none came with it.
func (d *desk) papers(one Delivery) (delivery.Identities, error) {
	if !one.papers {
		return nil, nil
	}
	raw, err := d.staged(one.ID + papersEnd)
	if err != nil {
		return nil, err
	}
	return delivery.ParseIdentities(raw)
}

// unstage destroys an upload.
func (d *desk) unstage(id string) error {
	return errors.Join(ledger.Destroy(d.stagedPath(id)), ledger.Destroy(d.stagedPath(id+papersEnd)))
}
