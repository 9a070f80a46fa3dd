// Package view keeps what this node's institution may open in a database that
// reports ask: a coordinator's over all hospitals, a hospital's over its own
// entries.
//
//	v, err := view.Open(view.Config{Node: node, Reader: reader, Dir: dir, ...})
//	go v.Run(ctx)                  // follows the log
//	err = v.Read(ctx, func(q view.Query) error { ... q.Head.Size ... })
//
// The view is derived. It is built anew from the log at every start, and goes on
// with it: corrections replace what they correct, entries whose use is stopped
// stay and are marked, links join persons as package reader joins them, and what
// is withdrawn leaves.
//
// Figures are counted in memory: of each hospital what they need is read out of the
// database once, and let go when an entry of the hospital changes or leaves.
//
// # Promises
//
//  1. What [View.Read] shows is the log at one tree size, which it names.
//  2. The file and its write-ahead file are encrypted under a key that is drawn at
//     the start and written nowhere, unless the operator wants them plain.
//  3. Once [View.Forget] has returned, no byte of a withdrawn entry is left in
//     either file: cells are overwritten as they go, and the write-ahead file is
//     emptied.
//
// # Trust
//
// What entries say is their hospitals' word, as package reader opened it. Nothing
// in the view is believed by any other part of the node.
package view
