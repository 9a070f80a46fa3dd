package receipt

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"html/template"
	"slices"
	"time"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

// Names of the files beside the proofs.
const (
	PolicyName = "policy.txt"
	PageName   = "receipts.html"
)

// ProofName is the name of an entry's proof.
func ProofName(index uint64) string { return fmt.Sprintf("entry-%d.tlog-proof", index) }

// An Entry is one that has a receipt.
type Entry struct {
	File  string // the hospital's own, in which it came
	Type  string // such as "case"; "" if the hospital has not kept it
	Index uint64 // in the log
}

// Source gives what proves an entry.
type Source interface {
	// Policy returns the policy that the network's checkpoints are verified by.
	Policy(ctx context.Context) ([]byte, error)
	// Proof returns a verified C2SP tlog-proof of an entry, which holds its leaf.
	Proof(ctx context.Context, index uint64) ([]byte, error)
}

// A Row is an entry on a page of receipts.
type Row struct {
	Entry
	LogTime    string // RFC 3339
	Checkpoint uint64 // size of the tree that was cosigned
	Commitment string // hex
	Proof      string // the file that proves it
}

// RowOf returns what a proof says of an entry, and the log's name.
func RowOf(e Entry, proof []byte) (r Row, network string, err error) {
	r = Row{Entry: e, Proof: ProofName(e.Index)}
	if network, err = r.read(proof); err != nil {
		err = fmt.Errorf("receipt of entry %d: %w", e.Index, err)
	}
	return r, network, err
}

// Write writes the receipts of entries with put, the page last. Of no entries it
// writes nothing. An error is the source's or put's.
func Write(ctx context.Context, from Source, lang string, entries []Entry, put func(name string, data []byte) error) error {
	if len(entries) == 0 {
		return nil
	}
	var rows []Row
	network := ""
	for _, e := range entries {
		proof, err := from.Proof(ctx, e.Index)
		if err != nil {
			return fmt.Errorf("receipt of entry %d: %w", e.Index, err)
		}
		r, origin, err := RowOf(e, proof)
		if err != nil {
			return err
		}
		network = origin
		if err := put(r.Proof, proof); err != nil {
			return err
		}
		rows = append(rows, r)
	}
	policy, err := from.Policy(ctx)
	if err != nil {
		return err
	}
	if err := put(PolicyName, policy); err != nil {
		return err
	}
	page, err := pageOf(lang, network, rows)
	if err != nil {
		return err
	}
	return put(PageName, page)
}

// read takes from a proof what the page says of it, and returns the log's name.
func (r *Row) read(file []byte) (network string, err error) {
	proof, err := tlog.ParseProof(file)
	if err != nil {
		return "", err
	}
	leaf, err := envelope.ParseLeaf(proof.Extra)
	if err != nil {
		return "", err
	}
	r.LogTime = time.UnixMilli(int64(leaf.LogTime)).UTC().Format(time.RFC3339)
	r.Checkpoint, r.Commitment = proof.Checkpoint.Size, hex.EncodeToString(leaf.Commitment[:])
	return proof.Checkpoint.Origin, nil
}

// page is what a clerk prints and files.
var page = template.Must(template.New("receipts").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}"><meta charset="utf-8"><title>{{.Title}}</title>
<style>body{font:11pt/1.4 sans-serif;margin:2cm}table{border-collapse:collapse;width:100%}
td,th{border:1px solid #666;padding:3pt 5pt;text-align:left;overflow-wrap:anywhere}tr{break-inside:avoid}thead{display:table-header-group}
code{font-size:9pt}</style>
<h1>{{.Title}}</h1>
<p>{{.Says}}</p>
<table><thead><tr>{{range .Headings}}<th scope="col">{{.}}</th>{{end}}</tr></thead><tbody>
{{range .Rows}}<tr><td>{{.File}}</td>{{if $.Types}}<td>{{.Type}}</td>{{end}}<td>{{.Index}}</td><td>{{.LogTime}}</td><td>{{.Checkpoint}}</td><td><code>{{.Commitment}}</code></td><td>{{.Proof}}</td></tr>
{{end}}</tbody></table>
<p>{{.How}}</p>
<pre>raresync log verify --policy {{.Policy}} --proof {{.First}}</pre>
</html>
`))

func pageOf(lang, network string, rows []Row) ([]byte, error) {
	say := func(en, zh string, values ...any) string {
		if lang == "zh" {
			en = zh
		}
		return fmt.Sprintf(en, values...)
	}
	headings := []string{say("file", "文件"), say("entry", "条目"), say("number", "编号"), say("log time", "日志时间"),
		say("checkpoint", "检查点"), say("commitment", "承诺值"), say("proof", "证明文件")}
	types := slices.ContainsFunc(rows, func(r Row) bool { return r.Type != "" })
	if !types {
		headings = slices.Delete(headings, 1, 2)
	}
	var b bytes.Buffer
	err := page.Execute(&b, map[string]any{
		"Lang": lang, "Title": say("Receipts", "回执"), "Rows": rows, "First": rows[0].Proof, "Policy": PolicyName,
		"Says": say("%d entries of this hospital are in the log of %s. A majority of the voters vouches for each.",
			"本院 %d 条记录已载入 %s 的日志，每一条均由多数投票节点共同证明。", len(rows), network),
		"Headings": headings, "Types": types,
		"How": say("Anybody verifies a proof offline, with the files of this folder alone:", "任何人都可以仅凭此目录中的文件离线核验："),
	})
	return b.Bytes(), err
}
