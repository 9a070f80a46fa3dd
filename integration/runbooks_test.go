package integration

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// operations is what people run the network by.
const operations = "../docs/OPERATIONS.md"

// runbooks names, for each section of docs/OPERATIONS.md, the tests and scripts
// that execute its commands: a function of this package, and behind it files in
// which it has more of them than in its own, or a file of ../cmd/raresync/testdata.
var runbooks = map[string][]string{
	"Founding a network":           {"ceremony.txt"},
	"The pseudonymisation key":     {"ceremony.txt"},
	"Keys":                         {"key.txt", "backup.txt", "TestALostVoterIsReplacedAndAHospitalRemoved rebuilt_test.go"},
	"As a service":                 {"network.txt", "config.txt"},
	"Behind a firewall":            {"network.txt", "TestANewcomerJoinsWithAnInvitation"},
	"When the disk fills":          {"TestADiskFillsUpUnderALeader"},
	"Day to day":                   {"network.txt", "debug.txt", "act.txt"},
	"The inbox":                    {"network.txt", "TestNothingIdentifyingLeavesItsHospital canary_inbox_test.go"},
	"The page":                     {"page.txt"},
	"The console":                  {"console.txt", "dataset.txt", "query.txt", "network.txt", "TestNothingIdentifyingLeavesItsHospital canary_console_test.go"},
	"Reports":                      {"query.txt"},
	"Referrals, queries and cards": {"query.txt"},
	"Another reporting system":     {"network.txt"},
	"The link file":                {"network.txt", "TestNothingIdentifyingLeavesItsHospital canary_documents_test.go"},
	"What a patient may ask":       {"withdraw.txt", "TestNothingIdentifyingLeavesItsHospital canary_others_test.go"},
	"Deciding together":            {"act.txt", "TestANewcomerJoinsWithAnInvitation"},
	"Who votes, and who belongs":   {"TestALostVoterIsReplacedAndAHospitalRemoved rebuilt_test.go", "network.txt", "TestANewcomerJoinsWithAnInvitation"},
	"When the majority is lost":    {"TestANetworkThatLostItsMajorityGoesOn"},
	"Updating":                     {"TestANetworkIsUpdatedNodeByNodeAndCountsByNewLists", "network.txt"},
	"Limits that the network sets": {"TestANetworkIsUpdatedNodeByNodeAndCountsByNewLists", "network.txt"},
	"The lists of rare diseases":   {"TestANetworkIsUpdatedNodeByNodeAndCountsByNewLists", "catalog.txt"},
	"Quotas":                       {"network.txt", "act.txt", "TestAHospitalChecksWhatAHolderClaims"},
	"Verifying":                    {"network.txt", "TestANetworkThatLostItsMajorityGoesOn"},
	"Backups":                      {"backup.txt"},
	"Handing out datasets":         {"dataset.txt"},
	"Who has read what":            {"query.txt", "dataset.txt"},
	"Static copies":                {"export.txt"},
}

// form is a command as far as a test can be held to it: its words, such as "key
// protect", and the names of its flags.
type form struct {
	words string
	flags []string
}

func (f form) String() string {
	return strings.Join(append([]string{"raresync " + f.words}, f.flags...), " ")
}

// TestEveryRunbookIsExecutedByATest has every command of docs/OPERATIONS.md, in a
// code block or in a sentence, executed by a test that is named for its section.
// That it does is told by its source.
func TestEveryRunbookIsExecutedByATest(t *testing.T) {
	raw, err := os.ReadFile(operations)
	must(t, err)
	for _, fault := range runbookFaults(string(raw), runbooks, sourceOf) {
		t.Error(fault)
	}
}

// TestARunbookWithoutATestIsSeen is the negative control.
func TestARunbookWithoutATestIsSeen(t *testing.T) {
	page := "# Page\n\nRun `raresync serve`.\n\n## One\n\nRun `raresync key\nprotect --copy FILE`, then:\n\n```sh\n$ raresync key show ID  # and --custody is a comment\n```\n\n" +
		"## Two\n\n`raresync status`\n"
	sources := map[string]string{
		"TestOne": `n.ok("key", "protect", "--copy", path); n.ok("key", "show", id)`,
		"two.txt": "exec raresync status -o json\n",
	}
	read := func(name string) (string, error) {
		if s, ok := sources[name]; ok {
			return s, nil
		}
		return "", fmt.Errorf("no test %s", name)
	}
	whole := map[string][]string{"Page": {"three.txt"}, "One": {"TestOne"}, "Two": {"two.txt"}}
	sources["three.txt"] = "exec raresync serve -c x &\n"
	for name, tc := range map[string]struct {
		change func(map[string][]string)
		want   string
	}{
		"nothing is wrong":           {func(map[string][]string) {}, ""},
		"a section without a test":   {func(m map[string][]string) { delete(m, "Two") }, "Two: no test executes raresync status"},
		"a test without the command": {func(m map[string][]string) { m["Two"] = []string{"TestOne"} }, "Two: no test executes raresync status\nTwo: TestOne executes nothing of it"},
		"a test that is gone":        {func(m map[string][]string) { m["Two"] = append(m["Two"], "TestGone") }, "Two: no test TestGone"},
		"a section that is gone":     {func(m map[string][]string) { m["Three"] = []string{"two.txt"} }, "Three: no such section, or it has no commands"},
		"a script in which it fails": {func(map[string][]string) { sources["two.txt"] = "exits 4 raresync status" }, "Two: no test executes raresync status\nTwo: two.txt executes nothing of it"},
		"a command without its flag": {func(map[string][]string) {
			sources["TestOne"] = `n.ok("key", "protect", path); n.ok("key", "show", id)`
		}, "One: no test executes raresync key protect --copy"},
	} {
		t.Run(name, func(t *testing.T) {
			table, kept := maps.Clone(whole), maps.Clone(sources)
			tc.change(table)
			if got := strings.Join(runbookFaults(page, table, read), "\n"); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			sources = kept
		})
	}
}

