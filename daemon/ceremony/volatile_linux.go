package ceremony

import "syscall"

const tmpfsMagic = 0x01021994 // statfs(2)

// isVolatile reports whether a directory lies on a tmpfs, whose files are gone
// when the machine is. Its pages may be swapped out, as any process's memory.
func isVolatile(dir string) bool {
	var s syscall.Statfs_t
	return syscall.Statfs(dir, &s) == nil && s.Type == tmpfsMagic
}
