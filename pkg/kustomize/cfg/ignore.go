package cfg

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ignore is the content of a package's .krmignore: patterns as in a .gitignore, without "**".
type ignore struct {
	base  string
	rules []rule
}

type rule struct {
	pattern                 string
	negated, anchored, dirs bool
}

func readIgnore(dir string) (ignore, error) {
	out := ignore{base: dir}
	f, err := os.Open(filepath.Join(dir, ".krmignore"))
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if r, ok := parseRule(strings.TrimSpace(lines.Text())); ok {
			out.rules = append(out.rules, r)
		}
	}
	return out, lines.Err()
}

func parseRule(line string) (r rule, ok bool) {
	if line == "" || line[0] == '#' {
		return r, false
	}
	line, r.negated = strings.CutPrefix(line, "!")
	line, r.dirs = strings.CutSuffix(line, "/")
	r.anchored = strings.Contains(line, "/")
	r.pattern = strings.TrimPrefix(line, "/")
	return r, r.pattern != ""
}

// match tells whether a path is to be left out; the last rule that speaks of it decides.
func (i ignore) match(path string, dir bool) bool {
	rel, err := filepath.Rel(i.base, path)
	if err != nil {
		return false
	}
	out := false
	for _, r := range i.rules {
		if r.dirs && !dir {
			continue
		}
		name := filepath.Base(rel)
		if r.anchored {
			name = filepath.ToSlash(rel)
		}
		if ok, err := filepath.Match(r.pattern, name); ok && err == nil {
			out = !r.negated
		}
	}
	return out
}
