package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// outcome is what an engine makes of a case.
type outcome struct {
	out      []byte
	err      error
	panicked bool
	hung     bool
}

// patience is how long a build of a small case may take.
const patience = 20 * time.Second

func guarded(build func() ([]byte, error)) outcome {
	done := make(chan outcome, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- outcome{err: fmt.Errorf("panic: %v", p), panicked: true}
			}
		}()
		out, err := build()
		done <- outcome{out: out, err: err}
	}()
	select {
	case o := <-done:
		return o
	case <-time.After(patience):
		return outcome{err: fmt.Errorf("still building after %s", patience), hung: true}
	}
}

// theirs builds with the real one, in its own file system in memory.
func theirs(files map[string]string, dir string) outcome {
	return guarded(func() ([]byte, error) {
		fsys := filesys.MakeFsInMemory()
		for name, data := range files {
			if err := fsys.WriteFile(name, []byte(data)); err != nil {
				return nil, err
			}
		}
		options := krusty.MakeDefaultOptions()
		options.Reorder = krusty.ReorderOptionUnspecified
		m, err := krusty.MakeKustomizer(options).Run(fsys, filepath.Join(root, dir))
		if err != nil {
			return nil, err
		}
		out, err := m.AsYaml()
		// A library knows no version of its own.
		return []byte(strings.ReplaceAll(string(out), "kustomize-(devel)", "kustomize-"+kustomize.Version)), err
	})
}

func ours(files map[string]string, dir string) outcome {
	return guarded(func() ([]byte, error) {
		objects, err := kustomize.Build(kustomize.Memory(files), filepath.Join(root, dir), kustomize.Options{})
		if err != nil {
			return nil, err
		}
		return kustomize.Write(objects)
	})
}
