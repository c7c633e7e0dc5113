package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The archive's way to say that a lower layer's file, or all of a directory, is gone.
const (
	whiteoutPrefix = ".wh."
	opaqueMarker   = ".wh..wh..opq"
)

// unpacker writes a layer's archive below one directory, in overlayfs's form. Every path is resolved by the kernel with
// that directory as its root, so neither ".." nor a link of the archive leads out of it.
type unpacker struct {
	root   int
	dirs   map[string]int // the parents opened last
	times  []dirTime
	buffer []byte
}

// dirTime is set at the end: writing into a directory changes its time.
type dirTime struct {
	name string
	time [2]unix.Timespec
}

const openParents = 64

// unpack ends when ctx does, also within the holes of a sparse file, for which nothing is read.
func unpack(ctx context.Context, r io.Reader, dir string) error {
	root, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: dir, Err: err}
	}
	u := &unpacker{root: root, dirs: map[string]int{}, buffer: make([]byte, 256<<10)}
	defer unix.Close(root)
	defer u.closeParents()
	archive := tar.NewReader(r)
	for {
		h, err := archive.Next()
		if err == io.EOF {
			return u.setTimes()
		}
		if err != nil {
			return fmt.Errorf("read layer: %w", err)
		}
		if err := u.entry(h, &cancelReader{ctx, archive}); err != nil {
			return fmt.Errorf("unpack %q: %w", h.Name, err)
		}
	}
}

func (u *unpacker) entry(h *tar.Header, body io.Reader) error {
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	if name == "" {
		if h.Typeflag != tar.TypeDir {
			return nil
		}
		name = "."
	}
	parent, base, err := u.parent(name)
	if err != nil {
		return err
	}
	if strings.HasPrefix(base, whiteoutPrefix) {
		return u.whiteout(parent, base)
	}
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	if h.Typeflag == tar.TypeDir {
		return u.directory(parent, name, base, h)
	}
	if err := u.clear(parent, base); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeLink:
		return u.link(parent, base, h.Linkname)
	case tar.TypeReg, '\x00':
		return u.file(parent, base, h, body)
	case tar.TypeSymlink:
		err = unix.Symlinkat(h.Linkname, parent, base)
	case tar.TypeFifo:
		err = unix.Mknodat(parent, base, unix.S_IFIFO|0o600, 0)
	case tar.TypeChar, tar.TypeBlock:
		kind := uint32(unix.S_IFCHR)
		if h.Typeflag == tar.TypeBlock {
			kind = unix.S_IFBLK
		}
		if kind == unix.S_IFCHR && h.Devmajor == 0 && h.Devminor == 0 {
			return errors.New("a character device 0:0 would be a whiteout")
		}
		err = unix.Mknodat(parent, base, kind|0o600, int(unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor))))
	default:
		return fmt.Errorf("unknown type %q", h.Typeflag)
	}
	if err != nil {
		return err
	}
	return u.attributes(parent, base, h)
}

// parent opens the directory that an entry lies in, making what the archive did not list.
func (u *unpacker) parent(name string) (fd int, base string, err error) {
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	if dir == "" {
		return u.root, base, nil
	}
	if fd, ok := u.dirs[dir]; ok {
		return fd, base, nil
	}
	if len(u.dirs) >= openParents {
		u.closeParents()
	}
	fd, err = u.open(dir)
	if err == unix.ENOENT {
		if err = u.makeAll(dir); err == nil {
			fd, err = u.open(dir)
		}
	}
	if err != nil {
		return -1, "", &os.PathError{Op: "open", Path: dir, Err: err}
	}
	u.dirs[dir] = fd
	return fd, base, nil
}

