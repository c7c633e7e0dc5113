package watch

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// Recorder is the disk, with a memory of what a build asked of it: also of what was not there, since that may come.
type Recorder struct {
	kustomize.FileSystem
	mu   sync.Mutex
	seen map[string]state
}

// state is what is behind a path: nothing, or a file of some size and age, or a directory, whose names count if listed.
type state struct {
	real   string
	info   fs.FileInfo
	listed bool
	names  string
}

func newRecorder() *Recorder {
	return &Recorder{FileSystem: kustomize.Disk(), seen: map[string]state{}}
}

// Resolve implements kustomize.FileSystem.
func (r *Recorder) Resolve(path string) (string, bool, error) {
	r.note(path)
	return r.FileSystem.Resolve(path)
}

// ReadFile implements kustomize.FileSystem.
func (r *Recorder) ReadFile(path string) ([]byte, error) {
	r.note(path)
	return r.FileSystem.ReadFile(path)
}

// note remembers a path as it is before the build sees it, so that a change after that is one, however soon it comes.
func (r *Recorder) note(path string) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.seen[abs]; !ok {
		r.seen[abs] = look(abs, false)
	}
}

// Tree remembers everything below a directory that another program reads, as helm reads a chart.
func (r *Recorder) Tree(dir string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// What cannot be read is no part of the tree; that it could not shows in its directory's state.
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			r.seen[path] = look(path, d.IsDir())
		}
		return nil
	})
}

func look(path string, list bool) state {
	s := state{listed: list}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return s
	}
	info, err := os.Stat(real)
	if err != nil {
		return s
	}
	s.real, s.info = real, info
	if entries, err := os.ReadDir(real); list && err == nil {
		for _, e := range entries {
			s.names += e.Name() + "\x00"
		}
	}
	return s
}

// same tells whether nothing happened to a path. Of directories only that they are there counts: the files that a build
// looked for in them have states of their own.
func (s state) same(o state) bool {
	if s.real != o.real || s.names != o.names || (s.info == nil) != (o.info == nil) {
		return false
	}
	if s.info == nil || s.info.IsDir() && o.info.IsDir() {
		return true
	}
	return os.SameFile(s.info, o.info) && s.info.Size() == o.info.Size() && s.info.ModTime().Equal(o.info.ModTime()) &&
		s.info.Mode() == o.info.Mode()
}

// changed tells whether anything that the build asked for is no longer as it was.
func (r *Recorder) changed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for path, was := range r.seen {
		if !was.same(look(path, was.listed)) {
			return true
		}
	}
	return false
}

// directories are those in which a change of what the build asked for shows: of each path, of the links on the way to it,
// and of what these lead to. Where a directory is missing it is the one in which it would appear.
func (r *Recorder) directories() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	dirs := map[string]bool{}
	for path, s := range r.seen {
		for at := path; at != filepath.Dir(at); at = filepath.Dir(at) {
			if info, err := os.Lstat(at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
				dirs[filepath.Dir(at)] = true
			}
		}
		dirs[nearest(filepath.Dir(path))] = true
		if s.listed {
			dirs[nearest(path)] = true
		}
		if s.real != "" {
			dirs[filepath.Dir(s.real)] = true
		}
	}
	return dirs
}

func nearest(dir string) string {
	for dir != filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}
