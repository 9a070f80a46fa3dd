package daemon

import (
	"fmt"
	"slices"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
)

// warning is what an operator should know without asking, in both languages.
type warning struct{ en, zh string }

// warn puts values into both forms; the Chinese one may number them, as %[2]s.
func warn(en, zh string, values ...any) warning {
	return warning{fmt.Sprintf(en, values...), fmt.Sprintf(zh, values...)}
}

// besideZH is the one thing that home.LoadKeys warns of.
const besideZH = "文件密钥与它打开的密钥文件同在一个目录：整个目录的副本即等于本节点；请将文件密钥移入服务管理器的凭据"

// tell puts warnings into a status.
func tell(out *admin.Status, list []warning) {
	for _, w := range list {
		out.Warnings, out.WarningsZH = append(out.Warnings, w.en), append(out.WarningsZH, w.zh)
	}
}

// warnings are all that an operator should know. What is read off the state is
// left out while this node is not ready: its copy may lie before a ceremony or a
// rotation that it took part in, and would tell of shares and keys that are gone.
func (s *service) warnings(st consensus.Status, view *state.State) []warning {
	list := s.nodeWarnings(st, view)
	if st.Ready {
		list = slices.Concat(list, s.ceremonyWarnings(view), s.keyWarnings(view), s.levelWarnings(view), erasureWarnings(view, uint64(s.clock().UnixMilli())))
	}
	return slices.Concat(list, s.signWarnings(), s.quotaWarnings(view), s.deskWarnings(), s.inboxWarnings(), s.lostWarnings())
}

// nodeWarnings are about this node's key file, its disk, and the nodes it meets. Of
// a demo network, where nothing is secret, how the key file is kept is not among
// them.
func (s *service) nodeWarnings(st consensus.Status, view *state.State) (list []warning) {
	if !view.Demo {
		for _, w := range s.warn {
			list = append(list, warning{w, besideZH})
		}
	}
	for _, w := range st.Warnings {
		list = append(list, warning{w.EN, w.ZH})
	}
	list = append(list, s.wayWarnings()...)
	list = append(list, s.voterWarnings(view)...)
	for _, node := range s.mesh.Twins() {
		list = append(list, warn("two instances of %s have run at once: both are refused until it is started anew",
			"%s 的两个实例曾同时运行：在其重新启动之前，二者均被拒绝", node))
	}
	return list
}

// signWarnings tell why nothing that this node signs is taken, if so.
func (s *service) signWarnings() []warning {
	if err := s.maySign(); err != nil {
		return []warning{{err.Error(), unsignedZH[err]}}
	}
	return nil
}

// deskWarnings tell what keeps a patient's decision from being carried out.
func (s *service) deskWarnings() (list []warning) {
	if problem := s.desk.Problem(); problem != "" {
		list = append(list, warn("a withdrawal is not posted, and is tried again: %s", "撤回未能发布，将重试：%s", problem))
	}
	if s.trail == nil {
		list = append(list, warn("somebody changed audit/trail.jsonl: keep it as evidence, move it away, and restart this node",
			"audit/trail.jsonl 被人改动：请作为证据保留，移走后重启本节点"))
	}
	return list
}

// memberWithNumber names an institution, as "Hospital 3 (3)".
func memberWithNumber(view *state.State, number uint32) string {
	if name := memberName(view, number); name != "" {
		return fmt.Sprintf("%s (%d)", name, number)
	}
	return fmt.Sprintf("institution %d", number)
}

// lostWarnings tell of what this hospital had receipts for, and a recovery lost.
func (s *service) lostWarnings() []warning {
	lost, err := s.outbox.Lost()
	if err != nil || len(lost) == 0 {
		return nil
	}
	entries := 0
	for _, r := range lost {
		entries += len(r.Entries)
	}
	first, last := lost[0], lost[len(lost)-1]
	return []warning{warn("%d acknowledged envelopes of this hospital, %d entries, were lost at the recovery (sequences %d to %d, indexes %d to %d): submit their files again",
		"本院 %d 个已确认的信封（%d 个条目）在恢复时丢失（序号 %d 至 %d，叶号 %d 至 %d）：请重新提交相应文件",
		len(lost), entries, first.Sequence, last.Sequence, first.First, last.First+uint64(last.Count)-1)}
}
