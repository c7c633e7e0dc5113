//go:build linux

package network

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// isLive says whether any node's rules still name ip as an endpoint.
func (f *Fabric) isLive(ip netip.Addr) (bool, error) {
	entries, err := os.ReadDir(netnsDir(f.c.Dir))
	if err != nil {
		return false, fmt.Errorf("list nodes: %w", err)
	}
	for _, e := range entries {
		if e.Name()[0] == '.' {
			continue
		}
		live, err := liveIn(filepath.Join(netnsDir(f.c.Dir), e.Name()), ip)
		if err != nil || live {
			return live, err
		}
	}
	return false, nil
}

func liveIn(path string, ip netip.Addr) (bool, error) {
	if bound, err := isNamespace(path); err != nil || !bound {
		return false, err
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false, fmt.Errorf("open %s: %w", path, err)
	}
	defer unix.Close(fd)
	conn, err := dialRules(fd)
	if err != nil {
		return false, err
	}
	defer conn.CloseLasting()
	there, err := hasTable(conn, nodeTable)
	if err != nil || !there {
		return false, err
	}
	w := newWriter(conn, nodeTable)
	elements, err := conn.GetSetElements(&nftables.Set{Table: w.table, Name: setLive})
	if err != nil {
		return false, fmt.Errorf("list endpoints: %w", err)
	}
	for _, e := range elements {
		if a, ok := netip.AddrFromSlice(e.Key); ok && a == ip {
			return true, nil
		}
	}
	return false, nil
}
