package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/daemon/config"
)

// line is a command line, taken apart. The library stops looking for flags at
// the first word that is none, and takes the rest for arguments, so that
// `member remove n4 --dry-run` would remove; therefore flags are found here
// and put in front.
type line struct {
	path   []string // of the command: "log", "verify"
	flags  []string // each with its value behind "="
	args   []string
	values map[string]string // last value of each flag, by its first name
}

// argv returns the words in the order that the library reads rightly.
func (l line) argv() []string {
	all := slices.Concat([]string{"raresync"}, l.path, l.flags)
	if len(l.args) > 0 {
		all = append(append(all, "--"), l.args...)
	}
	return all
}

// parse takes words apart. Its errors are usage errors.
func parse(app *cli.App, words []string) (line, error) {
	p := parser{line: line{values: map[string]string{}}, commands: app.Commands}
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		switch {
		case word == "--":
			if err := p.rest(words); err != nil {
				return p.line, err
			}
			words = nil
		case len(word) > 1 && word[0] == '-':
			var err error
			if words, err = p.flag(word, words); err != nil {
				return p.line, err
			}
		default:
			if err := p.word(word); err != nil {
				return p.line, err
			}
		}
	}
	return p.line, p.end()
}

type parser struct {
	line
	command  *cli.Command   // nil until one was named
	commands []*cli.Command // what may follow; none below a leaf
	help     bool
}

// word takes the name of a command, or an argument.
func (p *parser) word(word string) error {
	if p.leaf() {
		p.args = append(p.args, word)
		return nil
	}
	if word == "help" {
		p.help = true
		return nil
	}
	for _, c := range p.commands {
		if c.HasName(word) {
			p.path = append(p.path, c.Name)
			p.command, p.commands = c, c.Subcommands
			return nil
		}
	}
	names := make([]string, len(p.commands))
	for i, c := range p.commands {
		names[i] = c.Name
	}
	return usagef("unknown command %q%s", word, config.DidYouMean(word, names))
}

func (p *parser) leaf() bool { return p.command != nil && len(p.commands) == 0 }

// rest takes the words after "--", which may begin with a hyphen.
func (p *parser) rest(words []string) error {
	if !p.leaf() && len(words) > 0 {
		return usagef("-- comes after the command")
	}
	p.args = append(p.args, words...)
	return nil
}

// known returns the flags that may stand here. Those that every command has
// may also come before it.
func (p *parser) known() []cli.Flag {
	if p.leaf() {
		return p.command.Flags
	}
	return commonFlags()
}

func (p *parser) flag(word string, words []string) ([]string, error) {
	name, value, hasValue := strings.Cut(strings.TrimLeft(word, "-"), "=")
	switch {
	case name == "h" || name == "help":
		p.help = true
		return words, nil
	case name == "version" && !hasValue && len(p.path) == 0:
		return words, p.word("version")
	}
	var names []string
	for _, f := range p.known() {
		if !slices.Contains(f.Names(), name) {
			names = append(names, f.Names()...)
			continue
		}
		if takesValue(f) && !hasValue {
			if len(words) == 0 {
				return nil, usagef("flag --%s needs a value", name)
			}
			value, words = words[0], words[1:]
		} else if !hasValue {
			value = "true"
		}
		p.flags = append(p.flags, fmt.Sprintf("--%s=%s", f.Names()[0], value))
		p.values[f.Names()[0]] = value
		return words, nil
	}
	return nil, usagef("unknown flag %s%s", strings.SplitN(word, "=", 2)[0], config.DidYouMean(name, names))
}

func takesValue(f cli.Flag) bool {
	_, isBool := f.(*cli.BoolFlag)
	return !isBool
}

func (p *parser) end() error {
	switch {
	case p.help:
		p.flags, p.args = []string{"--help"}, nil
	case !p.leaf():
		return errNoCommand
	}
	return nil
}
