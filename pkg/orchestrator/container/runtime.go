// Package container is the narrow door between the node agent and whatever runs containers: Runtime, which oci
// implements with real Linux containers and hollow by pretending. It speaks of sandboxes and containers, never of pods'
// API objects, and opens no connection to the API server.
package container

import (
	"context"
	"io"
	"net"
	"net/netip"
	"time"
)

// Runtime runs sandboxes (what a pod's containers share) and containers. All methods are safe for concurrent use; those
// that remove or stop succeed when there is nothing left to do. State survives the death of the process that holds the
// Runtime: a new one over the same directory finds sandboxes, containers and exit codes as they are.
type Runtime interface {
	// Name and version, as in a node's containerRuntimeVersion: "skiff-oci://0.1.0", "hollow://0.1.0".
	Version() string

	// Sandboxes gives every sandbox with its containers, running or not: the truth after a restart.
	Sandboxes(ctx context.Context) ([]Sandbox, error)
	// StartSandbox makes namespaces, network, shim. The same ID again gives the existing one.
	StartSandbox(ctx context.Context, c SandboxConfig) (Sandbox, error)
	// StopSandbox kills all that runs in it and releases its network; containers' statuses stay readable.
	StopSandbox(ctx context.Context, id string) error
	// RemoveSandbox removes it, its containers and their files (not the logs' directory).
	RemoveSandbox(ctx context.Context, id string) error

	// CreateContainer makes the root file system and all that start needs.
	CreateContainer(ctx context.Context, sandboxID string, c ContainerConfig) error
	StartContainer(ctx context.Context, id string) error
	// StopContainer sends signal (default SIGTERM), waits for grace, then kills. It returns once the container is gone.
	StopContainer(ctx context.Context, id string, signal string, grace time.Duration) error
	RemoveContainer(ctx context.Context, id string) error
	ContainerStatus(ctx context.Context, id string) (Container, error)
	// UpdateResources changes limits of a running container.
	UpdateResources(ctx context.Context, id string, r Resources) error
	Stats(ctx context.Context, id string) (Stats, error)

	// Events delivers each start and end of a container until ctx ends. What was missed before the call is in Sandboxes.
	Events(ctx context.Context) (<-chan Event, error)

	// Exec runs a process in a container and returns its exit code; an error means that it could not be run or awaited.
	Exec(ctx context.Context, id string, e ExecConfig) (exitCode int, err error)
	// Attach joins the container's own streams until it ends or ctx does.
	Attach(ctx context.Context, id string, s Streams) error
	// ReopenLog makes the writer open the log file anew, after a rotation.
	ReopenLog(ctx context.Context, id string) error
	// Dial connects from within a sandbox's network (port-forward: address "localhost:80") or, with an empty id, from the
	// node's (probes).
	Dial(ctx context.Context, sandboxID, network, address string) (net.Conn, error)
	// Sockets gives the TCP sockets in a sandbox's network that listen, and those that others connected to from outside.
	// errors.ErrUnsupported says that nobody can tell.
	Sockets(ctx context.Context, sandboxID string) ([]Socket, error)
}

// Images keeps the node's images.
type Images interface {
	// Pull fetches ref unless its layers are here, verifying digests. Errors carry the registry's own words.
	Pull(ctx context.Context, ref string, auth []RegistryAuth, progress func(done, total int64)) (Image, error)
	// Get finds a local image by reference or by id; ok is false where there is none.
	Get(ctx context.Context, ref string) (img Image, ok bool, err error)
	List(ctx context.Context) ([]Image, error)
	Remove(ctx context.Context, ref string) error
	// Load reads a docker-archive or OCI-layout tar stream and gives the references it held.
	Load(ctx context.Context, tar io.Reader) ([]string, error)

	// Mount makes a writable root file system of the image's layers below dir and gives its path.
	Mount(ctx context.Context, imageID, dir string) (rootfs string, err error)
	// Unmount undoes Mount and removes what was written.
	Unmount(ctx context.Context, dir string) error
}

// RegistryAuth is one entry of a pull secret.
type RegistryAuth struct {
	Registry           string // host[:port][/path]
	Username, Password string
	Token              string
}

// Image is an unpacked image.
type Image struct {
	ID          string   // sha256:… of the config
	RepoTags    []string // docker.io/library/redis:5.0.4
	RepoDigests []string // docker.io/library/redis@sha256:…
	Size        int64
	Config      ImageConfig
}

// ImageConfig is what an image says of how it is run.
type ImageConfig struct {
	User         string
	Env          []string
	Entrypoint   []string
	Cmd          []string
	WorkingDir   string
	StopSignal   string
	Volumes      []string
	ExposedPorts []string
	Labels       map[string]string
}

// Network gives sandboxes their addresses; the network room implements it, the oci runtime calls it.
type Network interface {
	// Attach connects the network namespace at path and gives the pod's addresses; repeating it gives the same ones.
	Attach(ctx context.Context, sandboxID, netnsPath string, ports []HostPort) (ips []string, err error)
	Detach(ctx context.Context, sandboxID string) error
	// NodeNamespace is the path of the node's own network namespace, for pods with hostNetwork; empty: the process's own.
	NodeNamespace() string
	// Dial connects from the node's namespace.
	Dial(ctx context.Context, network, address string) (net.Conn, error)
}

