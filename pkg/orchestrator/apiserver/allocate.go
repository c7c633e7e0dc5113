package apiserver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// allocator keeps the cluster IPs and node ports that are taken. The store is the truth; this is its index, filled from it
// at the start and changed only under the lock that also spans the write.
type allocator struct {
	mu      sync.Mutex
	service netip.Prefix
	first   netip.Addr // of the dynamic band; the static one before it is left to those who name an address
	last    netip.Addr
	ports   [2]int
	ips     map[netip.Addr]bool
	taken   map[portKey]bool
}

type portKey struct {
	port     int32
	protocol corev1.Protocol
}

// Errors in the words of the real allocators.
var (
	errAllocated = errors.New("provided IP is already allocated")
	errFull      = errors.New("range is full")
	errPortTaken = errors.New("provided port is already allocated")
)

func newAllocator(cfg Config, resources *registry) (*allocator, error) {
	a := &allocator{service: cfg.ServiceRange.Masked(), ports: cfg.NodePorts, ips: map[netip.Addr]bool{}, taken: map[portKey]bool{}}
	bits := a.service.Addr().BitLen() - a.service.Bits()
	if bits < 3 || bits > 24 {
		return nil, fmt.Errorf("service range %s: must have between 8 and 16M addresses", a.service)
	}
	size := uint32(1) << bits
	a.first, a.last = nth(a.service.Addr(), staticBand(size)+1), nth(a.service.Addr(), size-2)
	for _, res := range resources.ordered {
		if res.Allocate == nil {
			continue
		}
		page, err := cfg.Store.List(context.Background(), store.Selection{Resource: res.storage}, store.ListOptions{})
		if err != nil {
			return nil, fmt.Errorf("read what is allocated: %w", err)
		}
		for _, item := range page.Items {
			tx := a.begin()
			tx.loading = true
			res.Allocate(item.Object.(api.Object).DeepCopyObject().(api.Object), nil, tx)
			tx.keep()
			tx.end()
		}
	}
	return a, nil
}

// staticBand is how many addresses at the front dynamic allocation leaves alone: between 16 and 256, a sixteenth.
func staticBand(size uint32) uint32 {
	if size <= 16 {
		return 0
	}
	return max(16, min(size/16, 256))
}

func nth(base netip.Addr, n uint32) netip.Addr {
	b := base.As16()
	for i := 15; i >= 12 && n > 0; i-- {
		sum := uint32(b[i]) + n&0xff
		b[i] = byte(sum)
		n = n>>8 + sum>>8
	}
	out := netip.AddrFrom16(b)
	if base.Is4() {
		return out.Unmap()
	}
	return out
}

// allocation is one transaction's api.Allocator: what it takes is given back unless it is kept.
type allocation struct {
	*allocator
	undo    []func()
	after   []func()
	loading bool // what is in the store is taken, whatever the range says now
	kept    bool
}

func (a *allocator) begin() *allocation {
	a.mu.Lock()
	return &allocation{allocator: a}
}

// keep makes it last: the write is durable.
func (t *allocation) keep() {
	t.kept = true
	for _, f := range t.after {
		f()
	}
}

// end gives back what is not kept, and lets others allocate.
func (t *allocation) end() {
	if !t.kept {
		for _, f := range t.undo {
			f()
		}
	}
	t.mu.Unlock()
}

func (t *allocation) takeIP(ip netip.Addr) string {
	t.ips[ip] = true
	t.undo = append(t.undo, func() { delete(t.ips, ip) })
	return ip.String()
}

// ClusterIP takes the wanted address, or any of the dynamic band and then of the static one.
func (t *allocation) ClusterIP(want string) (string, error) {
	if want != "" {
		ip, err := netip.ParseAddr(want)
		switch {
		case err != nil:
			return "", fmt.Errorf("invalid IP %q", want)
		case t.loading:
			return t.takeIP(ip), nil
		case !t.service.Contains(ip) || ip == t.service.Addr() || t.last.Less(ip):
			return "", fmt.Errorf("the provided IP (%s) is not in the valid range. The range of valid IPs is %s", want, t.service)
		case t.ips[ip]:
			return "", errAllocated
		}
		return t.takeIP(ip), nil
	}
	for _, band := range [][2]netip.Addr{{t.first, t.last}, {t.service.Addr().Next(), t.first.Prev()}} {
		if ip, ok := t.free(band[0], band[1]); ok {
			return t.takeIP(ip), nil
		}
	}
	return "", errFull
}

// free draws addresses at random first, then looks at all of them.
func (t *allocation) free(first, last netip.Addr) (netip.Addr, bool) {
	if last.Less(first) {
		return first, false
	}
	size := distance(first, last) + 1
	for range 16 {
		if ip := nth(first, rand.Uint32N(size)); !t.ips[ip] {
			return ip, true
		}
	}
	for ip := first; !last.Less(ip); ip = ip.Next() {
		if !t.ips[ip] {
			return ip, true
		}
	}
	return first, false
}

func distance(a, b netip.Addr) uint32 {
	x, y := a.As16(), b.As16()
	var n uint32
	for i := 12; i < 16; i++ {
		n = n<<8 + uint32(y[i]) - uint32(x[i])
	}
	return n
}

// ReleaseClusterIP gives an address back, once the write is durable.
func (t *allocation) ReleaseClusterIP(ip string) {
	if a, err := netip.ParseAddr(ip); err == nil {
		t.after = append(t.after, func() { delete(t.ips, a) })
	}
}

// NodePort takes the wanted port, or any.
func (t *allocation) NodePort(want int32, protocol corev1.Protocol) (int32, error) {
	if want != 0 {
		key := portKey{want, protocol}
		switch {
		case t.loading:
		case int(want) < t.ports[0] || int(want) > t.ports[1]:
			return 0, fmt.Errorf("provided port is not in the valid range. The range of valid ports is %d-%d", t.ports[0], t.ports[1])
		case t.taken[key]:
			return 0, errPortTaken
		}
		return t.takePort(key), nil
	}
	size := t.ports[1] - t.ports[0] + 1
	at := rand.IntN(size)
	for i := range size {
		port := int32(t.ports[0] + (at+i)%size)
		if !t.taken[portKey{port, protocol}] {
			return t.takePort(portKey{port, protocol}), nil
		}
	}
	return 0, errFull
}

func (t *allocation) takePort(key portKey) int32 {
	t.taken[key] = true
	t.undo = append(t.undo, func() { delete(t.taken, key) })
	return key.port
}

// ReleaseNodePort gives a port back, once the write is durable.
func (t *allocation) ReleaseNodePort(port int32, protocol corev1.Protocol) {
	key := portKey{port, protocol}
	t.after = append(t.after, func() { delete(t.taken, key) })
}
