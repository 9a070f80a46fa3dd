package logstore

import "github.com/hashicorp/raft"

// A cache keeps the newest records, contiguous by index and bounded by bytes.
// Its owner's lock guards it. Records share Data with Raft, which does not
// change it.
type cache struct {
	limit  int
	bytes  int
	oldest uint64 // index of records[0]
	logs   []*raft.Log
}

func logBytes(l *raft.Log) int { return len(l.Data) + len(l.Extensions) + 64 }

func (c *cache) get(index uint64) *raft.Log {
	if index < c.oldest || index-c.oldest >= uint64(len(c.logs)) {
		return nil
	}
	return c.logs[index-c.oldest]
}

// add appends a copy of l and drops the oldest beyond the limit.
func (c *cache) add(l *raft.Log) {
	if len(c.logs) > 0 && l.Index != c.oldest+uint64(len(c.logs)) {
		c.clear()
	}
	if len(c.logs) == 0 {
		c.oldest = l.Index
	}
	kept := *l
	c.logs = append(c.logs, &kept)
	c.bytes += logBytes(l)
	drop := 0
	for c.bytes > c.limit {
		c.bytes -= logBytes(c.logs[drop])
		c.logs[drop] = nil // the array stays until append moves on
		drop++
	}
	c.logs, c.oldest = c.logs[drop:], c.oldest+uint64(drop)
}

// cut drops the records from index on.
func (c *cache) cut(index uint64) {
	for len(c.logs) > 0 && c.oldest+uint64(len(c.logs)) > index {
		end := len(c.logs) - 1
		c.bytes -= logBytes(c.logs[end])
		c.logs[end] = nil
		c.logs = c.logs[:end]
	}
}

func (c *cache) clear() { c.logs, c.bytes = nil, 0 }
