package main

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/daemon/config"
)

func TestParse(t *testing.T) {
	for name, tc := range map[string]struct {
		words string
		want  string
	}{
		"flags after arguments come first":      {"submit a b --no-wait --profile report c", "submit --no-wait=true --profile=report -- a b c"},
		"aliases become names":                  {"log prove 7 -f x", "log prove --file=x -- 7"},
		"common flags may stand first":          {"-o json log head", "log head --output=json"},
		"one hyphen is as good as two":          {"status -output json", "status --output=json"},
		"a value may begin with a hyphen":       {"init d --id -x", "init --id=-x -- d"},
		"a value may stand behind an equals":    {"init d --id=a=b", "init --id=a=b -- d"},
		"a switch can be turned off":            {"submit a --no-wait=false", "submit --no-wait=false -- a"},
		"a hyphen alone is an argument":         {"validate -", "validate -- -"},
		"what follows two hyphens is arguments": {"validate a -- -b --", "validate -- a -b --"},
		"repeated flags are all kept":           {"init d --address a:1 --address b:2", "init --address=a:1 --address=b:2 -- d"},
		"help before the command":               {"help log prove", "log prove --help"},
		"help after arguments":                  {"log prove 7 --file x --help", "log prove --help"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := parse(newApp(nil, nil, nil), strings.Fields(tc.words))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(l.argv()[1:], " "); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// FuzzParse states what the library alone does not keep: a word that looks
// like a flag is a known one, or the command does not run; and the command
// gets exactly the arguments that are left.
func FuzzParse(f *testing.F) {
	f.Add("catalog show 1.31 --dry-run")
	f.Add("log prove 7 -f x -o json")
	f.Add("validate -- -x --help")
	f.Add("--lang zh entry get --limit")
	f.Fuzz(func(t *testing.T, text string) {
		words := strings.Fields(text)
		app := newApp(nil, &bytes.Buffer{}, &bytes.Buffer{})
		l, err := parse(app, words)
		var usage usageError
		if errors.As(err, &usage) {
			return
		}
		if err != nil {
			t.Fatalf("%q: %v is no usage error", words, err)
		}
		if i := slices.Index(words, "--"); i < 0 {
			for _, arg := range l.args {
				if strings.HasPrefix(arg, "-") && arg != "-" {
					t.Errorf("%q: %q is taken for an argument", words, arg)
				}
			}
		}
		got, ran := runDry(app, l)
		if ran && !slices.Equal(got, l.args) {
			t.Errorf("%q: the command gets %q, want %q", words, got, l.args)
		}
	})
}

// runDry runs the command line with actions that only tell their arguments.
func runDry(app *cli.App, l line) (args []string, ran bool) {
	var dry func([]*cli.Command)
	dry = func(commands []*cli.Command) {
		for _, c := range commands {
			dry(c.Subcommands)
			c.Action = func(c *cli.Context) error {
				args, ran = c.Args().Slice(), true
				return nil
			}
		}
	}
	dry(app.Commands)
	_ = app.Run(l.argv())
	return args, ran
}

func TestEveryCommandHasTheCommonFlags(t *testing.T) {
	var walk func(path string, commands []*cli.Command)
	walk = func(path string, commands []*cli.Command) {
		for _, c := range commands {
			name := path + " " + c.Name
			if c.Usage == "" {
				t.Errorf("%s has no usage line", name)
			}
			if len(c.Subcommands) > 0 {
				walk(name, c.Subcommands)
				continue
			}
			var names []string
			for _, f := range c.Flags {
				names = append(names, f.Names()...)
			}
			for _, want := range []string{"config", "c", "socket", "output", "o", "lang", "timeout"} {
				if !slices.Contains(names, want) {
					t.Errorf("%s lacks --%s", name, want)
				}
			}
			if sorted := slices.Compact(slices.Sorted(slices.Values(names))); len(sorted) != len(names) {
				t.Errorf("%s has a flag twice: %v", name, names)
			}
		}
	}
	walk("raresync", newApp(nil, nil, nil).Commands)
}

func TestNearest(t *testing.T) {
	names := []string{"status", "log", "submit", "o"}
	got := map[string]string{}
	for _, word := range []string{"statsu", "lgo", "foo", "submitt", "x", "stats"} {
		got[word] = config.DidYouMean(word, names)
	}
	want := map[string]string{
		"statsu": "; did you mean status?", "lgo": "", "foo": "", "submitt": "; did you mean submit?", "x": "",
		"stats": "; did you mean status?",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
