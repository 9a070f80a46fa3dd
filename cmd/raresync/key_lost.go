package main

import (
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
)

const replacementBlock = "RARESYNC REPLACEMENT"

// keyLost writes the payload of a replacement for this data directory's fresh
// keys, and makes the directory the network's.
func keyLost(c *cli.Context) (err error) {
	if err := required(c, "genesis"); err != nil {
		return err
	}
	if c.Uint("institution") == 0 {
		return usagef("--lost needs --institution: the number that the network knows it by")
	}
	cfg, keys, release, err := openHome(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	genesis, s, err := readGenesis(c.String("genesis"))
	if err != nil {
		return err
	}
	number := uint32(c.Uint("institution"))
	fresh := home.Next{Envelope: keys.Envelope, Request: keys.Request, Response: keys.Response, Sealing: keys.Sealing}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	node, founder := s.Node(cfg.Node.ID)
	member, known := s.Member(number)
	switch {
	case founder && node.Institution != number:
		return coded{exitInvalid, fmt.Errorf("node %s is institution %d's, not %d's", cfg.Node.ID, node.Institution, number)}
	case founder && node.Kind != act.Voter, !founder && !known: // a newcomer's node: the network knows whose it is
		fresh.TLS = keys.TLS
	case founder:
		screen.Note(v.say("node %s does not come back: it is a voter, whose log and cosigning keys belong to its id for ever",
			"节点 %s 不能恢复：它是投票节点，其日志和会签密钥永远属于该编号", cfg.Node.ID))
	default:
		screen.Note(v.say("node %s does not come back: it is not in the genesis, and institution %d is; if act propose node has given it this node, go on",
			"节点 %s 不能恢复：它不在创世公告中，而第 %d 号机构在其中；若已通过 act propose node 为该机构增设本节点，请继续", cfg.Node.ID, number))
	}
	r := daemon.RotationOf(&fresh, number, cfg.Node.ID)
	if err := r.Prove(s.Network, keys.Envelope); err != nil {
		return err
	}
	if err := create(c, c.String("file"), pem.EncodeToMemory(&pem.Block{Type: replacementBlock, Bytes: r.Marshal()})); err != nil {
		return err
	}
	if fresh.TLS != nil {
		if err := errors.Join(home.Adopt(cfg), home.WriteGenesis(cfg, genesis)); err != nil {
			return err
		}
	}
	t := teller{voice: v}
	if known {
		t.names = namesOf(v, []admin.Member{{Number: number, NameEN: member.NameEN, NameZH: member.NameZH}})
	}
	screen.Done(v.say("give %s to a lead hospital: %s is back when q of them have approved it",
		"请将 %s 交给牵头医院：q 家赞同后 %s 即恢复", c.String("file"), t.of(number)))
	screen.Note(v.say("read this to them by another way: envelope key %s", "请另行（如电话）告知对方：信封签名密钥 %s", keys.Envelope.Public().ID()))
	return nil
}

// replaceAct is the act, without approvals, that a replacement file asks for.
func replaceAct(file []byte) (act.Act, error) {
	block, _ := pem.Decode(file)
	if block == nil || block.Type != replacementBlock {
		return act.Act{}, fmt.Errorf("the file holds no %s", replacementBlock)
	}
	r, err := act.DecodeRotation(block.Bytes)
	if err == nil {
		err = r.Validate()
	}
	return act.Act{Version: act.Version, Type: act.TypeReplace, Payload: block.Bytes}, err
}

// revokeAct is the act, without approvals, that revokes a key of any
// institution.
func revokeAct(institution uint32, key [32]byte, since uint64) act.Act {
	return act.Act{Version: act.Version, Type: act.TypeRevoke, Payload: act.Revocation{Institution: institution, Key: key, Since: since}.Marshal()}
}
