//go:build !linux

package doctor

// remote names no file systems: nodes run on Linux.
func remote(string) string { return "" }

func ownerOf(string) (uint32, bool) { return 0, false }

func synchronised() (yes, known bool) { return false, false }

// mayUse cannot tell, and leaves it to what follows.
func mayUse(string) bool { return true }
