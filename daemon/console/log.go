package console

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/raresync/raresync/daemon/site"
)

const envelopesShown = 25

func (c *Console) log(v *visit) error {
	before, ok := uint64(0), true
	if text := v.R.URL.Query().Get("before"); text != "" {
		before, ok = number(text, 1<<62)
	}
	if !ok {
		return errAsked
	}
	strip, err := v.strip(0)
	if err != nil {
		return err
	}
	all, err := c.cfg.Node.Envelopes(before, envelopesShown)
	if err != nil {
		return err
	}
	s := v.start("log")
	t := &table{ID: "envelopes", Title: v.Say("envelopesTitle"), Head: heads(v.Say("envelope"), v.Say("logTime"), v.Say("institution"), v.Say("kind"), v.Say("sequence"), v.Say("entryCount"), v.Say("entriesAt"))}
	t.Head[0].Num, t.Head[4].Num, t.Head[5].Num = true, true, true
	for _, e := range all {
		kind, at := "kind.entries", strconv.FormatUint(e.First, 10)
		if e.Act {
			kind = "kind.act"
		}
		if e.Entries > 1 {
			at += "–" + strconv.FormatUint(e.First+uint64(e.Entries)-1, 10)
		}
		t.Rows = append(t.Rows, []cell{count(int64(e.Number)), word(e.LogTime.In(china).Format("2006-01-02 15:04:05")), word(v.name(e.Name[0], e.Name[1])), word(v.Say(kind)),
			count(int64(e.Sequence)), count(int64(e.Entries)), {Text: at, Href: fmt.Sprintf("/log/entries/%d", e.First)}})
	}
	s.Form = &form{Action: "/log/entry", Submit: v.Say("show"), Fields: []field{{Name: "index", Label: v.Say("entryNumber"), Number: true}}}
	s.Blocks = []block{{Proof: strip}, {Table: t}}
	s.Links = []link{{Href: "/log/checkpoint", Text: v.Say("checkpointFile"), File: true}, {Href: "/log/policy", Text: v.Say("policyFile"), File: true}}
	if n := len(all); n > 0 && all[n-1].Number > 0 {
		s.Links = append(s.Links, link{Href: fmt.Sprintf("/log?before=%d", all[n-1].Number), Text: v.Say("older")})
	}
	s.Hints = []string{v.Say("logHint")}
	return v.finish(s)
}

// findEntry goes to the entry of a number that was typed.
func (c *Console) findEntry(v *visit) error {
	index, ok := number(strings.TrimSpace(v.R.URL.Query().Get("index")), 1<<62)
	if !ok {
		return errAsked
	}
	v.Redirect("/log/entries/" + url.PathEscape(strconv.FormatUint(index, 10)))
	return nil
}

func (v *visit) index() (uint64, error) {
	index, ok := number(v.R.PathValue("index"), 1<<62)
	if !ok {
		return 0, errNone
	}
	return index, nil
}

func (c *Console) entry(v *visit) error {
	index, err := v.index()
	if err != nil {
		return err
	}
	leaf, err := c.cfg.Node.Leaf(index)
	if err != nil {
		return err
	}
	s := v.start("log")
	s.Heading = v.Say("entryTitle", site.Grouped(int(index)))
	at := leaf.LogTime
	if parsed, err := time.Parse(time.RFC3339, leaf.LogTime); err == nil {
		at = parsed.In(china).Format("2006-01-02 15:04:05")
	}
	t := &table{ID: "leaf", Title: v.Say("leafTitle"), Head: heads(v.Say("what"), v.Say("says"))}
	for _, line := range [][2]string{
		{"logTime", at}, {"institution", strconv.FormatUint(uint64(leaf.Hospital), 10)}, {"kind", v.Say("leaf." + leaf.Kind)}, {"sequence", strconv.FormatUint(leaf.Sequence, 10)},
		{"place", strconv.FormatUint(uint64(leaf.Place), 10)}, {"envelopeID", leaf.Envelope}, {"commitment", leaf.Commitment},
	} {
		t.Rows = append(t.Rows, []cell{word(v.Say(line[0])), {Text: line[1], Class: "file"}})
	}
	s.Blocks = []block{{Table: t}}
	proof, err := c.cfg.Node.Receipt(index)
	switch {
	case err == nil:
		s.Blocks = append(s.Blocks, block{Text: proof})
		s.Links = append(s.Links, link{Href: fmt.Sprintf("/log/entries/%d/proof", index), Text: v.Say("proofFile"), File: true}, link{Href: "/log/policy", Text: v.Say("policyFile"), File: true})
		s.Hints = []string{v.Say("proofHint", index)}
	default:
		s.Problem = v.Say("noProof")
	}
	if leaf.Kind == "entry" && v.asks() {
		s.Links = append(s.Links, link{Href: fmt.Sprintf("/queries/ask?index=%d", index), Text: v.Say("askAbout")})
	}
	s.Links = append(s.Links, link{Href: "/log", Text: v.Say("backToLog")})
	return v.finish(s)
}

func (c *Console) proof(v *visit) error {
	index, err := v.index()
	if err != nil {
		return err
	}
	proof, err := c.cfg.Node.Receipt(index)
	if err != nil {
		return err
	}
	v.Download(fmt.Sprintf("entry-%d.tlog-proof", index), "text/plain; charset=utf-8", []byte(proof))
	return nil
}

func (c *Console) checkpoint(v *visit) error {
	note, err := c.cfg.Node.Checkpoint()
	if err != nil {
		return err
	}
	v.Download("checkpoint.txt", "text/plain; charset=utf-8", []byte(note))
	return nil
}

func (c *Console) policy(v *visit) error {
	text, err := c.cfg.Node.Policy()
	if err != nil {
		return err
	}
	v.Download("policy.txt", "text/plain; charset=utf-8", []byte(text))
	return nil
}
