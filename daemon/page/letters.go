package page

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/site"
)

// Letters are the quality letters to this hospital.
type Letters interface {
	// Letters lists them, in the order of the log.
	Letters(ctx context.Context) ([]admin.Letter, error)
	// Letter returns one as a page that stands by itself, in a language.
	Letter(ctx context.Context, index uint64, lang string) ([]byte, error)
}

// letters lists the letters, the newest first.
func (p *Page) letters(v *visit) {
	list, err := p.cfg.Letters.Letters(v.R.Context())
	if err != nil {
		v.away(err)
		return
	}
	slices.Reverse(list)
	v.Show(http.StatusOK, "letters", &screen{Screen: site.Screen{Title: "letters"}, Letters: list})
}

// letter shows a letter, to be read or printed.
func (p *Page) letter(v *visit) {
	index, err := strconv.ParseUint(v.R.PathValue("index"), 10, 63)
	if err != nil {
		v.oops(errNone)
		return
	}
	list, err := p.cfg.Letters.Letters(v.R.Context())
	if err != nil {
		v.away(err)
		return
	}
	if !slices.ContainsFunc(list, func(l admin.Letter) bool { return l.Index == index }) {
		v.oops(errNone)
		return
	}
	printed, err := p.cfg.Letters.Letter(v.R.Context(), index, v.Lang)
	if err != nil {
		v.away(err)
		return
	}
	v.Printed(printed)
}
