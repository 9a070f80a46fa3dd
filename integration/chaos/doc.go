// Package chaos gives the processes of a network a small world of their own, in
// which a test can break things: a LAN whose every link can be cut, lossy or
// slow, and whose nodes can stand behind walls, disks that can be full, memory that can run short, and an fsync that
// fails or takes long.
//
//	lan, err := chaos.NewLAN(5)
//	err = lan.In(0, daemon.Start)                         // in the first namespace
//	lan.Link(0, 3, chaos.Link{Delay: 50 * time.Millisecond}) // what 0 sends to 3
//	err = lan.Reset(0)                                    // its connections break
//	err = lan.Hide(1)                                     // it dials out; nobody reaches it
//	err = lan.Fence(2, 4)                                 // it may speak to node 4 alone
//
// Everything is the kernel's: network namespaces with a TAP device each, whose
// frames a switch in this process carries; ext4 on loop devices; the memory
// controller of cgroup v1; system calls that strace answers. It needs root and
// the commands named by [Missing].
//
// # What is left behind
//
// Nothing. Namespaces and TAP devices live as long as this process, and so do
// mounts if it was started by [Enclose], which also ends every process that was
// started in it. Whoever enclosed it removes the folder and the control groups.
package chaos
