package page

import (
	"archive/zip"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/raresync/raresync/daemon/receipt"
	"github.com/raresync/raresync/daemon/site"
)

// maxPrinted bounds the receipts on a page to print; the archive has all.
const maxPrinted = 1000

// receiptsView are receipts to print.
type receiptsView struct {
	Delivery row
	Network  string
	Rows     []receipt.Row
	More     int // that are not on the page
}

// entries lists the entries of the delivery that are under a receipt, at most so
// many (0 = all).
func (d *Delivery) entries(most int) (list []receipt.Entry) {
	for _, run := range d.Indexes {
		for i := range run[1] {
			if most > 0 && len(list) == most {
				return list
			}
			list = append(list, receipt.Entry{File: d.File, Index: run[0] + i})
		}
	}
	return list
}

// proven is a delivery with receipts, and a place to make them in until free is
// called. Without either the visitor is told.
func (v *visit) proven() (one Delivery, free func(), ok bool) {
	one, err := v.desk.get(v.Account.Name, v.R.PathValue("id"))
	if err == nil && len(one.Indexes) == 0 {
		err = errNone
	}
	if err != nil {
		v.oops(err)
		return one, nil, false
	}
	select {
	case v.proving <- struct{}{}:
		return one, func() { <-v.proving }, true
	default:
		v.Fail(http.StatusServiceUnavailable, "busy")
		return one, nil, false
	}
}

// receipts shows receipts to print.
func (p *Page) receipts(v *visit) {
	one, free, ok := v.proven()
	if !ok {
		return
	}
	defer free()
	out := &receiptsView{Delivery: v.rowOf(one)}
	for _, e := range one.entries(maxPrinted) {
		proof, err := p.cfg.Receipts.Proof(v.R.Context(), e.Index)
		if err != nil {
			v.away(err)
			return
		}
		r, network, err := receipt.RowOf(e, proof)
		if err != nil {
			v.oops(err)
			return
		}
		out.Rows, out.Network = append(out.Rows, r), network
	}
	out.More = out.Delivery.UnderReceipt - len(out.Rows)
	v.Show(http.StatusOK, "receipts", &screen{Screen: site.Screen{Title: "receipts"}, Receipts: out})
}

// archiveTime is how long an archive of receipts may take to be read.
const archiveTime = 15 * time.Minute

// receiptsArchive gives all receipts of the delivery as they are made: a proof of
// each, the policy, and a page to print. One that ends early is no archive.
func (p *Page) receiptsArchive(v *visit) {
	one, free, ok := v.proven()
	if !ok {
		return
	}
	defer free()
	list := one.entries(0)
	if _, err := p.cfg.Receipts.Proof(v.R.Context(), list[0].Index); err != nil { // before an answer is begun
		v.away(err)
		return
	}
	ctx, cancel := context.WithTimeout(v.R.Context(), archiveTime)
	defer cancel()
	v.Attach(fmt.Sprintf("receipts-%s.zip", one.Uploaded.In(china).Format("20060102-150405")), "application/zip")
	z := zip.NewWriter(v.W)
	err := receipt.Write(ctx, p.cfg.Receipts, v.Lang, list, func(name string, data []byte) error {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(data)
		}
		if err == nil {
			err = ctx.Err()
		}
		return err
	})
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		p.cfg.Logger.Warn("page: an archive of receipts ended early", "account", v.Account.Name)
		panic(http.ErrAbortHandler) // the browser sees that it is not whole
	}
}

// away answers that receipts cannot be made now.
func (v *visit) away(err error) {
	v.Show(http.StatusServiceUnavailable, "problem", &site.Screen{Title: "problem", Problem: v.problem(err, v.Lang)})
}

// receipt gives the receipt of an entry of the delivery.
func (p *Page) receipt(v *visit) {
	one, err := p.desk.get(v.Account.Name, v.R.PathValue("id"))
	if err != nil {
		v.oops(err)
		return
	}
	index, err := strconv.ParseUint(v.R.PathValue("index"), 10, 63)
	if err != nil || !one.holds(index) {
		v.oops(errNone)
		return
	}
	proof, err := p.cfg.Receipts.Proof(v.R.Context(), index)
	if err != nil {
		v.away(err)
		return
	}
	v.Download(receipt.ProofName(index), "text/plain; charset=utf-8", proof)
}

func (d *Delivery) holds(index uint64) bool {
	for _, run := range d.Indexes {
		if index >= run[0] && index-run[0] < run[1] {
			return true
		}
	}
	return false
}
