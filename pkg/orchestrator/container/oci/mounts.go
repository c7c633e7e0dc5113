package oci

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// specMounts turns a container's mounts into the specification's: shallow targets first, so that none hides another.
// Sub paths are pinned below dir/volumes before, where no workload can move them.
func specMounts(c container.ContainerConfig, image container.ImageConfig, dir, rootfs string) ([]specs.Mount, error) {
	var out []specs.Mount
	for i, m := range c.Mounts {
		made, err := specMount(m, filepath.Join(dir, "volumes", strconv.Itoa(i)))
		if err != nil {
			return nil, err
		}
		out = append(out, made)
	}
	for i, target := range image.Volumes {
		target = path.Clean("/" + target)
		if slices.ContainsFunc(c.Mounts, func(m container.Mount) bool { return path.Clean(m.Target) == target }) {
			continue
		}
		source := filepath.Join(dir, "volumes", "image."+strconv.Itoa(i))
		if err := copyVolume(rootfs, target, source); err != nil {
			return nil, fmt.Errorf("make image volume %s: %w", target, err)
		}
		out = append(out, bind(source, target, false, "rprivate"))
	}
	slices.SortStableFunc(out, func(a, b specs.Mount) int {
		return strings.Count(path.Clean(a.Destination), "/") - strings.Count(path.Clean(b.Destination), "/")
	})
	return out, nil
}

func specMount(m container.Mount, pin string) (specs.Mount, error) {
	if m.Tmpfs {
		options := []string{"nosuid", "nodev", "mode=1777"}
		if m.SizeBytes > 0 {
			options = append(options, "size="+strconv.FormatInt(m.SizeBytes, 10))
		}
		if m.ReadOnly {
			options = append(options, "ro")
		}
		return specs.Mount{Destination: m.Target, Type: "tmpfs", Source: "tmpfs", Options: options}, nil
	}
	source := m.Source
	// containerd makes a directory where nothing is.
	if _, err := os.Lstat(source); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(source, 0o755); err != nil {
			return specs.Mount{}, fmt.Errorf("failed to mkdir %q: %w", source, err)
		}
	}
	if m.SubPath != "" {
		if err := pinSubPath(m.Source, m.SubPath, pin); err != nil {
			return specs.Mount{}, fmt.Errorf("failed to prepare subPath %q of %q: %w", m.SubPath, m.Source, err)
		}
		source = pin
	}
	propagation := "rprivate"
	if m.Propagation != "" {
		propagation = m.Propagation
		if err := checkPropagation(source, m.Propagation); err != nil {
			return specs.Mount{}, err
		}
	}
	return bind(source, m.Target, m.ReadOnly, propagation), nil
}

func bind(source, target string, readOnly bool, propagation string) specs.Mount {
	options := []string{"rbind", propagation}
	switch {
	case readOnly && recursiveReadOnly():
		options = append(options, "ro", "rro")
	case readOnly:
		options = append(options, "ro")
	default:
		options = append(options, "rw")
	}
	return specs.Mount{Destination: target, Type: "bind", Source: source, Options: options}
}

// recursiveReadOnly tells whether the kernel has mount_setattr (5.12).
func recursiveReadOnly() bool {
	err := unix.MountSetattr(-1, "", unix.AT_EMPTY_PATH, &unix.MountAttr{})
	return err != unix.ENOSYS
}

// pinSubPath binds what lies at sub below source on the path pin. Every link on the way is resolved inside source, and
// the mount is made of the very file that was opened, so nothing can be swapped in between.
func pinSubPath(source, sub, pin string) error {
	root, err := unix.Open(source, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: source, Err: err}
	}
	defer unix.Close(root)
	fd, err := openBelow(root, sub)
	if errors.Is(err, unix.ENOENT) {
		if err = makeBelow(root, sub); err == nil {
			fd, err = openBelow(root, sub)
		}
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(pin), 0o700); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		err = os.MkdirAll(pin, 0o700)
	} else {
		var f *os.File
		if f, err = os.OpenFile(pin, os.O_CREATE|os.O_RDONLY, 0o600); err == nil {
			f.Close()
		}
	}
	if err != nil {
		return err
	}
	tree, err := unix.OpenTree(fd, "", unix.AT_EMPTY_PATH|unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return os.NewSyscallError("open_tree", err)
	}
	defer unix.Close(tree)
	return os.NewSyscallError("move_mount", unix.MoveMount(tree, "", unix.AT_FDCWD, pin, unix.MOVE_MOUNT_F_EMPTY_PATH))
}

func openBelow(root int, p string) (int, error) {
	for {
		fd, err := unix.Openat2(root, p, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC,
			Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
		if err != unix.EAGAIN && err != unix.EINTR { // EAGAIN: a rename went on meanwhile
			return fd, err
		}
	}
}

// makeBelow makes the directories that are missing, each with the mode of the volume.
func makeBelow(root int, p string) error {
	var st unix.Stat_t
	if err := unix.Fstat(root, &st); err != nil {
		return err
	}
	for i, r := range p + "/" {
		if r != '/' || i == 0 {
			continue
		}
		fd, err := openBelow(root, p[:i])
		if err == nil {
			unix.Close(fd)
			continue
		}
		if err != unix.ENOENT {
			return err
		}
		parent := root
		if dir := path.Dir(p[:i]); dir != "." && dir != "/" {
			if parent, err = openBelow(root, dir); err != nil {
				return err
			}
			defer unix.Close(parent)
		}
		if err := unix.Mkdirat(parent, path.Base(p[:i]), st.Mode&0o7777); err != nil && err != unix.EEXIST {
			return err
		}
	}
	return nil
}

// checkPropagation refuses what the kernel would silently not do.
func checkPropagation(source, want string) error {
	real, err := filepath.EvalSymlinks(source)
	if err != nil {
		return err
	}
	mounts, err := mountsAt("")
	if err != nil {
		return err
	}
	best := mountInfo{}
	for _, m := range mounts {
		if within(real, m.point) && len(m.point) >= len(best.point) {
			best = m
		}
	}
	if best.shared || (want == "rslave" && best.slave) {
		return nil
	}
	kind := "shared"
	if want == "rslave" {
		kind = "shared or slave"
	}
	return fmt.Errorf("path %q is mounted on %q but it is not a %s mount", source, best.point, kind)
}
