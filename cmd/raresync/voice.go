package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/config"
)

// voice speaks the language of the person at the keyboard.
type voice struct{ lang string }

// voiceOf returns the voice that --lang or the configuration asks for. Without
// either, and with a configuration that cannot be read, it is English: what is
// wrong with that is for the command to say.
func voiceOf(c *cli.Context) voice {
	cfg, err := optionalConfig(c)
	if err != nil {
		cfg = config.Default()
	}
	lang, err := languageOf(c, cfg)
	if err != nil {
		lang = config.Default().Language
	}
	return voice{lang}
}

// say puts values into the form of the language. Both forms take the same
// values; the Chinese one may number them, as %[2]s.
func (v voice) say(en, zh string, values ...any) string {
	return fmt.Sprintf(text{en, zh}.in(v.lang), values...)
}

// cell is what a table's cell says.
func (v voice) cell(field, said string) string {
	if zh := cellsZH[field][said]; zh != "" && v.lang == "zh" {
		return zh
	}
	if v.lang == "zh" {
		return entriesZH(said)
	}
	return said
}

// Parts of what taken says of a file's entries.
var (
	inLogBefore = regexp.MustCompile(`([0-9]+) in the log before`)
	notYetInLog = regexp.MustCompile(`([0-9]+) not yet in the log`)
)

// entriesZH puts what taken says into Chinese.
func entriesZH(said string) string {
	before := said
	said = inLogBefore.ReplaceAllString(said, "$1 条此前已在日志中")
	said = notYetInLog.ReplaceAllString(said, "$1 条尚未进入日志")
	if said = strings.ReplaceAll(said, underReceipt, "已有回执"); said == before {
		return said
	}
	return strings.ReplaceAll(said, ", ", "，")
}

// tableWords are the words of tables in the user's language.
func tableWords(c *cli.Context) term.Words {
	v := voiceOf(c)
	if v.lang != "zh" {
		return term.Words{}
	}
	return term.Words{Heading: func(field string) string { return headingsZH[field] }, Cell: v.cell}
}
