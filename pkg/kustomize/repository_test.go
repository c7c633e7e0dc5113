package kustomize

import (
	"strings"
	"testing"
	"time"
)

func TestParseRepository(t *testing.T) {
	for url, want := range map[string]Repository{
		"https://github.com/org/repo":                      {URL: "https://github.com/org/repo"},
		"https://github.com/org/repo/a/b?ref=v1":           {URL: "https://github.com/org/repo", Path: "a/b", Ref: "v1"},
		"https://github.com/org/repo//a/?version=v2&ref=":  {URL: "https://github.com/org/repo", Path: "a/", Ref: "v2"},
		"HTTPS://user@GitHub.com/org/repo.git/a":           {URL: "user@github.com:org/repo.git", Path: "a"},
		"github.com/org/repo/a":                            {URL: "https://github.com/org/repo", Path: "a"},
		"github.com:org/repo":                              {URL: "https://github.com/org/repo"},
		"git@github.com:org/repo/a":                        {URL: "git@github.com:org/repo", Path: "a"},
		"git@gitlab.example.com:deep/er/repo.git//a":       {URL: "git@gitlab.example.com:deep/er/repo.git", Path: "a"},
		"ssh://git@gitlab.example.com:2222/org/repo/a":     {URL: "ssh://git@gitlab.example.com:2222/org/repo", Path: "a"},
		"git::https://example.com/org/repo":                {URL: "https://example.com/org/repo"},
		"https://dev.azure.com/org/p/_git/repo/a/b":        {URL: "https://dev.azure.com/org/p/_git/repo", Path: "a/b"},
		"file:///srv/repo":                                 {URL: "file:///srv/repo"},
		"file:///srv/repo.git/a":                           {URL: "file:///srv/repo.git", Path: "a"},
		"file:///srv/repo//a?submodules=false&timeout=90s": {URL: "file:///srv/repo", Path: "a", Timeout: 90 * time.Second},
		"package@v1.28.0.example/configs/base":             {URL: "package@v1.28.0.example/configs/base"},
	} {
		if want.Timeout == 0 {
			want.Timeout, want.Submodules = gitTimeout, true
		}
		if got, err := parseRepository(url); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", url, got, err, want)
		}
	}
	for url, want := range map[string]string{
		"/abs/org/repo":                "looks like abs path",
		"dir/org/repo":                 "failed to parse scheme",
		"https://example.com/repo":     "failed to parse repo path segment",
		"https://":                     "host",
		"https://github.com/o/r//../x": "exits repo",
	} {
		if got, err := parseRepository(url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, %v, want an error with %q", url, got, err, want)
		}
	}
}
