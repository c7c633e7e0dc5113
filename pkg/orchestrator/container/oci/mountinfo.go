package oci

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

type mountInfo struct {
	point         string
	fstype        string
	shared, slave bool
}

// mountsAt lists the mounts at or below dir (all for an empty one), in the order they were made.
func mountsAt(dir string) ([]mountInfo, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []mountInfo
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, 1<<20) // overlay options may be long
	for scan.Scan() {
		fields := strings.Fields(scan.Text())
		if len(fields) < 7 {
			continue
		}
		m := mountInfo{point: unescape.Replace(fields[4])}
		if dir != "" && !within(m.point, dir) {
			continue
		}
		for i, f := range fields[6:] {
			if f == "-" {
				if len(fields) > 6+i+1 {
					m.fstype = fields[6+i+1]
				}
				break
			}
			m.shared = m.shared || strings.HasPrefix(f, "shared:")
			m.slave = m.slave || strings.HasPrefix(f, "master:")
		}
		out = append(out, m)
	}
	return out, scan.Err()
}

var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func within(p, dir string) bool {
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// unmountAll takes away every mount at or below dir, the latest first.
func unmountAll(dir string) error {
	dir, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	mounts, err := mountsAt(dir)
	if err != nil {
		return err
	}
	for _, m := range slices.Backward(mounts) {
		err := unix.Unmount(m.point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		if err != nil && err != unix.EINVAL && err != unix.ENOENT {
			return fmt.Errorf("unmount %s: %w", m.point, err)
		}
	}
	return nil
}

// strike removes what a record in its directory tells of: the record first, so that nobody takes up the rest of a removal that a
// kill cut short.
func strike(dir, record string) error {
	if err := os.Remove(filepath.Join(dir, record)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return removeTree(dir)
}

// removeTree removes a directory of ours, after all mounts in it: what is mounted there belongs to others.
func removeTree(dir string) error {
	if err := unmountAll(dir); err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	left, err := mountsAt(real)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("remove %s: %s is still mounted", dir, left[0].point)
	}
	return os.RemoveAll(dir)
}
