package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
)

// DefaultName is the cluster that commands mean when none is named, and the one that starts on demand.
const DefaultName = "skiff"

// DataRoot is where clusters live: $SKIFF_HOME, else /var/lib/skiff for root and the user's data folder for others.
func DataRoot() (string, error) {
	if dir := os.Getenv("SKIFF_HOME"); dir != "" {
		return filepath.Abs(dir)
	}
	if os.Geteuid() == 0 {
		return "/var/lib/skiff", nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "skiff"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the cluster's data (set SKIFF_HOME to name one): %w", err)
	}
	return filepath.Join(home, ".local", "share", "skiff"), nil
}

// dirOf is the directory of the named cluster.
func dirOf(name, dataDir string) (string, error) {
	if dataDir != "" {
		return filepath.Abs(dataDir)
	}
	root, err := DataRoot()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, "clusters", name), nil
}

// contextName is the kubeconfig context, cluster and user of a cluster.
func contextName(cluster string) string {
	if cluster == DefaultName {
		return DefaultName
	}
	return "skiff-" + cluster
}

// owner is the person behind sudo, or else the process's own user; files that we write to that person's home belong to it.
type owner struct {
	home     string
	uid, gid int // -1: leave as they are
}

func callingUser() (owner, error) {
	if os.Geteuid() == 0 && os.Getenv("SUDO_UID") != "" && runtime.GOOS != "windows" {
		u, err := user.LookupId(os.Getenv("SUDO_UID"))
		if err == nil {
			uid, err1 := strconv.Atoi(u.Uid)
			gid, err2 := strconv.Atoi(u.Gid)
			if errors.Join(err1, err2) == nil {
				return owner{u.HomeDir, uid, gid}, nil
			}
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return owner{}, fmt.Errorf("find the home directory for the kubeconfig (set KUBECONFIG to name a file): %w", err)
	}
	return owner{home, -1, -1}, nil
}

// mkdirAll makes dir and what is missing above it, all of it the owner's.
func (o owner) mkdirAll(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := o.mkdirAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return o.chown(dir)
}

func (o owner) chown(path string) error {
	if o.uid < 0 {
		return nil
	}
	return os.Lchown(path, o.uid, o.gid)
}
