//go:build linux

package network

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const inside = "SKIFF_NETWORK_TEST_INSIDE"

// isolated runs the calling test again in a process with namespaces of its own for network and mounts (and users, unless
// it is root), so that no packet can leave and nothing can stay. It returns true inside; outside the test is over.
func isolated(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inside) == t.Name() {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Fatalf("make mounts private: %v", err)
		}
		lo, err := netlink.LinkByName("lo")
		if err == nil {
			err = netlink.LinkSetUp(lo)
		}
		if err != nil {
			t.Fatalf("set lo up: %v", err)
		}
		return true
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), inside+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("inside: %v", err)
	}
	return false
}

func testRanges() Ranges {
	return Ranges{Pods: netip.MustParsePrefix("10.244.0.0/16"), Services: netip.MustParsePrefix("10.96.0.0/16"),
		LoadBalancers: netip.MustParsePrefix("10.64.0.0/24"), Nodes: netip.MustParsePrefix("10.65.0.0/24")}
}

// machine is a cluster under test: nodes, and pods that are bare namespaces.
type machine struct {
	t     *testing.T
	dir   string
	c     Config
	f     *Fabric
	nodes []*Node
}

func newMachine(t *testing.T, nodes int, egress bool) *machine {
	t.Helper()
	m := &machine{t: t, dir: t.TempDir()}
	m.c = Config{Cluster: "test", Dir: filepath.Join(m.dir, "cluster"), Ranges: testRanges(), Egress: egress}
	m.open(nodes)
	t.Cleanup(func() {
		m.close()
		if err := Teardown(context.Background(), "test", m.c.Dir); err != nil {
			t.Error(err)
		}
	})
	return m
}

func (m *machine) open(nodes int) {
	m.t.Helper()
	started := time.Now()
	f, err := Open(m.t.Context(), m.c)
	if err != nil {
		m.t.Fatal(err)
	}
	m.f, m.nodes = f, nil
	for i := 1; i <= nodes; i++ {
		n, err := f.AddNode(m.t.Context(), fmt.Sprintf("n%d", i), i)
		if err != nil {
			m.t.Fatal(err)
		}
		m.nodes = append(m.nodes, n)
	}
	m.t.Logf("network of %d nodes: %v", nodes, time.Since(started))
}

func (m *machine) close() {
	for _, n := range m.nodes {
		n.Close()
	}
	m.f.Close()
}

// pod is a namespace with an address.
type pod struct {
	m    *machine
	ns   *namespace
	id   string
	ip   string
	node *Node
}

func (m *machine) pod(node int, id string) *pod {
	m.t.Helper()
	path := filepath.Join(m.dir, id)
	if err := makeNamespace(path); err != nil {
		m.t.Fatal(err)
	}
	ns, err := joinNamespace(path)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { ns.Close(); removeNamespace(path) })
	started := time.Now()
	ips, err := m.nodes[node-1].Attach(m.t.Context(), id, path, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Logf("attach %s: %s in %v", id, ips[0], time.Since(started))
	return &pod{m, ns, id, ips[0], m.nodes[node-1]}
}

// serve answers each TCP connection and each UDP packet on the port with the pod's name and the client's address.
func (p *pod) serve(port int) *pod {
	p.m.t.Helper()
	err := p.ns.do(func() error {
		l, err := net.Listen("tcp", fmt.Sprintf("0.0.0.0:%d", port))
		if err != nil {
			return err
		}
		c, err := net.ListenPacket("udp", fmt.Sprintf("0.0.0.0:%d", port))
		if err != nil {
			return err
		}
		p.m.t.Cleanup(func() { l.Close(); c.Close() })
		go answerTCP(l, p.id)
		go answerUDP(c, p.id)
		return nil
	})
	if err != nil {
		p.m.t.Fatal(err)
	}
	return p
}

func answerTCP(l net.Listener, id string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		fmt.Fprintf(c, "%s %s\n", id, host)
		c.Close()
	}
}

func answerUDP(c net.PacketConn, id string) {
	buf := make([]byte, 100)
	for {
		_, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		host, _, _ := net.SplitHostPort(from.String())
		c.WriteTo([]byte(id+" "+host+"\n"), from)
	}
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// from dials in a pod; with a nil pod, on the host.
func from(p *pod) dialFunc {
	return func(ctx context.Context, network, address string) (c net.Conn, err error) {
		d := &net.Dialer{}
		if p == nil {
			return d.DialContext(ctx, network, address)
		}
		err = p.ns.do(func() error { c, err = d.DialContext(ctx, network, address); return err })
		return c, err
	}
}

// ask gives the answering pod's name and the address it saw.
func ask(dial dialFunc, network, address string) (who, saw string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	c, err := dial(ctx, network, address)
	if err != nil {
		return "", "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * time.Second))
	if network == "udp" {
		if _, err := c.Write([]byte("hello")); err != nil {
			return "", "", err
		}
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", "", err
	}
	who, saw, _ = strings.Cut(strings.TrimSpace(line), " ")
	return who, saw, nil
}

func (m *machine) wantAnswer(what string, dial dialFunc, network, address, who, saw string) {
	m.t.Helper()
	gotWho, gotSaw, err := ask(dial, network, address)
	if err != nil || gotWho != who || saw != "" && gotSaw != saw {
		m.t.Errorf("%s: %s %s: got %q seeing %q, %v; want %q seeing %q", what, network, address, gotWho, gotSaw, err, who, saw)
	}
}
