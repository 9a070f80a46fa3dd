module github.com/raresync/raresync

go 1.26.0

require (
	github.com/hashicorp/go-metrics v0.6.1
	github.com/hashicorp/raft v1.8.0
	github.com/hashicorp/raft-boltdb/v2 v2.3.1
)
