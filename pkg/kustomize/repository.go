package kustomize

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Repository is a git repository as a URL in a kustomization names it.
type Repository struct {
	// URL is what git fetches from, Ref the branch, tag or commit; HEAD if it is empty.
	URL, Ref string
	// Path is the directory in the repository that the URL goes on to.
	Path       string
	Submodules bool
	// Timeout is that of a single git command.
	Timeout time.Duration
}

const gitTimeout = 27 * time.Second

// schemes are what the URL of a repository may begin with, in any case.
var schemes = [...]string{"ssh://", "https://", "http://", "file://"}

// gitPrefix once chose the protocol; it is taken off and has no effect.
const gitPrefix = "git::"

// parseRepository takes a URL apart. What is no URL of a repository is an error: it may be a file or a directory then.
func parseRepository(s string) (Repository, error) {
	if filepath.IsAbs(s) {
		return Repository{}, fmt.Errorf("uri looks like abs path: %s", s)
	}
	s, query, _ := strings.Cut(s, "?")
	r := Repository{Submodules: true, Timeout: gitTimeout}
	r.setQuery(query)
	host, rest, err := splitHost(s)
	if err != nil {
		return r, err
	}
	root, path, ok := splitMarked(rest)
	if !ok {
		root, path, ok = splitCounted(rest, strings.HasPrefix(host, "file://"))
	}
	if !ok || root == "" {
		return r, errors.New("failed to parse repo path segment")
	}
	if first, _, _ := strings.Cut(filepath.ToSlash(filepath.Clean(strings.TrimPrefix(path, "/"))), "/"); first == ".." {
		return r, fmt.Errorf("url path exits repo: %s", rest)
	}
	r.URL, r.Path = host+root, strings.TrimPrefix(path, "/")
	return r, nil
}

// setQuery reads the parameters. What cannot be read counts as not there.
func (r *Repository) setQuery(query string) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return
	}
	r.Ref = or(values.Get("ref"), values.Get("version"))
	if s := values.Get("timeout"); s != "" {
		if n, err := strconv.Atoi(s); err == nil && n > 0 {
			r.Timeout = time.Duration(n) * time.Second
		} else if d, err := time.ParseDuration(s); err == nil && d > 0 {
			r.Timeout = d
		}
	}
	if on, err := strconv.ParseBool(values.Get("submodules")); err == nil {
		r.Submodules = on
	}
}

// userName gives what looks like one at the beginning of a URL, with its "@".
func userName(s string) string {
	name, _, ok := strings.Cut(s, "@")
	letters := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	odd := func(r rune) bool { return !letters(r) && r != '-' && (r < '0' || r > '9') }
	if !ok || name == "" || !letters(rune(name[0])) || strings.ContainsFunc(name, odd) {
		return ""
	}
	return s[:len(name)+1]
}

// splitHost gives what comes before the path: scheme, user and host; for a file:// URL the scheme alone.
func splitHost(s string) (host, rest string, err error) {
	if hasPrefixFold(s, gitPrefix) {
		s = s[len(gitPrefix):]
	}
	scheme := ""
	for _, known := range schemes {
		if hasPrefixFold(s, known) {
			scheme, s = known, s[len(known):]
			break
		}
	}
	user := userName(s)
	if scheme == "file://" {
		return scheme, s, nil
	}
	s = s[len(user):]
	github := hasPrefixFold(s, "github.com/") || hasPrefixFold(s, "github.com:")
	scp := scheme == "" && (user != "" || github)
	if scheme == "" && !scp {
		return "", "", errors.New("failed to parse scheme")
	}
	host = s
	if at := hostEnd(s, scp); at >= 0 {
		host, rest = s[:at+1], s[at+1:]
	}
	switch {
	case host == "":
		return "", "", errors.New("failed to parse host segment")
	case github && (scheme == "ssh://" || user != ""):
		return user + "github.com:", rest, nil
	case github:
		return "https://github.com/", rest, nil
	}
	return scheme + user + host, rest, nil
}

// hostEnd finds the slash after the host, or the colon of user@host:path.
func hostEnd(s string, scp bool) int {
	slash := strings.IndexByte(s, '/')
	if !scp {
		return slash
	}
	colon := strings.IndexByte(s, ':')
	if slash == -1 || colon > 0 && colon < slash {
		return colon
	}
	return slash
}

// splitMarked parts the repository from the directory in it where the URL says so: after _git/NAME, at //, or after .git.
func splitMarked(s string) (root, path string, ok bool) {
	const azure, suffix = "_git/", ".git"
	if i := strings.Index(s, azure); i >= 0 {
		name, path, _ := strings.Cut(s[i+len(azure):], "/")
		return s[:i+len(azure)] + name, path, true
	}
	if root, path, ok := strings.Cut(s, "//"); ok {
		return root, path, true
	}
	if i := strings.Index(s, suffix); i >= 0 {
		return s[:i+len(suffix)], s[i+len(suffix):], true
	}
	return "", "", false
}

// splitCounted takes organisation and repository, as on GitHub; of a local path all.
func splitCounted(s string, all bool) (root, path string, ok bool) {
	if all {
		return s, "", true
	}
	org, rest, ok := strings.Cut(s, "/")
	if !ok {
		return "", "", false
	}
	name, path, _ := strings.Cut(rest, "/")
	return org + "/" + name, path, true
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// isRemoteFile holds for what is fetched rather than read.
func isRemoteFile(path string) bool {
	u, err := url.Parse(path)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https")
}
