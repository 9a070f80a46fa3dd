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
	"github.com/raresync/raresync/daemon/page"
)

func pageCommand() *cli.Command {
	role := &cli.StringFlag{Name: "role", Value: page.Clerk, Usage: "`ROLE` of the account: clerk hands in files, admin keeps the accounts as well"}
	user := func(name, usage, did, didZH string, flags []cli.Flag, do func(c *cli.Context, a *page.Accounts, name string) error) *cli.Command {
		return &cli.Command{Name: name, Usage: usage, ArgsUsage: "NAME", Flags: flags, Action: func(c *cli.Context) error {
			args, err := arguments(c, 1, 1)
			if err != nil {
				return err
			}
			a, err := accountsOf(c)
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
		Name:  "page",
		Usage: "the web page on which this hospital's clerks hand in files",
		Subcommands: []*cli.Command{{
			Name:  "user",
			Usage: "the accounts of the page",
			Subcommands: []*cli.Command{
				user("add", "add an account", "account %s may sign in", "账号 %s 可以登录", []cli.Flag{role, passwordFlag}, func(c *cli.Context, a *page.Accounts, name string) error {
					text, err := newPassword(c, name)
					if err != nil {
						return err
					}
					return a.Add(name, c.String(role.Name), text, time.Now())
				}),
				{Name: "list", Usage: "list the accounts", Action: listAccounts},
				user("passwd", "give an account another password, which ends its sessions", "account %s has another password", "账号 %s 的密码已更换", []cli.Flag{passwordFlag}, func(c *cli.Context, a *page.Accounts, name string) error {
					if _, err := a.Get(name); err != nil {
						return err
					}
					text, err := newPassword(c, name)
					if err != nil {
						return err
					}
					return a.SetPassword(name, text)
				}),
				user("lock", "keep an account from signing in, and end its sessions", "account %s is locked", "账号 %s 已锁定", nil, func(_ *cli.Context, a *page.Accounts, name string) error {
					return a.Lock(name, true)
				}),
				user("unlock", "let a locked account in again", "account %s may sign in", "账号 %s 可以登录", nil, func(_ *cli.Context, a *page.Accounts, name string) error {
					return a.Lock(name, false)
				}),
				user("remove", "remove an account", "account %s is removed", "账号 %s 已删除", nil, func(_ *cli.Context, a *page.Accounts, name string) error {
					return a.Remove(name)
				}),
			},
		}},
	}
}

var passwordFlag = &cli.StringFlag{
	Name:        "password-from",
	DefaultText: "ask on the terminal, twice",
	Usage:       "read the password from the first line of `FILE`; - is standard input",
}

// errPasswords reports a password that was mistyped.
var errPasswords = errors.New("the two passwords typed differ")

// accountsOf returns the accounts of the node that the configuration names.
func accountsOf(c *cli.Context) (*page.Accounts, error) {
	cfg, err := loadConfig(c)
	if err != nil {
		return nil, err
	}
	return page.AccountsIn(cfg.Node.DataDir, password.Default()), nil
}

// accountError gives an error of an account its exit code.
func accountError(err error) error {
	switch {
	case errors.Is(err, page.ErrNoAccount):
		return coded{exitNotFound, err}
	case errors.Is(err, page.ErrAccountName), errors.Is(err, page.ErrRole), errors.Is(err, page.ErrPassword), errors.Is(err, page.ErrThere):
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
	if err := page.CheckPassword(name, text); err != nil {
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
	Name    string `json:"name"`
	Role    string `json:"role"`
	Locked  bool   `json:"locked"`
	Created string `json:"created"`
}

func listAccounts(c *cli.Context) error {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	a, err := accountsOf(c)
	if err != nil {
		return err
	}
	list, err := a.List()
	if err != nil {
		return err
	}
	rows := []listedAccount{}
	for _, one := range list {
		rows = append(rows, listedAccount{one.Name, one.Role, one.Locked, one.Created.Format(time.RFC3339)})
	}
	return term.Print(out, rows)
}
