package oci

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// copyVolume gives a volume that an image declares the image's own content at that path, with owners and modes.
func copyVolume(rootfs, target, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(rootfs)
	if err != nil {
		return err
	}
	defer root.Close()
	from, err := root.OpenRoot(strings.TrimPrefix(target, "/"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer to.Close()
	return fs.WalkDir(from.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return copyEntry(from, to, p)
	})
}

func copyEntry(from, to *os.Root, p string) error {
	info, err := from.Lstat(p)
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		if p != "." {
			err = to.Mkdir(p, 0o700)
		}
	case info.Mode()&fs.ModeSymlink != 0:
		var link string
		if link, err = from.Readlink(p); err == nil {
			err = to.Symlink(link, p)
		}
	case info.Mode().IsRegular():
		err = copyFile(from, to, p)
	default:
		return nil // no devices, sockets, pipes
	}
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := to.Lchown(p, int(st.Uid), int(st.Gid)); err != nil {
			return err
		}
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	return to.Chmod(filepath.Clean(p), info.Mode().Perm()|info.Mode()&(fs.ModeSticky|fs.ModeSetgid|fs.ModeSetuid))
}

func copyFile(from, to *os.Root, p string) error {
	in, err := from.Open(p)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := to.OpenFile(p, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}
