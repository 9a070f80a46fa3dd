// Package armour puts bytes into text files that people can mail to each other
// (RFC 7468), one block each, and takes them out again.
//
//	file := armour.Wrap("RARESYNC CARD", raw)
//	raw, err := armour.Unwrap("RARESYNC CARD", file, 1<<20)
package armour
