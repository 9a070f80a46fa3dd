package consoletest

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/console"
	"github.com/raresync/raresync/registry/envelope"
)

// node is the world as the console asks its node.
type node struct{ *World }

// Agreement is that of all voters about the whole log; of two more nodes one is behind.
func (n node) Agreement(context.Context) (console.Agreement, error) {
	tree := n.m.View().Tree
	root := tree.Root()
	return console.Agreement{
		Size: tree.Size(), Root: hex.EncodeToString(root[:]), Time: "2026-11-28T01:00:00Z", Agree: []string{"h1", "h2", "h3"}, Checked: true,
		Without: []console.Without{{Node: "odd", Heard: true, Size: 12}, {Node: "lost"}},
	}, nil
}

// Envelopes are those of the log.
func (n node) Envelopes(before uint64, most int) (out []console.Envelope, err error) {
	st := n.m.View()
	if before == 0 || before > st.Envelopes {
		before = st.Envelopes
	}
	for number := before; number > 0 && len(out) < most; {
		number--
		meta, err := n.m.Meta(number)
		if err != nil {
			return nil, err
		}
		m, _ := st.Member(meta.Hospital)
		out = append(out, console.Envelope{
			Number: number, Act: number < 2, Hospital: meta.Hospital, Name: [2]string{m.NameEN, m.NameZH}, Sequence: 1, First: meta.First, Entries: meta.Count,
			LogTime: time.UnixMilli(1_790_000_000_000),
		})
	}
	return out, nil
}

// Leaf is that of the log.
func (n node) Leaf(index uint64) (admin.Leaf, error) {
	raw, err := n.m.Leaf(index)
	if err != nil {
		return admin.Leaf{}, err
	}
	l, err := envelope.ParseLeaf(raw)
	if err != nil {
		return admin.Leaf{}, err
	}
	return admin.Leaf{
		Index: index, Kind: "entry", Hospital: l.Hospital, Sequence: l.Sequence, Place: l.Place, LogTime: time.UnixMilli(int64(l.LogTime)).UTC().Format(time.RFC3339),
		Envelope: l.Envelope.String(), Commitment: hex.EncodeToString(l.Commitment[:]),
	}, nil
}

// Receipt is made up.
func (n node) Receipt(index uint64) (string, error) {
	return fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n", index), nil
}

// Checkpoint is made up.
func (n node) Checkpoint() (string, error) { return "demo/1\n", nil }

// Policy is made up.
func (n node) Policy() (string, error) { return "quorum 2\n", nil }

// Nodes stand where they do in the best of worlds, but for one that says what could
// do harm.
func (n node) Nodes(context.Context) (admin.NetworkStatus, error) {
	size, behind, yes, no := n.m.View().Tree.Size(), uint64(0), true, false
	out := admin.NetworkStatus{Size: size}
	for i, id := range []string{"h1", "h2", "h3", "odd"} {
		one := admin.NetworkNode{Node: id, Kind: "voter", Institution: uint32(i + 1), Name: "Hospital", NameZH: "医院", Told: true, Size: &size, Behind: &behind, Ready: &yes, Cosigns: &yes, Version: "v0"}
		if id == "odd" {
			one.Kind, one.Name, one.NameZH, one.Ready, one.Why, one.WhyZH, one.Institution, one.Cosigns = "mirror", Hostile, Hostile, &no, Hostile, Hostile, 5, nil
		}
		out.Nodes = append(out.Nodes, one)
	}
	out.Nodes = append(out.Nodes, admin.NetworkNode{Node: "lost", Kind: "mirror", Institution: 4, Name: "National coordinator", Since: "2026-11-27T01:00:00Z"})
	return out, nil
}

// Queries are one of each state, to hospitals of both provinces.
func (n node) Queries(context.Context) (out []admin.Query, err error) {
	for i, state := range []string{"open", "answered", "corrected", "closed"} {
		out = append(out, admin.Query{Index: uint64(20 + i), Asker: 4, Hospital: uint32(1 + i%3), Target: uint64(3 + i), Rule: "DX001", Text: 1, Asked: "2026-11-01T01:00:00Z", State: state, Days: 12 - i})
	}
	out[1].Reply = 1
	return out, nil
}

// Asks is true.
func (n node) Asks() bool { return true }

// Ask notes what is asked, and refuses the sixth text.
func (n node) Ask(_ context.Context, q admin.Question) (admin.QueryResult, error) {
	if q.Text == 6 {
		return admin.QueryResult{Outcome: "refused", Findings: []admin.Finding{{Code: "QY002"}}}, nil
	}
	return admin.QueryResult{Outcome: "accepted"}, n.record(fmt.Sprintf("asked %d %s %d", q.Index, q.Rule, q.Text))
}

// CloseQuery notes what is closed.
func (n node) CloseQuery(_ context.Context, index uint64) (admin.QueryResult, error) {
	return admin.QueryResult{Outcome: "accepted"}, n.record(fmt.Sprintf("closed %d", index))
}
