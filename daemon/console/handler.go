package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/daemon/view"
)

// mux answers each path of the console, beside those of all sites.
func (c *Console) mux() http.Handler {
	mux := c.site.Mux()
	on := func(pattern string, next func(*visit) error) {
		mux.HandleFunc(pattern, c.site.For(rolesOf(pattern), func(v *site.Visit) {
			at := &visit{v, c}
			if err := next(at); err != nil {
				at.oops(err)
			}
		}))
	}
	mux.HandleFunc("GET /{$}", c.site.For(nil, func(v *site.Visit) {
		at := &visit{v, c}
		if first := menu(v.Account); first[0].Path != "/" {
			v.Redirect(first[0].Path)
		} else if err := c.overview(at); err != nil {
			at.oops(err)
		}
	}))
	on("GET /diseases", c.diseases)
	on("GET /diseases/{row}", c.disease)
	on("GET /hospitals", c.hospitals)
	on("GET /hospitals/{number}", c.hospital)
	on("GET /quality", c.quality)
	on("GET /cohorts", c.cohorts)
	on("GET /quality/rules/{code}", c.broken)
	on("GET /queries", c.queries)
	on("GET /queries/ask", c.askForm)
	on("POST /queries/ask", c.ask)
	on("POST /queries/close", c.closeQuery)
	on("GET /log", c.log)
	on("GET /log/entry", c.findEntry)
	on("GET /log/entries/{index}", c.entry)
	on("GET /log/entries/{index}/proof", c.proof)
	on("GET /log/checkpoint", c.checkpoint)
	on("GET /log/policy", c.policy)
	on("GET /nodes", c.nodes)
	on("GET /reports", c.reports)
	on("GET /reports/{name}", c.report)
	return mux
}

// rolesOf are those that may open what a pattern belongs to.
func rolesOf(pattern string) []string {
	_, path, _ := strings.Cut(pattern, " ")
	for _, s := range sections() {
		if s.Path != "/" && (path == s.Path || strings.HasPrefix(path, s.Path+"/")) {
			return s.roles
		}
	}
	panic("console: " + pattern + " is in no section") // a mistake of this file
}

// visit is one request of somebody who is signed in.
type visit struct {
	*site.Visit
	*Console
}

// errNone reports something that there is not, or that is not the visitor's.
var errNone = errors.New("there is no such thing")

// errAsked reports a question that cannot be answered.
var errAsked = errors.New("the question is not understood")

// errAudit reports that what would be shown could not be written down, so that
// nothing is.
var errAudit = errors.New("the read could not be recorded")

// oops answers with an error, logged where it is not the visitor's.
func (v *visit) oops(err error) {
	switch {
	case errors.Is(err, errNone), errors.Is(err, report.ErrUnknown), errors.Is(err, report.ErrOptions), errors.Is(err, reader.ErrNotFound), errors.Is(err, ledger.ErrOutOfRange):
		v.Fail(http.StatusNotFound, "notFound")
	case errors.Is(err, errAsked):
		v.Fail(http.StatusBadRequest, "badQuestion")
	case errors.Is(err, view.ErrBehind):
		v.Fail(http.StatusServiceUnavailable, "behind")
	case errors.Is(err, consensus.ErrNotYet):
		v.Fail(http.StatusServiceUnavailable, "notYet")
	case errors.Is(err, errAudit):
		v.Console.cfg.Logger.Error("console: a read could not be recorded, and nothing was shown", "reason", err.Error())
		v.Fail(http.StatusServiceUnavailable, "noAudit")
	default:
		v.Oops(err)
	}
}

// look reads the view for the visitor, of the province that the account is limited
// to. It is the one way to what was opened: that it is about to be shown is written
// down before anything is read.
func (v *visit) look(what string, f func(view.Query) error) error {
	done, err := v.audited(what)
	if err != nil {
		return err
	}
	defer done()
	return v.Console.cfg.Read(v.R.Context(), v.Account.Province, f)
}

// audited has the look said on the log; the visit goes on with its context.
func (v *visit) audited(what string) (done func(), err error) {
	ctx, done, err := v.Console.cfg.Audit(v.R.Context(), v.Account, what)
	if err != nil {
		return nil, errors.Join(errAudit, err)
	}
	v.R = v.R.WithContext(ctx)
	return done, nil
}
