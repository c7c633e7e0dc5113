//go:build linux

package network

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// namespace is a network namespace held open, with a netlink socket inside.
type namespace struct {
	path string
	fd   netns.NsHandle
	nl   *netlink.Handle
}

// openNamespace opens the namespace bound at path, making it if there is none: a file without a mount is what a crash or a
// reboot leaves.
func openNamespace(path string) (*namespace, error) {
	bound, err := isNamespace(path)
	if err != nil {
		return nil, err
	}
	if !bound {
		if err := makeNamespace(path); err != nil {
			return nil, fmt.Errorf("make network namespace %s: %w", path, err)
		}
	}
	return joinNamespace(path)
}

// joinNamespace opens an existing namespace.
func joinNamespace(path string) (*namespace, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open network namespace %s: %w", path, err)
	}
	nl, err := netlink.NewHandleAt(netns.NsHandle(fd), unix.NETLINK_ROUTE)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("open netlink in %s: %w", path, err)
	}
	return &namespace{path: path, fd: netns.NsHandle(fd), nl: nl}, nil
}

// Close gives up the process's hold; the namespace lives on at its path.
func (n *namespace) Close() error {
	n.nl.Close()
	return n.fd.Close()
}

// do runs fn on a thread inside the namespace. fn must not start goroutines that need to be inside too.
func (n *namespace) do(fn func() error) error { return inNamespace(int(n.fd), fn) }

func inNamespace(fd int, fn func() error) error {
	runtime.LockOSThread()
	home, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("open own network namespace: %w", err)
	}
	defer unix.Close(home)
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter network namespace: %w", err)
	}
	err = fn()
	if back := unix.Setns(home, unix.CLONE_NEWNET); back != nil {
		// The thread stays locked, so it ends with its goroutine and nobody else meets it in the wrong namespace.
		return errors.Join(err, fmt.Errorf("leave network namespace: %w", back))
	}
	runtime.UnlockOSThread()
	return err
}

const nsfsMagic = 0x6e736673

func isNamespace(path string) (bool, error) {
	var st unix.Statfs_t
	err := unix.Statfs(path, &st)
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", path, err)
	}
	return st.Type == nsfsMagic, nil
}

// makeNamespace binds a new namespace on path. The thread it is made on is not used again.
func makeNamespace(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o444)
	if err != nil {
		return err
	}
	file.Close()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- unix.Mount("/proc/thread-self/ns/net", path, "", unix.MS_BIND, "")
	}()
	if err := <-done; err != nil {
		os.Remove(path)
		return err
	}
	return nil
}

// removeNamespace undoes openNamespace; a path that is gone is success.
func removeNamespace(path string) error {
	for {
		bound, err := isNamespace(path)
		if err != nil {
			return err
		}
		if !bound {
			break
		}
		if err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return fmt.Errorf("unmount %s: %w", path, err)
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// setSysctl writes a value unless it is there already, so that a read-only /proc/sys with the right values will do.
func setSysctl(name string, value int) error {
	path := filepath.Join("/proc/sys", strings.ReplaceAll(name, ".", "/"))
	want := strconv.Itoa(value)
	if got, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(got)) == want {
		return nil
	}
	if err := os.WriteFile(path, []byte(want), 0); err != nil {
		return fmt.Errorf("set %s=%s: %w", name, want, err)
	}
	return nil
}

// bindAgain gives a bound namespace a second path.
func bindAgain(from, to string) error {
	file, err := os.OpenFile(to, os.O_CREATE|os.O_RDONLY, 0o444)
	if err != nil {
		return err
	}
	file.Close()
	if err := unix.Mount(from, to, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind %s: %w", to, err)
	}
	return nil
}

// forwards says whether the process's own namespace forwards packets.
func forwards() (bool, error) {
	data, err := os.ReadFile("/proc/sys/net/ipv4/ip_forward")
	if err != nil {
		return false, fmt.Errorf("read ip_forward: %w", err)
	}
	return strings.TrimSpace(string(data)) == "1", nil
}
