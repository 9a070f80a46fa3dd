package console

import (
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/site"
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
