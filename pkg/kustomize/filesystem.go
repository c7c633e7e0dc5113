package kustomize

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// FileSystem is what a build reads. Paths are the system's own.
type FileSystem interface {
	// Resolve gives the absolute path behind a name, symbolic links followed, and whether it is a directory.
	Resolve(path string) (abs string, dir bool, err error)
	ReadFile(path string) ([]byte, error)
}

// Disk reads the machine's files.
func Disk() FileSystem { return disk{patience: 5 * time.Second} }

type disk struct {
	// patience is how long a pipe or a device may take to say all it has.
	patience time.Duration
}

func (disk) Resolve(path string) (string, bool, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", false, err
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return "", false, fmt.Errorf("evalsymlink failure on '%s' : %w", path, err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return "", false, err
	}
	return abs, info.IsDir(), nil
}

// Memory holds files by absolute slash-separated path; for tests, and for trees that are made rather than stored.
func Memory(files map[string]string) FileSystem {
	m := &memory{files: files}
	m.dirs = sync.OnceValue(m.directories)
	return m
}

type memory struct {
	files map[string]string
	dirs  func() map[string]bool
}

func (m *memory) directories() map[string]bool {
	dirs := map[string]bool{"/": true}
	for name := range m.files {
		for dir := filepath.Dir(name); !dirs[dir]; dir = filepath.Dir(dir) {
			dirs[dir] = true
		}
	}
	return dirs
}

func (m *memory) Resolve(path string) (string, bool, error) {
	path = filepath.Clean(path)
	if _, ok := m.files[path]; ok {
		return path, false, nil
	}
	if m.dirs()[path] {
		return path, true, nil
	}
	return "", false, &fs.PathError{Op: "lstat", Path: path, Err: fs.ErrNotExist}
}

func (m *memory) ReadFile(path string) ([]byte, error) {
	if data, ok := m.files[filepath.Clean(path)]; ok {
		return []byte(data), nil
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}
