//go:build linux

package network

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// lease is what a sandbox has of the network; it is kept in a file named for the sandbox.
type lease struct {
	IP    netip.Addr           `json:"ip"`
	Ports []container.HostPort `json:"ports,omitempty"`
}

// leases are a node's pod addresses: one for each sandbox, given out in turn so that an address rests before it is used again.
type leases struct {
	dir  string
	pods netip.Prefix

	mu    sync.Mutex
	by    map[string]lease
	taken map[netip.Addr]bool
	last  int // offset in pods given out last
}

// openLeases reads what an earlier process gave out. A file that makes no sense, or of another range, is removed.
func openLeases(dir string, pods netip.Prefix) (*leases, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open leases: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open leases: %w", err)
	}
	l := &leases{dir: dir, pods: pods, by: map[string]lease{}, taken: map[netip.Addr]bool{}, last: 1}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("open leases: %w", err)
		}
		var v lease
		if json.Unmarshal(data, &v) != nil || !pods.Contains(v.IP) || l.taken[v.IP] || strings.HasPrefix(e.Name(), ".") {
			if err := os.Remove(path); err != nil {
				return nil, fmt.Errorf("remove stale lease: %w", err)
			}
			continue
		}
		l.by[e.Name()], l.taken[v.IP] = v, true
		l.last = max(l.last, int(v.IP.As4()[3]))
	}
	return l, nil
}

// take gives the sandbox's lease, a new one if it has none; it is on disk before it is returned.
func (l *leases) take(id string, ports []container.HostPort) (v lease, isNew bool, err error) {
	if id == "" || filepath.Base(id) != id || strings.HasPrefix(id, ".") {
		return lease{}, false, fmt.Errorf("lease an address: bad sandbox ID %q", id)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if v, ok := l.by[id]; ok {
		return v, false, nil
	}
	const first, size = 2, 253 // .0 is the range's, .1 the gateway's, .255 the broadcast's
	for i := 1; i <= size; i++ {
		offset := first + (l.last-first+i+size)%size
		ip := nth(l.pods, offset)
		if l.taken[ip] {
			continue
		}
		v = lease{IP: ip, Ports: ports}
		if err := l.write(id, v); err != nil {
			return lease{}, false, err
		}
		l.by[id], l.taken[ip], l.last = v, true, offset
		return v, true, nil
	}
	return lease{}, false, fmt.Errorf("no free address in %s: the node has as many pods as it can", l.pods)
}

// write makes the file whole or not at all.
func (l *leases) write(id string, v lease) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write lease: %w", err)
	}
	tmp := filepath.Join(l.dir, "."+id)
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return fmt.Errorf("write lease: %w", err)
	}
	if err := os.Rename(tmp, filepath.Join(l.dir, id)); err != nil {
		return fmt.Errorf("write lease: %w", err)
	}
	return nil
}

// get looks a lease up.
func (l *leases) get(id string) (lease, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.by[id]
	return v, ok
}

// drop ends a lease; none is success.
func (l *leases) drop(id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.by[id]
	if !ok {
		return nil
	}
	if err := os.Remove(filepath.Join(l.dir, id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop lease: %w", err)
	}
	delete(l.by, id)
	delete(l.taken, v.IP)
	return nil
}

// all lists the leases by sandbox.
func (l *leases) all() map[string]lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[string]lease, len(l.by))
	for id, v := range l.by {
		out[id] = v
	}
	return out
}
