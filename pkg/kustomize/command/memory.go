package command

import (
	"os"

	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/watch"
)

// memory is what a watch keeps from one build for the next: what is remote is fetched once.
type memory struct {
	files  map[string][]byte
	clones map[kustomize.Repository]string
	remove []func() error
}

// use puts the memory between a build and the network, and has the recorder know of the charts that helm reads.
func (m *memory) use(o *kustomize.Options, fsys kustomize.FileSystem) {
	get, clone := o.Get, o.Clone
	o.Get = func(url string) ([]byte, error) {
		if data, ok := m.files[url]; ok {
			return data, nil
		}
		data, err := get(url)
		if err == nil {
			m.files[url] = data
		}
		return data, err
	}
	o.Clone = func(r kustomize.Repository) (string, func() error, error) {
		keep := func() error { return nil }
		if dir, ok := m.clones[r]; ok {
			return dir, keep, nil
		}
		dir, remove, err := clone(r)
		if err == nil {
			m.clones[r], m.remove = dir, append(m.remove, remove)
		}
		return dir, keep, err
	}
	recorder, ok := fsys.(*watch.Recorder)
	if !ok || o.Helm == nil {
		return
	}
	helm := *o.Helm
	run := helm.Run
	helm.Run = func(args, env []string) (stdout, stderr []byte, err error) {
		for _, arg := range args {
			if info, err := os.Stat(arg); err == nil && info.IsDir() {
				recorder.Tree(arg)
			}
		}
		return run(args, env)
	}
	o.Helm = &helm
}

// forget removes the repositories that were fetched.
func (m *memory) forget() {
	for _, remove := range m.remove {
		// The system clears its temporary directories if we cannot.
		_ = remove()
	}
}
