package integration

import (
	"fmt"
	"strings"
)

// theConsoleIsUsed has the coordinator's people look at all of its pages: what is
// shown there is counted out of entries, and none of it says who a patient is.
func (w *canaryWorld) theConsoleIsUsed() {
	w.t.Helper()
	p := w.Reader
	const word = "six words that nobody knows at all"
	w.wants(0, p, word+"\n", "console", "user", "add", "coordinator", "--password-from", "-")
	w.wants(0, p, word+"\n", "console", "user", "add", "beijing", "--province", "11", "--password-from", "-", "--lang", "zh")
	w.wants(0, p, word+"\n", "console", "user", "add", "keeper", "--role", "admin", "--password-from", "-")
	w.wants(0, p, "", "console", "user", "list", "-o", "json")
	index := uint64(0)
	for _, o := range w.origins {
		for _, at := range o.indexes {
			index = at
		}
	}
	entry := fmt.Sprintf("/log/entries/%d", index)
	asked := len(w.askedOfPages)
	for name, ways := range map[string][]string{
		"coordinator": {
			"/", "/diseases", "/diseases?q=fabry", "/diseases/1.27", "/hospitals", "/hospitals/1", "/hospitals/4", "/quality", "/cohorts", "/cohorts?disease=1.27&sex=1", "/queries",
			"/quality/rules/RQ001", "/log", "/log/entry?index=3", entry, entry + "/proof", "/log/checkpoint", "/log/policy", "/nodes", "/reports", "/reports/coverage?format=csv", "/reports/silent", "/password", "/static/console.css",
		},
		"beijing": {"/", "/hospitals", "/quality", "/cohorts"},
		"keeper":  {"/accounts", "/"},
	} {
		b := w.browserOf(p, "console")
		b.signsIn(name, word)
		for _, way := range ways {
			if said := b.get(way); strings.Contains(said, `role="alert"`) {
				w.t.Errorf("the console fails at %s: %.1500s", way, said)
			}
		}
	}
	w.aQuestionIsPrepared(word)
	w.browserOf(p, "console").get("/sign-in")
	for i, path := range w.askedOfPages[asked:] {
		w.askedOfPages[asked+i], _, _ = strings.Cut(path, "?")
	}
	w.everyPageIsAsked("console/handler.go", "site/site.go")
}

// aQuestionIsPrepared opens the form that asks about an entry, of one that is not
// withdrawn.
func (w *canaryWorld) aQuestionIsPrepared(word string) {
	w.t.Helper()
	b := w.browserOf(w.Reader, "console")
	b.signsIn("coordinator", word)
	for _, o := range w.origins {
		for _, at := range o.indexes {
			if said := b.get(fmt.Sprintf("/queries/ask?index=%d", at)); strings.Contains(said, `name="rule"`) {
				return
			}
		}
	}
	w.t.Error("there is no entry to ask about")
}
