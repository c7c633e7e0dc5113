package kustomize

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// localizer copies one kustomization, and what it names, to a place below the destination.
type localizer struct {
	*localization
	loader *loader
	dst    string
	local  bool // it and all that led to it are the user's own files, not a repository's
}

// localization is what one call shares.
type localization struct {
	scope, destination string
}

// Localized is where a copy lies.
type Localized struct {
	Dir    string // all of it
	Target string // the kustomization in it
}

// Localize copies a kustomization of the machine's file system, or of a repository, to a new directory, with everything
// that it names: what is remote becomes a local file. The scope, by default the target, bounds what local names may lead to.
func Localize(target, scope, destination string, o Options) (out Localized, err error) {
	r, errParse := parseRepository(target)
	remote := errParse == nil
	if remote && r.Ref == "" {
		return out, noRef(target)
	}
	o.Unrestricted = false
	b := &builder{fs: Disk(), options: o, schemas: &schemas{}}
	defer func() { err = errors.Join(err, b.close()) }()
	l, err := b.newLoader(target)
	if err != nil {
		return out, fmt.Errorf("unable to establish localize target %q: %w", target, err)
	}
	all := &localization{}
	if all.scope, err = l.scope(scope, target); err != nil {
		return out, fmt.Errorf("invalid localize scope %q: %w", scope, err)
	}
	if all.destination, err = newDestination(destination, l, r); err != nil {
		return out, fmt.Errorf("invalid localize destination %q: %w", destination, err)
	}
	below, err := filepath.Rel(all.scope, l.root)
	if err != nil {
		return out, err
	}
	out = Localized{all.destination, filepath.Join(all.destination, below)}
	if err := (&localizer{all, l, out.Target, true}).run(); err != nil {
		return out, errors.Join(fmt.Errorf("unable to localize target %q: %w", target, err), os.RemoveAll(all.destination))
	}
	return out, nil
}

func noRef(url string) error {
	return fmt.Errorf("localize remote root %q missing ref query string parameter", url)
}

// scope is the directory that local names stay in: what the user says, a repository, or the target itself.
func (l *loader) scope(scope, target string) (string, error) {
	switch {
	case l.checkout != "" && scope != "":
		return "", fmt.Errorf("scope %q specified for remote localize target %q", scope, target)
	case l.checkout != "":
		return l.checkout, nil
	case scope == "":
		return l.root, nil
	}
	dir, err := l.directory(scope)
	if err != nil {
		return "", fmt.Errorf("unable to establish localize scope: %w", err)
	}
	if !within(l.root, dir) {
		return "", fmt.Errorf("localize scope %q does not contain target %q at %q", scope, target, l.root)
	}
	return dir, nil
}

// newDestination makes the directory of the copy.
func newDestination(dir string, l *loader, r Repository) (string, error) {
	if dir == "" {
		dir = defaultDestination(l, r)
	}
	if exists(dir) {
		return "", fmt.Errorf("localize destination %q already exists", dir)
	}
	if err := os.Mkdir(dir, 0o777); err != nil {
		return "", fmt.Errorf("unable to create localize destination directory: %w", err)
	}
	abs, _, err := l.fs.Resolve(dir)
	return abs, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// defaultDestination names the copy for the target, and for the ref of a repository.
func defaultDestination(l *loader, r Repository) string {
	const prefix = "localized"
	name := filepath.Base(l.root)
	if l.checkout != "" {
		if l.checkout == l.root {
			name = filepath.Base(strings.TrimRight(repositoryPath(r.URL), "/"))
		}
		return prefix + "-" + name + "-" + strings.ReplaceAll(r.Ref, "/", "-")
	}
	if name == string(filepath.Separator) {
		return prefix
	}
	return prefix + "-" + name
}

// run copies the kustomization. Its fields come out in the order of the alphabet; deprecated ones stay what they are.
func (z *localizer) run() error {
	path, data, err := findKustomization(z.loader)
	if err != nil {
		return err
	}
	k, err := ParseKustomization(data)
	if err != nil {
		return err
	}
	if err := z.fields(k); err != nil {
		return err
	}
	if err := z.plugins(k); err != nil {
		return err
	}
	out, err := yaml.Marshal(k)
	if err != nil {
		return fmt.Errorf("unable to serialize localized kustomization file: %w", err)
	}
	return write(filepath.Join(z.dst, filepath.Base(path)), out)
}

func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o666)
}
