package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/entry"
)

// withdrawTimeout bounds a decision: what the hospital has posted before it must
// be in the log first.
const withdrawTimeout = 10 * time.Minute

var errNotDecided = errors.New("nothing was decided")

func withdrawCommand() *cli.Command {
	return &cli.Command{
		Name:  "withdraw",
		Usage: "carry out what a patient decides: stop the use of entries, or have them erased everywhere",
		Subcommands: []*cli.Command{
			withdrawStopCommand(), withdrawResumeCommand(), withdrawEraseCommand(), withdrawCancelCommand(), withdrawListCommand(),
		},
	}
}

// withdrawFlags are those of every decision.
func withdrawFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		documentsFlag,
		&cli.StringFlag{Name: "by", Value: entry.BySelf.String(), Usage: "`WHO` decided: self, or guardian"},
		&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do it without being asked"},
		&cli.BoolFlag{Name: "dry-run", Usage: "only say what it would concern"},
		&cli.BoolFlag{Name: "no-wait", Usage: "do not wait for the receipt: the daemon sends what it has signed"},
	}, more...)
}

func scopeFlag() cli.Flag {
	return &cli.StringSliceFlag{
		Name: "scope", DefaultText: "all", Usage: "only this `USE`, may be given again: " + strings.Join(entry.ScopeNames(), ", "),
	}
}

func withdrawStopCommand() *cli.Command {
	return &cli.Command{
		Name:      "stop",
		Usage:     "stop the use of a patient's entries; they stay in the log",
		ArgsUsage: "[CASE-NUMBER]",
		Description: "Asks for the patient's document, or takes one of this hospital's case numbers. Readers leave the\n" +
			"entries out from then on, and new ones of the patient are refused (CN001).",
		Flags:  withdrawFlags(scopeFlag()),
		Action: func(c *cli.Context) error { return decide(c, "stop") },
	}
}

func withdrawResumeCommand() *cli.Command {
	return &cli.Command{
		Name:        "resume",
		Usage:       "let use go on that the patient had stopped",
		ArgsUsage:   "[CASE-NUMBER]",
		Description: "After an erasure the patient may be registered anew: give --again, then submit the files.",
		Flags: withdrawFlags(scopeFlag(),
			&cli.BoolFlag{Name: "again", Usage: "the entries are erased, and the patient consents to be registered anew"}),
		Action: func(c *cli.Context) error { return decide(c, "resume") },
	}
}

func withdrawEraseCommand() *cli.Command {
	return &cli.Command{
		Name:      "erase",
		Usage:     "have a patient's entries erased on every node; use stops at once",
		ArgsUsage: "[CASE-NUMBER]",
		Description: "Everybody can read which entries are withdrawn, and when. So that the time tells nothing of the\n" +
			"patient's visit, all withdrawals of a while go together, at a random moment within withdraw.spread\n" +
			"of the configuration. Until then withdraw cancel takes it back; afterwards nothing does.",
		Flags: withdrawFlags(&cli.BoolFlag{Name: "now", Usage: "post it at once: its time shows when the patient came"}),
		Action: func(c *cli.Context) error {
			return decide(c, "erase")
		},
	}
}

func withdrawCancelCommand() *cli.Command {
	return &cli.Command{
		Name:        "cancel",
		Usage:       "take an erasure back that has not been posted yet",
		ArgsUsage:   "[CASE-NUMBER]",
		Description: "Use stays stopped; withdraw resume lets it go on.",
		Flags:       withdrawFlags(),
		Action:      func(c *cli.Context) error { return decide(c, "cancel") },
	}
}

