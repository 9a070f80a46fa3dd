// Package card reads the file in which a hospital describes a biobank, a
// collection of specimens or a cohort.
//
//	kind, c, err := card.Read(raw)              // CD001 unless it can be read
//	found := validate.Card(ctx, kind, c, has)   // what it says is checked there
//
// The file is TOML with the fields of [entry.Card], which follow MIABIS, under the
// names and words of docs/INPUT.md. A key or a word that nobody knows is refused:
// a typing error would otherwise leave a field empty.
//
// The package does no I/O. It trusts nobody: a file has at most [MaxBytes].
package card
