// Package powercut gives a test a file system of its own and cuts its power:
// what was not fsynced is gone afterwards, as on a real machine.
//
//	disk := powercut.NewDisk(t)
//	... write below disk.Path ...
//	disk.Cut()
//	... close what was open ...
//	disk.Back()
//	... see what is left ...
//
// It is XFS in a file, mounted through a loop device, and shut down by the
// ioctl that drops its log; so it takes root, and Debian's xfsprogs. Only tests
// with the build tag "faults" use it.
package powercut
