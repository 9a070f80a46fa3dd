package console

import (
	"strconv"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

func (c *Console) nodes(v *visit) error {
	strip, err := v.strip(0)
	if err != nil {
		return err
	}
	network, err := c.cfg.Node.Nodes(v.R.Context())
	if err != nil {
		return err
	}
	s := v.start("nodes")
	t := &table{ID: "nodes", Title: v.Say("nodesTitle", site.Grouped(int(network.Size))), Head: heads(v.Say("node"), v.Say("institution"), v.Say("kind"), v.Say("treeSize"), v.Say("behindLog"), v.Say("cosigns"), v.Say("state"), v.Say("version"))}
	t.Head[3].Num, t.Head[4].Num = true, true
	for _, n := range network.Nodes {
		t.Rows = append(t.Rows, v.nodeRow(n))
	}
	s.Blocks = []block{{Proof: strip}, {Table: t}}
	s.Hints, s.Links = []string{v.Say("nodesHint")}, []link{}
	if v.reach("/reports") != "" {
		s.Links = append(s.Links, v.printed("convergence", ""))
	}
	return v.finish(s)
}

func (v *visit) nodeRow(n admin.NetworkNode) []cell {
	size, behind, cosigns, state := cell{Text: "–", Num: true}, cell{Text: "–", Num: true}, cell{Text: "–"}, cell{Text: v.Say("notHeard"), Class: "status bad"}
	if n.Size != nil && n.Behind != nil {
		size, behind = count(int64(*n.Size)), count(int64(*n.Behind))
	}
	if n.Cosigns != nil {
		cosigns = map[bool]cell{true: {Text: v.Say("yes"), Class: "status good"}, false: {Text: v.Say("lastAt", site.Grouped(int(n.Cosigned))), Class: "status part"}}[*n.Cosigns]
	}
	switch {
	case n.Ready != nil && *n.Ready:
		state = cell{Text: v.Say("ready"), Class: "status good"}
	case n.Told:
		state = cell{Text: v.name(n.Why, n.WhyZH), Class: "status part"}
	case n.Since != "":
		state.Small = v.Say("since", n.Since)
	}
	return []cell{word(n.Node), word(v.name(n.Name, n.NameZH)), word(v.Say("node." + n.Kind)), size, behind, cosigns, state, word(n.Version)}
}

// queries lists the quality queries of the hospitals that the account may see.
func (c *Console) queries(v *visit) error {
	s := v.start("queries")
	hospitals := map[uint32][2]string{}
	if err := v.look("queries", func(q view.Query) error {
		s.Label = v.label(q.Head)
		return q.Each(`SELECT number, en, zh FROM hospitals`, func(row view.Row) error {
			var n uint32
			var name [2]string
			err := row(&n, &name[0], &name[1])
			hospitals[n] = name
			return err
		})
	}); err != nil {
		return err
	}
	all, err := c.cfg.Node.Queries(v.R.Context())
	if err != nil {
		return err
	}
	t := &table{ID: "queries", Head: heads(v.Say("query"), v.Say("hospital"), v.Say("entryAsked"), v.Say("rule"), v.Say("question"), v.Say("askedBy"), v.Say("askedAt"), v.Say("daysOpen"), v.Say("state"))}
	t.Head[7].Num = true
	open, days := 0, 0
	for _, q := range all {
		name, mine := hospitals[q.Hospital]
		if !mine {
			continue // of another province
		}
		if q.State == "open" {
			open, days = open+1, max(days, q.Days)
		}
		t.Rows = append(t.Rows, v.queryRow(q, name))
	}
	t.Title = v.Say("queriesTitle", len(t.Rows), open)
	s.Blocks = []block{{Tiles: []tile{{Name: v.Say("openQueries"), Value: strconv.Itoa(open)}, {Name: v.Say("longestOpen"), Value: v.Say("dayCount", days)}, {Name: v.Say("allQueries"), Value: strconv.Itoa(len(t.Rows))}}}, {Table: t}}
	s.Hints = []string{v.Say("queriesHint")}
	return v.finish(s)
}

func (v *visit) queryRow(q admin.Query, name [2]string) []cell {
	what, _ := rule.Text(q.Rule, v.Lang)
	at := q.Asked
	if parsed, err := time.Parse(time.RFC3339, q.Asked); err == nil {
		at = parsed.In(china).Format("2006-01-02 15:04")
	}
	asker := v.Say("aReader")
	if q.Asker == q.Hospital {
		asker = v.Say("ownCheck")
	}
	state := cell{Text: v.Say("query." + q.State), Class: map[string]string{"open": "status open", "closed": "status good", "corrected": "status good"}[q.State]}
	if state.Class == "" {
		state.Class = "status part"
	}
	if q.Reply != 0 {
		state.Small = entry.ReplyText(q.Reply).Words(v.Lang)
	}
	return []cell{
		{Text: strconv.FormatUint(q.Index, 10), Href: "/log/entries/" + strconv.FormatUint(q.Index, 10)}, word(v.name(name[0], name[1])),
		{Text: strconv.FormatUint(q.Target, 10), Href: "/log/entries/" + strconv.FormatUint(q.Target, 10)}, {Text: q.Rule, Small: what}, word(entry.QueryText(q.Text).Words(v.Lang)),
		word(asker), word(at), count(int64(q.Days)), state,
	}
}
