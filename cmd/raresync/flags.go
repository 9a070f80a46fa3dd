package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/registry/act"
)

const common = "Common"

// commonFlags are those of every command.
func commonFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Category: common,
			Usage: "configuration `FILE` (default: $RARESYNC_CONFIG, ./raresync.toml, /etc/raresync/raresync.toml)"},
		&cli.StringFlag{Name: "socket", Category: common, Usage: "admin `SOCKET` of the daemon (default: the configuration's)"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Category: common, Usage: "`FORMAT` of results: " + term.Formats},
		&cli.StringFlag{Name: "lang", Category: common, Usage: "`LANGUAGE` of messages: zh or en (default: the configuration's)"},
		&cli.DurationFlag{Name: "timeout", Category: common, DefaultText: "as the command needs",
			Usage: "wait for the daemon no longer than `DURATION`, as 30s; 0 = without limit"},
	}
}

// The places where a configuration is looked for, after --config.
const (
	configEnv    = "RARESYNC_CONFIG"
	configHere   = "raresync.toml"
	configSystem = "/etc/raresync/raresync.toml"
)

// errNoConfig reports that there is no configuration file anywhere.
var errNoConfig = errors.New("no configuration file: none named with --config or $" + configEnv +
	", no ./" + configHere + ", no " + configSystem)

func configPath(flag string) (string, error) {
	for _, named := range []string{flag, os.Getenv(configEnv)} {
		if named != "" {
			return named, nil
		}
	}
	for _, path := range []string{configHere, configSystem} {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path, err
		}
	}
	return "", errNoConfig
}

func loadConfig(c *cli.Context) (config.Config, error) {
	path, err := configPath(c.String("config"))
	if err != nil {
		return config.Config{}, err
	}
	return config.Load(path)
}

// optionalConfig is loadConfig for commands that also work without a node:
// defaults if there is no file.
func optionalConfig(c *cli.Context) (config.Config, error) {
	cfg, err := loadConfig(c)
	if errors.Is(err, errNoConfig) {
		return config.Default(), nil
	}
	return cfg, err
}

// languageOf returns the language of messages: --lang, or the configuration's.
func languageOf(c *cli.Context, cfg config.Config) (string, error) {
	switch lang := c.String("lang"); lang {
	case "":
		return cfg.Language, nil
	case "zh", "en":
		return lang, nil
	default:
		return "", usagef("--lang %q: want zh or en", lang)
	}
}

func outputOf(c *cli.Context) (*term.Output, error) {
	out, err := term.New(c.App.Writer, c.String("output"))
	if err != nil {
		return nil, usagef("-o: %v", err)
	}
	out.Speak(tableWords(c))
	return out, nil
}

// isTable reports whether results go to a person.
func isTable(c *cli.Context) bool { return c.String("output") == "" || c.String("output") == "table" }

// client returns a client for the node's daemon.
func client(c *cli.Context) (*admin.Client, error) {
	socket := c.String("socket")
	if socket == "" {
		cfg, err := loadConfig(c)
		if err != nil {
			return nil, err
		}
		socket = cfg.Listen.AdminSocket
	}
	daemon := admin.NewClient(socket)
	if purpose := c.String(purposeFlag.Name); purpose != "" {
		if _, ok := act.ParsePurpose(purpose); !ok {
			return nil, usagef("--purpose %q: want %s", purpose, strings.Join(act.Purposes(), ", "))
		}
		daemon.SetPurpose(purpose)
	}
	return daemon, nil
}

// purposeFlag is of commands that show what a reader has opened.
var purposeFlag = &cli.StringFlag{
	Name: "purpose", Usage: "at a reader: why it is read, a `CODE` that the log will show: " + strings.Join(act.Purposes(), ", "),
	DefaultText: "registry",
}

const (
	askTimeout    = 30 * time.Second // for a question
	submitTimeout = 30 * time.Minute // for a folder that becomes part of the log
)

// within bounds a call to the daemon by --timeout, or usual if it is not given.
func within(c *cli.Context, usual time.Duration) (context.Context, context.CancelFunc) {
	if c.IsSet("timeout") {
		usual = c.Duration("timeout")
	}
	if usual <= 0 {
		return context.WithCancel(c.Context)
	}
	return context.WithTimeout(c.Context, usual)
}

// checkCommon refuses values of common flags that mean nothing, also where the
// command has no use for the flag.
func checkCommon(c *cli.Context) error {
	if _, err := languageOf(c, config.Config{}); err != nil {
		return err
	}
	if d := c.Duration("timeout"); d < 0 {
		return usagef("--timeout %s: want a duration, as 30s; 0 = without limit", d)
	}
	return nil
}

// commandName is the command as it is typed, as "entry get".
func commandName(c *cli.Context) string {
	return strings.TrimPrefix(c.Command.HelpName, c.App.Name+" ")
}

// arguments checks how many there are; most < 0 is no limit.
func arguments(c *cli.Context, least, most int) ([]string, error) {
	args := c.Args().Slice()
	switch {
	case len(args) < least:
		return nil, usagef("%s needs %s", commandName(c), c.Command.ArgsUsage)
	case most >= 0 && len(args) > most:
		return nil, usagef("%s takes no argument %q", commandName(c), args[most])
	}
	return args, nil
}

// required reports all flags that are missing.
func required(c *cli.Context, names ...string) error {
	var missing []string
	for _, name := range names {
		if c.String(name) == "" {
			missing = append(missing, "--"+name)
		}
	}
	if len(missing) > 0 {
		return usagef("%s needs %s", commandName(c), strings.Join(missing, ", "))
	}
	return nil
}

// create writes a new file, or standard output for "-". Nothing is
// overwritten.
func create(c *cli.Context, path string, data []byte) error {
	if path == "-" {
		_, err := c.App.Writer.Write(data)
		return err
	}
	return createFile(path, data, 0o644)
}

// createFile writes a new file; nothing is overwritten.
func createFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write: %w", errors.Join(err, os.Remove(path)))
	}
	return nil
}
