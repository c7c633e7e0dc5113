package hollow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// subscriber queues events without bound (they are tiny) so that no container waits for a slow reader.
type subscriber struct {
	mu    sync.Mutex
	queue []container.Event
	wake  chan struct{}
}

// Events implements container.Runtime.
func (r *Runtime) Events(ctx context.Context) (<-chan container.Event, error) {
	s := &subscriber{wake: make(chan struct{}, 1)}
	r.mu.Lock()
	r.subscribers[s] = struct{}{}
	r.mu.Unlock()
	out := make(chan container.Event)
	go func() {
		defer close(out)
		defer func() {
			r.mu.Lock()
			delete(r.subscribers, s)
			r.mu.Unlock()
		}()
		s.run(ctx, out)
	}()
	return out, nil
}

func (s *subscriber) run(ctx context.Context, out chan<- container.Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		s.mu.Lock()
		batch := s.queue
		s.queue = nil
		s.mu.Unlock()
		for _, e := range batch {
			select {
			case <-ctx.Done():
				return
			case out <- e:
			}
		}
	}
}

func (r *Runtime) publish(c *item) {
	e := container.Event{SandboxID: c.SandboxID, ContainerID: c.ID, State: c.State}
	for s := range r.subscribers {
		s.mu.Lock()
		s.queue = append(s.queue, e)
		s.mu.Unlock()
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// Exec implements container.Runtime by the container's script.
func (r *Runtime) Exec(ctx context.Context, id string, e container.ExecConfig) (int, error) {
	r.mu.Lock()
	c, ok := r.containers[id]
	running := ok && c.State == container.Running
	r.mu.Unlock()
	switch {
	case !ok:
		return 0, fmt.Errorf("exec: %w: %s", errNoContainer, id)
	case !running:
		return 0, fmt.Errorf("exec: container %s is not running", c.Config.Name)
	case c.does.Exec == nil:
		return 0, nil
	}
	return c.does.Exec(ctx, e)
}

// Attach implements container.Runtime: nothing is said until the container ends.
func (r *Runtime) Attach(ctx context.Context, id string, _ container.Streams) error {
	r.mu.Lock()
	c, ok := r.containers[id]
	if !ok || c.State != container.Running {
		r.mu.Unlock()
		return fmt.Errorf("attach: container %s is not running", id)
	}
	if c.done == nil {
		c.done = make(chan struct{})
	}
	done := c.done
	r.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Dial implements container.Runtime: it joins the caller to the Handler of a container that runs at the address.
func (r *Runtime) Dial(ctx context.Context, sandboxID, network, address string) (net.Conn, error) {
	h, err := r.handler(sandboxID, address)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: addrString(address), Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	near, far := net.Pipe()
	server := &http.Server{Handler: h, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true) // for gRPC
	go server.Serve(&oneConn{conn: far, ctx: ctx})
	return near, nil
}

// Sockets implements container.Runtime by the scripts of the sandbox's containers.
func (r *Runtime) Sockets(_ context.Context, sandboxID string) ([]container.Socket, error) {
	var out []container.Socket
	known := false
	for _, script := range r.socketScripts(sandboxID) {
		known = true
		out = append(out, script()...)
	}
	if !known {
		return nil, fmt.Errorf("list sockets of hollow containers: %w", errors.ErrUnsupported)
	}
	return out, nil
}

func (r *Runtime) socketScripts(sandboxID string) []func() []container.Socket {
	r.mu.Lock()
	defer r.mu.Unlock()
	var scripts []func() []container.Socket
	if s := r.sandboxes[sandboxID]; s != nil {
		for _, c := range s.containers {
			if c.State == container.Running && c.does.Sockets != nil {
				scripts = append(scripts, c.does.Sockets)
			}
		}
	}
	return scripts
}

func (r *Runtime) handler(sandboxID, address string) (http.Handler, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if sandboxID == "" {
		if ip, err := netip.ParseAddr(host); err == nil {
			sandboxID = r.used[ip]
		}
	}
	s := r.sandboxes[sandboxID]
	if s == nil {
		return nil, nil
	}
	for _, c := range s.containers {
		if c.State == container.Running && c.does.Handler != nil {
			return c.does.Handler, nil
		}
	}
	return nil, nil
}

type addrString string

func (addrString) Network() string  { return "tcp" }
func (a addrString) String() string { return string(a) }

// oneConn is a listener that gives one connection and then ends.
type oneConn struct {
	conn net.Conn
	ctx  context.Context
	once sync.Once
}

func (l *oneConn) Accept() (conn net.Conn, err error) {
	err = io.EOF
	l.once.Do(func() { conn, err = l.conn, nil })
	return conn, err
}
func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }
