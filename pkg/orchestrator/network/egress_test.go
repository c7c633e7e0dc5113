//go:build linux

package network

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// world is a namespace behind another link of the host, with an address that the host knows a way to, and a default route
// back; it stands for everything outside.
func (m *machine) world() *pod {
	m.t.Helper()
	path := filepath.Join(m.dir, "world")
	if err := makeNamespace(path); err != nil {
		m.t.Fatal(err)
	}
	ns, err := joinNamespace(path)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { ns.Close(); removeNamespace(path) })
	host, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		m.t.Fatal(err)
	}
	defer host.Close()
	here, there := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	err = host.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "lan", HardwareAddr: macOf(here)},
		PeerName: uplink, PeerHardwareAddr: macOf(there), PeerNamespace: netlink.NsFd(ns.fd)})
	if err == nil {
		err = end{nl: host, name: "lan", ip: here, peer: there, peerMAC: macOf(there), routes: []netip.Prefix{netip.PrefixFrom(there, 32)}}.configure()
	}
	if err == nil {
		err = end{nl: ns.nl, name: uplink, ip: there, peer: here, peerMAC: macOf(here), routes: []netip.Prefix{netip.PrefixFrom(here, 32), everywhere}}.configure()
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return &pod{m: m, ns: ns, id: "world", ip: there.String()}
}

func TestEgress(t *testing.T) {
	if !isolated(t) {
		return
	}
	m := newMachine(t, 2, true)
	world, a, b := m.world().serve(80), m.pod(1, "a").serve(80), m.pod(2, "b").serve(80)
	m.wantAnswer("out of node 1", from(a), "tcp", "192.0.2.2:80", "world", "192.0.2.1")
	m.wantAnswer("out of node 2", from(b), "udp", "192.0.2.2:80", "world", "192.0.2.1")
	m.wantAnswer("out of the node itself", m.nodes[1].Dial, "tcp", "192.0.2.2:80", "world", "192.0.2.1")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if c, err := from(world)(ctx, "tcp", b.ip+":80"); err == nil {
		c.Close()
		t.Error("the world reached a pod")
	}
	if w, err := m.f.Warnings(); err != nil || len(w) != 0 {
		t.Errorf("warnings: %v %v", w, err)
	}
	conn, err := dialRules(0)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseLasting()
	policy := nftables.ChainPolicyDrop
	table := conn.AddTable(&nftables.Table{Name: "filter", Family: nftables.TableFamilyIPv4})
	conn.AddChain(&nftables.Chain{Name: "FORWARD", Table: table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookForward,
		Priority: nftables.ChainPriorityFilter, Policy: &policy})
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	if w, err := m.f.Warnings(); err != nil || len(w) != 1 || !strings.Contains(w[0], "chain FORWARD of table filter") {
		t.Errorf("warnings: %v %v", w, err)
	}
}

func TestPodsTakeTheMTUOfTheWayOut(t *testing.T) {
	if !isolated(t) {
		return
	}
	m := &machine{t: t, dir: t.TempDir()}
	m.world()
	lan, err := netlink.LinkByName("lan")
	if err == nil {
		err = netlink.LinkSetMTU(lan, 1400)
	}
	if err == nil {
		err = netlink.RouteAdd(&netlink.Route{LinkIndex: lan.Attrs().Index, Dst: toNet(everywhere), Gw: net.IPv4(192, 0, 2, 2), Flags: int(netlink.FLAG_ONLINK)})
	}
	if err != nil {
		t.Fatal(err)
	}
	m.c = Config{Cluster: "test", Dir: filepath.Join(m.dir, "cluster"), Ranges: testRanges()}
	m.open(1)
	defer Teardown(context.Background(), "test", m.c.Dir)
	defer m.close()
	l, err := m.pod(1, "a").ns.nl.LinkByName(uplink)
	if err != nil || l.Attrs().MTU != 1400 {
		t.Errorf("a pod's link: %v, %v, want an MTU of 1400", l.Attrs(), err)
	}
}

