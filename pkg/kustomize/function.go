package kustomize

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var errRootDirectory = errors.New("root working directory '/' not allowed")

// function is a plugin that reads and writes a ResourceList: an executable, or the image of a container.
type function struct {
	*target
	spec   functionSpec
	config *Object
}

func (f *function) prepare(t *target) error {
	f.target = t
	for _, m := range f.spec.Container.Mounts {
		where := ""
		switch {
		case filepath.IsAbs(m.Source):
			where = "relative to"
		case strings.HasPrefix(filepath.Clean(m.Source), ".."):
			where = "under"
		default:
			continue
		}
		return fmt.Errorf("plugin %s with mount path '%s' is not permitted; mount paths must be %s the current kustomization directory",
			f.config.id(), m.Source, where)
	}
	return nil
}

// generate runs the function on its own config, which is marked so that it leaves no trace in the output.
func (f *function) generate() ([]*Object, error) {
	out, err := f.run(nil)
	if err != nil {
		return nil, err
	}
	return generatedBy(out)
}

func (f *function) transform(m *resMap) error {
	inputs, err := m.identified()
	if err != nil {
		return err
	}
	out, err := f.run(inputs)
	if err != nil {
		return err
	}
	who := fmt.Sprintf("api: %s, kind: %s, name: %s", f.config.APIVersion(), f.config.Kind(), f.config.Name())
	return m.update(who, out)
}

// run gives what the function makes of documents.
func (f *function) run(inputs []*node) ([]*Object, error) {
	config, err := f.config.told()
	if err != nil {
		return nil, err
	}
	config.ensureMap("metadata").ensureMap("annotations")
	wire, err := wireDocument(config)
	if err != nil {
		return nil, err
	}
	annotate(wire, localConfig, "true")
	items := make([]*yaml.Node, len(inputs))
	for i, n := range inputs {
		if items[i], err = wireDocument(n); err != nil {
			return nil, err
		}
	}
	if len(items) == 0 {
		items = []*yaml.Node{copyWire(wire)}
	}
	if items, err = f.pipe(items, wire); err != nil {
		return nil, fmt.Errorf("couldn't execute function: %w", err)
	}
	return fromWire(items)
}

// fromWire reads documents that come from a function.
func fromWire(items []*yaml.Node) ([]*Object, error) {
	docs := make([]any, len(items))
	for i, n := range items {
		docs[i] = n
	}
	text, err := encodeYAML(docs...)
	if err != nil {
		return nil, err
	}
	return parseObjects(text)
}

func copyWire(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, item := range n.Content {
		c.Content[i] = copyWire(item)
	}
	return &c
}

// pipe sends items through the function. One that may not run lets them pass, as in kustomize.
func (f *function) pipe(items []*yaml.Node, config *yaml.Node) ([]*yaml.Node, error) {
	call, err := f.call()
	if call == nil || err != nil {
		return items, err
	}
	for i, n := range items {
		track(n, indexTracker, strconv.Itoa(i))
		annotate(n, migrationID, strconv.Itoa(i))
		annotate(n, trackers[idTracker].now, strconv.Itoa(i+1))
		annotate(n, trackers[idTracker].before, strconv.Itoa(i+1))
	}
	input, err := resourceList(items, config)
	if err != nil {
		return nil, err
	}
	text, errRun := call(input)
	out, err := readResourceList(text)
	if err != nil {
		return nil, errors.Join(err, errRun)
	}
	for _, n := range out {
		if err := matchShape(items, n); err != nil {
			return nil, errors.Join(err, errRun)
		}
	}
	if errRun != nil {
		return nil, errRun
	}
	for _, n := range out {
		if err := retrack(items, n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// call gives what sends a ResourceList through the program or container, nil if there is none that may run.
func (f *function) call() (func(input []byte) ([]byte, error), error) {
	p, container, program := f.options.Plugins, f.spec.Container, f.spec.Exec
	if container.Network && !p.Network {
		return nil, errors.New("network required but not enabled with --network")
	}
	var run func([]byte) ([]byte, error)
	switch dir := f.loader.root; {
	case container.Image != "":
		run = func(input []byte) ([]byte, error) {
			return f.options.Runner.RunContainer(Container{
				Image: container.Image, Network: container.Network, AsCurrentUser: p.AsCurrentUser, Dir: dir, Input: input,
				Mounts: append(slices.Clip(container.Mounts), p.Mounts...), Env: containerEnv(container.Env, p.Env),
			})
		}
	case program.Path != "" && p.Exec:
		run = func(input []byte) ([]byte, error) {
			return f.options.Runner.Run(Program{Path: program.Path, Args: program.Args, Env: programEnv(program.Env, p.Env), Dir: dir, Input: input})
		}
	default:
		return nil, nil
	}
	if f.loader.root == "/" {
		return nil, errRootDirectory
	}
	return run, nil
}

// containerEnv gives the variables of a container: the defaults, those of the config, and those of the command line, which
// win. Names without a value come last.
func containerEnv(config, flags []string) []string {
	values := map[string]string{}
	var names []string
	defaults := []string{"LOG_TO_STDERR=true", "STRUCTURED_RESULTS=true"}
	for _, list := range [][]string{config, defaults, flags} {
		for _, entry := range list {
			if name, value, ok := strings.Cut(entry, "="); ok {
				values[name] = value
			} else if !slices.Contains(names, entry) {
				names = append(names, entry)
			}
		}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out = append(out, name+"="+values[name])
	}
	return append(out, names...)
}

// programEnv gives the variables of an executable. What is not NAME=VALUE with one "=" does not count, as in kustomize.
func programEnv(config, flags []string) []string {
	values := map[string]string{}
	for _, list := range [][]string{config, flags} {
		for _, entry := range list {
			if name, value, ok := strings.Cut(entry, "="); ok && !strings.Contains(value, "=") {
				values[name] = value
			}
		}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out = append(out, name+"="+values[name])
	}
	return out
}
