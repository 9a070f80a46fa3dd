package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/mesh"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding"
)

func joinCommand() *cli.Command {
	return &cli.Command{
		Name:      "join",
		Usage:     "join a network that runs, with an invitation: make this node and ask to be let in",
		ArgsUsage: "TOKEN DIR",
		Description: "Makes keys and a card in DIR as raresync init does, asks the node that made TOKEN, and takes the\n" +
			"network's genesis from it, which must be the one that the token names. Then raresync serve: the\n" +
			"node is a mirror once lead hospitals have approved it. Tell them its key id by telephone. The same\n" +
			"command with the same DIR goes on where it stopped. --proxy, --proxy-login and --copy go into its settings.",
		Flags:  append(institutionFlags(), &cli.BoolFlag{Name: "dry-run", Usage: "only say what the token says; nothing is made or asked"}),
		Action: join,
	}
}

// errExpired reports an invitation that cannot be used any more.
var errExpired = errors.New("the invitation has expired")

const joinTimeout = 30 * time.Second

func join(c *cli.Context) error {
	args, err := arguments(c, 1, 2)
	if err != nil {
		return err
	}
	token, err := founding.ParseToken(args[0])
	if err != nil {
		return coded{exitInvalid, err}
	}
	tellToken(c, token)
	if uint64(time.Now().UnixMilli()) > token.Expiry {
		return coded{exitForbidden, errExpired}
	}
	if c.Bool("dry-run") {
		return nil
	}
	if len(args) != 2 {
		return usagef("join needs a directory to make: raresync join TOKEN DIR")
	}
	cfg, err := joinDirectory(c, args[1])
	if err != nil {
		return err
	}
	release, err := home.Lock(cfg.Node.DataDir)
	if err != nil {
		return err
	}
	return errors.Join(askToJoin(c, cfg, args[1], token), release())
}

func tellToken(c *cli.Context, token *founding.Invitation) {
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	screen.Note(v.say("an invitation to %s, id %x, until %s, by node %s", "邀请加入网络 %s，编号 %x，有效期至 %s，发出节点 %s",
		term.Clean(token.Name), token.Network, time.UnixMilli(int64(token.Expiry)).UTC().Format(time.RFC3339), term.Clean(token.Peers[0].Node)))
}

// joinDirectory makes the data directory, or takes one that an earlier join has
// made.
func joinDirectory(c *cli.Context, dir string) (config.Config, error) {
	o, err := initOptions(c, dir)
	if err != nil {
		return config.Config{}, err
	}
	if err := checkSocket(dir); err != nil {
		return config.Config{}, err
	}
	made := home.Init(o)
	if made != nil && !errors.Is(made, home.ErrOccupied) {
		return config.Config{}, made
	}
	cfg, err := config.Load(filepath.Join(dir, "raresync.toml"))
	if err != nil || cfg.Node.ID != o.NodeID { // what is there is no such node
		return config.Config{}, errors.Join(made, err)
	}
	if n := cfg.Network; c.IsSet("proxy") && n.Proxy != o.Proxy || c.IsSet("proxy-login") && n.ProxyLogin != o.ProxyLogin ||
		c.IsSet("copy") && !slices.Equal(n.Copies, o.Copies) {
		return config.Config{}, usagef("%s was made before with another --proxy, --proxy-login or --copy: edit it, and leave them out", filepath.Join(dir, "raresync.toml"))
	}
	return cfg, nil
}

func askToJoin(c *cli.Context, cfg config.Config, dir string, token *founding.Invitation) error {
	keys, _, err := home.LoadKeys(cfg)
	if err != nil {
		return err
	}
	card, err := home.Card(dir)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, joinTimeout)
	defer cancel()
	genesis, err := questionOf(ctx, cfg, keys, card, token)
	if err != nil {
		return fmt.Errorf("join: %w", err)
	}
	s, _, err := state.Found(genesis)
	if err != nil {
		return coded{exitUnproven, fmt.Errorf("join: %w", err)}
	}
	if s.Network != token.Network {
		return coded{exitUnproven, fmt.Errorf("join: the node answered with the genesis of network %x, the token is of %x", s.Network, token.Network)}
	}
	if err := isNew(cfg, keys, s); err != nil {
		return coded{exitInvalid, err}
	}
	if err := errors.Join(home.WritePins(cfg, token.Peers), home.WriteGenesis(cfg, genesis)); err != nil {
		return err
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	screen.Done(v.say("node %s has asked to be let into %s", "节点 %s 已申请加入 %s", cfg.Node.ID, s.Name))
	screen.Note(v.say("tell the hospital that invited you this key id by telephone: %s", "请用电话将密钥编号告知邀请方：%s", card.Institution.Envelope.ID()))
	tellDisk(c, dir)
	screen.Note(v.say("run it with: raresync serve --config %s", "启动：raresync serve --config %s", filepath.Join(dir, "raresync.toml")))
	return nil
}

// questionOf asks the inviting node at each of its addresses, until one answers.
func questionOf(ctx context.Context, cfg config.Config, keys *home.Keys, card *founding.Card, token *founding.Invitation) (*envelope.Envelope, error) {
	peer := token.Peers[0]
	var problems []error
	for _, address := range peer.Addresses {
		conn, err := mesh.DialGuest(ctx, daemon.Proxy(cfg), address, keys.TLS.Ed25519(), peer.TLS)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		answer, err := askGuest(ctx, conn, admin.JoinRequest{Secret: token.Secret[:], Card: card.Marshal()})
		if err != nil {
			return nil, err
		}
		return founding.ParseGenesis(answer.Genesis)
	}
	return nil, coded{exitRetry, errors.Join(problems...)}
}

// askGuest puts the one question over a guest's connection.
func askGuest(ctx context.Context, conn net.Conn, question admin.JoinRequest) (answer admin.JoinAnswer, err error) {
	defer conn.Close()
	raw, err := json.Marshal(question)
	if err != nil {
		return answer, err
	}
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }, DisableKeepAlives: true,
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://raresync/v1/join", bytes.NewReader(raw))
	if err != nil {
		return answer, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return answer, err
	}
	if resp.StatusCode != http.StatusOK {
		p := &admin.Problem{Status: resp.StatusCode, Code: admin.CodeInternal, Detail: resp.Status}
		_ = json.Unmarshal(body, p) // keeps the plain status if it is no problem document
		return answer, p
	}
	return answer, json.Unmarshal(body, &answer)
}

// shortKey is as much of a key's id as people compare first.
func shortKey(id string) string {
	if _, err := hex.DecodeString(id); err != nil {
		return ""
	}
	return short(id)
}
