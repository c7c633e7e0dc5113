// Package wire is what the runtime and a pod's shim say to each other over the unix socket in the sandbox's directory:
// length-prefixed JSON frames, with file descriptors beside them. It also holds the files both of them read and write.
// It starts nothing and decides nothing.
package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The names of files and directories in a sandbox's directory, and in a container's below it.
const (
	Socket     = "shim.sock"
	ShimLog    = "shim.log"
	StateDir   = "run"
	Containers = "containers"

	Bundle  = "config.json" // the OCI specification
	Started = "start.json"
	Exited  = "exit.json"
)

// Op is a deed that the shim is asked for.
type Op string

// The deeds. Start, Signal, Resize, Reopen and Forget are answered by one Reply. Exec is answered by two: the process
// runs (for a terminal with its master side), the process ended. Attach by one at once and one at the end. Events by
// one and then an Event for each end. Shutdown by the end of the connection.
const (
	OpStart    Op = "start"
	OpSignal   Op = "signal"
	OpExec     Op = "exec"
	OpAttach   Op = "attach"
	OpResize   Op = "resize"
	OpReopen   Op = "reopen"
	OpEvents   Op = "events"
	OpForget   Op = "forget"
	OpShutdown Op = "shutdown"
)

// Request asks for a deed. Its descriptors are: for Exec without a terminal, and for Attach, those of stdin, stdout and
// stderr that Fds names, in this order.
type Request struct {
	Op     Op     `json:"op"`
	ID     string `json:"id,omitempty"`
	Start  *Start `json:"start,omitempty"`
	Exec   *Exec  `json:"exec,omitempty"`
	Signal int    `json:"signal,omitempty"`
	All    bool   `json:"all,omitempty"` // Signal: every process of the container
	Width  uint16 `json:"width,omitempty"`
	Height uint16 `json:"height,omitempty"`
	Fds    Fds    `json:"fds,omitzero"`
}

// Fds says which standard streams travel beside a request.
type Fds struct {
	Stdin  bool `json:"stdin,omitempty"`
	Stdout bool `json:"stdout,omitempty"`
	Stderr bool `json:"stderr,omitempty"`
}

// Start is how the shim runs a container, beyond its bundle.
type Start struct {
	TTY         bool   `json:"tty,omitempty"`
	Stdin       bool   `json:"stdin,omitempty"`
	StdinOnce   bool   `json:"stdinOnce,omitempty"`
	LogPath     string `json:"logPath,omitempty"`
	LogMaxSize  int64  `json:"logMaxSize,omitempty"`
	LogMaxFiles int    `json:"logMaxFiles,omitempty"`
	// Runtime is the path of an OCI runtime to execute; empty: the shim's own.
	Runtime string `json:"runtime,omitempty"`
}

// Exec is a process to run beside a container's first.
type Exec struct {
	Args   []string `json:"args"`
	TTY    bool     `json:"tty,omitempty"`
	Width  uint16   `json:"width,omitempty"`
	Height uint16   `json:"height,omitempty"`
}

// Reply answers a request.
type Reply struct {
	Error    string `json:"error,omitempty"`
	PID      int    `json:"pid,omitempty"`
	ExitCode int    `json:"exitCode,omitempty"`
}

// Event tells that a container ended; its exit file is on disk by then.
type Event struct {
	ID   string `json:"id"`
	Exit Exit   `json:"exit"`
}

// Start file: a container that was started.
type StartRecord struct {
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
}

// Exit is how a container ended.
type Exit struct {
	ExitCode  int       `json:"exitCode"`
	Signal    int       `json:"signal,omitempty"`
	OOMKilled bool      `json:"oomKilled,omitempty"`
	Finished  time.Time `json:"finished"`
	Reason    string    `json:"reason,omitempty"`
	Message   string    `json:"message,omitempty"`
}

const (
	maxFrame = 4 << 20
	maxFds   = 3
)

// Send writes v as one frame, with files beside it.
func Send(c *net.UnixConn, v any, files ...*os.File) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode frame: %w", err)
	}
	if len(body) > maxFrame {
		return fmt.Errorf("frame of %d bytes is too long", len(body))
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body)))
	frame = append(frame, body...)
	var oob []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		oob = unix.UnixRights(fds...)
	}
	n, _, err := c.WriteMsgUnix(frame, oob, nil)
	if err == nil && n < len(frame) {
		_, err = c.Write(frame[n:])
	}
	if err != nil {
		return fmt.Errorf("send frame: %w", err)
	}
	return nil
}

// Receive reads one frame into v and gives the files beside it, which the caller closes.
func Receive(c *net.UnixConn, v any) (files []*os.File, err error) {
	defer func() {
		if err != nil {
			CloseAll(files)
			files = nil
		}
	}()
	head := make([]byte, 4)
	oob := make([]byte, unix.CmsgSpace(4*maxFds))
	n, oobn, flags, _, err := c.ReadMsgUnix(head, oob)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, net.ErrClosed
	}
	if files, err = rights(oob[:oobn]); err != nil {
		return files, err
	}
	if flags&unix.MSG_CTRUNC != 0 {
		return files, errors.New("receive frame: too many descriptors")
	}
	if err := readFull(c, head[n:]); err != nil {
		return files, err
	}
	size := binary.BigEndian.Uint32(head)
	if size > maxFrame {
		return files, fmt.Errorf("receive frame: %d bytes are too many", size)
	}
	body := make([]byte, size)
	if err := readFull(c, body); err != nil {
		return files, err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return files, fmt.Errorf("decode frame: %w", err)
	}
	return files, nil
}

func readFull(c *net.UnixConn, p []byte) error {
	for len(p) > 0 {
		n, err := c.Read(p)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

func rights(oob []byte) ([]*os.File, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, fmt.Errorf("receive descriptors: %w", err)
	}
	var files []*os.File
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			continue
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "passed"))
		}
	}
	return files, nil
}

// CloseAll closes files, skipping nil ones.
func CloseAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}
