// Command raresync is the daemon of a hospital's node, and every command with
// which people work with it.
//
//	raresync init /var/lib/raresync --id hospital-1 ...   make a node's keys
//	raresync found draft *.pem --demo --name ...          found a network
//	raresync serve --config /etc/raresync/raresync.toml   run the daemon
//	raresync submit exports/                              send a folder of files
//	raresync log verify --policy policy copy/             verify a copy, offline
//
// # Layout
//
// This is the only package that knows the command-line library. Each command
// has one file and one constructor; app.go lists them, argv.go reads the
// command line, flags.go holds the flags that every command has, errors.go
// turns errors into exit codes and words.go into the user's language; voice.go says
// questions and outcomes in it, headings.go and hints.go hold the Chinese of tables
// and of the daemon's advice. Commands reach the daemon through daemon/admin and read its configuration through
// daemon/config; nothing below them sees a flag.
//
// # Promises
//
//  1. Results go to standard output, all else to standard error. JSON is the
//     stable interface, tables are for people.
//  2. A word that starts with a hyphen is a flag that the command knows, or
//     the command does nothing: a mistyped flag is never taken for a file.
//  3. Exit codes mean the same for every command; errors.go lists them.
//  4. No identity number is ever an argument: other users see arguments.
package main
