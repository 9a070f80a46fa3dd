package main

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
)

// wordsOf says in words what an act decides. Whoever adds a type that lead
// hospitals approve adds its words.
func (t teller) wordsOf(a *act.Act) ([]fact, error) {
	switch a.Type {
	case act.TypeAdmission:
		d, err := act.DecodeAdmission(a.Payload)
		return told(t.admission, d, err)
	case act.TypeCeremony:
		d, err := act.DecodeCeremony(a.Payload)
		return told(t.reshare, d, err)
	case act.TypeAllowance:
		d, err := act.DecodeAllowance(a.Payload)
		return told(t.allowance, d, err)
	case act.TypeReplace:
		d, err := act.DecodeRotation(a.Payload)
		return told(t.replacement, d, err)
	case act.TypeRevoke:
		d, err := act.DecodeRevocation(a.Payload)
		return told(t.revocation, d, err)
	case act.TypeWithdrawal:
		d, err := act.DecodeWithdrawal(a.Payload)
		return told(t.withdrawal, d, err)
	}
	if said, known, err := t.memberWords(a); known {
		return said, err
	}
	return nil, fmt.Errorf("an act of type %s: use a newer version", a.Type)
}

// told says a payload that could be read.
func told[T any](say func(T) []fact, d T, err error) ([]fact, error) {
	if err != nil {
		return nil, err
	}
	return say(d), nil
}

func (t teller) admission(d *act.Admission) []fact {
	i := &d.Institution
	number := uint32(0)
	if len(d.Nodes) > 0 {
		number = d.Nodes[0].Institution
	}
	reads := t.say("no right to read what others send", "无权读取其他机构的内容")
	if i.Rights != 0 {
		reads = t.say("THE RIGHT TO READ what hospitals send from then on: %s", "有权读取各医院此后发送的内容（读取权 %s）", i.Rights)
	}
	lead := t.say("no", "否")
	if i.Lead {
		lead = t.say("yes: its approval will count towards later acts", "是：其赞同将计入以后的公告")
	}
	facts := []fact{
		{t.say("decision", "决定"), t.say("let this %s in as institution %d, with its nodes as mirrors and %s", "准许该%s加入，编号 %d，其节点为镜像节点，%s",
			t.cell("role", i.Role.String()), number, reads)},
		{t.say("name", "名称"), strings.TrimSpace(i.NameZH + " " + i.NameEN)},
		{t.say("entity", "法人机构"), i.Entity},
	}
	for _, m := range ofEntity(t.members, i.Entity, number) {
		facts = append(facts, fact{t.say("IN ALREADY", "已在网络中"), t.say("this entity is %s, %s", "该法人机构是 %s（%s）",
			t.of(m.Number), t.cell("role", m.Role))})
	}
	facts = append(facts, []fact{
		{t.say("province", "省份"), i.Province},
		{t.say("lead hospital", "牵头医院"), lead},
		t.key("envelope", i.Envelope.ID().String()),
		t.key("request", i.Request.ID().String()),
		t.key("response", i.Response.ID().String()),
		t.key("sealing", i.Sealing.ID().String()),
	}...)
	for n := range d.Nodes {
		node := &d.Nodes[n]
		at := t.say("dials out only", "仅向外连接")
		if len(node.Addresses) > 0 {
			at = t.say("at %s", "地址 %s", strings.Join(node.Addresses, ", "))
		}
		facts = append(facts, fact{t.say("node %s", "节点 %s", node.ID), t.cell("kind", node.Kind.String()) + " " + at},
			fact{t.say("its TLS key", "其 TLS 密钥"), node.TLS.ID().String()}, fact{t.say("its log key", "其日志密钥"), node.Log.ID().String()},
			fact{t.say("its cosigning key", "其会签密钥"), node.Cosign.ID().String()})
	}
	return facts
}

// ofEntity returns the present institutions of a legal body that were let in
// before the one with a number; 0 = all of them.
func ofEntity(members []admin.Member, entity string, number uint32) (list []admin.Member) {
	for _, m := range members {
		if m.Entity == entity && m.Removed == 0 && (number == 0 || m.Number < number) {
			list = append(list, m)
		}
	}
	return list
}

// key is a key of an institution by its purpose.
func (t teller) key(purpose, id string) fact {
	return fact{t.say("%s key", "%s密钥", t.cell("purpose", purpose)), id}
}

