// Package receipt puts receipts of entries into files: a proof of each, the policy
// by which proofs are verified, and a page to print.
//
//	n, err := receipt.Write(ctx, source, "zh", entries, func(name string, data []byte) error {
//		return os.WriteFile(filepath.Join(dir, name), data, 0o600)
//	})
//
// With the files alone, in one folder, anybody verifies each proof offline:
//
//	raresync log verify --policy policy.txt --proof entry-21.tlog-proof
//
// Nothing of a patient is in them but the names of the hospital's own files, on the
// page. The package writes what its source gives, which has verified it.
package receipt
