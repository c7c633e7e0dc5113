package build

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// packages downloads Debian packages into dir, unless they are there, and gives their files' paths.
func packages(ctx context.Context, dir string, names ...string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var missing, files []string
	for _, name := range names {
		if found, _ := filepath.Glob(filepath.Join(dir, name+"_*.deb")); len(found) == 0 {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		if err := download(ctx, dir, missing); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		found, _ := filepath.Glob(filepath.Join(dir, name+"_*.deb"))
		if len(found) == 0 {
			return nil, fmt.Errorf("apt-get download left no %s", name)
		}
		files = append(files, found[0])
	}
	return files, nil
}

// download fetches packages; a machine whose lists are old or missing gets new ones first.
func download(ctx context.Context, dir string, names []string) error {
	for last := false; ; last = true {
		cmd := exec.CommandContext(ctx, "apt-get", append([]string{"download", "-q"}, names...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err == nil {
			return nil
		}
		if last {
			return fmt.Errorf("apt-get download: %w\n%s", err, out)
		}
		if out, err := exec.CommandContext(ctx, "apt-get", "update", "-q").CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get update: %w\n%s", err, out)
		}
	}
}

// libraries gives the library packages that a program's packages need, at any depth.
func libraries(ctx context.Context, names ...string) ([]string, error) {
	args := []string{"depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks",
		"--no-replaces", "--no-enhances", "--no-pre-depends"}
	out, err := exec.CommandContext(ctx, "apt-cache", append(args, names...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("apt-cache depends: %w", err)
	}
	var libs []string
	for line := range strings.Lines(string(out)) {
		name := strings.TrimSpace(line)
		if strings.ContainsAny(line[:1], " |<") || strings.Contains(name, "perl") || strings.Contains(name, "pam") {
			continue
		}
		if strings.HasPrefix(name, "lib") || name == "zlib1g" {
			libs = append(libs, name)
		}
	}
	slices.Sort(libs)
	return slices.Compact(libs), nil
}

// unneeded are parts of packages that no container looks at.
var unneeded = []string{"usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian", "usr/share/bash-completion",
	"usr/share/bug", "etc/init.d", "lib/systemd", "etc/default", "etc/logrotate.d"}

// packages reads the files of Debian packages into the layer.
func (l *layer) packages(ctx context.Context, debs []string) error {
	for _, deb := range debs {
		out, err := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb).Output()
		if err != nil {
			return fmt.Errorf("dpkg-deb %s: %w", deb, err)
		}
		if err := l.archive(bytes.NewReader(out)); err != nil {
			return fmt.Errorf("read %s: %w", deb, err)
		}
	}
	return nil
}

func (l *layer) archive(r io.Reader) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		if name == "" || slices.ContainsFunc(unneeded, func(p string) bool { return name == p || strings.HasPrefix(name, p+"/") }) {
			continue
		}
		body, err := io.ReadAll(t)
		if err != nil {
			return err
		}
		h.Name = name
		if h.Typeflag == tar.TypeLink {
			h.Linkname = strings.TrimPrefix(path.Clean("/"+h.Linkname), "/")
		}
		l.put(h, body)
	}
}
