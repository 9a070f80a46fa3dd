package page

import (
	"errors"
	"net/http"

	"github.com/raresync/raresync/daemon/site"
)

// mux answers each path of the page, beside those of all sites.
func (p *Page) mux() http.Handler {
	mux := p.site.Mux()
	on := func(pattern string, next func(*visit)) {
		mux.HandleFunc(pattern, p.site.For(nil, func(v *site.Visit) { next(&visit{v, p}) }))
	}
	on("GET /{$}", p.home)
	on("POST /deliveries", p.upload)
	on("GET /deliveries/{id}", p.delivery)
	on("POST /deliveries/{id}/confirm", p.confirm)
	on("POST /deliveries/{id}/discard", p.discard)
	on("GET /deliveries/{id}/rejects/{number}", p.rejects)
	on("GET /deliveries/{id}/receipts", p.receipts)
	on("GET /deliveries/{id}/receipts.zip", p.receiptsArchive)
	on("GET /deliveries/{id}/receipts/{index}", p.receipt)
	on("GET /queries", p.queries)
	on("GET /queries/{index}", p.query)
	on("POST /queries/{index}/answer", p.answerQuery)
	on("GET /letters", p.letters)
	on("GET /letters/{index}", p.letter)
	on("GET /checks", p.checks)
	on("GET /checks/{letter}/{index}", p.oneCheck)
	on("POST /checks/{letter}/{index}", p.compare)
	return mux
}

// visit is one request of somebody who is signed in.
type visit struct {
	*site.Visit
	*Page
}

// oops answers with an error, logged where it is not the visitor's.
func (v *visit) oops(err error) {
	switch {
	case errors.Is(err, errNone):
		v.Fail(http.StatusNotFound, "notFound")
	case errors.Is(err, errNow):
		v.Fail(http.StatusConflict, "notNow")
	case errors.Is(err, errFull):
		v.Fail(http.StatusServiceUnavailable, "full")
	default:
		v.Oops(err)
	}
}
