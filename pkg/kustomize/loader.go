package kustomize

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// StatusError is the answer of a server that has no content for a URL.
type StatusError struct {
	Code int
	Text string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("HTTP Error: status code %d (%s)", e.Code, e.Text)
}

// isDirectory is the error of reading a directory as a file.
type isDirectory struct{ error }

var errIsRepository = errors.New("URL is a git repository")

// loader reads the files of one kustomization. What lies outside its root is refused.
type loader struct {
	*builder
	root         string
	unrestricted bool
	referrer     *loader
	// raw is the URL, and checkout the root, of the repository that was fetched for this kustomization.
	raw, checkout string
}

// newLoader is that of the build itself.
func (b *builder) newLoader(dir string) (*loader, error) {
	if r, err := parseRepository(dir); err == nil {
		return b.fetch(dir, r, nil)
	}
	root, err := b.directory(dir)
	if err != nil {
		return nil, err
	}
	return &loader{builder: b, root: root, unrestricted: b.options.Unrestricted}, nil
}

func (b *builder) directory(dir string) (string, error) {
	abs, isDir, err := b.fs.Resolve(dir)
	if err != nil {
		return "", fmt.Errorf("must build at directory: not a valid directory: %w", err)
	}
	if !isDir {
		return "", fmt.Errorf("must build at directory: '%s': file is not directory; name the directory that holds its kustomization.yaml", dir)
	}
	return abs, nil
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
	data, _, err := l.read(path)
	return data, err
}

// read gives the content of a file and where it lies.
func (l *loader) read(path string) (data []byte, source string, err error) {
	if isRemoteFile(path) {
		data, err = l.get(path)
		return data, path, err
	}
	source = l.join(path)
	if !l.unrestricted {
		full := source
		var dir bool
		source, dir, err = l.fs.Resolve(full)
		switch {
		case err != nil:
			return nil, "", err
		case dir:
			return nil, "", isDirectory{fmt.Errorf("'%s' must resolve to a file", full)}
		case !within(filepath.Dir(source), l.root):
			return nil, "", fmt.Errorf("security; file '%s' is not in or below '%s'", full, l.root)
		}
	}
	data, err = l.fs.ReadFile(source)
	return data, source, err
}

// get fetches a file. Where a server has none, the URL may be that of a repository.
func (l *loader) get(url string) ([]byte, error) {
	if l.options.Get == nil {
		return nil, fmt.Errorf("'%s' is remote: this build reads local files only", url)
	}
	data, err := l.options.Get(url)
	var status *StatusError
	if errors.As(err, &status) {
		if _, errParse := parseRepository(url); errParse == nil {
			return nil, errIsRepository
		}
	}
	return data, err
}

// below makes the loader of another kustomization that this one names.
func (l *loader) below(path string) (*loader, error) {
	if path == "" {
		return nil, errors.New("new root cannot be empty")
	}
	if r, err := parseRepository(path); err == nil {
		return l.repository(path, r)
	}
	if filepath.IsAbs(path) {
		return nil, fmt.Errorf("new root '%s' cannot be absolute", path)
	}
	root, err := l.directory(l.join(path))
	if err != nil {
		return nil, err
	}
	if repo := l.containingCheckout(); repo != "" && !within(root, repo) {
		return nil, fmt.Errorf("security; bases in kustomizations found in cloned git repos must be within the repo, "+
			"but base '%s' is outside '%s'", root, repo)
	}
	for at := l; at != nil; at = at.referrer {
		if within(at.root, root) {
			return nil, fmt.Errorf("cycle detected: candidate root '%s' contains visited root '%s'", root, at.root)
		}
	}
	return &loader{builder: l.builder, root: root, unrestricted: l.unrestricted, referrer: l}, nil
}

func (l *loader) containingCheckout() string {
	for at := l; at != nil; at = at.referrer {
		if at.checkout != "" {
			return at.checkout
		}
	}
	return ""
}

func (l *loader) repository(raw string, r Repository) (*loader, error) {
	for at := l; at != nil; at = at.referrer {
		if at.raw != "" && strings.HasPrefix(at.raw, raw) {
			return nil, fmt.Errorf("cycle detected: URI '%s' referenced by previous URI '%s'", raw, at.raw)
		}
	}
	return l.fetch(raw, r, l)
}

// fetch makes the loader of a directory in a repository. Nothing outside that directory can be read from there, whatever
// the build allows otherwise.
func (b *builder) fetch(raw string, r Repository, referrer *loader) (*loader, error) {
	if hasPrefixFold(raw, gitPrefix) {
		b.warn("# Warning: the prefix 'git::' of '" + raw + "' has no effect. Please remove it: a later release will not take it off.")
	}
	checkout, err := b.clone(r)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(checkout, r.Path)
	root, isDir, err := b.fs.Resolve(path)
	switch {
	case err != nil:
		return nil, err
	case !isDir:
		return nil, fmt.Errorf("'%s' refers to file '%s'; expecting directory", path, filepath.Base(root))
	case !within(root, checkout):
		return nil, fmt.Errorf("%q refers to directory outside of repo %q", path, checkout)
	}
	return &loader{builder: b, root: root, referrer: referrer, raw: raw, checkout: checkout}, nil
}

// clone fetches a repository, once for each thing that a build wants of it.
func (b *builder) clone(r Repository) (string, error) {
	key := r
	key.Path, key.Timeout = "", 0
	if dir, ok := b.clones[key]; ok {
		return dir, nil
	}
	if b.options.Clone == nil {
		return "", fmt.Errorf("'%s' is a git repository: this build reads local files only; clone it and name the copy", r.URL)
	}
	dir, remove, err := b.options.Clone(r)
	if err != nil {
		return "", err
	}
	b.cleanup = append(b.cleanup, remove)
	if b.clones == nil {
		b.clones = map[Repository]string{}
	}
	b.clones[key] = dir
	return dir, nil
}

// close removes what the build fetched.
func (b *builder) close() error {
	var errs []error
	for _, remove := range b.cleanup {
		errs = append(errs, remove())
	}
	return errors.Join(errs...)
}

// timedOut holds for a git command that took too long: there is a repository then.
func timedOut(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
