package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/reads"
	"github.com/raresync/raresync/registry/act"
)

// errReadsDiffer says that records and acts do not fit.
var errReadsDiffer = errors.New("records and acts do not fit")

func auditListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list what this reader has read, or what readers have told this hospital that they read of it",
		Description: "At a reader: each reading with its act on the log. At a hospital: the daily notices of each reader,\n" +
			"which come also when nothing was read. At another national reader, the auditor, --records opens what\n" +
			"a reader has handed over with audit records, and holds it against that reader's acts: exit code 5 if an\n" +
			"act has no record.",
		Flags: []cli.Flag{&cli.StringFlag{Name: "records", Usage: "a `FILE` of another reader's raresync audit records"}},
		Action: func(c *cli.Context) error {
			out, daemon, err := asking(c)
			if err != nil {
				return err
			}
			ctx, cancel := within(c, 0) // walks the reader's acts
			defer cancel()
			if file := c.String("records"); file != "" {
				return auditRecordsFile(ctx, c, out, daemon, file)
			}
			got, err := daemon.Reads(ctx)
			if err != nil {
				return fmt.Errorf("list reads: %w", err)
			}
			if !isTable(c) {
				return term.PrintOne(out, got)
			}
			if !got.Said {
				term.NewScreen(c.App.ErrWriter).Note(voiceOf(c).say(
					"below feature level 3 the network has no acts for reads: records are kept here, and nothing is said on the log; raresync act propose feature raises it",
					"网络的功能级别低于 3，没有读取公告：只在本节点保存记录，日志上没有标记；可用 raresync act propose feature 提高"))
			}
			if len(got.Notices) > 0 {
				return term.Print(out, noticeRows(got.Notices), "day", "reader", "name", "entries", "read", "index", "problem")
			}
			return printReads(out, got.Reads)
		},
	}
}

func printReads(out *term.Output, list []admin.Read) error {
	return term.Print(out, list, "time", "account", "purpose", "query", "entries", "on_log", "act", "problem")
}

// noticeRow is a notice in a table.
type noticeRow struct {
	admin.ReadNotice
	Read string `json:"read"`
}

func noticeRows(list []admin.ReadNotice) (rows []noticeRow) {
	for _, n := range list {
		var parts []string
		for _, p := range n.Read {
			spans := make([]string, len(p.Spans))
			for i, s := range p.Spans {
				if spans[i] = fmt.Sprint(s.First); s.Count > 1 {
					spans[i] = fmt.Sprintf("%d-%d", s.First, s.End()-1)
				}
			}
			parts = append(parts, p.Purpose+": "+strings.Join(spans, ", "))
		}
		rows = append(rows, noticeRow{n, strings.Join(parts, "; ")})
	}
	return rows
}

func auditRecordsFile(ctx context.Context, c *cli.Context, out *term.Output, daemon *admin.Client, file string) error {
	raw, err := readUpTo(file, admin.MaxRecordsBytes)
	if err != nil {
		return err
	}
	var in admin.ReadRecords
	if err := json.Unmarshal(raw, &in); err != nil {
		return coded{exitInvalid, fmt.Errorf("%s is no file of raresync audit records", file)}
	}
	list, err := daemon.OpenReadRecords(ctx, in)
	if err != nil {
		return fmt.Errorf("open records: %w", err)
	}
	if err := printReads(out, list); err != nil {
		return err
	}
	wrong := 0
	for _, r := range list {
		// A record without an act is of a network below the level of such acts, or of a
		// question that was not answered because its act was not taken.
		if r.Problem != "" && r.Problem != reads.NoAct {
			wrong++
		}
	}
	if wrong > 0 {
		return coded{exitUnproven, fmt.Errorf("%w: %d of %d", errReadsDiffer, wrong, len(list))}
	}
	return nil
}

func auditRecordsCommand() *cli.Command {
	return &cli.Command{
		Name:      "records",
		Usage:     "at a reader: write the sealed records of what was read to a file, for the other national readers to audit",
		ArgsUsage: "FILE",
		Description: "The records are sealed to this reader and to those who were national readers at the time: nobody\n" +
			"else can open the file. They open it with audit list --records FILE.",
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 1, 1)
			if err != nil {
				return err
			}
			daemon, err := client(c)
			if err != nil {
				return err
			}
			ctx, cancel := within(c, askTimeout)
			defer cancel()
			got, err := daemon.ReadRecords(ctx)
			if err != nil {
				return fmt.Errorf("read records: %w", err)
			}
			raw, err := json.Marshal(got)
			if err != nil {
				return err
			}
			return create(c, args[0], append(raw, '\n'))
		},
	}
}

func auditPurposesCommand() *cli.Command {
	return &cli.Command{
		Name:  "purposes",
		Usage: "list the purposes for which a reader reads",
		Action: func(c *cli.Context) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			out, err := outputOf(c)
			if err != nil {
				return err
			}
			type row struct {
				Code string `json:"code"`
				Says string `json:"says"`
			}
			var rows []row
			for i, code := range act.Purposes() {
				words := purposeWords[i]
				rows = append(rows, row{code, voiceOf(c).say(words[0], words[1])})
			}
			return term.Print(out, rows)
		},
	}
}

// purposeWords are the purposes in words, English and Chinese.
var purposeWords = [...][2]string{
	{"running the register: who reports, how completely, how soon", "登记管理：谁上报、是否完整、是否及时"},
	{"quality of entries: checks, queries, corrections", "数据质量：核查、质疑、更正"},
	{"a patient's care: referral, consultation", "患者诊疗：转诊、会诊"},
	{"an approved study", "经批准的研究"},
	{"access to drugs", "用药保障"},
	{"planning and surveillance by a health authority", "卫生行政部门的规划与监测"},
	{"a duty by law, or a patient's own request", "法定义务或患者本人要求"},
	{"checking how others read", "对读取的审计"},
	{"an answer to a company: counts, never a row of a person", "答复企业：仅统计数字，不含个人记录"},
}
