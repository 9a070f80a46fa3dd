package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/identity"
)

// inbox is the folder that an origin's clerks drop files into.
func (w *canaryWorld) inbox(o *origin) string { return filepath.Join(w.exports(o.Process), "inbox") }

// filesAreDropped has the daemon take files by itself: good ones, refused rows, and
// what nobody can read.
func (w *canaryWorld) filesAreDropped(o *origin) {
	w.t.Helper()
	good, bad := w.patient(identity.RIC, o.Node), w.patient(identity.RIC, o.Node)
	row := tableRow(bad)
	row[9] = "科室 " + bad.name
	name := slices.Sorted(maps.Keys(o.good))[0]
	for ending, raw := range map[string][]byte{
		"dropped.csv": w.tableOf("gb.csv", tableRow(good), row),
		"dropped.xls": []byte("\xd0\xcf\x11\xe0" + bad.name + bad.phone),
		"bare.csv":    []byte(strings.Join(row, ",") + "\n"),
		"again.json":  o.good[name],
		"cut.json":    o.good[name][:len(o.good[name])/2],
	} {
		path := filepath.Join(w.inbox(o), "new", w.fileName(o, ending))
		must(w.t, os.WriteFile(path+".part", raw, 0o600))
		must(w.t, os.Rename(path+".part", path))
	}
	w.eventually("files of the inbox taken at "+o.Node, func() error {
		said := w.wants(0, o.Process, "", "inbox", "list", "-o", "json")
		var files []admin.InboxFile
		if err := json.Unmarshal(said, &files); err != nil {
			return err
		}
		states := map[string]int{}
		for _, f := range files {
			states[f.State+" "+f.Outcome]++
		}
		if fmt.Sprint(states) != "map[done known:1 done partly accepted:1 quarantine refused:3]" {
			return fmt.Errorf("the inbox holds %v", states)
		}
		return nil
	})
	w.wants(0, o.Process, "", "inbox", "list", "--lang", "zh")
}
