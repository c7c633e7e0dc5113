package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// helm puts the program that the cases with charts call beside the cases, under the name that they call it by. Its build
// takes minutes: it is done once, and again only when its module has changed; and not at all if no chosen case has a chart.
func helm(bin, match string) error {
	wanted, err := chosen(filepath.Join(bin, "krusty.test"), match, "Helm")
	if err != nil || !wanted {
		return err
	}
	cached, err := filepath.Abs("../../../.cache/helmV3")
	if err != nil {
		return err
	}
	old, err := outdated(cached, "helm/go.mod", "helm/go.sum")
	if err != nil {
		return err
	}
	if old {
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", cached, "helm.sh/helm/v3/cmd/helm")
		cmd.Dir = "helm"
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build helm from its module: %w: %s", err, out)
		}
	}
	return os.Symlink(cached, filepath.Join(bin, "helmV3"))
}

// chosen tells whether a case with the word in its name is among those of a program that will run.
func chosen(binary, match, word string) (bool, error) {
	// The cases inside of cases, after a slash, are not listed: who asks for those may get it in vain.
	if match == "" || strings.Contains(match, "/") {
		return true, nil
	}
	out, err := exec.Command(binary, "-test.list", match).Output()
	if err != nil {
		return false, fmt.Errorf("list the cases that match %q: %w", match, err)
	}
	return strings.Contains(string(out), word), nil
}

// outdated tells whether a file is missing or older than one of its sources.
func outdated(file string, sources ...string) (bool, error) {
	built, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	for _, source := range sources {
		info, err := os.Stat(source)
		if err != nil {
			return false, err
		}
		if info.ModTime().After(built.ModTime()) {
			return true, nil
		}
	}
	return false, nil
}