func (t teller) reshare(d *act.Ceremony) []fact {
	facts := []fact{
		{t.say("decision", "决定"), t.say("move the pseudonymisation key to %d holders, %d of whom are needed then; pseudonyms stay",
			"将假名密钥移交给 %d 个持有方，使用时需要其中 %d 个；假名不变", len(d.Holders), d.Threshold)},
		{t.say("new epoch", "新份额代次"), fmt.Sprint(d.Epoch)},
		{t.say("deadline", "截止时间"), t.say("void unless it has ended by %s", "%s 前未完成即作废", time.UnixMilli(int64(d.Deadline)).UTC().Format(time.RFC3339))},
		{t.say("what follows", "后续步骤"), t.say("the operators of the present holders contribute, each with: raresync ceremony contribute",
			"当前各持有方的运维人员分别运行：raresync ceremony contribute")},
	}
	if int(d.Threshold) == len(d.Holders) {
		facts = append(facts, fact{t.say("what it risks", "风险"), t.say("all of them are needed: if one loses its share, nobody gets a pseudonym ever again",
			"缺一不可：任何一方丢失份额，假名密钥即永久失去")})
	}
	for i, n := range d.Holders {
		facts = append(facts, fact{t.say("share %d", "份额 %d", i+1), t.of(n)})
	}
	return facts
}

func (t teller) allowance(d act.Allowance) []fact {
	day := func(n uint32) string { return time.Unix(int64(n)*86_400, 0).UTC().Format(time.DateOnly) }
	return []fact{
		{t.say("decision", "决定"), t.say("each share holder evaluates %d persons a day more for %s", "各份额持有方每天多为 %[2]s 求值 %[1]d 人", d.Elements, t.of(d.Hospital))},
		{t.say("from", "起"), t.say("%s (in China)", "%s（北京时间）", day(d.First))},
		{t.say("to", "止"), t.say("%s (in China), inclusive", "%s（北京时间），含当天", day(d.Last))},
		{t.say("what it means", "意味着"), t.say("so many more guesses a day could be made by whoever has that hospital's keys", "掌握该医院密钥的人每天可多作这么多次猜测")},
	}
}

func (t teller) replacement(d *act.Rotation) []fact {
	facts := []fact{{t.say("decision", "决定"), t.say("%s has these keys from now on; those before hold no longer", "%s 自此使用下列密钥；以前的密钥不再有效", t.of(d.Institution))}}
	for _, k := range []*sign.PublicKey{d.Envelope, d.Request, d.Response} {
		if k != nil {
			facts = append(facts, t.key(k.Purpose().String(), k.ID().String()))
		}
	}
	if id := d.Sealing.ID(); id != (seal.KeyID{}) {
		facts = append(facts, t.key("sealing", id.String()))
	}
	for _, n := range d.Nodes {
		facts = append(facts, fact{t.say("TLS key of node %s", "节点 %s 的 TLS 密钥", n.ID), n.TLS.ID().String()})
	}
	return facts
}

func (t teller) revocation(d act.Revocation) []fact {
	id, which := hex.EncodeToString(d.Key[:]), t.say("which this node does not know", "本节点不认识")
	for _, k := range t.keys {
		if k.ID == id && k.Institution == d.Institution {
			which = t.say("for %s, %s", "%s，%s", t.cell("purpose", k.Purpose), t.cell("state", k.State))
			break // the present one before the same among former ones
		}
	}
	return []fact{
		{t.say("decision", "决定"), t.say("a key of %s holds no longer", "%s 的一个密钥不再有效", t.of(d.Institution))},
		{t.say("key", "密钥"), id},
		{t.say("which is", "该密钥"), which},
		{t.say("since", "起"), t.say("envelope %d: what it signed from there on is marked", "信封 %d：此后由它签名的内容将被标记", d.Since)},
	}
}

func (t teller) withdrawal(d act.Withdrawal) []fact {
	facts := []fact{{t.say("decision", "决定"), t.say("every node ERASES %d entries of %s; nothing brings them back",
		"每个节点擦除 %[2]s 的 %[1]d 个条目；擦除后无法恢复", act.CountSpans(d.Entries), t.of(d.Hospital))}}
	for _, s := range d.Entries {
		facts = append(facts, fact{t.say("entries", "条目"), t.say("%d to %d", "%d 至 %d", s.First, s.End()-1)})
	}
	return facts
}