func TestNoEgress(t *testing.T) {
	if !isolated(t) {
		return
	}
	if err := setSysctl(ipForward, 1); err != nil { // as on a host that forwards for others
		t.Fatal(err)
	}
	m := newMachine(t, 2, false)
	m.world().serve(80)
	for _, dial := range []dialFunc{from(m.pod(1, "a")), from(m.pod(2, "b")), m.nodes[0].Dial, m.nodes[1].Dial} {
		if _, _, err := ask(dial, "tcp", "192.0.2.2:80"); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("out without egress: %v, want refused", err)
		}
	}
}

func TestForwardingIsRestoredByTheLastCluster(t *testing.T) {
	if !isolated(t) {
		return
	}
	if err := setSysctl(ipForward, 0); err != nil { // a new namespace has the machine's own value
		t.Fatal(err)
	}
	dir, ctx := t.TempDir(), t.Context()
	other := Ranges{netip.MustParsePrefix("10.243.0.0/16"), netip.MustParsePrefix("10.95.0.0/16"), netip.MustParsePrefix("10.64.1.0/24"), netip.MustParsePrefix("10.65.1.0/24")}
	for name, r := range map[string]Ranges{"one": testRanges(), "two": other} {
		f, err := Open(ctx, Config{Cluster: name, Dir: filepath.Join(dir, name), Ranges: r, Egress: true})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	if _, err := Open(ctx, Config{Cluster: "three", Dir: filepath.Join(dir, "three"), Ranges: other}); err == nil || !strings.Contains(err.Error(), "overlaps") {
		t.Errorf("ranges of another cluster: %v", err)
	}
	if _, err := Open(ctx, Config{Cluster: "one", Dir: filepath.Join(dir, "elsewhere"), Ranges: testRanges()}); err == nil || !strings.Contains(err.Error(), "belongs to another cluster") {
		t.Errorf("same name elsewhere: %v", err)
	}
	if err := Teardown(ctx, "one", filepath.Join(dir, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	if there, err := linkThere("sk-one"); err != nil || !there {
		t.Errorf("teardown of the same name elsewhere took the link: %v", err)
	}
	for i, name := range []string{"one", "two"} {
		if err := Teardown(ctx, name, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if on, err := forwards(); err != nil || on != (i == 0) {
			t.Errorf("after %s: forwards %v, %v", name, on, err)
		}
	}
	if err := Teardown(ctx, "three", filepath.Join(dir, "three")); err != nil {
		t.Fatal(err)
	}
}

func linkThere(name string) (bool, error) {
	_, err := net.InterfaceByName(name)
	if err != nil && strings.Contains(err.Error(), "no such network interface") {
		return false, nil
	}
	return err == nil, err
}

const crashDir = "SKIFF_NETWORK_CRASH_DIR"

// TestKilledWhileSettingUp kills a process at some moment of its work; the next one makes everything whole, or removes it.
func TestKilledWhileSettingUp(t *testing.T) {
	if dir := os.Getenv(crashDir); dir != "" {
		os.Stdout.WriteString("begin\n")
		f, err := Open(t.Context(), Config{Cluster: "crash", Dir: dir, Ranges: testRanges(), Egress: true})
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range []string{"n1", "n2"} {
			if _, err := f.AddNode(t.Context(), name, i+1); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	if !isolated(t) {
		return
	}
	before := traces(t)
	for i := range 12 {
		dir := filepath.Join(t.TempDir(), "cluster")
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestKilledWhileSettingUp$")
		cmd.Env = append(os.Environ(), crashDir+"="+dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err == nil {
			_, err = io.ReadFull(out, make([]byte, len("begin\n")))
		}
		if err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(i)*time.Millisecond, func() { cmd.Process.Kill() })
		t.Logf("round %d: %v", i, cmd.Wait())
		kill.Stop()
		if i%2 == 0 {
			m := &machine{t: t, dir: filepath.Dir(dir), c: Config{Cluster: "crash", Dir: dir, Ranges: testRanges(), Egress: true}}
			m.open(2)
			a, b := m.pod(1, "a"), m.pod(2, "b").serve(80)
			m.wantAnswer("after a crash", from(a), "tcp", b.ip+":80", "b", a.ip)
			m.close()
		}
		if err := Teardown(t.Context(), "crash", dir); err != nil {
			t.Fatal(err)
		}
		if after := traces(t); !slices.Equal(after, before) {
			t.Errorf("round %d left behind:\n%s", i, strings.Join(after, "\n"))
		}
	}
}
