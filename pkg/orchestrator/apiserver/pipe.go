package apiserver

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
)

// PipeListener is a listener in memory: the rooms of one process meet over it with the HTTP that they would use from afar.
type PipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// NewPipeListener makes one; nothing listens on any address.
func NewPipeListener() *PipeListener {
	return &PipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept gives the server's end of the next dialled connection.
func (l *PipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept; connections live on.
func (l *PipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is a placeholder: the listener has no address.
func (l *PipeListener) Addr() net.Addr { return pipeAddr{} }

// Dial connects as user. The identity is the connection's: whoever can call Dial is inside the process already.
func (l *PipeListener) Dial(ctx context.Context, user auth.User) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- &pipeConn{Conn: server, user: &user}:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// pipeConn is the server's end, with the identity of the other one.
type pipeConn struct {
	net.Conn
	user *auth.User
}

// Read says of a connection that was closed here what a socket would say: libraries know that error, and keep quiet about it.
func (c *pipeConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = net.ErrClosed
	}
	return n, err
}

type pipeUserKey struct{}

func withPipeUser(ctx context.Context, c net.Conn) context.Context {
	if p, ok := c.(*pipeConn); ok {
		return context.WithValue(ctx, pipeUserKey{}, p.user)
	}
	return ctx
}

func pipeUser(ctx context.Context) *auth.User {
	u, _ := ctx.Value(pipeUserKey{}).(*auth.User)
	return u
}

// ClientConfig is a client-go configuration for user within the process: protobuf, no rate limit of its own. What it has under way ends
// with Shutdown.
func (s *Server) ClientConfig(user auth.User) *rest.Config {
	t := &http.Transport{
		DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return s.pipe.Dial(ctx, user) },
		MaxIdleConnsPerHost: 64,
		DisableCompression:  true,
	}
	s.mu.Lock()
	s.transports = append(s.transports, t)
	s.mu.Unlock()
	return &rest.Config{
		Host: "http://skiff", Transport: &direct{server: s, user: user, wire: t}, Dial: t.DialContext, QPS: -1, UserAgent: agentOf(user.Name), WarningHandler: rest.NoWarnings{},
		ContentConfig: rest.ContentConfig{
			ContentType:        mediaProtobuf,
			AcceptContentTypes: mediaProtobuf + "," + mediaJSON,
		},
	}
}

// agentOf names the program that a user of the control plane is upstream; managed fields show it.
func agentOf(user string) string {
	switch {
	case strings.HasPrefix(user, "system:node:"):
		return "kubelet"
	case strings.HasPrefix(user, "system:serviceaccount:kube-system:"):
		return "kube-controller-manager"
	case strings.HasPrefix(user, "system:"):
		return strings.TrimPrefix(user, "system:")
	}
	return "skiff"
}
