package page

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/raresync/raresync/daemon/delivery"
)

// screen is what a template shows.
type screen struct {
	Title    string // key of the words; it names no file and no patient
	Problem  string
	Notice   string
	Refresh  int // seconds, while something goes on
	Hospital string
	Account  Account
	Lang     string
	Path     string

	Name       string // typed
	Deliveries []row
	One        *view
	Accounts   []Account
}

// screens are the templates in one language.
type screens map[string]*template.Template

var screenNames = []string{"signin", "home", "delivery", "password", "accounts", "problem"}

// parseScreens reads the templates, once for each language.
func parseScreens() (map[string]screens, error) {
	out := map[string]screens{}
	for _, lang := range []string{"zh", "en"} {
		out[lang] = screens{}
		for _, name := range screenNames {
			t, err := template.New("layout.html").Funcs(functions(lang)).ParseFS(assets, "templates/layout.html", "templates/"+name+".html")
			if err != nil {
				return nil, err
			}
			out[lang][name] = t
		}
	}
	return out, nil
}

// china is the time zone of a hospital's day.
var china = time.FixedZone("UTC+8", 8*3600)

func functions(lang string) template.FuncMap {
	return template.FuncMap{
		"t":      func(key string, values ...any) string { return sayIn(lang, key, values...) },
		"number": grouped,
		"time":   func(t time.Time) string { return t.In(china).Format("2006-01-02 15:04") },
		"inc":    func(i int) int { return i + 1 },
	}
}

// grouped writes a number with separators of thousands.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// say is what a key says in the visitor's language.
func (v *visit) say(key string, values ...any) string { return sayIn(v.lang, key, values...) }

// show answers with a screen, whole or not at all.
func (v *visit) show(status int, name string, s screen) {
	s.Lang, s.Account, s.Path = v.lang, v.account, localPath(v.r.URL.Path)
	s.Hospital = v.cfg.Hospital[0]
	if v.lang == "zh" && v.cfg.Hospital[1] != "" || s.Hospital == "" {
		s.Hospital = v.cfg.Hospital[1]
	}
	if v.r.Method != http.MethodGet {
		s.Path = "/"
	}
	var b bytes.Buffer
	if err := v.screens[v.lang][name].Execute(&b, s); err != nil {
		v.cfg.Logger.Error("page: a screen cannot be shown", "screen", name, "reason", err.Error())
		http.Error(v.w, "internal error", http.StatusInternalServerError)
		return
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.Header().Set("Content-Language", map[string]string{"zh": "zh-CN", "en": "en"}[v.lang])
	v.w.WriteHeader(status)
	_, _ = b.WriteTo(v.w) // the browser has gone if it fails
}

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
		return v.say("outcome." + one.Report.Outcome)
	}
	return v.say("state." + string(one.State))
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
	s := screen{Title: "home"}
	for _, one := range p.desk.of(v.account.Name) {
		s.Deliveries = append(s.Deliveries, v.rowOf(one))
	}
	v.show(http.StatusOK, "home", s)
}

// uploadTime is how long a file may take to come in.
const uploadTime = 15 * time.Minute

// upload takes a file and has it checked.
func (p *Page) upload(v *visit) {
	select {
	case p.uploading <- struct{}{}:
		defer func() { <-p.uploading }()
	default:
		v.fail(http.StatusServiceUnavailable, "busy")
		return
	}
	_ = http.NewResponseController(v.w).SetReadDeadline(time.Now().Add(uploadTime)) // a recorder has none
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, delivery.MaxFileBytes+maxPapersBytes+maxFormBytes)
	one, err := p.takeUpload(v.r, v.account.Name)
	var large *http.MaxBytesError
	var papers papersError
	switch {
	case errors.As(err, &large) || errors.Is(err, errLarge):
		v.fail(http.StatusRequestEntityTooLarge, "large")
		return
	case errors.As(err, &papers):
		v.show(http.StatusUnprocessableEntity, "problem", screen{Title: "problem", Problem: v.say("badPapers", papers.Error())})
		return
	case errors.Is(err, errNoFile):
		v.fail(http.StatusBadRequest, "noFile")
		return
	case err != nil:
		v.oops(err)
		return
	}
	lang := v.lang
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
		v.desk.update(one.ID, func(d *Delivery) { d.State, d.Problem = otherwise, v.say("busy") })
	}
	v.redirect("/deliveries/" + one.ID)
}

func (p *Page) delivery(v *visit) {
	one, err := p.desk.get(v.account.Name, v.r.PathValue("id"))
	if err != nil {
		v.oops(err)
		return
	}
	s := screen{Title: "state." + string(one.State), One: v.viewOf(one)}
	if one.State == checking || one.State == sending {
		s.Refresh = 2
	}
	v.show(http.StatusOK, "delivery", s)
}

// confirm sends what was previewed; what could not be checked is checked again.
func (p *Page) confirm(v *visit) {
	id, lang := v.r.PathValue("id"), v.lang
	one, err := p.desk.get(v.account.Name, id)
	if err != nil {
		v.oops(err)
		return
	}
	next, work := sending, p.send
	if one.Report.Foreseen == nil {
		next, work = checking, p.check
	}
	if err := p.desk.move(v.account.Name, id, next, checked, stuck); err != nil {
		v.oops(err)
		return
	}
	v.start(one, stuck, func() bool { return p.enqueue(p.job(one, lang, work)) })
}

func (p *Page) discard(v *visit) {
	if err := p.desk.discard(v.account.Name, v.r.PathValue("id")); err != nil {
		v.oops(err)
		return
	}
	v.redirect("/")
}

// rejects gives what was refused as a file, without the upload's name.
func (p *Page) rejects(v *visit) {
	one, err := p.desk.get(v.account.Name, v.r.PathValue("id"))
	if err != nil {
		v.oops(err)
		return
	}
	n, err := strconv.Atoi(v.r.PathValue("number"))
	if err != nil || n < 1 || n > len(one.Rejects) {
		v.oops(errNone)
		return
	}
	data := one.Rejects[n-1]
	ending := delivery.Ending(data)
	name := fmt.Sprintf("rejects-%s-%d%s", one.Uploaded.In(china).Format("20060102-150405"), n, ending)
	kind := map[string]string{".csv": "text/csv; charset=utf-8", ".json": "application/json", ".zip": "application/zip"}[ending]
	v.download(name, kind, data)
}

// receipt gives the receipt of an entry of the delivery.
func (p *Page) receipt(v *visit) {
	one, err := p.desk.get(v.account.Name, v.r.PathValue("id"))
	if err != nil {
		v.oops(err)
		return
	}
	index, err := strconv.ParseUint(v.r.PathValue("index"), 10, 63)
	if err != nil || !one.holds(index) {
		v.oops(errNone)
		return
	}
	proof, err := p.cfg.Proof(index)
	if err != nil {
		v.show(http.StatusServiceUnavailable, "problem", screen{Title: "problem", Problem: p.problem(err, v.lang)})
		return
	}
	v.download(fmt.Sprintf("entry-%d.tlog-proof", index), "text/plain; charset=utf-8", []byte(proof))
}

func (d *Delivery) holds(index uint64) bool {
	for _, run := range d.Indexes {
		if index >= run[0] && index-run[0] < run[1] {
			return true
		}
	}
	return false
}

func (v *visit) download(name, kind string, data []byte) {
	h := v.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	_, _ = v.w.Write(data) // the browser has gone if it fails
}
