// Package space watches the room on the disk that a node's data lie on.
//
//	w := space.New(space.Config{Dir: dir, Probe: space.Disk(dir), ReserveBytes: 64 << 20})
//	level, err := w.Tend()       // every second
//	level, err = w.Look(64 << 10) // before 64 KiB are written
//
// # Levels
//
// Each begins at a share of the disk, at most at a size: a percentage alone
// makes no sense of a disk of ten terabytes.
//
//	low     15 %, 20 GiB   somebody should look
//	scarce  10 %, 10 GiB   the hospital hands in nothing new
//	short    5 %,  5 GiB   the node leads no more
//	full     1 %,  1 GiB   the node stores no record and pulls no envelope
//
// A level that was reached is left only a fifth above its beginning, so that a
// disk at the edge does not go to and fro.
//
// # The reserve
//
// A file of blocks that nobody uses lies beside the data. At full it is given
// up: what the node has promised already (records to apply, a snapshot, a
// vote, a receipt) then still finds room. It is made again when the disk is no
// longer full. Free space is counted as if the reserve were always there, so
// giving it up changes no level.
package space
