//go:build linux

package network

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// turnedAway says whether the rules of all nodes have turned away from a pod's address. told says that they will be told that the pod
// leaves: until then a node that sends it nothing may just not know it yet.
func (f *Fabric) turnedAway(ip netip.Addr, told bool) (bool, error) {
	entries, err := os.ReadDir(netnsDir(f.c.Dir))
	if err != nil {
		return false, fmt.Errorf("list nodes: %w", err)
	}
	for _, e := range entries {
		if e.Name()[0] == '.' {
			continue
		}
		turned, err := turnedIn(filepath.Join(netnsDir(f.c.Dir), e.Name()), ip, told)
		if err != nil || !turned {
			return false, err
		}
	}
	return true, nil
}

func turnedIn(path string, ip netip.Addr, told bool) (bool, error) {
	if bound, err := isNamespace(path); err != nil || !bound {
		return err == nil, err
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
		return err == nil, err
	}
	live, err := contains(conn, setLive, ip)
	if err != nil || live || !told {
		return err == nil && !live, err
	}
	return contains(conn, setLeaving, ip)
}

// contains looks for an address in a set of them.
func contains(conn *nftables.Conn, set string, ip netip.Addr) (bool, error) {
	elements, err := conn.GetSetElements(&nftables.Set{Table: &nftables.Table{Name: nodeTable, Family: nftables.TableFamilyIPv4}, Name: set})
	if err != nil {
		return false, fmt.Errorf("list %s addresses: %w", set, err)
	}
	return slices.ContainsFunc(elements, func(e nftables.SetElement) bool {
		a, ok := netip.AddrFromSlice(e.Key)
		return ok && a == ip
	}), nil
}
