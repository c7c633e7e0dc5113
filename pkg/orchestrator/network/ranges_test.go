//go:build linux

package network

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

func TestChooseRanges(t *testing.T) {
	p := netip.MustParsePrefix
	free := Ranges{p("10.244.0.0/16"), p("10.96.0.0/16"), p("10.64.0.0/24"), p("10.65.0.0/24")}
	for _, c := range []struct {
		name   string
		taken  []netip.Prefix
		wanted Ranges
		want   Ranges
		err    string
	}{
		{name: "nothing taken", want: free},
		{name: "another cluster", taken: []netip.Prefix{free.Pods, free.Services, free.LoadBalancers, free.Nodes},
			want: Ranges{p("10.243.0.0/16"), p("10.95.0.0/16"), p("10.64.1.0/24"), p("10.65.1.0/24")}},
		{name: "a VPN over all of 10", taken: []netip.Prefix{p("10.0.0.0/8")},
			want: Ranges{p("172.31.0.0/16"), p("172.30.0.0/16"), p("192.168.0.0/24"), p("192.168.1.0/24")}},
		{name: "wanted", wanted: Ranges{Pods: p("10.96.0.0/16")}, want: Ranges{p("10.96.0.0/16"), p("10.95.0.0/16"), free.LoadBalancers, free.Nodes}},
		{name: "wanted is taken", taken: []netip.Prefix{p("192.168.0.0/16")}, wanted: Ranges{Nodes: p("192.168.7.0/24")},
			err: "range 192.168.7.0/24 wanted for nodes overlaps 192.168.0.0/16"},
		{name: "host bits", wanted: Ranges{Nodes: p("192.168.7.1/24")}, err: "write 192.168.7.0/24"},
		{name: "small", wanted: Ranges{Pods: p("192.168.7.0/25")}, err: "too small"},
		{name: "IPv6", wanted: Ranges{Pods: p("fd00::/64")}, err: "use an IPv4 range"},
		{name: "no room", taken: []netip.Prefix{p("0.0.0.0/1"), p("128.0.0.0/1")}, err: "no free range for pods"},
	} {
		got, err := ChooseRanges(c.taken, c.wanted)
		if c.err == "" && (err != nil || got != c.want) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: got %v, %v; want %v %s", c.name, got, err, c.want, c.err)
		}
	}
}

func TestLeasesLast(t *testing.T) {
	dir, pods := t.TempDir(), netip.MustParsePrefix("10.244.3.0/24")
	open := func() *leases {
		l, err := openLeases(dir, pods)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	take := func(l *leases, id string) string {
		v, _, err := l.take(id, []container.HostPort{{HostPort: 80}})
		if err != nil {
			t.Fatal(err)
		}
		return v.IP.String()
	}
	l := open()
	if a, b, again := take(l, "a"), take(l, "b"), take(l, "a"); a != "10.244.3.2" || b != "10.244.3.3" || again != a {
		t.Errorf("got %s, %s, %s", a, b, again)
	}
	if err := l.drop("a"); err != nil {
		t.Fatal(err)
	}
	l = open()
	if got := take(l, "c"); got != "10.244.3.4" {
		t.Errorf("after a restart: got %s, an address that did not rest", got)
	}
	if v, ok := l.get("b"); !ok || v.IP.String() != "10.244.3.3" || len(v.Ports) != 1 {
		t.Errorf("after a restart: got %v", v)
	}
	for i := range 251 {
		take(l, "x"+string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	if _, _, err := l.take("full", nil); err == nil || !strings.Contains(err.Error(), "no free address") {
		t.Errorf("full range: %v", err)
	}
	for _, bad := range []string{"", "../x", ".x", "a/b"} {
		if _, _, err := l.take(bad, nil); err == nil {
			t.Errorf("sandbox ID %q: no error", bad)
		}
	}
	if other, err := openLeases(dir, netip.MustParsePrefix("10.9.0.0/24")); err != nil || len(other.all()) != 0 {
		t.Errorf("leases of another range: %v %v", other.all(), err)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []string{"a", "skiff-cluster", "a-very-long-name-of-a-cluster-12"} {
		if n := linkName(c); len(n) > 15 || !strings.HasPrefix(n, "sk-") {
			t.Errorf("link of %s: %s", c, n)
		}
	}
	if a, b := linkName("a-very-long-name-1"), linkName("a-very-long-name-2"); a == b {
		t.Errorf("two clusters have the link %s", a)
	}
	if got := podLinkName(netip.MustParseAddr("10.244.1.2")); got != "pod-0af40102" {
		t.Errorf("got %s", got)
	}
}
