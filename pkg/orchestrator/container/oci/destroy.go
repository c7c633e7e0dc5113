package oci

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// Destroy takes away all that Runtimes over a directory ever made: shims, containers, cgroups, mounts, files. It needs no
// Runtime and no shim program; no Runtime may be open. The network room removes its own part.
func Destroy(ctx context.Context, dir, cgroupRoot string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("destroy containers: %w", err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "sandboxes"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("destroy containers: %w", err)
	}
	for _, e := range entries {
		s := &sandbox{dir: filepath.Join(dir, "sandboxes", e.Name())}
		if _, err := os.Lstat(filepath.Join(s.dir, wire.Socket)); err == nil {
			s.shutShim(ctx)
		}
	}
	if err := RemoveCgroups(cgroupRoot); err != nil {
		return fmt.Errorf("destroy containers: %w", err)
	}
	if err := removeTree(dir); err != nil {
		return fmt.Errorf("destroy containers: %w", err)
	}
	return nil
}
