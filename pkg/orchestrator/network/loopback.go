//go:build linux

package network

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// loopbackPorts answers node ports on the host's 127.0.0.1, where no rule of a node's namespace can reach. Bytes are copied;
// traffic to a node's own address is not touched by this.
type loopbackPorts struct {
	ctx    context.Context
	cancel context.CancelFunc
	node   *Node
	failed func(error)
	open   map[entry]io.Closer
	busy   map[entry]bool // ports that somebody else has, and we said so
	wg     sync.WaitGroup
}

func newLoopbackPorts(ctx context.Context, n *Node, failed func(error)) *loopbackPorts {
	ctx, cancel := context.WithCancel(ctx)
	return &loopbackPorts{ctx: ctx, cancel: cancel, node: n, failed: failed, open: map[entry]io.Closer{}, busy: map[entry]bool{}}
}

// want opens and closes listeners so that just these ports are answered.
func (l *loopbackPorts) want(ports map[entry]bool) {
	for e, c := range l.open {
		if !ports[e] {
			c.Close()
			delete(l.open, e)
		}
	}
	for e := range ports {
		if _, ok := l.open[e]; ok || e.proto == corev1.ProtocolSCTP {
			continue
		}
		c, err := l.listen(e)
		if err != nil {
			// Tried again with the next change; the node's own address answers meanwhile.
			if !l.busy[e] {
				l.failed(fmt.Errorf("listen for node port %d on the host's loopback (%s:%d answers all the same): %w", e.port, l.node.ip, e.port, err))
			}
			l.busy[e] = true
			continue
		}
		l.open[e] = c
		delete(l.busy, e)
	}
}

func (l *loopbackPorts) close() {
	l.cancel()
	for _, c := range l.open {
		c.Close()
	}
	l.wg.Wait()
}

func (l *loopbackPorts) listen(e entry) (io.Closer, error) {
	network, at := strings.ToLower(string(e.proto)), "127.0.0.1:"+strconv.Itoa(int(e.port))
	target := net.JoinHostPort(l.node.ip.String(), strconv.Itoa(int(e.port)))
	if e.proto == corev1.ProtocolUDP {
		c, err := (&net.ListenConfig{}).ListenPacket(l.ctx, network, at)
		if err == nil {
			l.wg.Go(func() { l.servePackets(c, target) })
		}
		return c, err
	}
	c, err := (&net.ListenConfig{}).Listen(l.ctx, network, at)
	if err == nil {
		l.wg.Go(func() { l.serve(c, target) })
	}
	return c, err
}

func (l *loopbackPorts) serve(c net.Listener, target string) {
	for {
		client, err := c.Accept()
		if err != nil {
			if ne, ok := err.(net.Error); ok && ne.Timeout() && l.ctx.Err() == nil {
				continue
			}
			return
		}
		l.wg.Go(func() { l.join(client, target) })
	}
}

// join copies both ways until both have ended; half-closes pass through.
func (l *loopbackPorts) join(client net.Conn, target string) {
	defer client.Close()
	ctx, cancel := context.WithTimeout(l.ctx, 10*time.Second)
	server, err := l.node.Dial(ctx, "tcp", target)
	cancel()
	if err != nil {
		return
	}
	defer server.Close()
	stop := context.AfterFunc(l.ctx, func() { client.Close(); server.Close() })
	defer stop()
	var both sync.WaitGroup
	copyTo := func(to, from net.Conn) {
		_, err := io.Copy(to, from)
		if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
			half.CloseWrite()
			return
		}
		to.Close()
		from.Close()
	}
	both.Go(func() { copyTo(server, client) })
	both.Go(func() { copyTo(client, server) })
	both.Wait()
}

const (
	packetIdle  = 60 * time.Second
	packetPeers = 1024
)

// servePackets keeps a socket in the node's namespace for each client until it is idle.
func (l *loopbackPorts) servePackets(c net.PacketConn, target string) {
	var mu sync.Mutex
	peers := map[string]net.Conn{}
	defer func() {
		mu.Lock()
		defer mu.Unlock()
		for _, p := range peers {
			p.Close()
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		mu.Lock()
		peer, ok := peers[from.String()]
		full := len(peers) >= packetPeers
		mu.Unlock()
		if !ok && full {
			continue
		}
		if !ok {
			if peer, err = l.node.Dial(l.ctx, "udp", target); err != nil {
				continue
			}
			mu.Lock()
			peers[from.String()] = peer
			mu.Unlock()
			l.wg.Go(func() {
				answer(c, peer, from)
				mu.Lock()
				delete(peers, from.String())
				mu.Unlock()
			})
		}
		_ = peer.SetReadDeadline(time.Now().Add(packetIdle))
		_, _ = peer.Write(buf[:n])
	}
}

// answer sends a peer's packets back to the client.
func answer(c net.PacketConn, peer net.Conn, client net.Addr) {
	defer peer.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := peer.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.WriteTo(buf[:n], client); err != nil {
			return
		}
	}
}
