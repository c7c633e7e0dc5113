package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"
)

// mountRecord says that an image's layers lie below somebody's root file system, also after a restart.
type mountRecord struct {
	Dir     string `json:"dir"`
	ImageID string `json:"imageID"`
}

func (s *Store) mountFile(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(s.cfg.Dir, "mounts", hex.EncodeToString(sum[:16])+".json")
}

// Mount makes a writable root file system of an image's layers at dir/rootfs; what is written goes to dir/upper.
func (s *Store) Mount(_ context.Context, imageID, dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("mount image: %w", err)
	}
	layers, err := s.claim(imageID, dir)
	if err != nil {
		return "", fmt.Errorf("mount image: %w", err)
	}
	rootfs, err := s.mount(layers, dir)
	if err != nil {
		err = fmt.Errorf("mount image %s: %w", imageID, err)
		return "", errors.Join(err, s.Unmount(context.Background(), dir))
	}
	return rootfs, nil
}

// claim writes down that the image is in use, before it is.
func (s *Store) claim(imageID, dir string) ([]layer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.index.find(imageID)
	if rec == nil {
		return nil, fmt.Errorf("image %s is not here", imageID)
	}
	body, err := json.Marshal(mountRecord{Dir: dir, ImageID: rec.ID})
	if err != nil {
		return nil, err
	}
	file := s.mountFile(dir)
	if err := os.WriteFile(file+".tmp", body, 0o600); err != nil {
		return nil, err
	}
	return rec.Layers, os.Rename(file+".tmp", file)
}

// mounted tells whether an image lies below any root file system.
func (s *Store) mounted(imageID string) (bool, error) {
	files, err := filepath.Glob(filepath.Join(s.cfg.Dir, "mounts", "*.json"))
	if err != nil {
		return false, err
	}
	for _, f := range files {
		rec, err := readMount(f)
		if err != nil {
			return false, err
		}
		if rec.ImageID == imageID {
			return true, nil
		}
	}
	return false, nil
}

func readMount(path string) (mountRecord, error) {
	var rec mountRecord
	body, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(body, &rec)
	}
	return rec, err
}

func (s *Store) mount(layers []layer, dir string) (string, error) {
	rootfs, upper, work := filepath.Join(dir, "rootfs"), filepath.Join(dir, "upper"), filepath.Join(dir, "work")
	for _, d := range []string{rootfs, upper, work} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return "", err
		}
	}
	// The uppermost first, as overlayfs counts; an image without layers still needs one.
	var lower []string
	for i := len(layers) - 1; i >= 0; i-- {
		name := layerName(layers[i].DiffID)
		if len(lower) == 0 || lower[len(lower)-1] != name {
			lower = append(lower, name)
		}
	}
	if len(lower) == 0 {
		if err := os.MkdirAll(filepath.Join(s.cfg.Dir, "layers", "empty"), 0o755); err != nil {
			return "", err
		}
		lower = []string{"empty"}
	}
	err := s.mountNew(lower, upper, work, rootfs)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		err = s.mountOld(lower, upper, work, rootfs)
	}
	return rootfs, err
}

// mountNew names the layers one by one (Linux 6.5), so their number is not limited by a page.
func (s *Store) mountNew(lower []string, upper, work, rootfs string) error {
	fs, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("fsopen overlay", err)
	}
	defer unix.Close(fs)
	for _, l := range lower {
		if err := unix.FsconfigSetString(fs, "lowerdir+", filepath.Join(s.cfg.Dir, "layers", l)); err != nil {
			return os.NewSyscallError("fsconfig lowerdir+", err)
		}
	}
	for _, o := range [][2]string{{"upperdir", upper}, {"workdir", work}} {
		if err := unix.FsconfigSetString(fs, o[0], o[1]); err != nil {
			return os.NewSyscallError("fsconfig "+o[0], err)
		}
	}
	// A container's files need not outlive a power failure, which ends the container too.
	if err := unix.FsconfigSetFlag(fs, "volatile"); err != nil {
		return os.NewSyscallError("fsconfig volatile", err)
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return os.NewSyscallError("fsconfig create", err)
	}
	m, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("fsmount", err)
	}
	defer unix.Close(m)
	return os.NewSyscallError("move_mount", unix.MoveMount(m, "", unix.AT_FDCWD, rootfs, unix.MOVE_MOUNT_F_EMPTY_PATH))
}

// mountOld names the layers in one string, short because it is said inside their directory: a thread of its own goes there.
func (s *Store) mountOld(lower []string, upper, workdir, rootfs string) error {
	options := "lowerdir=" + strings.Join(lower, ":") + ",upperdir=" + escape(upper) + ",workdir=" + escape(workdir)
	if len(options) >= os.Getpagesize() {
		return fmt.Errorf("%d layers are too many for this kernel", len(lower))
	}
	err := ownThread(func() error { return mountIn(filepath.Join(s.cfg.Dir, "layers"), rootfs, options) })
	return os.NewSyscallError("mount overlay", err)
}

// mountIn leaves the thread in dir.
func mountIn(dir, rootfs, options string) error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	if err := unix.Chdir(dir); err != nil {
		return err
	}
	err := unix.Mount("overlay", rootfs, "overlay", 0, options+",volatile")
	if err == unix.EINVAL {
		err = unix.Mount("overlay", rootfs, "overlay", 0, options)
	}
	return err
}

func escape(p string) string { return strings.NewReplacer(`\`, `\\`, ",", `\,`, ":", `\:`).Replace(p) }

// Unmount undoes Mount and removes what was written.
func (s *Store) Unmount(_ context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("unmount image: %w", err)
	}
	rootfs := filepath.Join(dir, "rootfs")
	for {
		err := unix.Unmount(rootfs, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		if err == unix.EINVAL || err == unix.ENOENT {
			break
		}
		if err != nil {
			return fmt.Errorf("unmount %s: %w", rootfs, err)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("unmount image: %w", err)
	}
	if err := os.Remove(s.mountFile(dir)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("unmount image: %w", err)
	}
	return nil
}

// sweep removes what a crash left: temporary files, layers that no image has, claims of directories that are gone.
func (s *Store) sweep() error {
	if err := os.RemoveAll(filepath.Join(s.cfg.Dir, "tmp")); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(s.cfg.Dir, "tmp"), 0o700); err != nil {
		return err
	}
	used := map[string]bool{"empty": true}
	for id, rec := range s.index.Images {
		for _, l := range rec.Layers {
			if !s.hasLayer(l.DiffID) { // somebody removed it by hand; pulling again mends it
				delete(s.index.Images, id)
				break
			}
			used[layerName(l.DiffID)] = true
		}
	}
	files, err := filepath.Glob(filepath.Join(s.cfg.Dir, "mounts", "*"))
	if err != nil {
		return err
	}
	for _, f := range files {
		rec, err := readMount(f)
		if err == nil {
			_, err = os.Lstat(rec.Dir)
		}
		if err != nil {
			if err := os.Remove(f); err != nil {
				return err
			}
		}
	}
	entries, err := os.ReadDir(filepath.Join(s.cfg.Dir, "layers"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !used[e.Name()] {
			if err := os.RemoveAll(filepath.Join(s.cfg.Dir, "layers", e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func ownPlatform() v1.Platform { return v1.Platform{OS: "linux", Architecture: runtime.GOARCH} }
