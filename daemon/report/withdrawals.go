package report

import "github.com/raresync/raresync/daemon/view"

// withdrawals lists what the log says of erasures.
func withdrawals(q view.Query, o Options, r *Report) error {
	t := Table{Title: Text{"Withdrawals", "撤回"}, Columns: []Column{
		{Name: "envelope", Title: Text{"Envelope", "信封号"}, Kind: Number}, {Name: "log_time", Title: Text{"Log time", "日志时间"}, Kind: Word},
		hospitalColumn, {Name: "entries", Title: Text{"Entries", "条目"}, Kind: Number},
		{Name: "declared", Title: Text{"Nodes that declared it", "已声明节点"}, Kind: Number}, {Name: "nodes", Title: Text{"Of", "总节点"}, Kind: Number},
		{Name: "days", Title: Text{"Days to full erasure", "完全擦除所需天数"}, Kind: Number}, {Name: "proof", Title: Text{"Proof", "证明"}, Kind: Word},
	}}
	var took []float64
	for _, w := range o.Withdrawals {
		days, full, err := fullErasure(q, w)
		if err != nil {
			return err
		}
		if full {
			took = append(took, float64(days))
		}
		t.Rows = append(t.Rows, []Cell{number(int64(w.Envelope)), word(w.LogTime), word(w.Hospital), number(int64(w.Entries)),
			number(int64(w.Declared)), number(int64(w.Of)), {N: days, None: !full}, word(w.Proof)})
	}
	median, any := view.Median(took)
	together := Table{Title: Text{"Q14: withdrawals that are executed", "Q14：撤回执行情况"}, Columns: []Column{
		{Name: "withdrawals", Title: Text{"Withdrawals", "撤回"}, Kind: Number}, {Name: "erased", Title: Text{"Erased everywhere", "已在各处擦除"}, Kind: Number},
		{Name: "median_days", Title: Text{"Days to full erasure, median", "完全擦除所需天数（中位数）"}, Kind: Number},
	}, Rows: [][]Cell{{number(int64(len(o.Withdrawals))), number(int64(len(took))), {N: int64(median), None: !any}}}}
	r.Tables = append(r.Tables, together, t)
	r.Notes = append(r.Notes,
		Text{"All of this stands on the log for every node to read.", "以上内容均在日志上公开，各节点均可查看。"},
		Text{"Full erasure: every node in the network of an institution that had a copy when the entries were withdrawn has declared it; erasure show names those that had left. Days are those of the log, in China's time.",
			"完全擦除：撤回时持有副本的机构在网内的所有节点均已声明；已退出的节点见 erasure show。天数按日志的北京时间计。"})
	return nil
}

// fullErasure returns how many days it took until all nodes that owed it had declared a
// withdrawal; full is false while one has not.
func fullErasure(q view.Query, w Withdrawal) (days int64, full bool, err error) {
	on, err := q.ErasedOn(w.Envelope)
	if err != nil {
		return 0, false, err
	}
	last := w.At
	for _, node := range w.Owed {
		at, declared := on[node]
		if !declared {
			return 0, false, nil
		}
		last = max(last, at)
	}
	return view.Day(last) - view.Day(w.At), true, nil
}
