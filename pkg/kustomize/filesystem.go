package kustomize

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// FileSystem is what a build reads. Paths are the system's own.
type FileSystem interface {
	// Resolve gives the absolute path behind a name, symbolic links followed, and whether it is a directory.
	Resolve(path string) (abs string, dir bool, err error)
	ReadFile(path string) ([]byte, error)
}

// Disk reads the machine's files.
func Disk() FileSystem { return disk{} }

type disk struct{}

func (disk) Resolve(path string) (string, bool, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", false, err
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return "", false, err
	}
	info, err := os.Stat(abs)
	if err != nil {
		return "", false, err
	}
	return abs, info.IsDir(), nil
}

func (disk) ReadFile(path string) ([]byte, error) { return os.ReadFile(path) }

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

// loader reads the files of one kustomization. What lies outside its root is refused.
type loader struct {
	fs           FileSystem
	root         string
	unrestricted bool
	referrer     *loader
}

func newLoader(fsys FileSystem, dir string, unrestricted bool) (*loader, error) {
	abs, isDir, err := fsys.Resolve(dir)
	if err != nil {
		return nil, fmt.Errorf("must build at directory: not a valid directory: %w", err)
	}
	if !isDir {
		return nil, fmt.Errorf("must build at directory: '%s' is a file; name the directory that holds its kustomization.yaml", dir)
	}
	return &loader{fs: fsys, root: abs, unrestricted: unrestricted}, nil
}

func within(path, root string) bool {
	return path == root || root == "/" || strings.HasPrefix(path, root+string(filepath.Separator))
}

func (l *loader) join(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(l.root, path)
}

// load reads a file that the kustomization names.
func (l *loader) load(path string) ([]byte, error) {
	if isURL(path) {
		return nil, remoteError(path)
	}
	full := l.join(path)
	if l.unrestricted {
		return l.fs.ReadFile(full)
	}
	abs, dir, err := l.fs.Resolve(full)
	if err != nil {
		return nil, err
	}
	return l.read(full, abs, dir)
}

func (l *loader) read(full, abs string, dir bool) ([]byte, error) {
	if dir {
		return nil, fmt.Errorf("'%s' must resolve to a file", full)
	}
	if !l.unrestricted && !within(filepath.Dir(abs), l.root) {
		return nil, fmt.Errorf("security; file '%s' is not in or below '%s'", full, l.root)
	}
	return l.fs.ReadFile(abs)
}

// below makes the loader of another kustomization that this one names.
func (l *loader) below(path string) (*loader, error) {
	if path == "" {
		return nil, errors.New("new root cannot be empty")
	}
	if isURL(path) {
		return nil, remoteError(path)
	}
	if filepath.IsAbs(path) {
		return nil, fmt.Errorf("new root '%s' cannot be absolute", path)
	}
	sub, err := newLoader(l.fs, l.join(path), l.unrestricted)
	if err != nil {
		return nil, err
	}
	for at := l; at != nil; at = at.referrer {
		if within(at.root, sub.root) {
			return nil, fmt.Errorf("cycle detected: candidate root '%s' contains visited root '%s'", sub.root, at.root)
		}
	}
	sub.referrer = l
	return sub, nil
}

func isHTTP(path string) bool {
	return strings.HasPrefix(path, "http://") || strings.HasPrefix(path, "https://")
}

func isURL(path string) bool {
	return isHTTP(path) || strings.HasPrefix(path, "git::") ||
		strings.HasPrefix(path, "ssh://") || strings.HasPrefix(path, "git@") || strings.HasPrefix(path, "github.com/") ||
		strings.HasPrefix(path, "github.com:")
}

func remoteError(path string) error {
	return fmt.Errorf("'%s' is in a git repository, and those are not fetched yet: clone it and name the copy", path)
}
