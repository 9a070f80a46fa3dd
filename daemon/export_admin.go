package daemon

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/dataset"
	"github.com/raresync/raresync/daemon/reads"
	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/export"
)

var (
	// errNoReader reports an export at a node that reads nothing of others.
	errNoReader = errors.New("only a reader hands out datasets")
	// errLowLevel reports a network whose log takes no act for an export.
	errLowLevel = errors.New("the network's feature level has no acts for reads, and nothing is handed out without one")
	// errNoQuestion reports a question that is none of those that partners may ask.
	errNoQuestion = errors.New("no such question")
	// errPersons reports rows of persons for a purpose that gets counts alone.
	errPersons = errors.New("a company gets counts, and no row of a person")
	// errNoGenetics reports an export with genetics at a reader without the right.
	errNoGenetics = errors.New("this reader has no right to genetic data")
)

// registrationsSet is the dataset of rows; the others are reports.
const registrationsSet = "registrations"

// maxWordBytes bounds what is typed into an export's question.
const maxWordBytes = 256

// exporting is an export on its way.
type exporting struct {
	s        *service
	in       admin.Export
	purpose  act.Purpose
	manifest export.Manifest
	write    map[string]func(io.Writer) error // the data, by file
	files    []string                         // in the order in which they are written
}

// exportDataset streams an export as the parts of a multipart answer.
func (s *service) exportDataset(w http.ResponseWriter, r *http.Request) {
	e, err := s.prepareExport(r)
	if err != nil {
		fail(w, err)
		return
	}
	out := multipart.NewWriter(w)
	w.Header().Set("Content-Type", "multipart/mixed; boundary="+out.Boundary())
	if err := e.stream(out); err != nil {
		s.log.Error("an export ended half way", "reason", err.Error())
		panic(http.ErrAbortHandler) // the reader notices
	}
}

// prepareExport reads and checks the question, has the log say that it is read, and
// reads the rows.
func (s *service) prepareExport(r *http.Request) (*exporting, error) {
	in, err := documentsOf[admin.Export](r)
	if err != nil {
		return nil, err
	}
	e := &exporting{s: s, in: in, write: map[string]func(io.Writer) error{}}
	at, err := e.check()
	if err != nil {
		return nil, err
	}
	question, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	reading, err := s.reads.Commit(r.Context(), reads.Question{Account: atSocket, Purpose: e.purpose, Query: "export " + string(question), Alone: true})
	if err != nil {
		return nil, err
	}
	ctx := reads.With(r.Context(), reading)
	if in.Dataset == registrationsSet && in.Form != answerForm {
		err = e.rows(ctx, at, reading)
	} else {
		err = e.report(ctx, r, reading)
	}
	if err != nil {
		return nil, err
	}
	return e, reading.Close() // before a byte of it leaves
}

// check refuses questions that make no sense here, and returns the tree size that is
// asked for; 0: now.
func (e *exporting) check() (at uint64, err error) {
	view := e.s.node.View()
	self, ok := view.Member(e.s.self.Institution)
	var known bool
	e.purpose, known = act.ParsePurpose(e.in.Purpose)
	switch {
	case !ok || self.Rights == 0:
		return 0, errNoReader
	case view.FeatureLevel < reads.Level:
		return 0, errLowLevel
	case e.in.Genetics && !self.Rights.Has(act.RightGenetics):
		return 0, errNoGenetics
	case !known:
		return 0, fmt.Errorf("%w: purpose is one of the codes that raresync audit purposes lists", errInvalid)
	case e.in.Recipient == "":
		return 0, fmt.Errorf("%w: an export has a recipient", errInvalid)
	case e.in.Form == answerForm:
		if err := e.checkAnswer(); err != nil {
			return 0, err
		}
	case e.in.Dataset == registrationsSet && e.purpose == act.PurposeIndustry:
		return 0, errPersons
	case e.in.Dataset == registrationsSet && dataset.Files(e.in.Form) == nil:
		return 0, fmt.Errorf("%w: the form is csv, ndjson, parquet, fhir or phenopackets", errInvalid)
	case e.in.Dataset != registrationsSet && !report.Known(e.in.Dataset):
		return 0, fmt.Errorf("%w: %s", report.ErrUnknown, printable(e.in.Dataset))
	case e.in.Dataset != registrationsSet && (e.in.Form != "csv" && e.in.Form != "json" || e.in.At != "" || e.in.Genetics):
		return 0, fmt.Errorf("%w: a report is csv or json, of now, and without genetics", errInvalid)
	}
	for _, word := range []string{e.in.Recipient, e.in.Project, e.in.Disease, e.in.Province, e.in.From, e.in.To, e.in.At} {
		if len(word) > maxWordBytes || !utf8.ValidString(word) {
			return 0, fmt.Errorf("%w: a text of at most %d bytes is wanted", errInvalid, maxWordBytes)
		}
	}
	if err := e.s.node.Whole(); err != nil {
		return 0, err
	}
	return e.sizeOf(view)
}

