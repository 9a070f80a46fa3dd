package main

import (
	"context"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/receipt"
)

// asked is a daemon as a source of receipts, each of which is verified here.
type asked struct{ *admin.Client }

func (a asked) Policy(ctx context.Context) ([]byte, error) {
	text, err := a.Client.Policy(ctx)
	return []byte(text), err
}

func (a asked) Proof(ctx context.Context, index uint64) ([]byte, error) {
	p, err := a.Prove(ctx, index)
	if err != nil {
		return nil, err
	}
	leaf, err := hex.DecodeString(p.Leaf)
	if err != nil {
		return nil, err
	}
	return audit.WithLeaf(leaf, []byte(p.Proof))
}

// writeReceipts writes into an empty folder the receipt of every entry that one covers,
// the policy that they are verified with, and a page to print.
func (s *submitter) writeReceipts(ctx context.Context, dir string) error {
	var entries []receipt.Entry
	for _, r := range s.results {
		for _, e := range r.Entries {
			if e.Receipt {
				entries = append(entries, receipt.Entry{File: filepath.Base(r.Name), Type: e.Type, Index: e.Index})
			}
		}
	}
	return writeReceipts(ctx, s.daemon, s.lang, dir, entries, s.screen)
}

// writeReceipts writes receipts of entries into an empty folder, and says how many.
func writeReceipts(ctx context.Context, from *admin.Client, lang, dir string, entries []receipt.Entry, screen *term.Screen) error {
	v := voice{lang}
	if len(entries) == 0 {
		screen.Note(v.say("no entry has a receipt: nothing was written into %s", "没有回执：未写入 %s", dir))
		return nil
	}
	err := receipt.Write(ctx, asked{from}, lang, entries, func(name string, data []byte) error {
		return os.WriteFile(filepath.Join(dir, name), data, 0o600)
	})
	if err != nil {
		return err
	}
	screen.Done(v.say("%d receipts in %s; %s is to be printed", "%d 张回执写入 %s；%s 可供打印", len(entries), dir, receipt.PageName))
	return nil
}

// newReceipts makes the folder before anything is sent, so that a wrong name is said
// in time. One that is there must be empty.
func newReceipts(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	there, err := os.ReadDir(dir)
	if err == nil && len(there) > 0 {
		err = usagef("--receipts %s: the folder is not empty", dir)
	}
	return err
}
