package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/rule"
)

func subjectCommand() *cli.Command {
	return &cli.Command{
		Name:        "subject",
		Usage:       "answer a patient who asks what is held about them; check the record of who asked",
		Subcommands: []*cli.Command{subjectReportCommand(), subjectTrailCommand()},
	}
}

func subjectReportCommand() *cli.Command {
	return &cli.Command{
		Name:      "report",
		Usage:     "print everything that this hospital's entries say of one patient, and who could read it",
		ArgsUsage: "[CASE-NUMBER]",
		Description: "Asks for the patient's document, or takes one of this hospital's case numbers. The report can be\n" +
			"printed and handed over; it holds no pseudonym. That it was made is written to audit/trail.jsonl\n" +
			"in the data directory. Referrals to this hospital are in it; other entries of other hospitals are theirs\nto report.",
		Flags:  []cli.Flag{documentsFlag},
		Action: subjectReport,
	}
}

func subjectReport(c *cli.Context) error {
	args, err := arguments(c, 0, 1)
	if err != nil {
		return err
	}
	var who admin.Subject
	if len(args) == 1 {
		number, err := readCaseNumber(args[0])
		if err != nil {
			return err
		}
		who.CaseNumber = number.String()
	}
	out, daemon, err := talking(c)
	if err != nil {
		return err
	}
	if err := askPatient(c, &who.CaseNumber, &who.Document); err != nil {
		return err
	}
	ctx, cancel := within(c, withdrawTimeout)
	defer cancel()
	r, err := daemon.ReportSubject(ctx, who)
	if err != nil {
		return fmt.Errorf("%s: %w", commandName(c), err)
	}
	if rule.Refusals(delivery.Received(r.Findings)) != nil {
		tellFindings(c, r.Findings, voiceOf(c).lang)
		return coded{exitInvalid, errIdentity}
	}
	if !isTable(c) {
		return term.PrintOne(out, r)
	}
	return subjectPage{voiceOf(c), c.App.Writer}.print(r)
}

// subjectPage prints a report on a patient for paper.
type subjectPage struct {
	voice
	out io.Writer
}

func (p subjectPage) line(en, zh string, values ...any) {
	fmt.Fprintln(p.out, term.Clean(p.say(en, zh, values...)))
}

func (p subjectPage) blank() { fmt.Fprintln(p.out) }

func (p subjectPage) print(r admin.SubjectReport) error {
	p.line("Report on a patient's entries", "患者条目报告")
	p.line("Hospital: %s (institution %d)", "医院：%s（第 %d 号机构）", r.Name, r.Hospital)
	p.line("Case numbers: %s", "病例号：%s", strings.Join(r.Cases, ", "))
	p.line("Made: %s, from a log of %d entries", "生成时间：%s（日志共 %d 个条目）", r.Made, r.Size)
	p.decision(r)
	if len(r.Entries) == 0 {
		p.blank()
		p.line("This hospital holds no entry of the patient.", "本院没有该患者的条目。")
	}
	for _, e := range r.Entries {
		if err := p.entry(e); err != nil {
			return err
		}
	}
	if len(r.Received) > 0 {
		p.blank()
		p.line("Other hospitals sent the patient here, and this hospital can read:", "其他医院将患者转诊至本院，本院可以读取：")
	}
	for _, e := range r.Received {
		if err := p.entry(e); err != nil {
			return err
		}
	}
	p.erasures(r.Erasures)
	if r.Unopened > 0 {
		p.blank()
		p.line("%d entries of this hospital do not open here, and may be the patient's too.", "本院有 %d 个条目在此无法启封，其中可能也有该患者的。", r.Unopened)
	}
	p.blank()
	p.line("What else other hospitals hold is theirs to report: this one does not know of it.", "其他医院持有的其他内容由其自行答复，本院无从得知。")
	return nil
}

func (p subjectPage) decision(r admin.SubjectReport) {
	if d := r.Decision; d != nil {
		p.line("Decided on %s by %s: %s", "%s 由%s决定：%s", d.Day, p.cell("by", d.By), p.cell("status", d.Status))
		if d.Scope != "" {
			p.line("Uses stopped: %s", "停用范围：%s", p.cell("stopped", d.Scope))
		}
		if d.Latest != "" {
			p.line("The erasure is posted by %s", "擦除最迟于 %s 发布", d.Latest)
		}
		return
	}
	if len(r.Entries) == 0 {
		p.line("Nothing has been decided", "尚未作出任何决定")
		return
	}
	p.line("Nothing has been decided: the entries are in use", "尚未作出任何决定：条目在使用中")
}

func (p subjectPage) entry(e admin.SubjectEntry) error {
	p.blank()
	what := strings.TrimRight(p.cell("type", e.Type)+" "+strings.Trim(e.EventDate+" "+e.Disease, " -"), " ")
	p.line("Entry %d: %s, in the log since %s (envelope %d)", "条目 %d：%s，%s 进入日志（信封 %d）", e.Index, what, e.LogTime, e.Envelope)
	if e.State != "" {
		p.line("  State: %s", "  状态：%s", p.cell("state", e.State))
	}
	if e.Problem != "" {
		what, _ := rule.Text(e.Problem, p.lang)
		p.line("  It does not open here: %s, %s", "  在此无法启封：%s，%s", e.Problem, what)
	}
	var readers []string
	for _, r := range e.Readers {
		said := fmt.Sprintf("%d %s", r.Institution, r.Name)
		if r.Granted != 0 {
			said += p.say(" (given the keys later, in envelope %d)", "（后经信封 %d 补授）", r.Granted)
		}
		readers = append(readers, said)
	}
	if len(readers) == 0 {
		readers = []string{p.say("nobody", "无")}
	}
	p.line("  Could be read, besides this hospital, by: %s", "  除本院外可读取者：%s", strings.Join(readers, ", "))
	p.line("  and by at most %d addressees, if it was sent to any", "  以及至多 %d 个收件方（如曾发送）", e.Slots)
	for _, content := range []struct {
		raw    json.RawMessage
		en, zh string
	}{{e.Content, "  It says:", "  内容："}, {e.Corrected, "  Corrected by entry %d, it says:", "  经条目 %d 更正后："}} {
		if content.raw == nil {
			continue
		}
		if strings.Contains(content.en, "%d") {
			p.line(content.en, content.zh, e.CorrectedBy)
		} else {
			p.line(content.en, content.zh)
		}
		if err := p.content(content.raw); err != nil {
			return err
		}
	}
	return nil
}

// content prints JSON, indented below an entry.
func (p subjectPage) content(raw json.RawMessage) error {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return err
	}
	text, err := json.MarshalIndent(v, "    ", "  ")
	if err != nil {
		return err
	}
	for l := range strings.SplitSeq(string(text), "\n") {
		fmt.Fprintln(p.out, "    "+term.Clean(strings.TrimPrefix(l, "    ")))
	}
	return nil
}

func (p subjectPage) erasures(all []admin.SubjectErasure) {
	if len(all) > 0 {
		p.blank()
		p.line("Erased entries:", "已擦除的条目：")
	}
	for _, e := range all {
		p.line("  entry %d, withdrawn in envelope %d on %s: %d of %d nodes declare it erased, %d are no longer there to attest",
			"  条目 %d，由信封 %d 于 %s 撤回：%[5]d 个节点中 %[4]d 个声明已擦除，%[6]d 个已退出、无法证明",
			e.Index, e.Envelope, e.LogTime, e.Declared, e.Nodes, e.Removed)
	}
}
