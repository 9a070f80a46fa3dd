package inbox

import (
	"archive/zip"
	"context"
	"errors"
	"os"

	"github.com/raresync/raresync/daemon/receipt"
)

// maxReceipts bounds the proofs that are written beside one file: each has some
// kilobytes for each voter.
const maxReceipts = 1000

// Receipted lists the entries that are under a receipt.
func (r *Report) Receipted() (list []receipt.Entry) {
	for _, e := range r.Entries {
		if e.Receipt {
			list = append(list, receipt.Entry{File: r.File, Type: e.Type, Index: e.Index})
		}
	}
	return list
}

// writeReceipts writes an archive of the receipts of a file's entries, in the place
// of one that a crash left.
func (b *Box) writeReceipts(ctx context.Context, path string, r *Report) (err error) {
	f, err := b.root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	list := r.Receipted()
	z := zip.NewWriter(f)
	err = receipt.Write(ctx, b.cfg.Receipts, b.cfg.Language, list[:min(len(list), maxReceipts)], func(name string, data []byte) error {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	})
	if err != nil {
		return err
	}
	return errors.Join(z.Close(), f.Sync())
}