// decide asks whose entries they are, shows them, asks whether it is meant, and
// takes the decision.
func decide(c *cli.Context, action string) error {
	w, err := withdrawalOf(c, action)
	if err != nil {
		return err
	}
	out, daemon, err := talking(c)
	if err != nil {
		return err
	}
	if err := askPatient(c, &w.CaseNumber, &w.Document); err != nil {
		return err
	}
	wait := w.Wait
	w.DryRun, w.Wait = true, false
	asked, err := takeDecision(c, daemon, w)
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		if err := showEntries(c, asked.Entries); err != nil {
			return err
		}
		return printDecision(c, out, asked)
	}
	if err := agreeToDecision(c, w, asked); err != nil {
		return err
	}
	w.DryRun, w.Wait = false, wait
	done, err := takeDecision(c, daemon, w)
	if err != nil {
		return err
	}
	return printDecision(c, out, done)
}

// withdrawalOf reads the flags.
func withdrawalOf(c *cli.Context, action string) (admin.Withdrawal, error) {
	w := admin.Withdrawal{
		Action: action, By: c.String("by"), Now: c.Bool("now"), Again: c.Bool("again"), Wait: !c.Bool("no-wait"),
		Scope: c.StringSlice("scope"),
	}
	args, err := arguments(c, 0, 1)
	if err != nil {
		return w, err
	}
	if len(args) == 1 {
		number, err := readCaseNumber(args[0])
		if err != nil {
			return w, err
		}
		w.CaseNumber = number.String()
	}
	if _, ok := entry.ParseBy(w.By); !ok {
		return w, usagef("--by %q: want self or guardian", w.By)
	}
	if len(w.Scope) == 0 {
		w.Scope = []string{"all"}
	}
	if _, ok := entry.ParseScope(w.Scope...); !ok {
		return w, usagef("--scope %q: want %s", strings.Join(w.Scope, " "), strings.Join(entry.ScopeNames(), ", "))
	}
	return w, nil
}

// askPatient asks for the patient's document, unless a case number was given.
func askPatient(c *cli.Context, number *string, document **admin.Document) error {
	if *number != "" {
		return nil
	}
	docs, err := documents(c, voiceOf(c).lang, text{"Patient's document", "患者证件"})
	if err != nil {
		return err
	}
	*document = &docs[0]
	return nil
}

func takeDecision(c *cli.Context, daemon *admin.Client, w admin.Withdrawal) (admin.WithdrawalResult, error) {
	ctx, cancel := within(c, withdrawTimeout)
	defer cancel()
	got, err := daemon.Withdraw(ctx, w)
	if err != nil {
		return got, fmt.Errorf("%s: %w", commandName(c), err)
	}
	if got.Outcome == delivery.Refused {
		tellFindings(c, got.Findings, voiceOf(c).lang)
		return got, coded{exitInvalid, errIdentity}
	}
	return got, nil
}

// agreeToDecision shows what a decision concerns, on standard error, and asks.
func agreeToDecision(c *cli.Context, w admin.Withdrawal, asked admin.WithdrawalResult) error {
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	if c.Bool("yes") {
		return nil
	}
	if err := showEntries(c, asked.Entries); err != nil {
		return err
	}
	if asked.Unopened > 0 {
		screen.Note(v.say("%d entries of this hospital do not open here, and may be the patient's too", "本院有 %d 条目在此无法启封，其中可能也有该患者的", asked.Unopened))
	}
	if w.Now {
		screen.Note(v.say("posted at once, the time shows everybody when the patient came", "立即发布会让所有人看到患者提出要求的时间"))
	}
	numbers := strings.Join(asked.Cases, ", ")
	questions := map[string]string{
		"stop":   v.say("Stop the use of these %d entries of %s? Type yes: ", "停止使用 %[2]s 的这 %[1]d 个条目？输入 yes 确认：", len(asked.Entries), numbers),
		"resume": v.say("Let the use of these %d entries of %s go on? Type yes: ", "恢复使用 %[2]s 的这 %[1]d 个条目？输入 yes 确认：", len(asked.Entries), numbers),
		"erase":  v.say("Erase these %d entries of %s on every node? It cannot be undone. Type yes: ", "在所有节点上擦除 %[2]s 的这 %[1]d 个条目？此操作不可恢复。输入 yes 确认：", len(asked.Entries), numbers),
		"cancel": v.say("Take the erasure of %[2]s back? Type yes: ", "撤销对 %[2]s 的擦除？输入 yes 确认：", len(asked.Entries), numbers),
	}
	if agrees(c, "\n"+questions[w.Action]) {
		return nil
	}
	return coded{exitForbidden, hinted{errNotDecided, "answer yes, or give --yes"}}
}