// HostPort is a port of the node that leads to the sandbox.
type HostPort struct {
	HostIP        string
	HostPort      int32
	ContainerPort int32
	Protocol      string // TCP, UDP, SCTP
}

// SandboxConfig describes a sandbox.
type SandboxConfig struct {
	ID          string // unique for each attempt: the pod's UID and a counter
	PodUID      string
	Namespace   string
	Name        string
	Hostname    string
	HostNetwork bool
	HostPID     bool
	HostIPC     bool
	SharePID    bool
	Ports       []HostPort
	Sysctls     map[string]string
	LogDir      string
	// CgroupParent is relative to the node's own cgroup: "burstable/pod<uid>".
	CgroupParent string
	Resources    Resources // of the whole pod
	Labels       map[string]string
}

// Sandbox is a sandbox as it is.
type Sandbox struct {
	ID         string
	Config     SandboxConfig
	Ready      bool // namespaces and shim are there
	IPs        []string
	Created    time.Time
	Containers []Container
}

// Mount is one mount of a container.
type Mount struct {
	Source      string // on the node
	Target      string // in the container
	ReadOnly    bool   // recursively, where the kernel can
	Propagation string // "", "rslave", "rshared"
	// Tmpfs makes a tmpfs instead of a bind, with SizeBytes (0: half of the memory).
	Tmpfs     bool
	SizeBytes int64
	// SubPath below Source, resolved without following links out of it.
	SubPath string
}

// Resources are limits in the kernel's own terms; zero means none.
type Resources struct {
	CPUShares   uint64
	CPUQuota    int64 // µs in CPUPeriod
	CPUPeriod   uint64
	MemoryLimit int64 // bytes
	PidsLimit   int64
	OOMScoreAdj int
}

// Security is a container's isolation; the zero value is containerd's default.
type Security struct {
	// UID -1 is Username or, where that is empty too, the image's own user. GID -1 is that user's own group in the image.
	UID, GID         int64
	Groups           []int64
	Username         string // image's user by name, where UID was not set by number (UID is -1 then)
	AddCapabilities  []string
	DropCapabilities []string
	Privileged       bool
	ReadOnlyRoot     bool
	NoNewPrivileges  bool
	Seccomp          string // "" or "unconfined", "runtime/default", "localhost/PATH"
	UnmaskProc       bool
}

// ContainerConfig describes a container. Names are the pod's; ID is unique for each attempt.
type ContainerConfig struct {
	ID          string
	Name        string
	Attempt     int
	ImageID     string
	ImageRef    string // as the pod names it
	Args        []string
	Env         []string
	WorkingDir  string
	Mounts      []Mount
	Resources   Resources
	Security    Security
	Stdin       bool
	StdinOnce   bool
	TTY         bool
	LogPath     string // CRI format
	LogMaxSize  int64  // bytes; the writer rotates itself (LogPath.TIMESTAMP, then gzip); 0 never
	LogMaxFiles int
	StopSignal  string
	// TerminationMessage is the file on the node that is mounted at the pod's terminationMessagePath.
	TerminationMessage string
	Labels             map[string]string
}

// State is where a container is in its life.
type State string

// The states of a container.
const (
	Created State = "created"
	Running State = "running"
	Exited  State = "exited"
)

// Container is a container as it is.
type Container struct {
	ID        string
	SandboxID string
	Config    ContainerConfig
	State     State
	PID       int
	Created   time.Time
	Started   time.Time
	Finished  time.Time
	ExitCode  int
	Signal    int
	OOMKilled bool
	// Reason is for ends without an exit code ("ShimDied": its shim was killed, and it with it) or starts that failed ("StartError").
	Reason  string
	Message string
}

// Event is a start or an end.
type Event struct {
	SandboxID   string
	ContainerID string
	State       State
}

// Streams joins a client to a process. Nil means not wanted. Resize is read until closed.
type Streams struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	TTY            bool
	Resize         <-chan Size
}

// Size is a terminal's.
type Size struct{ Width, Height uint16 }

// ExecConfig is a process to run in a container, with the container's environment, user and limits.
type ExecConfig struct {
	Streams
	Args []string
}

// Socket is a TCP socket in a sandbox's network.
type Socket struct {
	Local   netip.AddrPort // IPv4 addresses as such
	Listens bool
	// Owes says that the peer waits, as far as the kernel can tell: for the connection to be taken up, for an answer to what it
	// sent last (a moment ago; what stays unanswered for long is no request), or for the rest of what was sent to it.
	Owes bool
}

// Stats is what the kernel counts for a container.
type Stats struct {
	Time         time.Time
	CPUNanos     uint64 // since the start
	MemoryBytes  uint64 // working set
	RSSBytes     uint64
	Pids         uint64
	WrittenBytes uint64 // of the writable layer
}
