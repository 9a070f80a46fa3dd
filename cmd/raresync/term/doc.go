// Package term is how raresync's commands speak to a person and to a script.
//
// Results go to standard output through an [Output], as a table for people or
// as JSON for programs. Rows are structs; their json tags name the fields in
// all three formats, and a command picks the table's columns by those names:
//
//	out, err := term.New(c.App.Writer, c.String("output"))
//	...
//	err = term.Print(out, members, "node", "hospital", "kind", "behind")
//
// Progress and the steps of a long command go to standard error through a
// [Screen], which redraws a line on a terminal and writes plain, occasional
// lines into a file or a service's journal:
//
//	screen := term.NewScreen(c.App.ErrWriter)
//	err := screen.Step("three nodes elected a leader", waitForLeader)
//	p := screen.Progress("verifying leaves", size)
//	defer p.Close()
//
// # Promises
//
//  1. JSON carries every field of a row, whatever columns the table shows; a
//     list with nothing in it is [], never null.
//  2. Table columns line up on a terminal that draws Chinese characters two
//     cells wide, and no value is cut short.
//  3. No value reaches the terminal as a command to it: control characters,
//     escape sequences and the characters that reverse text are printed as
//     visible escapes. A log holds what strangers wrote.
//  4. Colour appears only on a terminal, and never when NO_COLOR is set.
//
// A Screen and a Progress may be used from several goroutines; an Output may
// not.
package term
