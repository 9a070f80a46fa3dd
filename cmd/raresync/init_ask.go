package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/consensus/space"
)

// What the nation registers in ten years: 10⁶ patients with a case and about 8
// follow-ups each, of about 1 KB with all that a node keeps beside it.
const (
	decadeEntries = 24_000_000 // 200,000 a month
	entryBytes    = 1000
)

// askInstitution asks a person at a terminal for what must be known of a node and no
// flag says. Where nobody can answer, the flags are wanted.
func askInstitution(c *cli.Context) error {
	asker, ok := term.NewAsker(c.App.Reader, c.App.ErrWriter)
	if !ok {
		return nil
	}
	v := voiceOf(c)
	for _, q := range []struct {
		flag, question string
		known          bool
	}{
		{"id", v.say("Name of this node, a-z 0-9 -, as huaxi:", "本节点的名称（a-z 0-9 -，如 huaxi）："), c.IsSet("id")},
		{"name-zh", v.say("Name of the institution in Chinese, or nothing:", "机构中文名称（没有则留空）："), c.IsSet("name-zh") || c.IsSet("name-en")},
		{"name-en", v.say("Name of the institution in English, or nothing:", "机构英文名称（没有则留空）："), c.IsSet("name-zh") || c.IsSet("name-en")},
		{"entity", v.say("Unified social credit code of the legal entity:", "法人的统一社会信用代码："), c.IsSet("entity")},
		{"province", v.say("Province, two digits of GB/T 2260, as 51:", "省级行政区代码（GB/T 2260 两位数字，如 51）："), c.IsSet("province") || c.String("role") == "reader"},
	} {
		if q.known {
			continue
		}
		line, err := asker.Line(c.Context, q.question)
		if err != nil {
			return err
		}
		if line == "" {
			continue // what is missing is said where the flags are checked
		}
		if err := c.Set(q.flag, line); err != nil {
			return usagef("%s: %v", q.flag, err)
		}
	}
	return nil
}

// tellDisk says what the nation's log will need where a node lies.
func tellDisk(c *cli.Context, dir string) {
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	free, _, err := space.Disk(dir)()
	if err != nil {
		return // the daemon watches it, and says why
	}
	screen.Note(v.say("disk: ten years of the nation, %d million entries, take about %s; free here: %s",
		"磁盘：全国十年约 %d00 万条记录，需约 %s；此处剩余 %s", decadeEntries/1_000_000, gigabytes(decadeEntries*entryBytes), gigabytes(free)))
}

func gigabytes(bytes uint64) string { return fmt.Sprintf("%.1f GB", float64(bytes)/1e9) }
