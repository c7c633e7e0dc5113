package oci

import (
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// hostDevices lists the node's devices, which a privileged container sees.
func hostDevices(dir string) []specs.LinuxDevice {
	skip := []string{"pts", "shm", "fd", "mqueue", "console", ".udev", ".lxc"}
	var out []specs.LinuxDevice
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone meanwhile
		}
		if filepath.Dir(p) == dir && slices.Contains(skip, d.Name()) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.Type()&fs.ModeDevice == 0 {
			return nil
		}
		var st unix.Stat_t
		if unix.Lstat(p, &st) != nil {
			return nil
		}
		kind := "b"
		if st.Mode&unix.S_IFMT == unix.S_IFCHR {
			kind = "c"
		}
		mode := fs.FileMode(st.Mode & 0o7777)
		out = append(out, specs.LinuxDevice{Path: p, Type: kind, Major: int64(unix.Major(uint64(st.Rdev))),
			Minor: int64(unix.Minor(uint64(st.Rdev))), FileMode: &mode, UID: &st.Uid, GID: &st.Gid})
		return nil
	})
	return out
}
