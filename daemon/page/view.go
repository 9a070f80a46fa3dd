package page

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
)

// view is a delivery as its screen shows it.
type view struct {
	row
	Foreseen *admin.Foreseen
	Refusals []delivery.Finding // what is to be mended
	Flags    []delivery.Finding // accepted all the same
	Rules    []count            // how often each rule spoke
	Receipts []receiptRun
	Sent     int
	CanSend  bool
	Papers   bool // documents came beside the file
}

// count is how often a rule spoke.
type count struct {
	Rule, What string
	Refuses    bool
	Times      int
}

// receiptRun is a run of entries under a receipt.
type receiptRun struct {
	Text string
	Each []uint64 // those that have links
}

const maxReceiptLinks = 50

func (v *visit) viewOf(one Delivery) *view {
	out := &view{row: v.rowOf(one), Foreseen: one.Report.Foreseen, Sent: one.sent, Papers: one.papers}
	rules := map[string]*count{}
	for _, f := range one.Report.Findings {
		f = f.In(v.Lang) // of who looks
		if f.Refuses() {
			out.Refusals = append(out.Refusals, f)
		} else {
			out.Flags = append(out.Flags, f)
		}
		if rules[f.Rule] == nil {
			rules[f.Rule] = &count{Rule: f.Rule, What: f.What, Refuses: f.Refuses()}
		}
		rules[f.Rule].Times++
	}
	for _, c := range rules {
		out.Rules = append(out.Rules, *c)
	}
	slices.SortFunc(out.Rules, func(a, b count) int { return cmp.Or(b.Times-a.Times, cmp.Compare(a.Rule, b.Rule)) })
	links := 0
	for _, run := range one.Indexes {
		r := receiptRun{Text: fmt.Sprint(run[0])}
		if run[1] > 1 {
			r.Text = fmt.Sprintf("%d–%d", run[0], run[0]+run[1]-1)
		}
		for i := uint64(0); i < run[1] && links < maxReceiptLinks; i++ {
			r.Each, links = append(r.Each, run[0]+i), links+1
		}
		out.Receipts = append(out.Receipts, r)
	}
	out.CanSend = one.State == checked && one.Report.Outcome != delivery.Refused && one.Report.Outcome != delivery.Known || one.State == stuck
	return out
}

// job is work on a delivery, for Run.
func (p *Page) job(one Delivery, lang string, work func(context.Context, Delivery, string)) func(context.Context) {
	return func(ctx context.Context) { work(ctx, one, lang) }
}
