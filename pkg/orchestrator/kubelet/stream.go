package kubelet

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/streaming/pkg/httpstream/wsstream"
	utilexec "k8s.io/utils/exec"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// streamIdle is how long a connection without traffic stays open.
const streamIdle = 4 * time.Hour

func (s *server) exec(w http.ResponseWriter, r *http.Request) {
	id, ok := s.running(w, r)
	if !ok {
		return
	}
	options, err := streamOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	command := r.URL.Query()["command"]
	if len(command) == 0 {
		http.Error(w, "you must specify a command", http.StatusBadRequest)
		return
	}
	if wsstream.IsWebSocketRequestWithStreamCloseProtocol(r) {
		serveWebSocket(w, r, options, func(ctx context.Context, streams container.Streams) error {
			err := run(ctx, s.k.config.Runtime, id, command, streams)
			if _, exited := err.(utilexec.ExitError); err != nil && !exited {
				err = fmt.Errorf("error executing command in container: %w", err)
			}
			return err
		})
		return
	}
	remotecommand.ServeExec(w, r, executor{s.k.config.Runtime}, "", "", id, command, options,
		streamIdle, remotecommand.DefaultStreamCreationTimeout, remotecommand.SupportedStreamingProtocols)
}

func (s *server) attach(w http.ResponseWriter, r *http.Request) {
	id, ok := s.running(w, r)
	if !ok {
		return
	}
	options, err := streamOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if wsstream.IsWebSocketRequestWithStreamCloseProtocol(r) {
		serveWebSocket(w, r, options, func(ctx context.Context, streams container.Streams) error {
			if err := s.k.config.Runtime.Attach(ctx, id, streams); err != nil {
				return fmt.Errorf("error attaching to container: %w", err)
			}
			return nil
		})
		return
	}
	remotecommand.ServeAttach(w, r, executor{s.k.config.Runtime}, "", "", id, options,
		streamIdle, remotecommand.DefaultStreamCreationTimeout, remotecommand.SupportedStreamingProtocols)
}

// running finds the container of a path, which must run; it has answered when ok is false.
func (s *server) running(w http.ResponseWriter, r *http.Request) (id string, ok bool) {
	worker, _, ok := s.pod(w, r)
	if !ok {
		return "", false
	}
	name := r.PathValue("container")
	status := worker.status.current()
	for _, list := range [][]corev1.ContainerStatus{status.ContainerStatuses, status.InitContainerStatuses, status.EphemeralContainerStatuses} {
		for i := range list {
			if list[i].Name == name && list[i].State.Running != nil {
				return list[i].ContainerID[len(s.k.scheme):], true
			}
		}
	}
	http.Error(w, fmt.Sprintf("container not found (%q)", name), http.StatusInternalServerError)
	return "", false
}

// streamOptions reads which streams are wanted, by the agent's parameter names or the API server's.
func streamOptions(r *http.Request) (*remotecommand.Options, error) {
	q := r.URL.Query()
	asked := func(names ...string) bool {
		for _, n := range names {
			if isTrue(q.Get(n)) {
				return true
			}
		}
		return false
	}
	o := &remotecommand.Options{
		Stdin: asked("input", "stdin"), Stdout: asked("output", "stdout"), Stderr: asked("error", "stderr"), TTY: asked("tty"),
	}
	if o.TTY {
		o.Stderr = false // a terminal has one output
	}
	if !o.Stdin && !o.Stdout && !o.Stderr {
		return nil, fmt.Errorf("you must specify at least 1 of stdin, stdout, stderr")
	}
	return o, nil
}

// executor joins the streaming library to the runtime.
type executor struct{ runtime container.Runtime }

// ExecInContainer implements remotecommand.Executor.
func (e executor) ExecInContainer(ctx context.Context, _, _, id string, cmd []string, in io.Reader, out, errs io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize, _ time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return run(ctx, e.runtime, id, cmd, streams(ctx, in, out, errs, tty, resize))
}

// run executes a command; one that ends with another code than 0 is an ExitError.
func run(ctx context.Context, r container.Runtime, id string, cmd []string, s container.Streams) error {
	code, err := r.Exec(ctx, id, container.ExecConfig{Args: cmd, Streams: s})
	if err == nil && code != 0 {
		err = utilexec.CodeExitError{Err: fmt.Errorf("command terminated with exit code %d", code), Code: code}
	}
	return err
}

// AttachContainer implements remotecommand.Attacher.
func (e executor) AttachContainer(ctx context.Context, _, _, id string, in io.Reader, out, errs io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return e.runtime.Attach(ctx, id, streams(ctx, in, out, errs, tty, resize))
}

// streams keeps nil interfaces nil, and translates sizes until ctx ends.
func streams(ctx context.Context, in io.Reader, out, errs io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) container.Streams {
	s := container.Streams{TTY: tty, Stdin: in}
	if out != nil {
		s.Stdout = out
	}
	if errs != nil {
		s.Stderr = errs
	}
	if tty && resize != nil {
		sizes := make(chan container.Size)
		s.Resize = sizes
		go func() {
			defer close(sizes)
			for {
				select {
				case <-ctx.Done():
					return
				case size, ok := <-resize:
					if !ok {
						return
					}
					select {
					case sizes <- container.Size{Width: size.Width, Height: size.Height}:
					case <-ctx.Done():
						return
					}
				}
			}
		}()
	}
	return s
}

func (s *server) portForward(w http.ResponseWriter, r *http.Request) {
	worker, pod, ok := s.pod(w, r)
	if !ok {
		return
	}
	options, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sandbox := worker.sandboxOf()
	if sandbox == "" {
		http.Error(w, fmt.Sprintf("pod not running: %s", pod.Name), http.StatusInternalServerError)
		return
	}
	portforward.ServePortForward(w, r, forwarder{s.k.config.Runtime}, sandbox, "", options,
		streamIdle, remotecommand.DefaultStreamCreationTimeout, portforward.SupportedProtocols)
}

// forwarder joins streams to ports inside a sandbox.
type forwarder struct{ runtime container.Runtime }

// PortForward implements portforward.PortForwarder; name is the sandbox.
func (f forwarder) PortForward(ctx context.Context, name, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	conn, err := f.runtime.Dial(ctx, name, "tcp", hostPort("localhost", int(port)))
	if err != nil {
		return fmt.Errorf("failed to connect to localhost:%d inside sandbox %s: %w", port, name, err)
	}
	defer conn.Close()
	// How either side ends is their own affair, and no error of ours.
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(conn, stream)
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite() // the pod may still answer
		} else {
			conn.Close()
		}
	})
	_, _ = io.Copy(stream, conn)
	stream.Close()
	both.Wait()
	return nil
}

// sandboxOf gives the pod's sandbox, "" while there is none.
func (w *worker) sandboxOf() string {
	id := make(chan string, 1)
	w.post(func(v *view) {
		if v.sandbox != nil && v.sandbox.Ready {
			id <- v.sandbox.ID
		} else {
			id <- ""
		}
	})
	select {
	case got := <-id:
		return got
	case <-time.After(5 * time.Second):
		return ""
	}
}
