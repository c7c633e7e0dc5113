package command

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// gitTree is a file system as git has it at some commit, under the paths of the working tree. What lies outside the working
// tree is read from disk. The working tree itself is neither read nor changed.
type gitTree struct {
	top, ref string
	entries  map[string]gitEntry
	dirs     map[string]bool

	cat    *exec.Cmd
	ask    io.WriteCloser
	answer *bufio.Reader
}

// gitEntry is a file of a tree: its mode as git writes it, and its content's name.
type gitEntry struct{ mode, object string }

const (
	symlinkMode   = "120000"
	submoduleMode = "160000"
)

// openGitTree reads the names in a tree and says which path in it dir is.
func openGitTree(dir, ref string) (t *gitTree, path string, err error) {
	if strings.HasPrefix(ref, "-") {
		return nil, "", fmt.Errorf("--ref %s would be an option of git: name a commit, branch or tag", ref)
	}
	start, rest, err := existing(dir)
	if err != nil {
		return nil, "", err
	}
	out, err := gitOutput(start, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, "", fmt.Errorf("--ref wants a directory in a git working tree: %w", err)
	}
	t = &gitTree{top: filepath.FromSlash(strings.TrimRight(string(out), "\n")), ref: ref}
	prefix, err := gitOutput(start, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, "", err
	}
	tree, err := gitOutput(start, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{tree}")
	if err != nil {
		return nil, "", fmt.Errorf("--ref %s: no such commit, branch or tag in %s", ref, t.top)
	}
	if err := t.list(strings.TrimSpace(string(tree))); err != nil {
		return nil, "", err
	}
	path = filepath.Join(t.top, filepath.FromSlash(strings.TrimRight(string(prefix), "\n")), rest)
	return t, path, nil
}

// existing splits a path into the part that is there and the part that is not, as of a directory that was deleted.
func existing(dir string) (start, rest string, err error) {
	if start, err = filepath.Abs(dir); err != nil {
		return "", "", err
	}
	for {
		if info, err := os.Stat(start); err == nil && info.IsDir() {
			return start, rest, nil
		}
		up := filepath.Dir(start)
		if up == start {
			return "", "", &fs.PathError{Op: "stat", Path: dir, Err: fs.ErrNotExist}
		}
		start, rest = up, filepath.Join(filepath.Base(start), rest)
	}
}

func gitOutput(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		if text := strings.TrimSpace(errs.String()); text != "" {
			err = errors.New(text)
		}
		return nil, fmt.Errorf("git %s: %w", args[0], err)
	}
	return out, nil
}

func (t *gitTree) list(tree string) error {
	out, err := gitOutput(t.top, "ls-tree", "-r", "-z", "--full-tree", tree)
	if err != nil {
		return err
	}
	t.entries, t.dirs = map[string]gitEntry{}, map[string]bool{t.top: true}
	for line := range strings.SplitSeq(string(out), "\x00") {
		// MODE TYPE OBJECT, a tab, and the path.
		about, name, ok := strings.Cut(line, "\t")
		words := strings.Fields(about)
		if !ok || len(words) != 3 {
			continue
		}
		path := filepath.Join(t.top, filepath.FromSlash(name))
		t.entries[path] = gitEntry{words[0], words[2]}
		for dir := filepath.Dir(path); !t.dirs[dir]; dir = filepath.Dir(dir) {
			t.dirs[dir] = true
		}
	}
	return nil
}

func (t *gitTree) holds(path string) bool {
	return path == t.top || strings.HasPrefix(path, strings.TrimSuffix(t.top, string(filepath.Separator))+string(filepath.Separator))
}

// maxLinks is how many symbolic links a path may go through.
const maxLinks = 255

// Resolve implements kustomize.FileSystem.
func (t *gitTree) Resolve(path string) (string, bool, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", false, err
	}
	for range maxLinks {
		if !t.holds(path) {
			return kustomize.Disk().Resolve(path)
		}
		link, target, err := t.firstLink(path)
		if err != nil {
			return "", false, err
		}
		if link == "" {
			return t.found(path)
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		path = filepath.Join(target, strings.TrimPrefix(path, link))
	}
	return "", false, fmt.Errorf("%s at %s: too many symbolic links", path, t.ref)
}

func (t *gitTree) found(path string) (string, bool, error) {
	switch e, ok := t.entries[path]; {
	case t.dirs[path]:
		return path, true, nil
	case ok && e.mode == submoduleMode:
		return "", false, fmt.Errorf("%s at %s is a submodule, whose files are in a repository of their own: run diff there", path, t.ref)
	case ok:
		return path, false, nil
	}
	return "", false, &fs.PathError{Op: "lstat", Path: path, Err: fs.ErrNotExist}
}

// firstLink finds the first symbolic link on the way to a path, and where it leads.
func (t *gitTree) firstLink(path string) (link, target string, err error) {
	at := t.top
	for step := range strings.SplitSeq(strings.TrimPrefix(path, t.top), string(filepath.Separator)) {
		at = filepath.Join(at, step)
		if e := t.entries[at]; e.mode == symlinkMode {
			data, err := t.blob(e.object)
			return at, filepath.FromSlash(string(data)), err
		}
	}
	return "", "", nil
}

// ReadFile implements kustomize.FileSystem.
func (t *gitTree) ReadFile(path string) ([]byte, error) {
	path, dir, err := t.Resolve(path)
	switch {
	case err != nil:
		return nil, err
	case !t.holds(path):
		return os.ReadFile(path)
	case dir:
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("is a directory")}
	}
	return t.blob(t.entries[path].object)
}

// blob reads the content of a file from one git process that answers until Close.
func (t *gitTree) blob(object string) ([]byte, error) {
	if t.cat == nil {
		if err := t.start(); err != nil {
			return nil, fmt.Errorf("git cat-file: %w", err)
		}
	}
	if _, err := fmt.Fprintln(t.ask, object); err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	head, err := t.answer.ReadString('\n')
	words := strings.Fields(head)
	if err != nil || len(words) != 3 {
		return nil, fmt.Errorf("git cat-file: %s: %s", object, strings.TrimSpace(head))
	}
	size, err := strconv.Atoi(words[2])
	if err != nil {
		return nil, fmt.Errorf("git cat-file: size of %s: %w", object, err)
	}
	data := make([]byte, size+1)
	if _, err := io.ReadFull(t.answer, data); err != nil {
		return nil, fmt.Errorf("git cat-file: %s: %w", object, err)
	}
	return data[:size], nil
}

func (t *gitTree) start() (err error) {
	cmd := exec.Command("git", "-C", t.top, "cat-file", "--batch")
	if t.ask, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	t.cat, t.answer = cmd, bufio.NewReader(out)
	return nil
}

// Close ends the git process.
func (t *gitTree) Close() error {
	if t.cat == nil {
		return nil
	}
	return errors.Join(t.ask.Close(), t.cat.Wait())
}
