package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/rule"
)

func submitCommand() *cli.Command {
	return &cli.Command{
		Name:      "submit",
		Usage:     "validate, pseudonymise, seal, sign and submit files",
		ArgsUsage: "FILE|DIR...",
		Description: "Takes phenopackets, FHIR R4 (JSON, NDJSON), tables (CSV, TSV, XLSX) and archives (ZIP) of the first\n" +
			"two; of a folder, all of them in the order of their names. Submitting a file again is harmless. A\n" +
			"phenopacket's patients without a row in the file of --identities are known by their subject id,\n" +
			"which never leaves the hospital and links to no other. Of a table, FHIR or an archive, the rows,\n" +
			"patients or files that a rule refuses stay back, and the others go. Exit code 3: some were refused,\n" +
			"7: all of them.",
		Flags: append([]cli.Flag{
			identitiesFlag, profileFlag,
			&cli.StringFlag{Name: "receipts", Usage: "write the entries' receipts, and a page to print, into the new folder `DIR`"},
			&cli.BoolFlag{Name: "no-wait", Usage: "do not wait for receipts: the daemon sends what it has signed"},
		}, tableFlags...),
		Action: submit,
	}
}

func submit(c *cli.Context) error {
	args, err := arguments(c, 1, -1)
	if err != nil {
		return err
	}
	s, err := newSubmitter(c)
	if err != nil {
		return err
	}
	files, err := collect(args, c.String(identitiesFlag.Name), c.String(mappingFlag.Name))
	if err != nil {
		return err
	}
	if err := s.documents.check(files, members); err != nil {
		return err
	}
	receipts := c.String("receipts")
	switch {
	case receipts != "" && !s.wait:
		return usagef("--receipts waits for receipts, and --no-wait does not")
	case receipts != "":
		if err := newReceipts(receipts); err != nil {
			return err
		}
	}
	ctx, cancel := within(c, submitTimeout)
	defer cancel()
	if err := s.all(ctx, files); err != nil {
		return fmt.Errorf("submit after %d of %d files: %w", len(s.results), len(files), err)
	}
	s.tellFlags()
	slices.SortStableFunc(s.results, func(a, b submitted) int { return strings.Compare(a.Name, b.Name) })
	if receipts != "" {
		if err := s.writeReceipts(ctx, receipts); err != nil {
			return fmt.Errorf("the files are in, and only the receipts were not written: %w", err)
		}
	}
	if err := term.Print(s.out, s.results, "name", "outcome", "entries"); err != nil {
		return err
	}
	return verdict(s.accepted, s.refused)
}

// submitter sends files in batches.
type submitter struct {
	daemon    *admin.Client
	out       *term.Output
	screen    *term.Screen
	documents identities
	profile   string
	wait      bool
	lang      string
	tables    *tables

	results  []submitted
	accepted int // files, and patients of tables
	refused  int
	waiting  int
	flags    map[string]int // findings on accepted files, by rule
}

// submitted is what became of a file: the daemon's answer in JSON, a line for
// people.
type submitted struct {
	admin.FileResult
	Entries taken            `json:"entries"`
	Rows    *delivery.Counts `json:"rows,omitempty"` // of a table, FHIR or an archive
}

// underReceipt is said of entries that a receipt covers.
const underReceipt = "under a receipt"

// taken prints as "21-22, under a receipt" in a table.
type taken []admin.EntryRef

// String names the entries' indexes, how many the log had before and how many
// have none yet, and says that
// a receipt covers them all if the daemon said so.
func (t taken) String() string {
	var indexes []uint64
	receipt, before := len(t) > 0, 0
	for _, e := range t {
		switch {
		case e.InLog:
			before++
		case e.Index > 0: // index 0 is the network's first act
			indexes = append(indexes, e.Index)
		}
		receipt = receipt && e.Receipt
	}
	parts := ranges(indexes)
	if before > 0 {
		parts = append(parts, fmt.Sprintf("%d in the log before", before))
	}
	if waiting := len(t) - len(indexes) - before; waiting > 0 {
		parts = append(parts, fmt.Sprintf("%d not yet in the log", waiting))
	}
	if receipt {
		parts = append(parts, underReceipt)
	}
	return strings.Join(parts, ", ")
}

// ranges writes numbers in order, those that follow each other as "21-22".
func ranges(numbers []uint64) []string {
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	var parts []string
	for len(numbers) > 0 {
		n := 1
		for n < len(numbers) && numbers[n] == numbers[0]+uint64(n) {
			n++
		}
		part := strconv.FormatUint(numbers[0], 10)
		if n > 1 {
			part += "-" + strconv.FormatUint(numbers[n-1], 10)
		}
		parts, numbers = append(parts, part), numbers[n:]
	}
	return parts
}

