package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// hostPath checks what a path of the node is, or makes it, as its type asks.
func hostPath(h *corev1.HostPathVolumeSource) error {
	if h.Type == nil || *h.Type == corev1.HostPathUnset {
		return nil
	}
	info, err := os.Stat(h.Path)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return fmt.Errorf("hostPath type check failed: %w", err)
	}
	switch *h.Type {
	case corev1.HostPathDirectoryOrCreate:
		if missing {
			return os.MkdirAll(h.Path, 0o755)
		}
		return expect(h.Path, "directory", info.IsDir())
	case corev1.HostPathDirectory:
		return expect(h.Path, "directory", !missing && info.IsDir())
	case corev1.HostPathFileOrCreate:
		if missing {
			f, err := os.OpenFile(h.Path, os.O_CREATE, 0o644)
			if err != nil {
				return err
			}
			return f.Close()
		}
		return expect(h.Path, "file", info.Mode().IsRegular())
	case corev1.HostPathFile:
		return expect(h.Path, "file", !missing && info.Mode().IsRegular())
	case corev1.HostPathSocket:
		return expect(h.Path, "socket file", !missing && info.Mode()&fs.ModeSocket != 0)
	case corev1.HostPathCharDev:
		return expect(h.Path, "character device", !missing && info.Mode()&fs.ModeCharDevice != 0)
	case corev1.HostPathBlockDev:
		return expect(h.Path, "block device", !missing && info.Mode()&fs.ModeDevice != 0 && info.Mode()&fs.ModeCharDevice == 0)
	}
	return fmt.Errorf("%s is an invalid volume type", *h.Type)
}

func expect(path, what string, ok bool) error {
	if ok {
		return nil
	}
	return fmt.Errorf("hostPath type check failed: %s is not a %s", path, what)
}