// sizeOf finds the tree size that is asked for by number or root.
func (e *exporting) sizeOf(view *state.State) (uint64, error) {
	size := view.Tree.Size()
	if e.in.At == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(e.in.At, 10, 63); err == nil {
		if n == 0 || n > size {
			return 0, fmt.Errorf("%w: the log has %d entries, and no tree of %d", errInvalid, size, n)
		}
		return n, nil
	}
	root, err := hex.DecodeString(e.in.At)
	if err != nil || len(root) != len(tlog.Hash{}) {
		return 0, fmt.Errorf("%w: at is a tree size, or a root in 64 hexadecimal digits", errInvalid)
	}
	for n := view.Envelopes; n > 0; n-- { // roots are of ends of envelopes
		meta, err := e.s.node.Machine().Meta(n - 1)
		if err != nil {
			return 0, err
		}
		have, err := e.s.node.Machine().RootAt(meta.First + uint64(meta.Count))
		if err != nil {
			return 0, err
		}
		if have == tlog.Hash(root) {
			return meta.First + uint64(meta.Count), nil
		}
	}
	return 0, fmt.Errorf("%w: no tree of this log has that root", errInvalid)
}

// rows reads the registrations.
func (e *exporting) rows(ctx context.Context, at uint64, reading *reads.Reading) error {
	if err := e.fill(ctx, at, reading); err != nil {
		return err
	}
	o, err := e.options()
	if err != nil {
		return err
	}
	set, err := dataset.Collect(ctx, e.s.reader, o)
	if err != nil {
		return err
	}
	reading.Saw(set.Read...)
	m := &e.manifest
	m.Rows, m.Persons, m.Genetic, m.Unopened, m.Project = uint64(len(set.Rows)), set.Persons, set.Genetic, set.Unopened, e.in.Project
	m.Stopped = append(m.Stopped, set.Stopped...)
	e.files = dataset.Files(e.in.Form)
	for _, file := range e.files {
		e.write[file] = func(w io.Writer) error { return set.Write(e.in.Form, file, w) }
	}
	return nil
}

// usesOf are the uses beside the registry's that a purpose is.
var usesOf = map[act.Purpose]entry.Scope{
	act.PurposeResearch: entry.ScopeReuse, act.PurposeDrugAccess: entry.ScopeDrugs, act.PurposeIndustry: entry.ScopeIndustry,
}

func (e *exporting) options() (o dataset.Options, err error) {
	view := e.s.node.View()
	o = dataset.Options{
		Size: e.manifest.Size, Project: e.in.Project, Key: e.s.keys.Local, Genetics: e.in.Genetics, Uses: usesOf[e.purpose],
		Hospital: e.in.Hospital, Province: e.in.Province, From: e.in.From, To: e.in.To, Day: chinaDay,
		Of: func(number uint32) dataset.Hospital {
			m, ok := view.Member(number)
			if !ok {
				return dataset.Hospital{}
			}
			return dataset.Hospital{Name: orElse(m.NameZH, m.NameEN), Province: m.Province}
		},
	}
	for _, day := range []string{o.From, o.To} {
		if d, ok := entry.ParseDate(day); day != "" && (!ok || d.Precision() != entry.PrecisionDay || d.String() != day) {
			return o, fmt.Errorf("%w: from and to are days, as 2026-11-01", errInvalid)
		}
	}
	if e.in.Disease != "" {
		if n, err := fmt.Sscanf(e.in.Disease, "%d.%d", &o.List, &o.Row); n != 2 || err != nil || o.List == 0 || fmt.Sprintf("%d.%d", o.List, o.Row) != e.in.Disease {
			return o, fmt.Errorf("%w: disease is a row of the lists, as 1.27", errInvalid)
		}
	}
	return o, nil
}

// chinaDay is the day in China of a log time in ms.
func chinaDay(ms uint64) string { return reads.DayOf(reads.DayAt(ms)) }

// stream writes all files, the manifest behind what it names.
func (e *exporting) stream(out *multipart.Writer) error {
	for _, name := range append(e.files, export.ActName, export.ReceiptName) {
		part, err := out.CreateFormFile("file", name)
		if err != nil {
			return err
		}
		h := sha256.New()
		count := &counter{w: io.MultiWriter(part, h)}
		if err := e.write[name](count); err != nil {
			return err
		}
		e.manifest.Files = append(e.manifest.Files, export.File{Name: name, Bytes: count.n, SHA256: hex.EncodeToString(h.Sum(nil))})
	}
	slices.SortFunc(e.manifest.Files, func(a, b export.File) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	raw, err := e.manifest.Marshal()
	if err != nil {
		return err
	}
	signature, err := export.Sign(raw, e.s.envelopeKey(e.s.node.View()))
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{{export.ManifestName, raw}, {export.SignatureName, signature}} {
		part, err := out.CreateFormFile("file", f.name)
		if err != nil {
			return err
		}
		if _, err := part.Write(f.content); err != nil {
			return err
		}
	}
	return out.Close()
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n uint64
}

// Write passes b on.
func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += uint64(n)
	return n, err
}