func newSubmitter(c *cli.Context) (*submitter, error) {
	cfg, err := optionalConfig(c)
	if err != nil {
		return nil, err
	}
	s := &submitter{wait: !c.Bool("no-wait"), screen: term.NewScreen(c.App.ErrWriter), flags: map[string]int{}}
	if s.out, err = outputOf(c); err != nil {
		return nil, err
	}
	if s.lang, err = languageOf(c, cfg); err != nil {
		return nil, err
	}
	if s.profile, err = profileOf(c, cfg); err != nil {
		return nil, err
	}
	if s.daemon, err = client(c); err != nil {
		return nil, err
	}
	if s.tables, err = newTables(c, s.lang); err != nil {
		return nil, err
	}
	s.documents, err = readIdentities(c)
	return s, err
}

// all sends every file, a batch at a time.
func (s *submitter) all(ctx context.Context, files []string) error {
	progress := s.screen.Progress(text{"submitting files", "正在提交文件"}.in(s.lang), int64(len(files)))
	defer progress.Close()
	var batch []admin.File
	bytes := 0
	for _, path := range files {
		raw, err := readSource(path)
		if findings, ok := delivery.RefusalsOf(err); ok {
			if err := s.refuse(ctx, path, raw, findings); err != nil {
				return err
			}
			progress.Add(1)
			continue
		}
		if err != nil {
			return err
		}
		if kind := delivery.KindOf(path, raw); kind != delivery.Packets {
			take := s.table
			if kind == delivery.Collections {
				take = s.collection
			}
			if err := take(ctx, path, raw); err != nil {
				return err
			}
			progress.Add(1)
			continue
		}
		if bytes+len(raw) > delivery.MaxBatchBytes {
			if err := s.send(ctx, batch, progress); err != nil {
				return err
			}
			batch, bytes = nil, 0
		}
		batch = append(batch, admin.File{Name: path, Data: raw, Identities: s.documents.Of(path)})
		bytes += len(raw)
	}
	return s.send(ctx, batch, progress)
}

// refusedHere is the result of a file that is not worth sending.
func refusedHere(path string, findings []rule.Finding) admin.FileResult {
	r := admin.FileResult{Name: path, Outcome: delivery.Refused}
	for _, f := range findings {
		r.Findings = append(r.Findings, delivery.Sent(f))
	}
	return r
}

// refuse takes a file that is not worth sending, and has it counted.
func (s *submitter) refuse(ctx context.Context, path string, raw []byte, findings []rule.Finding) error {
	s.take(refusedHere(path, findings))
	return delivery.Refuse(ctx, s.hand, path, raw, findings)
}

// hand gives files to the daemon.
func (s *submitter) hand(ctx context.Context, files []admin.File) ([]admin.FileResult, error) {
	answer, err := s.daemon.Submit(ctx, admin.Submission{Files: files, Profile: s.profile, Wait: s.wait})
	return answer.Files, err
}

func (s *submitter) send(ctx context.Context, batch []admin.File, progress *term.Progress) error {
	if len(batch) == 0 {
		return nil
	}
	answer, err := s.daemon.Submit(ctx, admin.Submission{Files: batch, Profile: s.profile, Wait: s.wait})
	if err != nil {
		return err
	}
	if len(answer.Files) != len(batch) {
		return fmt.Errorf("the daemon answered for %d of %d files", len(answer.Files), len(batch))
	}
	for _, r := range answer.Files {
		s.take(r)
	}
	progress.Add(int64(len(batch)))
	return nil
}

// take keeps a result, and tells at once why a file was refused. Flags on
// accepted files are counted: a backfill has many, and JSON has them all.
func (s *submitter) take(r admin.FileResult) {
	s.results = append(s.results, submitted{FileResult: r, Entries: append(taken{}, r.Entries...)})
	if r.Outcome == delivery.Waiting {
		s.waiting++
	}
	if r.Outcome != delivery.Refused {
		s.accepted++
		for _, f := range r.Findings {
			s.flags[f.Code]++
		}
		return
	}
	s.refused++
	for _, f := range delivery.Explain(r.Name, delivery.Received(r.Findings), s.lang) {
		if f.Refuses() {
			s.screen.Failed(f.String())
		}
	}
}

// tellFlags says how many files wait, and how often each rule flagged what was
// accepted.
func (s *submitter) tellFlags() {
	if s.waiting > 0 {
		s.screen.Note(voice{s.lang}.say("%d files or patients wait for another day's quota: the daemon keeps them sealed and goes on by itself; raresync status shows how many are left",
			"%d 个文件或患者等待另一天的配额：节点服务将其密封保存并自行继续；raresync status 显示剩余数量", s.waiting))
	}
	for _, code := range slices.Sorted(maps.Keys(s.flags)) {
		what, _ := rule.Text(code, s.lang)
		s.screen.Note(fmt.Sprintf("%s x %d: %s", code, s.flags[code], what))
	}
}
