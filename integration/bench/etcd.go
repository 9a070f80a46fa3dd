package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
)

// errNoEtcd says that there is no etcd to measure.
var errNoEtcd = errors.New("etcd is not installed")

// etcdConns is how many connections the clients share, as etcd's own
// benchmark would: one connection's frames are a bottleneck of its own.
const etcdConns = 8

// etcd is three processes of etcd and connections to its leader.
type etcd struct {
	children []*child
	leader   string
	conns    []*http.Client
	key      atomic.Uint64 // every put has a key of its own
}

func startEtcd(ctx context.Context, dir string) (*etcd, error) {
	program, err := exec.LookPath("etcd")
	if err != nil {
		return nil, errNoEtcd
	}
	e := &etcd{}
	for range etcdConns {
		var protocols http.Protocols
		protocols.SetUnencryptedHTTP2(true)
		e.conns = append(e.conns, &http.Client{Transport: &http.Transport{Protocols: &protocols}})
	}
	clients, err := e.start(program, dir)
	if err == nil {
		err = e.findLeader(ctx, clients)
	}
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// start starts the processes and returns their addresses for clients.
func (e *etcd) start(program, dir string) ([]string, error) {
	var names, peers, clients, cluster []string
	for i := range voters {
		peer, err := demo.FreeAddress()
		if err != nil {
			return nil, err
		}
		client, err := demo.FreeAddress()
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("e%d", i+1)
		names, peers, clients = append(names, name), append(peers, "http://"+peer), append(clients, "http://"+client)
		cluster = append(cluster, name+"=http://"+peer)
	}
	for i, name := range names {
		data := filepath.Join(dir, name)
		if err := os.MkdirAll(data, 0o700); err != nil {
			return nil, err
		}
		c, err := startChild(filepath.Join(dir, name+".log"), program, "--name", name, "--data-dir", data,
			"--listen-peer-urls", peers[i], "--initial-advertise-peer-urls", peers[i],
			"--listen-client-urls", clients[i], "--advertise-client-urls", clients[i],
			"--initial-cluster", strings.Join(cluster, ","), "--initial-cluster-state", "new",
			"--heartbeat-interval", "200", "--election-timeout", "2000", "--quota-backend-bytes", "8589934592")
		if err != nil {
			return nil, err
		}
		e.children = append(e.children, c)
	}
	return clients, nil
}

// findLeader waits until one of the processes leads.
func (e *etcd) findLeader(ctx context.Context, clients []string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		for _, at := range clients {
			if leads(ctx, at) {
				e.leader = at
				return e.put(ctx, 0, []byte("first"))
			}
		}
		if !pause(ctx, 50*time.Millisecond) {
			return fmt.Errorf("etcd has no leader: %w", ctx.Err())
		}
	}
}

// leads asks an etcd's metrics whether it leads.
func leads(ctx context.Context, at string) bool {
	req, err := http.NewRequestWithContext(ctx, "GET", at+"/metrics", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	metrics, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	return err == nil && bytes.Contains(metrics, []byte("\netcd_server_is_leader 1\n"))
}

// put stores a value under a new key, by a gRPC call over plain HTTP/2. It
// returns once etcd has committed it.
func (e *etcd) put(ctx context.Context, client int, value []byte) error {
	body := grpcMessage(putRequest(fmt.Appendf(nil, "key-%012d", e.key.Add(1)), value))
	req, err := http.NewRequestWithContext(ctx, "POST", e.leader+"/etcdserverpb.KV/Put", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("TE", "trailers")
	resp, err := e.conns[client%len(e.conns)].Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return err
	}
	status := resp.Trailer.Get("Grpc-Status")
	if status == "" { // an answer without a message has it in the header
		status = resp.Header.Get("Grpc-Status")
	}
	if status != "0" {
		return fmt.Errorf("etcd put: %s, gRPC status %q", resp.Status, status)
	}
	return nil
}

// putRequest encodes etcd's PutRequest: field 1 the key, field 2 the value.
func putRequest(key, value []byte) []byte {
	b := make([]byte, 0, len(key)+len(value)+12)
	for field, bytes := range [][]byte{key, value} {
		b = append(b, byte(field+1)<<3|2)
		b = binary.AppendUvarint(b, uint64(len(bytes)))
		b = append(b, bytes...)
	}
	return b
}

// grpcMessage puts gRPC's prefix before a message: not compressed, length.
func grpcMessage(m []byte) []byte {
	b := make([]byte, 0, len(m)+5)
	b = append(b, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(m)))
	return append(b, m...)
}

func (e *etcd) pids() []int { return pidsOf(e.children) }

func (e *etcd) close() error {
	for _, c := range e.conns {
		c.CloseIdleConnections()
	}
	return stopAll(e.children)
}