func (u *unpacker) open(dir string) (int, error) {
	return unix.Openat2(u.root, dir, &unix.OpenHow{Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
}

func (u *unpacker) makeAll(dir string) error {
	at := u.root
	defer func() {
		if at != u.root {
			unix.Close(at)
		}
	}()
	for i := range len(dir) + 1 {
		if i < len(dir) && dir[i] != '/' {
			continue
		}
		fd, err := u.open(dir[:i])
		if err == unix.ENOENT {
			if err = unix.Mkdirat(at, path.Base(dir[:i]), 0o755); err == nil {
				fd, err = u.open(dir[:i])
			}
		}
		if err != nil {
			return err
		}
		if at != u.root {
			unix.Close(at)
		}
		at = fd
	}
	return nil
}

func (u *unpacker) closeParents() {
	for _, fd := range u.dirs {
		unix.Close(fd)
	}
	clear(u.dirs)
}

// whiteout hides what a lower layer has, in overlayfs's words: a device 0:0, or a mark on the directory.
func (u *unpacker) whiteout(parent int, base string) error {
	if base == opaqueMarker {
		return unix.Setxattr(fdPath(parent), "trusted.overlay.opaque", []byte("y"), 0)
	}
	if strings.HasPrefix(base, ".wh..wh.") {
		return nil // aufs's own
	}
	hidden := strings.TrimPrefix(base, whiteoutPrefix)
	if hidden == "" || hidden == "." || hidden == ".." {
		return errors.New("malformed whiteout")
	}
	if err := u.clear(parent, hidden); err != nil {
		return err
	}
	return unix.Mknodat(parent, hidden, unix.S_IFCHR, 0)
}

// clear makes room for an entry that the archive holds twice.
func (u *unpacker) clear(parent int, base string) error {
	err := unix.Unlinkat(parent, base, 0)
	if err == unix.EISDIR || err == unix.EPERM {
		u.closeAllBut(parent)
		return os.RemoveAll(fdPath(parent) + "/" + base)
	}
	if err == unix.ENOENT {
		return nil
	}
	return err
}

// closeAllBut forgets parents that may be about to vanish.
func (u *unpacker) closeAllBut(keep int) {
	for name, fd := range u.dirs {
		if fd != keep {
			unix.Close(fd)
			delete(u.dirs, name)
		}
	}
}

func (u *unpacker) directory(parent int, name, base string, h *tar.Header) error {
	if name != "." {
		err := unix.Mkdirat(parent, base, 0o700)
		if err == unix.EEXIST {
			var st unix.Stat_t
			if err := unix.Fstatat(parent, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
				return err
			}
			if st.Mode&unix.S_IFMT != unix.S_IFDIR {
				if err := u.clear(parent, base); err != nil {
					return err
				}
				err = unix.Mkdirat(parent, base, 0o700)
			} else {
				err = nil
			}
		}
		if err != nil {
			return err
		}
	}
	u.times = append(u.times, dirTime{name, timespecs(h)})
	return u.attributes(parent, base, h)
}

// link joins two names of one file. The target is resolved in the layer; a link as its last part is not followed.
func (u *unpacker) link(parent int, base, target string) error {
	dir, last, err := u.parent(strings.TrimPrefix(path.Clean("/"+target), "/"))
	if err != nil {
		return err
	}
	err = unix.Linkat(dir, last, parent, base, 0)
	if err == unix.ENOENT {
		return fmt.Errorf("hard link to %q, which this layer does not have", target)
	}
	return err
}

func (u *unpacker) file(parent int, base string, h *tar.Header, body io.Reader) error {
	fd, err := unix.Openat(parent, base, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), base)
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, struct{ io.Reader }{body}, u.buffer)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return u.attributes(parent, base, h)
}

// attributes sets owner, extended attributes, mode and time, in the order in which one does not undo another.
func (u *unpacker) attributes(parent int, base string, h *tar.Header) error {
	if base == "" || base == "." {
		base = "."
	}
	if err := unix.Fchownat(parent, base, h.Uid, h.Gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("set owner: %w", err)
	}
	for key, value := range h.PAXRecords {
		attr, ok := strings.CutPrefix(key, "SCHILY.xattr.")
		// Those of overlayfs itself would let a layer reach where it should not.
		if !ok || strings.HasPrefix(attr, "trusted.overlay.") || strings.HasPrefix(attr, "user.overlay.") {
			continue
		}
		err := unix.Lsetxattr(fdPath(parent)+"/"+base, attr, []byte(value), 0)
		if err != nil && err != unix.ENOTSUP && (err != unix.EPERM || strings.HasPrefix(attr, "security.capability")) {
			return fmt.Errorf("set attribute %s: %w", attr, err)
		}
	}
	if h.Typeflag != tar.TypeSymlink {
		if err := unix.Fchmodat(parent, base, uint32(h.Mode)&0o7777, 0); err != nil {
			return fmt.Errorf("set mode: %w", err)
		}
	}
	ts := timespecs(h)
	return unix.UtimesNanoAt(parent, base, ts[:], unix.AT_SYMLINK_NOFOLLOW)
}

func timespecs(h *tar.Header) [2]unix.Timespec {
	at := h.AccessTime
	if at.IsZero() {
		at = h.ModTime
	}
	return [2]unix.Timespec{timespec(at), timespec(h.ModTime)}
}

func timespec(t time.Time) unix.Timespec {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	ts, err := unix.TimeToTimespec(t)
	if err != nil {
		return unix.Timespec{}
	}
	return ts
}

func (u *unpacker) setTimes() error {
	for i := len(u.times) - 1; i >= 0; i-- {
		t := u.times[i]
		fd, err := u.open(t.name)
		if err == unix.ENOENT || err == unix.ENOTDIR {
			continue // replaced by a later entry
		}
		if err != nil {
			return err
		}
		err = unix.UtimesNanoAt(unix.AT_FDCWD, fdPath(fd), t.time[:], 0)
		unix.Close(fd)
		if err != nil {
			return err
		}
	}
	return nil
}

func fdPath(fd int) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }
