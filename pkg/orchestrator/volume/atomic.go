package volume

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// file is one file of a payload.
type file struct {
	data  []byte
	mode  int32
	uid   int
	owned bool // uid is meant
}

// payload maps relative paths to files.
type payload map[string]file

const (
	dataLink = "..data"
	newLink  = "..data_tmp"
)

// write makes dir show exactly files, all at one moment: they are written to a directory of their own, named for the
// time, and the link ..data is then renamed onto it. What the user sees are links into ..data, so that a reader who holds
// ..data open sees the old or the new state, never a mixture. Nothing is touched when nothing changed.
func (v *Volumes) write(dir string, files payload, gid int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := os.Readlink(filepath.Join(dir, dataLink))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if old != "" && same(filepath.Join(dir, old), files) {
		return relink(dir, files)
	}
	// The random tail keeps two changes within one second apart.
	fresh, err := os.MkdirTemp(dir, time.Now().UTC().Format("..2006_01_02_15_04_05.")+"*")
	if err != nil {
		return err
	}
	if err := os.Chmod(fresh, 0o755); err != nil {
		return err
	}
	if err := fill(fresh, files, gid); err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	if err := swap(dir, filepath.Base(fresh)); err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	if err := relink(dir, files); err != nil {
		return err
	}
	return removeStale(dir, filepath.Base(fresh))
}

func swap(dir, target string) error {
	tmp := filepath.Join(dir, newLink)
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, tmp); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, dataLink))
}

// fill writes the files with their modes and owners.
func fill(dir string, files payload, gid int) error {
	if gid >= 0 {
		if err := share(dir, gid, 0o755); err != nil {
			return err
		}
	}
	for name, f := range files {
		path := filepath.Join(dir, name)
		if sub := filepath.Dir(name); sub != "." {
			if err := mkdirs(dir, sub, gid); err != nil {
				return err
			}
		}
		if err := os.WriteFile(path, f.data, 0o600); err != nil {
			return err
		}
		perm := os.FileMode(f.mode).Perm()
		uid := -1
		if f.owned {
			uid = f.uid
		}
		if gid >= 0 {
			perm |= 0o440
		}
		if uid >= 0 || gid >= 0 {
			if err := os.Chown(path, uid, gid); err != nil {
				return err
			}
		}
		if err := os.Chmod(path, perm); err != nil {
			return err
		}
	}
	return nil
}

func mkdirs(dir, sub string, gid int) error {
	if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
		return err
	}
	if gid < 0 {
		return nil
	}
	for p := sub; p != "."; p = filepath.Dir(p) {
		if err := share(filepath.Join(dir, p), gid, 0o755); err != nil {
			return err
		}
	}
	return nil
}

func share(dir string, gid int, perm os.FileMode) error {
	if err := os.Chown(dir, -1, gid); err != nil {
		return err
	}
	return os.Chmod(dir, perm|0o050|os.ModeSetgid)
}

// same says whether the directory holds exactly these files.
func same(dir string, files payload) bool {
	n := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		want, ok := files[rel]
		if !ok {
			return fmt.Errorf("%s is stale", rel)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !bytes.Equal(got, want.data) {
			return fmt.Errorf("%s changed", rel)
		}
		n++
		return nil
	})
	return err == nil && n == len(files)
}

// relink makes the links that the user sees, one for each top-level name, and removes those without a file.
func relink(dir string, files payload) error {
	tops := map[string]bool{}
	for name := range files {
		top, _, _ := strings.Cut(name, "/")
		tops[top] = true
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), ".."):
		case tops[e.Name()]:
			delete(tops, e.Name())
		default:
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	for top := range tops {
		if err := os.Symlink(filepath.Join(dataLink, top), filepath.Join(dir, top)); err != nil {
			return err
		}
	}
	return nil
}

// removeStale removes the directories of earlier states, also those that a crash left.
func removeStale(dir, keep string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); e.IsDir() && strings.HasPrefix(name, "..") && name != keep {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
