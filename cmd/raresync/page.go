package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/crypto/password"
	"github.com/raresync/raresync/daemon/console"
	"github.com/raresync/raresync/daemon/page"
	"github.com/raresync/raresync/daemon/site"
)

func pageCommand() *cli.Command {
	role := &cli.StringFlag{Name: "role", Value: page.Clerk, Usage: "`ROLE` of the account: clerk hands in files, admin keeps the accounts as well"}
	return &cli.Command{
		Name:        "page",
		Usage:       "the web page on which this hospital's clerks hand in files",
		Subcommands: []*cli.Command{userCommand(page.Kind(), "the accounts of the page", role)},
	}
}

func consoleCommand() *cli.Command {
	role := &cli.StringFlag{Name: "role", Value: console.Coordinator, Usage: "`ROLE` of the account: " + strings.Join(console.Kind().Roles, ", ")}
	return &cli.Command{
		Name:        "console",
		Usage:       "the web pages on which an institution's people look at what it may open of the registry",
		Subcommands: []*cli.Command{userCommand(console.Kind(), "the accounts of the console", role, provinceOfAccount)},
	}
}

var provinceOfAccount = &cli.StringFlag{Name: "province", Usage: "a coordinator sees the hospitals of the province `CODE` alone, two digits of GB/T 2260 as 31"}

// userCommand keeps the accounts of a site.
func userCommand(kind site.Kind, usage string, flags ...cli.Flag) *cli.Command {
	user := func(name, usage, did, didZH string, flags []cli.Flag, do func(c *cli.Context, a *site.Accounts, name string) error) *cli.Command {
		return &cli.Command{Name: name, Usage: usage, ArgsUsage: "NAME", Flags: flags, Action: func(c *cli.Context) error {
			args, err := arguments(c, 1, 1)
			if err != nil {
				return err
			}
			a, err := accountsOf(c, kind)
			if err != nil {
				return err
			}
			if err := do(c, a, args[0]); err != nil {
				return accountError(err)
			}
			term.NewScreen(c.App.ErrWriter).Done(voiceOf(c).say(did, didZH, args[0]))
			return nil
		}}
	}
	return &cli.Command{
		Name:  "user",
		Usage: usage,
		Subcommands: []*cli.Command{
			user("add", "add an account", "account %s may sign in", "账号 %s 可以登录", append(flags, passwordFlag), func(c *cli.Context, a *site.Accounts, name string) error {
				text, err := newPassword(c, name)
				if err != nil {
					return err
				}
				return a.Add(name, c.String("role"), c.String(provinceOfAccount.Name), text, time.Now())
			}),
			{Name: "list", Usage: "list the accounts", Action: func(c *cli.Context) error { return listAccounts(c, kind) }},
			user("passwd", "give an account another password, which ends its sessions", "account %s has another password", "账号 %s 的密码已更换", []cli.Flag{passwordFlag}, func(c *cli.Context, a *site.Accounts, name string) error {
				if _, err := a.Get(name); err != nil {
					return err
				}
				text, err := newPassword(c, name)
				if err != nil {
					return err
				}
				return a.SetPassword(name, text)
			}),
			user("lock", "keep an account from signing in, and end its sessions", "account %s is locked", "账号 %s 已锁定", nil, func(_ *cli.Context, a *site.Accounts, name string) error {
				return a.Lock(name, true)
			}),
			user("unlock", "let a locked account in again", "account %s may sign in", "账号 %s 可以登录", nil, func(_ *cli.Context, a *site.Accounts, name string) error {
				return a.Lock(name, false)
			}),
			user("remove", "remove an account", "account %s is removed", "账号 %s 已删除", nil, func(_ *cli.Context, a *site.Accounts, name string) error {
				return a.Remove(name)
			}),
		},
	}
}

var passwordFlag = &cli.StringFlag{
	Name:        "password-from",
	DefaultText: "ask on the terminal, twice",
	Usage:       "read the password from the first line of `FILE`; - is standard input",
}

// errPasswords reports a password that was mistyped.
var errPasswords = errors.New("the two passwords typed differ")

// accountsOf returns the accounts of a site of the node that the configuration names.
func accountsOf(c *cli.Context, kind site.Kind) (*site.Accounts, error) {
	cfg, err := loadConfig(c)
	if err != nil {
		return nil, err
	}
	return site.AccountsIn(cfg.Node.DataDir, kind, password.Default()), nil
}

// accountError gives an error of an account its exit code.
func accountError(err error) error {
	switch {
	case errors.Is(err, site.ErrNoAccount):
		return coded{exitNotFound, err}
	case errors.Is(err, site.ErrAccountName), errors.Is(err, site.ErrRole), errors.Is(err, site.ErrPassword), errors.Is(err, site.ErrThere), errors.Is(err, site.ErrLimit):
		return coded{exitInvalid, err}
	}
	return err
}

// newPassword returns a password that fits an account, from --password-from or
// typed twice at the terminal.
func newPassword(c *cli.Context, name string) (string, error) {
	if path := c.String(passwordFlag.Name); path != "" {
		return firstLine(c, path)
	}
	asker, ok := term.NewAsker(c.App.Reader, c.App.ErrWriter)
	if !ok {
		return "", coded{exitUsage, errNoPassword}
	}
	v := voiceOf(c)
	text, err := asker.Hidden(c.Context, v.say("Password of %s, at least 12 characters (not shown):", "账号 %s 的密码，至少 12 个字符（不显示）：", name))
	if err != nil {
		return "", err
	}
	if err := site.CheckPassword(name, text); err != nil {
		return "", err
	}
	again, err := asker.Hidden(c.Context, v.say("The password once more:", "请再次输入密码："))
	if err == nil && again != text {
		err = coded{exitInvalid, errPasswords}
	}
	return text, err
}

var errNoPassword = errors.New("nobody can be asked for a password: standard input is no terminal")

const maxPasswordFile = 4 << 10

func firstLine(c *cli.Context, path string) (string, error) {
	in := c.App.Reader
	if path != "-" {
		f, err := os.Open(path) // also a pipe, as /dev/fd/3
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxPasswordFile))
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	return strings.TrimRight(line, "\r"), nil
}

// listedAccount is an account without its hash.
type listedAccount struct {
	Name     string `json:"name"`
	Role     string `json:"role"`
	Province string `json:"province,omitempty"`
	Locked   bool   `json:"locked"`
	Created  string `json:"created"`
}

func listAccounts(c *cli.Context, kind site.Kind) error {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	a, err := accountsOf(c, kind)
	if err != nil {
		return err
	}
	list, err := a.List()
	if err != nil {
		return err
	}
	rows := []listedAccount{}
	for _, one := range list {
		rows = append(rows, listedAccount{one.Name, one.Role, one.Province, one.Locked, one.Created.Format(time.RFC3339)})
	}
	return term.Print(out, rows)
}
