package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
)

func initCommand() *cli.Command {
	return &cli.Command{
		Name:      "init",
		Usage:     "make a node's data directory with fresh keys and the card that founders exchange",
		ArgsUsage: "DIR",
		Description: "Nothing is overwritten. An init that was cut short is ended by the same command with the\n" +
			"same keys. The card, DIR/card.pem, is public; everything else in DIR stays with the node. At a\n" +
			"terminal it asks for what no flag says.",
		Flags:  append(institutionFlags(), &cli.StringFlag{Name: "kind", Value: "voter", Usage: "voter or mirror"}),
		Action: initNode,
	}
}

// institutionFlags say whose node is made, and how others reach it.
func institutionFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "id", Usage: "name of the node in the roster: a-z 0-9 - (required)"},
		&cli.StringFlag{Name: "name-en", Usage: "name of the institution in English"},
		&cli.StringFlag{Name: "name-zh", Usage: "name of the institution in Chinese; one of the two is required"},
		&cli.StringFlag{Name: "entity", Usage: "legal entity: its unified social credit code (required)"},
		&cli.StringFlag{Name: "province", Usage: "two digits of GB/T 2260, as 11; for a hospital required"},
		&cli.BoolFlag{Name: "lead", Usage: "a lead hospital, whose approval counts"},
		&cli.StringFlag{Name: "role", Value: "hospital", Usage: "hospital or reader"},
		&cli.StringFlag{Name: "rights", Usage: "of a reader: national, province, genetics, joined by commas"},
		&cli.StringFlag{Name: "listen", Usage: "`HOST:PORT` to listen at, as 0.0.0.0:8470; without it the node only dials"},
		&cli.StringSliceFlag{Name: "address", Usage: "`HOST:PORT` at which other nodes reach this one; may be repeated"},
		&cli.StringFlag{Name: "proxy", Usage: "`URL` of the HTTP proxy through which other nodes are reached, as http://proxy.example:3128"},
		&cli.StringFlag{Name: "proxy-login", Usage: "`FILE` of mode 0600 with the proxy's name:password, or credential:NAME"},
		&cli.StringSliceFlag{Name: "copy", Usage: "`URL` of a static copy to take the bulk of the log from; may be repeated"},
	}
}

func initNode(c *cli.Context) error {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return err
	}
	o, err := initOptions(c, args[0])
	if err != nil {
		return err
	}
	if err := checkSocket(o.Dir); err != nil {
		return err
	}
	if err := home.Init(o); err != nil {
		return err
	}
	card, err := home.Card(o.Dir)
	if err != nil {
		return err
	}
	v, screen, path := voiceOf(c), term.NewScreen(c.App.ErrWriter), filepath.Join(o.Dir, "card.pem")
	screen.Done(v.say("%s is ready", "%s 已就绪", o.Dir))
	screen.Note(v.say("key id %s", "密钥编号 %s", card.Institution.Envelope.ID()))
	screen.Note(v.say("give %s to whoever drafts the network", "请将 %s 交给起草网络的机构", path))
	if o.Kind == act.Mirror {
		screen.Note(v.say("to join a network that runs: raresync act propose admission %s at one of its hospitals, and here raresync found adopt --newcomer",
			"加入运行中的网络：在其中一家医院运行 raresync act propose admission %s，在本机运行 raresync found adopt --newcomer", path))
	} else {
		screen.Note(v.say("a network that runs takes mirrors: to join one, make this node with --kind mirror", "运行中的网络只接收镜像节点：要加入请用 --kind mirror 建立节点"))
	}
	tellDisk(c, o.Dir)
	screen.Note(v.say("move %s to the service manager's credentials before real data arrives", "接收真实数据前，请将 %s 移入服务管理器的凭据", filepath.Join(o.Dir, "file.key")))
	return nil
}

// checkSocket reports a directory in which the daemon could not listen for
// commands, before anything is made there.
func checkSocket(dir string) error {
	cfg := config.Default()
	if err := cfg.Resolve(dir); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	var wrong *config.Problems
	if !errors.As(cfg.Validate(), &wrong) {
		return nil
	}
	for _, one := range wrong.List {
		if one.Key == "listen.admin_socket" {
			return fmt.Errorf("%w %s: the daemon's socket in it, %s, would have too long a path: choose a shorter one",
				home.ErrOptions, dir, cfg.Listen.AdminSocket)
		}
	}
	return nil
}

func initOptions(c *cli.Context, dir string) (home.InitOptions, error) {
	if err := askInstitution(c); err != nil {
		return home.InitOptions{}, err
	}
	if err := required(c, "id", "entity"); err != nil {
		return home.InitOptions{}, err
	}
	o := home.InitOptions{
		Dir: dir, NodeID: c.String("id"), Listen: c.String("listen"), Addresses: c.StringSlice("address"),
		Institution: act.Institution{
			Entity: c.String("entity"), NameZH: c.String("name-zh"), NameEN: c.String("name-en"),
			Province: c.String("province"), Lead: c.Bool("lead"),
		},
	}
	if err := wayOut(c, &o); err != nil {
		return o, err
	}
	switch kind := c.String("kind"); kind {
	case "voter":
		o.Kind = act.Voter
	case "mirror", "": // who joins has no choice
		o.Kind = act.Mirror
	default:
		return o, usagef("--kind %q: want voter or mirror", kind)
	}
	switch role := c.String("role"); role {
	case "hospital":
		o.Institution.Role = act.RoleHospital
	case "reader":
		o.Institution.Role = act.RoleReader
	default:
		return o, usagef("--role %q: want hospital or reader", role)
	}
	var err error
	if o.Institution.Rights, err = act.ParseRights(c.String("rights")); err != nil {
		return o, usagef("--rights: %v", err)
	}
	return o, nil
}

// wayOut reads how the node is to go out. Nobody's password is among it: that lies in
// a file.
func wayOut(c *cli.Context, o *home.InitOptions) error {
	o.Proxy, o.ProxyLogin, o.Copies = c.String("proxy"), c.String("proxy-login"), c.StringSlice("copy")
	_, credential := config.Credential(o.ProxyLogin)
	if o.ProxyLogin == "" || credential {
		return nil
	}
	path, err := filepath.Abs(o.ProxyLogin)
	if err != nil {
		return err
	}
	o.ProxyLogin = path
	return nil
}
