package page

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
)

const (
	checksAtOnce = 2 // each holds a file in memory
	expireEvery  = time.Minute
)

// Run checks and sends files until the context ends, and destroys what has expired.
func (p *Page) Run(ctx context.Context) error {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	defer p.workers.Wait()
	for {
		if err := p.desk.expire(); err != nil {
			p.cfg.Logger.Warn("page: what has expired cannot be destroyed, and is tried again", "reason", err.Error())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case job := <-p.jobs:
			p.workers.Go(func() {
				select {
				case p.places <- struct{}{}:
					defer func() { <-p.places }()
					job(ctx)
				case <-ctx.Done():
				}
			})
		}
	}
}

// enqueue has Run do a job; false if there are too many.
func (p *Page) enqueue(job func(ctx context.Context)) bool {
	select {
	case p.jobs <- job:
		return true
	default:
		return false
	}
}

// fileOf opens an upload, with the identities that came beside it.
func (p *Page) fileOf(one Delivery, lang string) (f delivery.File, err error) {
	f = delivery.File{Name: one.File, Profile: p.cfg.Profile, Language: lang}
	if f.Raw, err = p.desk.staged(one.ID); err != nil {
		return f, err
	}
	papers, err := p.desk.papers(one)
	if err != nil || papers == nil {
		return f, err
	}
	names := []string{one.File}
	if delivery.KindOf(one.File, f.Raw) == delivery.Collections {
		if c, err := delivery.OpenCollection(one.File, f.Raw); err == nil {
			names = append(names, c.Files...)
		}
	}
	if papers.Stray(names) != "" { // a slip would submit patients under weak identities
		return f, errStray
	}
	f.Documents = papers.Of
	return f, nil
}

// errStray reports identities of a file that was not uploaded.
var errStray = errors.New("the file of identities names a file that is neither the one uploaded nor in it")

// check makes a delivery's preview.
func (p *Page) check(ctx context.Context, one Delivery, lang string) {
	f, err := p.fileOf(one, lang)
	var report delivery.Report
	var rejects []delivery.RejectFile
	if err == nil {
		f.Preview = true
		report, rejects, err = f.Deliver(ctx, p.cfg.Preview)
	}
	p.desk.update(one.ID, func(d *Delivery) {
		d.State = checked
		if err != nil {
			d.State, d.Problem = stuck, p.problem(err, lang)
			return
		}
		d.take(report, rejects)
	})
}

// send hands a delivery to the daemon's intake, and keeps what became of it.
func (p *Page) send(ctx context.Context, one Delivery, lang string) {
	f, err := p.fileOf(one, lang)
	var report delivery.Report
	var rejects []delivery.RejectFile
	if err == nil {
		report, rejects, err = f.Deliver(ctx, func(ctx context.Context, files []admin.File) ([]admin.FileResult, error) {
			results, err := p.cfg.Send(ctx, files)
			p.desk.update(one.ID, func(d *Delivery) {
				for _, f := range files {
					if len(f.Refused) == 0 {
						d.sent++
					}
				}
			})
			return results, err
		})
	}
	if err == nil {
		if err := p.cfg.Record("delivery on the page by "+one.Owner, len(report.Entries)); err != nil { // what is sent is sent
			p.cfg.Logger.Error("page: the trail has no line of a delivery", "account", one.Owner, "reason", err.Error())
		}
		one.take(report, rejects)
		err = p.desk.end(one)
	}
	if err != nil {
		p.cfg.Logger.Warn("page: a delivery waits to be sent again", "account", one.Owner, "reason", p.problem(err, "en"))
		p.desk.update(one.ID, func(d *Delivery) { d.State, d.Problem = stuck, p.problem(err, lang) })
		return
	}
	p.cfg.Logger.Info("page: a delivery was sent", "account", one.Owner, "outcome", report.Outcome, "entries", len(report.Entries), "findings", len(report.Findings))
}

// problem is what a clerk reads of an error. One of reading names the file, so that
// only what the daemon says of the network is shown.
func (p *Page) problem(err error, lang string) string {
	switch {
	case errors.Is(err, context.Canceled):
		return p.site.SayIn(lang, "stopping")
	case errors.Is(err, errStray):
		return p.site.SayIn(lang, "strayPapers")
	}
	return p.cfg.Problem(err)
}

// take takes in what became of a file, or would. Of findings the first are kept,
// those that refuse before the others, by row.
func (d *Delivery) take(r delivery.Report, rejects []delivery.RejectFile) {
	d.Indexes, d.Before, d.Later, d.More, d.Rejects = nil, 0, 0, 0, nil
	var indexes []uint64
	for _, e := range r.Entries {
		switch {
		case e.Receipt:
			indexes = append(indexes, e.Index)
		case e.InLog:
			d.Before++
		default:
			d.Later++
		}
	}
	d.Indexes = runs(indexes)
	slices.SortStableFunc(r.Findings, func(a, b delivery.Finding) int {
		switch {
		case a.Refuses() == b.Refuses():
			return a.Row - b.Row
		case a.Refuses():
			return -1
		}
		return 1
	})
	if n := len(r.Findings) - maxShown; n > 0 {
		d.More, r.Findings = n, slices.Clone(r.Findings[:maxShown])
	}
	r.Entries = nil
	d.Report = r
	total := 0
	for _, f := range rejects {
		if total += len(f.Data); total <= maxKeptFiles {
			d.Rejects = append(d.Rejects, f.Data)
		}
	}
}

// runs writes numbers as runs: first and count.
func runs(numbers []uint64) (out [][2]uint64) {
	slices.Sort(numbers)
	for _, n := range slices.Compact(numbers) {
		if last := len(out) - 1; last >= 0 && out[last][0]+out[last][1] == n {
			out[last][1]++
			continue
		}
		out = append(out, [2]uint64{n, 1})
	}
	return out
}
