package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// Clone fetches one commit of a repository with the git program into a temporary directory.
func Clone(r kustomize.Repository) (dir string, remove func() error, err error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return "", nil, fmt.Errorf("no 'git' program on path: %w", err)
	}
	if strings.HasPrefix(r.Ref, "-") {
		return "", nil, fmt.Errorf("ref '%s' of %s would be an option of git: name a branch, tag or commit", r.Ref, r.URL)
	}
	if dir, err = os.MkdirTemp("", "kustomize-"); err != nil {
		return "", nil, err
	}
	remove = func() error { return os.RemoveAll(dir) }
	real, err := filepath.EvalSymlinks(dir)
	if err == nil {
		err = checkout(program, real, r)
	}
	if err != nil {
		return "", nil, errors.Join(err, remove())
	}
	return real, remove, nil
}

func checkout(program, dir string, r kustomize.Repository) error {
	ref := r.Ref
	if ref == "" {
		ref = "HEAD"
	}
	steps := [][]string{
		{"init"},
		// Submodules with a relative URL start from the remote called origin.
		{"remote", "add", "origin", r.URL},
		{"fetch", "--depth=1", r.URL, ref},
		{"checkout", "FETCH_HEAD"},
	}
	if r.Submodules {
		steps = append(steps, []string{"submodule", "update", "--init", "--recursive"})
	}
	for _, args := range steps {
		if err := git(program, dir, r.Timeout, args); err != nil {
			return err
		}
	}
	return nil
}

// gitGrace is how long what git started may go on after it was ended.
const gitGrace = 2 * time.Second

func git(program, dir string, timeout time.Duration, args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.WaitDelay = dir, gitGrace
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return fmt.Errorf("hit %s timeout running '%s': %w", timeout, cmd, ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("failed to run '%s': %s: %w", cmd, strings.TrimSpace(string(out)), err)
	}
	return nil
}
