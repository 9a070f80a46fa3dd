package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"time"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/envelope"
)

// receipted is an entry of the page of receipts.
type receipted struct {
	File, Type  string
	Index       uint64
	LogTime     string
	Proof       string // the file that proves it
	Checkpoint  uint64
	Commitment  string
	LogIdentity string
}

// receiptsPage is what a clerk prints and files. It holds nothing of a patient but
// the names of the hospital's own files.
var receiptsPage = template.Must(template.New("receipts").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}"><meta charset="utf-8"><title>{{.Title}}</title>
<style>body{font:11pt/1.4 sans-serif;margin:2cm}table{border-collapse:collapse;width:100%}
td,th{border:1px solid #666;padding:3pt 5pt;text-align:left;overflow-wrap:anywhere}tr{break-inside:avoid}thead{display:table-header-group}
code{font-size:9pt}</style>
<h1>{{.Title}}</h1>
<p>{{.Says}}</p>
<table><thead><tr>{{range .Headings}}<th scope="col">{{.}}</th>{{end}}</tr></thead><tbody>
{{range .Entries}}<tr><td>{{.File}}</td><td>{{.Type}}</td><td>{{.Index}}</td><td>{{.LogTime}}</td><td>{{.Checkpoint}}</td><td><code>{{.Commitment}}</code></td><td>{{.Proof}}</td></tr>
{{end}}</tbody></table>
<p>{{.How}}</p>
<pre>raresync log verify --policy policy.txt --proof entry-{{.First}}.tlog-proof</pre>
</html>
`))

// writeReceipts writes into a new folder the receipt of every entry that one covers,
// the policy that they are verified with, and a page to print.
func (s *submitter) writeReceipts(ctx context.Context, dir string) error {
	policy, err := s.daemon.Policy(ctx)
	if err != nil {
		return err
	}
	var entries []receipted
	for _, r := range s.results {
		for _, e := range r.Entries {
			if e.Index == 0 || !e.Receipt {
				continue
			}
			one, err := s.writeReceipt(ctx, dir, e)
			if err != nil {
				return fmt.Errorf("receipt of entry %d: %w", e.Index, err)
			}
			one.File = filepath.Base(r.Name)
			entries = append(entries, one)
		}
	}
	v := voice{s.lang}
	if len(entries) == 0 {
		s.screen.Note(v.say("no entry has a new receipt: nothing was written into %s", "没有新的回执：未写入 %s", dir))
		return nil
	}
	var page bytes.Buffer
	err = receiptsPage.Execute(&page, map[string]any{
		"Lang": s.lang, "Title": v.say("Receipts", "回执"), "Entries": entries, "First": entries[0].Index,
		"Says": v.say("%d entries of this hospital are in the log of %s. A majority of the voters vouches for each.",
			"本院 %d 条记录已载入 %s 的日志，每一条均由多数投票节点共同证明。", len(entries), entries[0].LogIdentity),
		"Headings": []string{v.say("file", "文件"), v.say("entry", "条目"), v.say("number", "编号"), v.say("log time", "日志时间"),
			v.say("checkpoint", "检查点"), v.say("commitment", "承诺值"), v.say("proof", "证明文件")},
		"How": v.say("Anybody verifies a proof offline, with the files of this folder alone:", "任何人都可以仅凭此目录中的文件离线核验："),
	})
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"policy.txt": []byte(policy), "receipts.html": page.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	s.screen.Done(v.say("%d receipts in %s; receipts.html is to be printed", "%d 张回执写入 %s；receipts.html 可供打印", len(entries), dir))
	return nil
}

// writeReceipt asks for an entry's proof, which is verified, and writes it.
func (s *submitter) writeReceipt(ctx context.Context, dir string, e admin.EntryRef) (one receipted, err error) {
	p, err := s.daemon.Prove(ctx, e.Index)
	if err != nil {
		return one, err
	}
	raw, err := hex.DecodeString(p.Leaf)
	if err != nil {
		return one, err
	}
	file, err := audit.WithLeaf(raw, []byte(p.Proof))
	if err != nil {
		return one, err
	}
	leaf, err := envelope.ParseLeaf(raw)
	if err != nil {
		return one, err
	}
	proof, err := tlog.ParseProof(file)
	if err != nil {
		return one, err
	}
	name := fmt.Sprintf("entry-%d.tlog-proof", e.Index)
	if err := os.WriteFile(filepath.Join(dir, name), file, 0o600); err != nil {
		return one, err
	}
	return receipted{
		Type: e.Type, Index: e.Index, LogTime: time.UnixMilli(int64(leaf.LogTime)).UTC().Format(time.RFC3339), Proof: name,
		Checkpoint: proof.Checkpoint.Size, Commitment: hex.EncodeToString(leaf.Commitment[:]), LogIdentity: term.Clean(proof.Checkpoint.Origin),
	}, nil
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
