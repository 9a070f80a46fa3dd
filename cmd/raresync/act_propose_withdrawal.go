package main

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/registry/act"
)

func actProposeWithdrawalCommand() *cli.Command {
	return &cli.Command{
		Name:      "withdrawal",
		Usage:     "propose to erase entries of a hospital that is gone or has lost its keys",
		ArgsUsage: "INDEX|FIRST-LAST...",
		Description: "Every node erases the entries once enough lead hospitals have approved it; it cannot be undone.\n" +
			"A hospital that can post withdraws its own: withdraw erase. Which entries are a patient's, only those\n" +
			"know who may open them: a national reader finds them with entry list.",
		Flags: append([]cli.Flag{
			&cli.UintFlag{Name: "hospital", Usage: "`NUMBER` of the hospital whose entries they are (required)"},
		}, proposeFlags()...),
		Action: actProposeWithdrawal,
	}
}

func actProposeWithdrawal(c *cli.Context) error {
	args, err := arguments(c, 1, -1)
	if err != nil {
		return err
	}
	if err := checkProposeFlags(c); err != nil {
		return err
	}
	if n := c.Uint("hospital"); n == 0 || n > math.MaxUint32 {
		return usagef("--hospital is needed: a number of raresync member list")
	}
	w := act.Withdrawal{Hospital: uint32(c.Uint("hospital"))}
	if w.Entries, err = spansOf(args); err != nil {
		return err
	}
	if _, err := act.DecodeWithdrawal(w.Marshal()); err != nil {
		return coded{exitInvalid, err}
	}
	return proposeAct(c, act.Act{Type: act.TypeWithdrawal, Payload: w.Marshal()}, c.String("reason"))
}

// spansOf reads indexes and runs of them, in any order, as one set.
func spansOf(args []string) ([]act.Span, error) {
	var spans []act.Span
	for _, arg := range args {
		first, last, isRun := strings.Cut(arg, "-")
		if !isRun {
			last = first
		}
		from, err := strconv.ParseUint(first, 10, 62)
		to, err2 := strconv.ParseUint(last, 10, 62)
		if err != nil || err2 != nil || to < from {
			return nil, usagef("%q: want an index, or a first and a last one as 7-12", arg)
		}
		spans = append(spans, act.Span{First: from, Count: to - from + 1})
	}
	slices.SortFunc(spans, func(a, b act.Span) int {
		if a.First < b.First {
			return -1
		}
		return 1
	})
	var out []act.Span
	for _, s := range spans {
		if n := len(out); n > 0 && s.First <= out[n-1].End() {
			out[n-1].Count = max(out[n-1].End(), s.End()) - out[n-1].First
			continue
		}
		out = append(out, s)
	}
	return out, nil
}
