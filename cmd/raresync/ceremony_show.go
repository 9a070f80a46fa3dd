package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

// printKey shows where the key and its newest ceremony stand.
func (t teller) printKey(c *cli.Context, out *term.Output, k admin.Key) error {
	if !isTable(c) {
		return term.PrintOne(out, k)
	}
	if err := t.printInForce(c, out, k); err != nil || k.Ceremony == nil {
		return err
	}
	fmt.Fprintln(c.App.Writer)
	shownAs := *k.Ceremony
	shownAs.Waits = t.waits(k.Ceremony)
	shown := []string{"number", "epoch", "threshold", "deadline", "dealers", "deals_needed", "waits"}
	if !k.Ceremony.Open {
		shown = []string{"number", "epoch", "threshold", "ended", "ended_at"}
	}
	if k.Ceremony.Blamed != 0 {
		shown = append(shown, "blamed")
	}
	if err := term.PrintOne(out, shownAs, shown...); err != nil {
		return err
	}
	if !k.Ceremony.Open {
		t.afterVoid(term.NewScreen(c.App.ErrWriter), k.Ceremony)
		return nil
	}
	fmt.Fprintln(c.App.Writer)
	return term.Print(out, t.rowsOf(k.Ceremony.Holders))
}

// afterVoid says whom a void ceremony points at, and how another one begins.
func (t teller) afterVoid(screen *term.Screen, c *admin.Ceremony) {
	if !strings.HasPrefix(c.Ended, "void") {
		return
	}
	if c.Blamed != 0 {
		screen.Note(t.say("speak with %s: nothing was lost, and the key is where it was", "请联系 %s：没有任何损失，密钥仍在原处", t.of(c.Blamed)))
	}
	if c.Epoch == 1 {
		screen.Note(t.say("start another with: raresync ceremony start", "重新开始：raresync ceremony start"))
		return
	}
	screen.Note(t.say("propose another with: raresync ceremony reshare; it is approved and contributed to anew",
		"重新提议：raresync ceremony reshare；须重新赞同并投入份额"))
}

func (t teller) printInForce(c *cli.Context, out *term.Output, k admin.Key) error {
	if k.Threshold == 0 {
		if _, err := fmt.Fprintln(c.App.Writer, t.say("there is no pseudonymisation key yet; these holders make it: raresync ceremony start",
			"尚无假名密钥；由下列持有方生成：raresync ceremony start")); err != nil {
			return err
		}
		if k.Ceremony != nil && k.Ceremony.Open {
			return nil // its holders are below
		}
		fmt.Fprintln(c.App.Writer)
		if err := term.Print(out, t.named(k.Holders)); err != nil {
			return err
		}
		t.unconnected(term.NewScreen(c.App.ErrWriter), k)
		return nil
	}
	if err := term.PrintOne(out, k, "id", "origin", "epoch", "threshold", "share", "canary"); err != nil {
		return err
	}
	fmt.Fprintln(c.App.Writer)
	return term.Print(out, t.named(k.Holders))
}

// named gives holders their names in the user's language.
func (t teller) named(holders []admin.Holder) []admin.Holder {
	out := slices.Clone(holders)
	for i := range out {
		if name := t.names[out[i].Institution]; name != "" {
			out[i].Name = name
		}
	}
	return out
}

// holderRow is a new holder as one line.
type holderRow struct {
	Share       uint16 `json:"share"`
	Institution uint32 `json:"institution"`
	Name        string `json:"name"`
	Connected   bool   `json:"connected"`
	Joined      bool   `json:"joined"`
	Dealt       bool   `json:"dealt"`
	Confirmed   bool   `json:"confirmed"`
}

func (t teller) rowsOf(holders []admin.CeremonyHolder) []holderRow {
	out := make([]holderRow, len(holders))
	for i, h := range holders {
		out[i] = holderRow{h.Share, h.Institution, t.named([]admin.Holder{h.Holder})[0].Name, h.Connected, h.Joined, h.Dealt, h.Confirmed}
	}
	return out
}
