package oci

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// nsPaths are files on which a sandbox's namespaces are pinned; empty is the node's own.
type nsPaths struct{ net, ipc, uts string }

// pinning says which namespaces to make and what to set in them.
type pinning struct {
	paths    nsPaths
	hostname string
	sysctls  map[string]string
}

// pin makes namespaces on a thread of its own and binds them on files, which keeps them alive without any process.
func pin(p pinning) error {
	flags := 0
	for path, flag := range map[string]int{p.paths.net: unix.CLONE_NEWNET, p.paths.ipc: unix.CLONE_NEWIPC, p.paths.uts: unix.CLONE_NEWUTS} {
		if path == "" {
			continue
		}
		flags |= flag
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o444)
		if err != nil {
			return fmt.Errorf("pin namespace: %w", err)
		}
		f.Close()
	}
	return ownThread(func() error { return pinHere(p, flags) })
}

func pinHere(p pinning, flags int) error {
	if err := unix.Unshare(flags); err != nil {
		return fmt.Errorf("make namespaces: %w", err)
	}
	if p.paths.uts != "" && p.hostname != "" {
		if err := unix.Sethostname([]byte(p.hostname)); err != nil {
			return fmt.Errorf("set hostname %q: %w", p.hostname, err)
		}
	}
	if p.paths.net != "" {
		if err := loopbackUp(); err != nil {
			return fmt.Errorf("bring up loopback: %w", err)
		}
	}
	for key, value := range p.sysctls {
		if err := writeSysctl(key, value); err != nil {
			return err
		}
	}
	self := fmt.Sprintf("/proc/self/task/%d/ns/", unix.Gettid())
	for name, path := range map[string]string{"net": p.paths.net, "ipc": p.paths.ipc, "uts": p.paths.uts} {
		if path == "" {
			continue
		}
		if err := unix.Mount(self+name, path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("pin %s namespace: %w", name, err)
		}
	}
	return nil
}

// writeSysctl sets a value in the thread's own namespaces; /proc/sys shows those of the one who opens it.
func writeSysctl(key, value string) error {
	name := key
	if !strings.Contains(key, "/") {
		name = strings.ReplaceAll(key, ".", "/")
	}
	path := filepath.Join("/proc/sys", filepath.Clean("/"+name))
	if err := os.WriteFile(path, []byte(value), 0); err != nil {
		return fmt.Errorf("set sysctl %s=%s: %w", key, value, errors.Unwrap(err))
	}
	return nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}

// pinned tells whether a file still holds a namespace; after a reboot it is an empty file.
func pinned(path string) bool {
	var st unix.Statfs_t
	return path == "" || (unix.Statfs(path, &st) == nil && st.Type == unix.NSFS_MAGIC)
}