// runbookFaults compares a page with a table of what executes its commands.
func runbookFaults(page string, table map[string][]string, source func(name string) (string, error)) (faults []string) {
	sections := commandsOf(page)
	for _, section := range slices.Sorted(maps.Keys(table)) {
		if len(sections[section]) == 0 {
			faults = append(faults, section+": no such section, or it has no commands")
		}
	}
	for _, section := range slices.Sorted(maps.Keys(sections)) {
		useful, texts := map[string]bool{}, map[string]string{}
		for _, name := range table[section] {
			text, err := source(name)
			if err != nil {
				faults = append(faults, section+": "+err.Error())
				continue
			}
			texts[name] = text
		}
		for _, f := range sections[section] {
			executed := false
			for name, text := range texts {
				if f.executedBy(name, text) {
					executed, useful[name] = true, true
				}
			}
			if !executed {
				faults = append(faults, section+": no test executes "+f.String())
			}
		}
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			if !useful[name] {
				faults = append(faults, section+": "+name+" executes nothing of it")
			}
		}
	}
	return faults
}

var (
	heading  = regexp.MustCompile(`^##? (.+)$`)
	inline   = regexp.MustCompile("`(?:[^`]*[;&|] *)?(raresync [^`]*)`")
	comment  = regexp.MustCompile(`\s#\s.*`)
	wordForm = regexp.MustCompile(`^[a-z][a-z-]*$`)
	flagForm = regexp.MustCompile(`^--[a-z-]+`)
)

// commandsOf finds the commands of a page, by section.
func commandsOf(page string) map[string][]form {
	found := map[string][]form{}
	section, prose := "", ""
	add := func(command string) {
		if f := formOf(command); f.words != "" && !slices.ContainsFunc(found[section], func(g form) bool { return g.String() == f.String() }) {
			found[section] = append(found[section], f)
		}
	}
	endProse := func() {
		for _, m := range inline.FindAllStringSubmatch(prose, -1) {
			add(m[1])
		}
		prose = ""
	}
	inCode, carried := false, ""
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		switch m := heading.FindStringSubmatch(line); {
		case strings.HasPrefix(line, "```"):
			endProse()
			inCode = !inCode
		case inCode:
			line = carried + comment.ReplaceAllString(line, "")
			if carried = ""; strings.HasSuffix(line, `\`) {
				carried = strings.TrimSuffix(line, `\`)
				continue
			}
			if command, ok := strings.CutPrefix(strings.TrimPrefix(line, "$ "), "raresync "); ok {
				add("raresync " + command)
			}
		case m != nil:
			endProse()
			section = m[1]
		case line == "":
			endProse()
		default:
			prose += line + " "
		}
	}
	endProse()
	return found
}

// formOf takes the words of a command up to its first argument, and its flags.
func formOf(command string) (f form) {
	fields := strings.Fields(command)[1:]
	for len(fields) > 0 && wordForm.MatchString(fields[0]) && len(strings.Fields(f.words)) < 3 {
		f.words = strings.TrimSpace(f.words + " " + fields[0])
		fields = fields[1:]
	}
	for _, field := range fields {
		if flag := flagForm.FindString(strings.TrimPrefix(field, "[")); flag != "" && !slices.Contains(f.flags, flag) {
			f.flags = append(f.flags, flag)
		}
	}
	return f
}

// succeeds begins a line of a script with a command that has to succeed.
var succeeds = regexp.MustCompile(`^(exec|until \S+) raresync `)

// executedBy reports whether a source has the command. A script has it in a line that
// has to succeed, with all its flags; a test in Go has its words as strings one after the
// other, the first of a list, and its flags as others.
func (f form) executedBy(name, text string) bool {
	if strings.HasSuffix(name, ".txt") {
		for line := range strings.Lines(text) {
			command, ok := strings.CutPrefix(line, succeeds.FindString(line)+f.words)
			if ok && command != line && f.flagsIn(command, " ", "") {
				return true
			}
		}
		return false
	}
	list := `"` + strings.ReplaceAll(f.words, " ", `", "`) + `"`
	return regexp.MustCompile(`[({,] ?`+regexp.QuoteMeta(list)).MatchString(text) && f.flagsIn(text, `"`, `"`)
}

func (f form) flagsIn(text, before, after string) bool {
	return !slices.ContainsFunc(f.flags, func(flag string) bool { return !strings.Contains(text, before+flag+after) })
}

// sourceOf reads the script of a name, or the file of the test and those named
// behind it.
func sourceOf(name string) (string, error) {
	if strings.HasSuffix(name, ".txt") {
		raw, err := os.ReadFile(filepath.Join("../cmd/raresync/testdata", name))
		return string(raw), err
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		return "", err
	}
	test, more, _ := strings.Cut(name, " ")
	own, others := "", ""
	for _, file := range files {
		raw, err := os.ReadFile(file)
		switch {
		case err != nil:
			return "", err
		case strings.Contains(string(raw), "\nfunc "+test+"(t *testing.T)"):
			own = string(raw)
		case slices.Contains(strings.Fields(more), file):
			others += string(raw)
		}
	}
	if own == "" || more != "" && others == "" {
		return "", fmt.Errorf("no test %s", name)
	}
	return own + others, nil
}
