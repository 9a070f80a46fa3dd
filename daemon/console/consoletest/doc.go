// Package consoletest is a console over a small registry, for tests: three founders in
// two provinces and a hospital whose name and entries hold what could do harm on a
// page.
//
//	w := consoletest.New(t)
//	server := httptest.NewServer(w.Console)
//
// The log and the view are real; where the nodes stand, checkpoints and queries are
// made up.
package consoletest
