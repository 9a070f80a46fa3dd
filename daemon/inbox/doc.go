// Package inbox takes the files that a hospital's systems and clerks drop into a
// folder, and says beside each what became of it.
//
//	box, err := inbox.Open(inbox.Config{Dir: dir, Send: send, ...})
//	err = box.Run(ctx)
//
// # The folders
//
//	new         where files are dropped
//	work        files at hand, and those that wait until the network can be reached
//	done        files of which anything was taken, with reports; emptied after 30 days
//	quarantine  files of which nothing was taken, with reports; emptied after 90 days
//
// A file is moved from one to the next by renaming and gets a name that is used
// once, YYYYMMDD-HHMMSS-N- and its own. Beside it stand NAME.report.json and
// NAME.report.txt, and NAME.rejects.csv (.json, .zip) with what was refused of it,
// to be mended and dropped again. NAME.receipts.zip holds the receipts of its
// entries, as package receipt writes them; a file that came before is given its
// receipts again.
//
// # When a file is taken
//
// Names that begin with a dot or ~, or end with .part, .tmp or .crdownload, are
// passed over: so a program writes FILE.part and renames it. Any other is taken
// once neither its size nor its time has changed for Config.Stable. The folder is
// looked through every few seconds and not watched: that works on CIFS and NFS
// as well. Folders, links and what else is no regular file stay where they are,
// and no name leads out of the folder (os.Root).
//
// # Crashes
//
// Whenever the process ends, a file is untouched in new, or in work and taken
// again, or done. Taking it again adds nothing, since entries have the ids that
// their content gives them. Reports are on disk before a file leaves work.
//
// # Trust
//
// Names of files may be names of patients: they stand in the folder, in reports
// and in what Box.List returns, never in a log line. What a file holds is judged by packages delivery
// and intake.
package inbox
