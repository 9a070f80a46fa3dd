// Package export says of a dataset that a reader hands out where it comes from, so
// that whoever gets it can check that offline with a policy file alone.
//
// An export is a folder: the data, [ManifestName] with the hash of every other
// file, [SignatureName] under the manifest, and as evidence the act by which the
// reader said that it reads, with the receipt of that act.
//
//	sealed, err := manifest.Sign(key)
//	m, err := export.Verify(os.DirFS(dir), policy)
//
// # Promises
//
// What Verify returns is what the reader signed, with a key whose act the network
// took in as that reader's; the act's purpose is the manifest's; the tree size and
// root are of the log that the policy's voters cosigned; every file is whole, and
// none was added. One changed byte anywhere is found.
//
// Not shown is that the rows are what the log says: the entries are sealed. Another
// reader derives them again from the same tree size and compares the hashes.
package export
