package apiserver

import (
	"errors"
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

func newTestAllocator(t *testing.T, services string) *allocator {
	t.Helper()
	s, err := store.New(store.Memory(), Codec(nil))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	resources, _ := newRegistry(nil)
	a, err := newAllocator(Config{Store: s, ServiceRange: netip.MustParsePrefix(services), NodePorts: [2]int{30000, 30003}}, resources)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// with runs f in one transaction.
func (a *allocator) with(keep bool, f func(tx *allocation)) {
	tx := a.begin()
	defer tx.end()
	f(tx)
	if keep {
		tx.keep()
	}
}

func TestClusterIPs(t *testing.T) {
	a := newTestAllocator(t, "10.0.0.0/28")
	got := map[string]bool{}
	a.with(true, func(tx *allocation) {
		for range 14 {
			ip, err := tx.ClusterIP("")
			if err != nil || got[ip] || !a.service.Contains(netip.MustParseAddr(ip)) {
				t.Fatalf("took %s, %v", ip, err)
			}
			got[ip] = true
		}
		if got["10.0.0.0"] || got["10.0.0.15"] {
			t.Error("the first or the last address was given away")
		}
		if ip, err := tx.ClusterIP(""); !errors.Is(err, errFull) {
			t.Errorf("from a full range: %s, %v", ip, err)
		}
		if _, err := tx.ClusterIP("10.0.0.5"); !errors.Is(err, errAllocated) {
			t.Errorf("a taken address: %v", err)
		}
		if _, err := tx.ClusterIP("10.1.0.5"); err == nil || err.Error() != "the provided IP (10.1.0.5) is not in the valid range. The range of valid IPs is 10.0.0.0/28" {
			t.Errorf("a foreign address: %v", err)
		}
	})
	a.with(false, func(tx *allocation) { tx.ReleaseClusterIP("10.0.0.5") })
	a.with(false, func(tx *allocation) {
		if _, err := tx.ClusterIP("10.0.0.5"); err == nil {
			t.Error("a release that was not kept freed the address")
		}
	})
	a.with(true, func(tx *allocation) { tx.ReleaseClusterIP("10.0.0.5") })
	a.with(false, func(tx *allocation) {
		if ip, err := tx.ClusterIP("10.0.0.5"); err != nil || ip != "10.0.0.5" {
			t.Errorf("a released address: %s, %v", ip, err)
		}
	})
	a.with(true, func(tx *allocation) {
		if ip, err := tx.ClusterIP(""); err != nil || ip != "10.0.0.5" {
			t.Errorf("after a transaction that was given up: %s, %v", ip, err)
		}
	})
}

func TestStaticBandIsLeftAlone(t *testing.T) {
	a := newTestAllocator(t, "10.0.0.0/16")
	a.with(true, func(tx *allocation) {
		for range 200 {
			ip, err := tx.ClusterIP("")
			if err != nil || netip.MustParseAddr(ip).Compare(netip.MustParseAddr("10.0.1.0")) <= 0 {
				t.Fatalf("took %s of the static band, %v", ip, err)
			}
		}
	})
}

func TestNodePorts(t *testing.T) {
	a := newTestAllocator(t, "10.0.0.0/24")
	a.with(true, func(tx *allocation) {
		seen := map[int32]bool{}
		for range 4 {
			port, err := tx.NodePort(0, corev1.ProtocolTCP)
			if err != nil || seen[port] || port < 30000 || port > 30003 {
				t.Fatalf("took %d, %v", port, err)
			}
			seen[port] = true
		}
		if _, err := tx.NodePort(0, corev1.ProtocolTCP); !errors.Is(err, errFull) {
			t.Errorf("from a full range: %v", err)
		}
		if _, err := tx.NodePort(30001, corev1.ProtocolTCP); !errors.Is(err, errPortTaken) {
			t.Errorf("a taken port: %v", err)
		}
		if _, err := tx.NodePort(30001, corev1.ProtocolUDP); err != nil {
			t.Errorf("the same port of another protocol: %v", err)
		}
		if _, err := tx.NodePort(80, corev1.ProtocolTCP); err == nil {
			t.Error("a port outside the range was given")
		}
	})
}
