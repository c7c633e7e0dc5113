package orchestrator

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindRuntime(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	path := filepath.Join(dir, "runc")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{"": "", "runc": path, path: path} {
		if got, err := findRuntime(given); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", given, got, err, want)
		}
	}
	if _, err := findRuntime(filepath.Join(dir, "runsc")); err == nil || !strings.Contains(err.Error(), "--oci-runtime=PATH") {
		t.Errorf("missing: %v", err)
	}
}
