package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

func keyRotateCommand() *cli.Command {
	return &cli.Command{
		Name:  "rotate",
		Usage: "put the next keys in force, by an act signed with the present envelope key",
		Description: "It waits until the log has them in force. The envelope, request and response keys that they\n" +
			"replace are destroyed then. A former sealing key stays, to open what was sealed to it, until\n" +
			"key protect --custody takes it offline; a former TLS key stays until the next rotation of it.\n\n" +
			"Without a choice all next keys are put in force. Those that are named are made first if need be, and\n" +
			"the others go on waiting.\n\n" +
			"With --lost it works without the network, on a fresh data directory of an institution that\n" +
			"lost its keys: it writes the act that q lead hospitals approve to put these keys in their place.",
		Flags: append(keyChoiceFlags(), yesFlag(),
			&cli.BoolFlag{Name: "lost", Usage: "write what lead hospitals approve in place of lost keys"},
			&cli.UintFlag{Name: "institution", Usage: "with --lost: the institution's `NUMBER`"},
			&cli.StringFlag{Name: "genesis", Usage: "with --lost: the network's genesis `FILE`"},
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Value: "replacement.pem", Usage: "with --lost: write to `FILE`"}),
		Action: func(c *cli.Context) error {
			if c.Bool("lost") {
				return keyLost(c)
			}
			return keyRotate(c)
		},
	}
}

func keyRotate(c *cli.Context) error {
	out, daemon, err := asking(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, keyTimeout)
	defer cancel()
	choice := keyChoice(c)
	keys, err := daemon.Keys(ctx)
	if err == nil && choice != (admin.KeyChoice{}) {
		keys, err = daemon.GenerateKeys(ctx, choice)
	}
	if err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	purposes, waiting := nextPurposes(keys, choice)
	v := voiceOf(c)
	if len(purposes) > 0 { // else the daemon says what is missing
		err = confirm(c, rotateQuestion(v, purposes))
	}
	if err != nil {
		return err
	}
	keys, err = daemon.RotateKeys(ctx, choice)
	if errors.Is(err, context.DeadlineExceeded) {
		return hinted{fmt.Errorf("rotate: %w", err), "the next keys are safe in the key file, and the act is on its way: " +
			"the same command again ends it, and raresync status says what keeps it"}
	}
	if err != nil {
		return err
	}
	screen := term.NewScreen(c.App.ErrWriter)
	screen.Done(v.say("the new keys are in force", "新密钥已生效"))
	if slices.Contains(purposes, "sealing") {
		screen.Note(v.say("a reader takes its former sealing key offline with: raresync key protect --custody A B C",
			"读取方将以前的密封密钥离线保管：raresync key protect --custody A B C"))
	}
	if slices.Contains(purposes, "tls") {
		screen.Note(v.say("the former TLS key stays in the key file, for nodes that slept meanwhile, until this node's TLS key is rotated once more",
			"以前的 TLS 密钥留在密钥文件中，供期间离线的节点识别，直到本节点的 TLS 密钥再次轮换"))
	}
	if len(waiting) > 0 {
		screen.Note(v.say("next keys still wait: %s; put them in force with: raresync key rotate", "仍有待用的密钥：%s；使其生效：raresync key rotate",
			purposeList(v, waiting)))
	}
	return printKeys(ctx, c, out, daemon, keys)
}

// nextPurposes tells what next keys are for: those that a choice means, which is
// all if nothing is chosen, and the others, which go on waiting.
func nextPurposes(keys []admin.HeldKey, choice admin.KeyChoice) (chosen, waiting []string) {
	means := map[string]bool{
		"envelope": choice.Envelope, "request": choice.Request, "response": choice.Response, "tls": choice.TLS, "sealing": choice.Sealing,
	}
	for _, k := range keys {
		switch {
		case k.State != "next":
		case choice == admin.KeyChoice{} || means[k.Purpose]:
			chosen = append(chosen, k.Purpose)
		default:
			waiting = append(waiting, k.Purpose)
		}
	}
	return chosen, waiting
}

// purposeList names purposes in the user's language.
func purposeList(v voice, purposes []string) string {
	named := make([]string, len(purposes))
	for i, p := range purposes {
		named[i] = v.cell("purpose", p)
	}
	return strings.Join(named, v.say(", ", "、"))
}

// rotateQuestion asks about what becomes of the keys before the next ones.
func rotateQuestion(v voice, purposes []string) string {
	var destroyed []string
	for _, p := range purposes {
		if p != "sealing" && p != "tls" {
			destroyed = append(destroyed, p)
		}
	}
	question := v.say("Put new keys in force for %s?", "使新密钥生效（%s）？", purposeList(v, purposes))
	if len(destroyed) > 0 {
		question += v.say(" Destroyed then: the present key for %s.", "当前的%s密钥随后销毁。", purposeList(v, destroyed))
	}
	if slices.Contains(purposes, "sealing") {
		question += v.say(" The present sealing key stays, to open what was sealed to it.", "当前的密封密钥保留，用于启封以前的内容。")
	}
	if slices.Contains(purposes, "tls") {
		question += v.say(" The present TLS key stays until the next such rotation.", "当前的 TLS 密钥保留到下一次轮换。")
	}
	return question
}
