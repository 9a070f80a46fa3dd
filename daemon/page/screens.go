package page

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/daemon/site"
)

// screen is what a template shows.
type screen struct {
	site.Screen

	Deliveries []row
	One        *view
	Receipts   *receiptsView
	Queries    []queryRow
	Query      *queryRow
	Letters    []admin.Letter
	Checks     []checkRow
	Check      *checkRow
	Open       int    // questions that wait for an answer, or checks
	Notice     string // what was done
}

// china is the time zone of a hospital's day.
var china = time.FixedZone("UTC+8", 8*3600)

// row is a delivery in the list.
type row struct {
	Delivery
	Status  string // in words
	Refused int
	Entries int

	UnderReceipt int
}

// statusOf is how far a delivery is, in words.
func (v *visit) statusOf(one Delivery) string {
	if one.State == done {
		return v.Say("outcome." + one.Report.Outcome)
	}
	return v.Say("state." + string(one.State))
}

func (v *visit) rowOf(one Delivery) row {
	r := row{Delivery: one, Status: v.statusOf(one)}
	if one.Report.Rows != nil {
		r.Refused = one.Report.Rows.Refused
	}
	for _, run := range one.Indexes {
		r.UnderReceipt += int(run[1])
	}
	r.Entries = r.UnderReceipt + one.Before + one.Later
	return r
}

func (p *Page) home(v *visit) {
	s := &screen{Screen: site.Screen{Title: "home"}}
	for _, one := range p.desk.of(v.Account.Name) {
		s.Deliveries = append(s.Deliveries, v.rowOf(one))
	}
	v.Show(http.StatusOK, "home", s)
}

// uploadTime is how long a file may take to come in.
const uploadTime = 15 * time.Minute

// upload takes a file and has it checked.
func (p *Page) upload(v *visit) {
	select {
	case p.uploading <- struct{}{}:
		defer func() { <-p.uploading }()
	default:
		v.Fail(http.StatusServiceUnavailable, "busy")
		return
	}
	_ = http.NewResponseController(v.W).SetReadDeadline(time.Now().Add(uploadTime)) // a recorder has none
	v.R.Body = http.MaxBytesReader(v.W, v.R.Body, delivery.MaxFileBytes+maxPapersBytes+site.MaxFormBytes)
	one, err := p.takeUpload(v.R, v.Account.Name)
	var large *http.MaxBytesError
	var papers papersError
	switch {
	case errors.As(err, &large) || errors.Is(err, errLarge):
		v.Fail(http.StatusRequestEntityTooLarge, "large")
		return
	case errors.As(err, &papers):
		v.Show(http.StatusUnprocessableEntity, "problem", &site.Screen{Title: "problem", Problem: v.Say("badPapers", papers.Error())})
		return
	case errors.Is(err, errNoFile):
		v.Fail(http.StatusBadRequest, "noFile")
		return
	case err != nil:
		v.oops(err)
		return
	}
	lang := v.Lang
	v.start(one, stuck, func() bool { return p.enqueue(p.job(one, lang, p.check)) })
}

// papersError says what is wrong with a file of identities: a line of it, and never
// what stands there.
type papersError struct{ error }

// takeUpload receives the file of a form, and the identities beside it. Of what
// cannot be taken nothing is left.
func (p *Page) takeUpload(r *http.Request, owner string) (one Delivery, err error) {
	id, err := newID()
	if err != nil {
		return one, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.desk.unstage(id))
		}
	}()
	parts, err := r.MultipartReader()
	if err != nil {
		return one, errNoFile
	}
	name, size, papers := "", int64(0), false
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		var large *http.MaxBytesError
		if err != nil && !errors.As(err, &large) {
			return one, errNoFile // the browser went away
		}
		if err != nil {
			return one, err
		}
		switch {
		case part.FormName() == "file" && name == "" && part.FileName() != "":
			name = part.FileName()
			size, err = p.desk.receive(id, part, delivery.MaxFileBytes)
		case part.FormName() == "identities" && !papers && part.FileName() != "":
			papers, err = p.takePapers(id, part)
		}
		if err != nil {
			return one, err
		}
	}
	if name == "" || size == 0 {
		return one, errNoFile
	}
	return p.desk.stage(owner, id, name, size, papers)
}

// takePapers receives a file of identities, unless it is empty.
func (p *Page) takePapers(id string, from io.Reader) (bool, error) {
	raw, err := io.ReadAll(io.LimitReader(from, maxPapersBytes+1))
	if err != nil || len(raw) == 0 {
		return false, err
	}
	if len(raw) > maxPapersBytes {
		return false, errLarge
	}
	if _, err := delivery.ParseIdentities(raw); err != nil {
		return false, papersError{err}
	}
	_, err = p.desk.receive(id+papersEnd, bytes.NewReader(raw), maxPapersBytes)
	return err == nil, err
}

func (v *visit) start(one Delivery, otherwise state, begin func() bool) {
	if !begin() {
		v.desk.update(one.ID, func(d *Delivery) { d.State, d.Problem = otherwise, v.Say("busy") })
	}
	v.Redirect("/deliveries/" + one.ID)
}

func (p *Page) delivery(v *visit) {
	one, err := p.desk.get(v.Account.Name, v.R.PathValue("id"))
	if err != nil {
		v.oops(err)
		return
	}
	s := &screen{Screen: site.Screen{Title: "state." + string(one.State)}, One: v.viewOf(one)}
	if one.State == checking || one.State == sending {
		s.Refresh = 2
	}
	v.Show(http.StatusOK, "delivery", s)
}

// confirm sends what was previewed; what could not be checked is checked again.
func (p *Page) confirm(v *visit) {
	id, lang := v.R.PathValue("id"), v.Lang
	one, err := p.desk.get(v.Account.Name, id)
	if err != nil {
		v.oops(err)
		return
	}
	next, work := sending, p.send
	if one.Report.Foreseen == nil {
		next, work = checking, p.check
	}
	if err := p.desk.move(v.Account.Name, id, next, checked, stuck); err != nil {
		v.oops(err)
		return
	}
	v.start(one, stuck, func() bool { return p.enqueue(p.job(one, lang, work)) })
}

func (p *Page) discard(v *visit) {
	if err := p.desk.discard(v.Account.Name, v.R.PathValue("id")); err != nil {
		v.oops(err)
		return
	}
	v.Redirect("/")
}

// rejects gives what was refused as a file, without the upload's name.
func (p *Page) rejects(v *visit) {
	one, err := p.desk.get(v.Account.Name, v.R.PathValue("id"))
	if err != nil {
		v.oops(err)
		return
	}
	n, err := strconv.Atoi(v.R.PathValue("number"))
	if err != nil || n < 1 || n > len(one.Rejects) {
		v.oops(errNone)
		return
	}
	data := one.Rejects[n-1]
	ending := delivery.Ending(data)
	name := fmt.Sprintf("rejects-%s-%d%s", one.Uploaded.In(china).Format("20060102-150405"), n, ending)
	kind := map[string]string{".csv": "text/csv; charset=utf-8", ".json": "application/json", ".zip": "application/zip"}[ending]
	v.Download(name, kind, data)
}
