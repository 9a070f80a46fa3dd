package certificate

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
)

// Text returns what people read, in English and Chinese. It says nothing that
// the certificate's block does not hold.
func (c *Certificate) Text() (string, error) {
	sc, err := tlog.ParseSignedCheckpoint(c.Checkpoint)
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	said, err := c.Withdrawal.open(c.NetworkID)
	if err != nil {
		return "", fmt.Errorf("withdrawal: %w", err)
	}
	w, err := said.withdrawal()
	if err != nil {
		return "", fmt.Errorf("withdrawal: %w", err)
	}
	declared, of := c.Count()
	var b strings.Builder
	line := func(en, zh, format string, args ...any) {
		fmt.Fprintf(&b, "%s / %s: %s\n", en, zh, fmt.Sprintf(format, args...))
	}
	b.WriteString("ERASURE CERTIFICATE / 擦除证明\n\n")
	line("Network", "网络", "%s %x", plain(c.Network), c.NetworkID)
	line("Withdrawal", "撤回", "envelope %d, leaf %d, %s", c.Envelope, c.Withdrawal.Index, clock(said.leaf.LogTime))
	line("Entries", "条目", "%s; %d of institution %d", spans(w.Entries), act.CountSpans(w.Entries), w.Hospital)
	line("Declared erased", "已声明擦除", "%d of %d nodes", declared, of)
	for i := range c.Nodes {
		n := &c.Nodes[i]
		fmt.Fprintf(&b, "  %s, institution %d %s: %s\n", plain(n.ID), n.Institution, plain(n.Name), n.says())
	}
	expiry := "none was declared / 无"
	if c.SaltsExpiry > 0 {
		expiry = clock(c.SaltsExpiry)
	}
	line("Last backup with salts expires", "最后一份含盐备份销毁期限", "%s", expiry)
	line("Checkpoint", "检查点", "%d entries of %s", sc.Size, sc.Origin)
	line("Made by node", "出具节点", "%s", plain(c.Maker))
	b.WriteString("\nA declaration is its institution's word; the proof shows that it lies in the log. Which nodes ever had a copy,\n" +
		"and what was declared of backups, is the word of the node that made this. Check it offline:\n" +
		"声明由各机构负责，下方证据仅证明声明已写入日志；节点名单与备份情况以出具节点所述为准。离线核验：\n" +
		"  raresync log verify --certificate FILE --policy POLICY\n")
	return b.String(), nil
}

// says tells where a node stands.
func (n *Node) says() string {
	switch {
	case n.Receipt != nil:
		return fmt.Sprintf("declared in leaf %d / 已声明", n.Receipt.Index)
	case n.Removed:
		return "removed, cannot attest / 已退出，无法证明"
	}
	return "not declared yet / 尚未声明"
}

// plain leaves out of a name what could pass for another line.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, name)
}

func clock(ms uint64) string { return time.UnixMilli(int64(ms)).UTC().Format(time.RFC3339) }

// spans writes indexes as people do.
func spans(list []act.Span) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = fmt.Sprint(s.First)
		if s.Count > 1 {
			words[i] = fmt.Sprintf("%d-%d", s.First, s.End()-1)
		}
	}
	return strings.Join(words, ", ")
}
