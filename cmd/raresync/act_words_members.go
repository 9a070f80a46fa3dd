package main

import (
	"fmt"
	"strings"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
)

// memberWords says in words an act about who votes, who belongs to the network,
// its rules or its disease lists; known is false for any other.
func (t teller) memberWords(a *act.Act) (said []fact, known bool, err error) {
	switch a.Type {
	case act.TypePromotion:
		d, e := act.DecodePromotion(a.Payload)
		said, err = told(t.promotion, d, e)
	case act.TypeDemotion:
		d, e := act.DecodeDemotion(a.Payload)
		said, err = told(t.demotion, d, e)
	case act.TypeRemoval:
		d, e := act.DecodeRemoval(a.Payload)
		said, err = told(t.removal, d, e)
	case act.TypeEnrolment:
		d, e := act.DecodeEnrolment(a.Payload)
		said, err = told(t.enrolment, d, e)
	case act.TypeSettings:
		d, e := act.DecodeSettings(a.Payload)
		said, err = told(t.settings, d, e)
	case act.TypeRights:
		d, e := act.DecodeRightsChange(a.Payload)
		said, err = told(t.rights, d, e)
	case act.TypeEdition:
		d, e := act.DecodeEdition(a.Payload)
		if err = e; err == nil {
			said, err = t.edition(d)
		}
	case act.TypeFeature:
		d, e := act.DecodeFeature(a.Payload)
		said, err = told(t.feature, d, e)
	default:
		return nil, false, nil
	}
	return said, true, err
}

// nodeOf says a node with its institution.
func (t teller) nodeOf(id string) string {
	for _, m := range t.members {
		for _, n := range m.Parts {
			if n.Node == id {
				return t.say("%s, %s of %s", "%[1]s（%[3]s 的%[2]s）", id, t.cell("kind", n.Kind), t.of(m.Number))
			}
		}
	}
	return t.say("%s, which this node does not know", "%s（本节点不认识）", id)
}

func (t teller) memberOf(number uint32) (admin.Member, bool) {
	for _, m := range t.members {
		if m.Number == number {
			return m, true
		}
	}
	return admin.Member{}, false
}

func (t teller) promotion(d act.Promotion) []fact {
	facts := []fact{
		{t.say("decision", "决定"), t.say("a mirror becomes a voter: it stores the log from then on, and votes and cosigns once it has all of it",
			"镜像节点成为投票节点：此后存储日志，取得全部日志后参加投票和会签")},
		{t.say("node", "节点"), t.nodeOf(d.Node)},
	}
	if d.InPlaceOf != "" {
		facts = append(facts, fact{t.say("in place of", "取代"), t.say("%s, which is a mirror from then on", "%s（届时成为镜像节点）", t.nodeOf(d.InPlaceOf))})
	}
	return facts
}

func (t teller) demotion(d act.Demotion) []fact {
	return []fact{
		{t.say("decision", "决定"), t.say("a voter becomes a mirror: it votes and cosigns no more", "投票节点成为镜像节点：不再参加投票和会签")},
		{t.say("node", "节点"), t.nodeOf(d.Node)},
	}
}

func (t teller) removal(d act.Removal) []fact {
	m, _ := t.memberOf(d.Institution)
	if d.Node != "" {
		return []fact{
			{t.say("decision", "决定"), t.say("a node of %s LEAVES THE NETWORK for good: every node refuses it", "%s 的一个节点永久退出网络：所有节点将拒绝它", t.of(d.Institution))},
			{t.say("node", "节点"), t.nodeOf(d.Node)},
		}
	}
	facts := []fact{
		{t.say("decision", "决定"), t.say("%s LEAVES THE NETWORK for good: every node refuses its nodes and what it signs; what it sent stays",
			"%s 永久退出网络：所有节点将拒绝其节点和签名；已发送的内容保留", t.of(d.Institution))},
		{t.say("its nodes", "其节点"), strings.Join(m.Nodes, ", ")},
	}
	if m.Holder > 0 {
		facts = append(facts, fact{t.say("what follows", "后续步骤"), t.say("it holds share %d and may keep it: move the key to others afterwards, raresync ceremony reshare",
			"它持有份额 %d，可能留有副本：之后请重新分发密钥，raresync ceremony reshare", m.Holder)})
	}
	if m.Role == "reader" {
		facts = append(facts, fact{t.say("what it keeps", "它保留"), t.say("what it could open before, it can open for ever", "此前能打开的内容仍可打开")})
	}
	return facts
}

func (t teller) enrolment(d act.Enrolment) []fact {
	at := t.say("dials out only", "仅向外连接")
	if len(d.Node.Addresses) > 0 {
		at = t.say("at %s", "地址 %s", strings.Join(d.Node.Addresses, ", "))
	}
	return []fact{
		{t.say("decision", "决定"), t.say("%s gets one more node, as a mirror", "%s 增加一个镜像节点", t.of(d.Node.Institution))},
		{t.say("node %s", "节点 %s", d.Node.ID), at},
		{t.say("its TLS key", "其 TLS 密钥"), d.Node.TLS.ID().String()},
		{t.say("its log key", "其日志密钥"), d.Node.Log.ID().String()},
		{t.say("its cosigning key", "其会签密钥"), d.Node.Cosign.ID().String()},
	}
}

func (t teller) settings(d act.Settings) []fact {
	facts := []fact{
		{t.say("decision", "决定"), t.say("the network goes by these settings from now on", "网络自此采用下列设置")},
		{t.say("approvals (q)", "赞同数（q）"), t.say("%d lead hospitals approve an act", "公告须 %d 家牵头医院赞同", d.Quorum)},
		{t.say("smallest count", "最小单元数"), fmt.Sprint(d.Policy.MinCell)},
		{t.say("quota", "配额"), t.say("%d persons a day of each holder, for hospitals without a quota of their own", "没有单独配额的医院，每个持有方每天 %d 人", d.Policy.QuotaFloor)},
	}
	for _, own := range d.Policy.Quotas {
		facts = append(facts, fact{t.say("quota of one", "单独配额"), t.say("%d persons a day for %s", "%[2]s 每天 %[1]d 人", own.Elements, t.of(own.Hospital))})
	}
	l := d.Policy.InForce()
	return append(facts, []fact{
		{t.say("reader overlap", "读取方重叠"), t.say("%d envelopes", "%d 个信封", d.Policy.ReaderOverlap)},
		{t.say("withdrawals", "撤回"), t.say("posted within %d hours at every hospital", "各医院须在 %d 小时内发布", l.SpreadHours)},
		{t.say("erasures", "擦除"), t.say("a node that has not declared one after %d minutes is missed", "节点 %d 分钟后仍未声明即告警", l.DeclareMinutes)},
		{t.say("backups with salts", "含盐备份"), t.say("last %d days at most", "最多保留 %d 天", l.SaltsDays)},
		{t.say("least quota", "最低配额"), t.say("%d persons a day of each holder, for institutions of a reader's entity", "与读取方同属一个法人的机构，每个持有方每天 %d 人", l.LeastQuota)},
	}...)
}

func (t teller) rights(d act.RightsChange) []fact {
	m, _ := t.memberOf(d.Institution)
	return []fact{
		{t.say("decision", "决定"), t.say("%s has the right to read what hospitals send from then on: %s", "%s 有权读取各医院此后发送的内容（读取权 %s）",
			t.of(d.Institution), t.cell("rights", d.Rights.String()))},
		{t.say("before", "此前"), t.cell("rights", m.Rights)},
	}
}
