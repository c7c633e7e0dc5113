package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/streaming/pkg/httpstream/wsstream"
	utilexec "k8s.io/utils/exec"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// The channels of a remote command over a WebSocket.
const (
	stdinChannel = iota
	stdoutChannel
	stderrChannel
	errorChannel
	resizeChannel
	channels
)

// serveWebSocket speaks v5.channel.k8s.io, the protocol of today's clients. The streaming library leaves it to the API
// server, which translates it to SPDY elsewhere; ours joins bytes, so that the agent speaks it itself. run gets the streams and
// its error is told to the client as a Status.
func serveWebSocket(w http.ResponseWriter, r *http.Request, o *remotecommand.Options, run func(ctx context.Context, s container.Streams) error) {
	types := make([]wsstream.ChannelType, channels)
	types[errorChannel], types[resizeChannel] = wsstream.WriteChannel, wsstream.ReadChannel
	for channel, wanted := range map[int]bool{stdinChannel: o.Stdin, stdoutChannel: o.Stdout, stderrChannel: o.Stderr} {
		switch {
		case !wanted:
			types[channel] = wsstream.IgnoreChannel
		case channel == stdinChannel:
			types[channel] = wsstream.ReadChannel
		default:
			types[channel] = wsstream.WriteChannel
		}
	}
	conn := wsstream.NewConn(map[string]wsstream.ChannelProtocolConfig{
		remotecommand.StreamProtocolV5Name: {Binary: true, Channels: types},
	})
	conn.SetIdleTimeout(streamIdle)
	_, ends, err := conn.Open(w, r)
	if err != nil {
		return // the library has answered
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := container.Streams{TTY: o.TTY}
	if o.Stdin {
		s.Stdin = ends[stdinChannel]
	}
	if o.Stdout {
		s.Stdout = ends[stdoutChannel]
	}
	if o.Stderr {
		s.Stderr = ends[stderrChannel]
	}
	s.Resize = sizes(ctx, ends[resizeChannel], o.TTY)
	// The client waits for a first message before it sends.
	if o.Stdout {
		_, err = ends[stdoutChannel].Write(nil)
	} else {
		_, err = ends[errorChannel].Write(nil)
	}
	if err != nil {
		return
	}
	answer, err := json.Marshal(streamStatus(run(ctx, s)))
	if err == nil {
		_, _ = ends[errorChannel].Write(answer) // a client that has gone wants no answer
	}
}

// sizes reads terminal sizes until the client leaves. They are read, and dropped, without a terminal too: what is not read
// would hold up the other channels.
func sizes(ctx context.Context, r io.Reader, tty bool) <-chan container.Size {
	out := make(chan container.Size)
	go func() {
		defer close(out)
		for dec := json.NewDecoder(r); ; {
			var s container.Size
			if dec.Decode(&s) != nil {
				return
			}
			if !tty {
				continue
			}
			select {
			case out <- s:
			case <-ctx.Done():
				return
			}
		}
	}()
	if !tty {
		return nil
	}
	return out
}

// streamStatus says how a remote command ended.
func streamStatus(err error) metav1.Status {
	if err == nil {
		return metav1.Status{Status: metav1.StatusSuccess}
	}
	if exit, ok := err.(utilexec.ExitError); ok && exit.Exited() {
		return metav1.Status{
			Status: metav1.StatusFailure, Reason: remotecommand.NonZeroExitCodeReason,
			Message: fmt.Sprintf("command terminated with non-zero exit code: %v", exit),
			Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: remotecommand.ExitCodeCauseType, Message: fmt.Sprint(exit.ExitStatus())}}},
		}
	}
	return metav1.Status{
		Status: metav1.StatusFailure, Reason: metav1.StatusReasonInternalError, Code: http.StatusInternalServerError,
		Message: fmt.Sprintf("Internal error occurred: %v", err),
	}
}
