// Package sign signs.
package sign
