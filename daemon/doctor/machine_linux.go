package doctor

import (
	"os"
	"syscall"
)

// Numbers that Linux gives file systems behind a network (linux/magic.h).
var networkFileSystems = map[int64]string{
	0x6969: "NFS", 0xff534d42: "CIFS", 0xfe534d42: "SMB", 0x517b: "SMB", 0x65735546: "FUSE", 0x01021997: "9P", 0x00c36400: "Ceph",
}

// remote names the kind of network file system that a directory lies on, or
// returns "".
func remote(dir string) string {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return ""
	}
	return networkFileSystems[int64(uint32(s.Type))]
}

// ownerOf returns the user that a file belongs to.
func ownerOf(path string) (uint32, bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return s.Uid, true
}

const unsynchronised = 0x40 // STA_UNSYNC of adjtimex(2)

// synchronised reports whether somebody keeps the machine's clock; known is
// false where the kernel does not say.
func synchronised() (yes, known bool) {
	var t syscall.Timex
	if _, err := syscall.Adjtimex(&t); err != nil {
		return false, false
	}
	return t.Status&unsynchronised == 0, true
}

// mayUse reports whether this user may list a folder and change what is in it.
func mayUse(dir string) bool {
	const read, write, enter = 4, 2, 1
	return syscall.Access(dir, read|write|enter) == nil
}
