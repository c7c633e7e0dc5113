package kustomize

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// localizeDir is where a kustomization's copy keeps what was remote.
const localizeDir = "localized-files"

// load reads a file that the kustomization names.
func (z *localizer) load(path string) ([]byte, error) {
	data, source, err := z.loader.read(path)
	if err != nil {
		return nil, fmt.Errorf("invalid file reference: %w", err)
	}
	if z.local && !isRemoteFile(path) && within(filepath.Dir(source), z.destination) {
		return nil, fmt.Errorf("file %q at %q enters localize destination %q", path, source, z.destination)
	}
	return data, nil
}

// file copies a file and gives its path in the copy. Many fields may be empty; those that may not, a build refuses.
func (z *localizer) file(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	data, err := z.load(path)
	if err != nil {
		return "", err
	}
	return z.put(path, data)
}

// put writes what path names. Symbolic links and detours are gone from its path in the copy.
func (z *localizer) put(path string, data []byte) (string, error) {
	var local string
	if isRemoteFile(path) {
		if err := z.free("file", path); err != nil {
			return "", err
		}
		var err error
		if local, err = localFile(path); err != nil {
			return "", err
		}
	} else {
		abs, _, err := z.loader.fs.Resolve(z.loader.join(path))
		if err == nil {
			local, err = filepath.Rel(z.loader.root, abs)
		}
		if err != nil {
			return "", err
		}
	}
	if err := write(filepath.Join(z.dst, local), data); err != nil {
		return "", fmt.Errorf("unable to localize file %q: %w", path, err)
	}
	return local, nil
}

// free makes sure that the kustomization has no directory of the name that remote content needs.
func (z *localizer) free(what, path string) error {
	if exists(z.loader.join(localizeDir)) {
		return fmt.Errorf("%s already contains %s needed to store %s %q", z.loader.root, localizeDir, what, path)
	}
	return nil
}

// localFile is the path of a remote file in a copy: the host, without user and port, and the path on it.
func localFile(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", err
	}
	return filepath.Join(localizeDir, u.Hostname(), filepath.Join("/", filepath.FromSlash(u.EscapedPath()))), nil
}

// resource copies a file of resources, or the kustomization of a directory or a repository.
func (z *localizer) resource(path string) (string, error) {
	data, errFile := z.load(path)
	if errFile == nil {
		// The page of a repository can be fetched too, but holds no resources.
		if _, err := parseObjects(data); err != nil {
			errFile = fmt.Errorf("invalid resource at file %q: %w", path, err)
		}
	}
	if errFile == nil {
		var local string
		if local, errFile = z.put(path, data); errFile == nil {
			return local, nil
		}
	}
	local, errRoot := z.root(path)
	if errRoot != nil {
		return "", fmt.Errorf("could not localize path %q as file: %w; could not localize path %q as directory: %w", path, errFile, path, errRoot)
	}
	return local, nil
}

// root copies another kustomization.
func (z *localizer) root(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	l, err := z.below(path)
	if err != nil {
		return "", err
	}
	var local string
	if l.checkout == "" {
		local, err = filepath.Rel(z.loader.root, l.root)
	} else if err = z.free("root", path); err == nil {
		local, err = localRoot(path, l)
	}
	if err != nil {
		return "", err
	}
	sub := &localizer{z.localization, l, filepath.Join(z.dst, local), z.local && l.checkout == ""}
	if err := sub.run(); err != nil {
		return "", fmt.Errorf("unable to localize root %q: %w", path, err)
	}
	return local, nil
}

// below finds another directory, which a local name may not lead out of the scope with, or into the copy.
func (z *localizer) below(path string) (*loader, error) {
	if r, err := parseRepository(path); err == nil && r.Ref == "" {
		return nil, noRef(path)
	}
	l, err := z.loader.below(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("invalid root reference: %w", err)
	case l.checkout != "" || !z.local:
	case !within(l.root, z.scope):
		return nil, fmt.Errorf("root %q outside localize scope %q", l.root, z.scope)
	case within(l.root, z.destination):
		return nil, fmt.Errorf("root %q references into localize destination %q", l.root, z.destination)
	}
	return l, nil
}

// localRoot is the path of a repository's directory in a copy: the host, the repository, the ref and the directory.
func localRoot(path string, l *loader) (string, error) {
	r, err := parseRepository(path)
	if err != nil {
		return "", err
	}
	inside, err := filepath.Rel(l.checkout, l.root)
	if err != nil {
		return "", err
	}
	repository := strings.TrimSuffix(repositoryPath(r.URL), ".git")
	return filepath.Join(localizeDir, repositoryHost(r.URL), filepath.Join("/", filepath.FromSlash(repository)), filepath.FromSlash(r.Ref), inside), nil
}

// repositoryHost names the host of a repository, without user and port. A local one has a name of its own, so that no
// path of this machine can be taken for a host.
func repositoryHost(raw string) string {
	if strings.HasPrefix(raw, "file://") {
		return "file-schemed"
	}
	host, _, _ := strings.Cut(afterUser(raw), "/")
	host, _, _ = strings.Cut(host, ":")
	return host
}

// repositoryPath is a repository's path on its host.
func repositoryPath(raw string) string {
	if path, ok := strings.CutPrefix(raw, "file://"); ok {
		return path
	}
	end := "/"
	if !strings.Contains(raw, "://") {
		end = ":/"
	}
	rest := afterUser(raw)
	if i := strings.IndexAny(rest, end); i >= 0 {
		return rest[i+1:]
	}
	return rest
}

func afterUser(raw string) string {
	if _, rest, ok := strings.Cut(raw, "://"); ok {
		raw = rest
	}
	host, _, _ := strings.Cut(raw, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		return raw[at+1:]
	}
	return raw
}
