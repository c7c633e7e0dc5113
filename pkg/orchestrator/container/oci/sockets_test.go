package oci

import (
	"net"
	"testing"
	"time"
)

// pair is a connection over the loopback, seen by the kernel at the server's side.
type pair struct {
	t              *testing.T
	client, server net.Conn
	port           uint16
}

func connect(t *testing.T) *pair {
	l, err := net.Listen("tcp", "[::]:0") // IPv4 connections to it count as IPv6
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &pair{t: t, port: uint16(l.Addr().(*net.TCPAddr).Port)}
	if p.client, err = net.Dial("tcp4", net.JoinHostPort("127.0.0.1", l.Addr().String()[len("[::]:"):])); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.client.Close() })
	if p.server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.server.Close() })
	return p
}

// send writes at one end and reads at the other, if that is to read.
func (p *pair) send(from, to net.Conn, reads bool) {
	p.t.Helper()
	if _, err := from.Write([]byte("x")); err != nil {
		p.t.Fatal(err)
	}
	if reads {
		if _, err := to.Read(make([]byte, 1)); err != nil {
			p.t.Fatal(err)
		}
	}
	<-time.After(15 * time.Millisecond) // the kernel's clock has steps of up to 10 ms
}

// owes asks for the one connection that the server has.
func (p *pair) owes() bool {
	p.t.Helper()
	found, err := socketsIn("/proc/self/ns/net")
	if err != nil {
		p.t.Fatal(err)
	}
	for _, f := range found {
		if m := f.InetDiagMsg; m.ID.SourcePort == p.port && m.State != tcpListen {
			return owes(f)
		}
	}
	return false
}

func TestOwes(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(p *pair)
		want bool
	}{
		{"a new connection", func(*pair) {}, true},
		{"a request that was not read", func(p *pair) { p.send(p.client, p.server, false) }, true},
		{"a request that was not answered", func(p *pair) { p.send(p.client, p.server, true) }, true},
		{"an answered request", func(p *pair) { p.send(p.client, p.server, true); p.send(p.server, p.client, true) }, false},
		{"the next request", func(p *pair) {
			p.send(p.client, p.server, true)
			p.send(p.server, p.client, true)
			p.send(p.client, p.server, true)
		}, true},
		{"a server that speaks first", func(p *pair) { p.send(p.server, p.client, true) }, false},
		{"an answer, and the end", func(p *pair) {
			p.send(p.client, p.server, true)
			p.send(p.server, p.client, true)
			p.server.Close()
			p.client.Close()
		}, false},
	} {
		p := connect(t)
		c.do(p)
		if got := p.owes(); got != c.want {
			t.Errorf("%s: owes %v", c.name, got)
		}
	}
}

func TestAccepted(t *testing.T) {
	p := connect(t)
	found, err := socketsIn("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range accepted(found) {
		if s.Local.Port() != p.port {
			continue
		}
		if !s.Listens || !s.Local.Addr().IsUnspecified() || s.Owes {
			t.Errorf("got %+v, want the listener alone: the peer of the connection is inside", s)
		}
	}
}