// showEntries lists entries to the person, on standard error.
func showEntries(c *cli.Context, entries []admin.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	shown, err := term.New(c.App.ErrWriter, "table")
	if err != nil {
		return err
	}
	shown.Speak(tableWords(c))
	return term.Print(shown, entries, "index", "log_time", "type", "event_date", "disease", "state", "problem")
}

// decisionRow is a decision in a table.
type decisionRow struct {
	admin.WithdrawalResult
	Entries int    `json:"entries"`
	Consent *taken `json:"consent"`
}

func printDecision(c *cli.Context, out *term.Output, got admin.WithdrawalResult) error {
	if !isTable(c) {
		return term.PrintOne(out, got)
	}
	row := decisionRow{WithdrawalResult: got, Entries: len(got.Entries)}
	if got.Entry != nil {
		row.Consent = &taken{*got.Entry}
	}
	if err := term.PrintOne(out, row, "outcome", "case_numbers", "status", "stopped", "entries", "entries_unopened", "posted_by", "consent"); err != nil {
		return err
	}
	v := voiceOf(c)
	if got.Dropped > 0 {
		term.NewScreen(c.App.ErrWriter).Note(v.say("%d files that waited over quota held the patient and are dropped: submit them again without", "%d 个因超出配额而等待的文件含有该患者，已删除：请去掉该患者后重新提交", got.Dropped))
	}
	switch screen := term.NewScreen(c.App.ErrWriter); {
	case got.Status != "erasing" || got.Latest == "" || got.Outcome == "asked":
	case c.Bool("now"):
		screen.Note(v.say("the act that erases them is posted now and cannot be taken back; raresync erasure list shows who has declared it carried out",
			"擦除立即发布，不能取消；raresync erasure list 显示哪些节点已声明执行"))
	default:
		screen.Note(v.say("the act that erases them is posted by %s; withdraw list shows it, withdraw cancel takes it back until then",
			"擦除将在 %s 之前发布；可用 withdraw list 查看，发布前可用 withdraw cancel 取消", got.Latest))
	}
	return nil
}

func withdrawListCommand() *cli.Command {
	return &cli.Command{
		Name:        "list",
		Usage:       "list what this hospital's patients have decided",
		Description: "Of an erasure that is posted, erasure show INDEX prints who has declared that it is carried out.",
		Action: func(c *cli.Context) error {
			out, got, err := ask(c, "decisions", (*admin.Client).Withdrawals)
			if err != nil {
				return err
			}
			if got.Problem != "" {
				term.NewScreen(c.App.ErrWriter).Failed(voiceOf(c).say("an act is not posted: %s", "擦除未能发布：%s", got.Problem))
			}
			if !isTable(c) {
				return term.Print(out, got.List)
			}
			return term.Print(out, withdrawnRows(got.List), "case_numbers", "status", "stopped", "by", "day", "indexes", "posted_by")
		},
	}
}

// withdrawnRow is a decision in a table, with its entries as runs.
type withdrawnRow struct {
	admin.Withdrawn
	Indexes string `json:"indexes"`
}

func withdrawnRows(list []admin.Withdrawn) (rows []withdrawnRow) {
	for _, w := range list {
		var runs []string
		for i := 0; i < len(w.Indexes); {
			end := i + 1
			for end < len(w.Indexes) && w.Indexes[end] == w.Indexes[end-1]+1 {
				end++
			}
			run := fmt.Sprint(w.Indexes[i])
			if end-i > 1 {
				run += fmt.Sprintf("-%d", w.Indexes[end-1])
			}
			runs, i = append(runs, run), end
		}
		rows = append(rows, withdrawnRow{w, strings.Join(runs, ", ")})
	}
	return rows
}
