package kustomize

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Options change how a build works.
type Options struct {
	// Unrestricted lets a kustomization read files outside its own directory.
	Unrestricted bool
	// Order is "legacy" (the default, by kind), or "none" to leave resources as they come. A sortOptions field wins.
	Order string
	// Warn receives a line for every deprecated field in use, among others. nil drops them.
	Warn func(line string)
	// Get fetches a file named by an http or https URL; a server's refusal is a *StatusError. nil refuses all of them.
	Get func(url string) ([]byte, error)
	// Clone fetches a git repository into a new directory of the build's file system and gives its path, symbolic links
	// followed, and what removes it. nil refuses all of them.
	Clone func(Repository) (dir string, remove func() error, err error)
	// Helm renders charts. nil refuses them.
	Helm *Helm
	// ManagedBy adds the label app.kubernetes.io/managed-by.
	ManagedBy bool

	// Plugins allows generators, transformers and validators that are not built in. nil refuses them.
	Plugins *Plugins
	// Runner runs their programs and containers.
	Runner Runner

	// Trace notes where each field came from, for its Explain.
	Trace *Trace
}

// Build renders a directory. Objects come in their final order.
func Build(fsys FileSystem, dir string, o Options) (objects []*Object, err error) {
	b := &builder{fs: fsys, options: o, schemas: &schemas{}}
	defer func() { err = errors.Join(err, b.close()) }()
	objects, err = b.build(dir)
	if errors.Is(err, errUnmarked) {
		b.schemas, b.options.Warn = &schemas{marked: true, all: true}, nil
		objects, err = b.build(dir)
	}
	return objects, err
}

func (b *builder) build(dir string) ([]*Object, error) {
	l, err := b.newLoader(dir)
	if err != nil {
		return nil, err
	}
	t, err := b.target(l)
	if err != nil {
		return nil, err
	}
	b.metadata = t.k.BuildMetadata
	if len(b.metadata) > 0 {
		t.origin = &origin{}
	}
	acc, err := t.accumulate(b.accumulator())
	if err != nil {
		return nil, err
	}
	// Names are final only once all kustomizations have had their say; so hashes and references come last.
	acc.enter(t)
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{byHash, func() error { return hashTransformer{}.transform(&acc.resMap) }},
		{byReference, func() error { return acc.fixReferences() }},
		{"vars", func() error { return acc.resolveVars(b.warn) }},
		{"", func() error { return acc.dropLocal() }},
		{"", func() error { return acc.sort(t.k.SortOptions, b.options.Order, b.warn) }},
	} {
		if err := step.run(); err != nil {
			return nil, err
		}
		acc.done(step.name, -1, "")
	}
	return b.finish(acc)
}

// builder is what one build shares.
type builder struct {
	fs       FileSystem
	options  Options
	metadata []string
	schemas  *schemas
	// clones are the directories of the repositories that were fetched.
	clones  map[Repository]string
	cleanup []func() error
}

func (b *builder) warn(line string) {
	if b.options.Warn != nil {
		b.options.Warn(line)
	}
}

// target is one kustomization of a build.
type target struct {
	*builder
	loader *loader
	k      *Kustomization
	path   string
	lines  *lines
	origin *origin
	// helmNamespace is that of the kustomization above, for charts that name none.
	helmNamespace string
}

func (b *builder) target(l *loader) (*target, error) {
	path, data, err := findKustomization(l)
	if err != nil {
		return nil, err
	}
	k, err := ParseKustomization(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, line := range k.warnings() {
		b.warn(line)
	}
	k.Fix()
	if err := k.check(l.root); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	t := &target{builder: b, loader: l, k: k, path: path, lines: newLines(data)}
	if err := t.choose(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// accumulator is the resources so far, with the rules that the end of the build needs.
type accumulator struct {
	resMap
	config *fieldConfig
	vars   []Variable
}

func (b *builder) accumulator() *accumulator {
	return &accumulator{resMap: resMap{trace: b.options.Trace}}
}

// fieldConfig gives the field specs of all transformers.
func (a *accumulator) fieldConfig() *fieldConfig {
	if a.config == nil {
		return defaultConfig()
	}
	return a.config
}

func (a *accumulator) absorbAccumulator(o *accumulator) (err error) {
	if err := a.appendAll(o.list); err != nil {
		return err
	}
	if a.config, err = a.config.merge(o.config); err != nil {
		return err
	}
	return a.addVars(o.vars)
}

// accumulate runs one kustomization. A component works on its parent's resources, anything else on its own.
func (t *target) accumulate(a *accumulator) (*accumulator, error) {
	a.schemas = t.schemas
	for i, path := range t.k.Resources {
		if err := t.resource(a, path); err != nil {
			return nil, &chained{before: t.position("resources", i) + ": accumulating resources: ", err: err}
		}
	}
	if err := t.configure(a); err != nil {
		return nil, err
	}
	a.enter(t)
	if err := t.generate(a); err != nil {
		return nil, err
	}
	for i, path := range t.k.Components {
		var err error
		if a, err = t.component(a, path); err != nil {
			return nil, &chained{before: t.position("components", i) + ": accumulating components: ", err: err}
		}
	}
	a.enter(t)
	if err := t.transform(a); err != nil {
		return nil, err
	}
	if err := t.validate(a); err != nil {
		return nil, err
	}
	if err := a.mergeVars(t.k.Vars); err != nil {
		return nil, fmt.Errorf("%s: merging vars: %w", t.path, err)
	}
	return a, nil
}

// resource adds a file or another kustomization.
func (t *target) resource(a *accumulator, path string) error {
	done, err := t.file(a, path)
	if done {
		return err
	}
	errFile := err
	sub, err := t.below(path, false)
	if no := (noRoot{}); errors.As(err, &no) && !errors.As(errFile, &isDirectory{}) {
		if strings.Contains(errFile.Error(), "MalformedYAMLError") && !timedOut(err) {
			return errFile
		}
		return fmt.Errorf("accumulation err='%w': %w", errFile, err)
	}
	if err != nil {
		return err
	}
	got, err := sub.accumulate(t.accumulator())
	if err != nil {
		return &chained{before: "recursed accumulation of path '" + sub.loader.root + "': ", err: err}
	}
	if err := a.absorbAccumulator(got); err != nil {
		return fmt.Errorf("recursed merging from path '%s': %w", sub.loader.root, err)
	}
	return nil
}

// file adds what a file or a URL holds. It is not done where the name may still be that of a kustomization: there is no
// such file, or what a URL leads to is no manifest but perhaps the page of a repository.
func (t *target) file(a *accumulator, path string) (done bool, err error) {
	data, source, err := t.loader.read(path)
	var status *StatusError
	done = err == nil || errors.As(err, &status) || unreadable(err)
	if err == nil {
		var list []*Object
		if list, err = t.schemas.parse(data); err == nil {
			err = t.add(a, path, source, list)
		} else {
			err = fmt.Errorf("%w in File: %s", err, path)
			done = !isRemoteFile(path)
		}
	}
	if err != nil {
		err = fmt.Errorf("accumulating resources from '%s': %w", path, err)
	}
	return done, err
}

// add takes in what a file or a URL holds.
func (t *target) add(a *accumulator, path, source string, list []*Object) error {
	t.schemas.see(list)
	for _, o := range list {
		o.foldAnnotations()
		// A file may have been through a build before, and still say so.
		o.open = o.asksForHash()
		if err := o.recall(); err != nil {
			return fmt.Errorf("%s: %w", o.id(), err)
		}
		o.source = source
		if t.origin != nil {
			if err := o.cameFrom(t.origin.join(path)); err != nil {
				return err
			}
		}
	}
	if err := a.appendAll(list); err != nil {
		return fmt.Errorf("merging resources from '%s': %w", path, err)
	}
	t.loaded(&a.resMap, list, path, source)
	return nil
}

func parseObjects(data []byte) ([]*Object, error) { return parse(data, false) }

func parse(data []byte, marked bool) ([]*Object, error) {
	docs, err := readAll(data, marked)
	if err != nil {
		return nil, err
	}
	return objectsOf(docs)
}

func (t *target) component(a *accumulator, path string) (*accumulator, error) {
	sub, err := t.below(path, true)
	if no := (noRoot{}); errors.As(err, &no) {
		return nil, fmt.Errorf("loader.New \"%w\"", err)
	}
	if err != nil {
		return nil, fmt.Errorf("accumulateDirectory: \"%w\"", err)
	}
	got, err := sub.accumulate(a)
	if err != nil {
		return nil, &chained{before: "accumulateDirectory: \"recursed accumulation of path '" + sub.loader.root + "': ", err: err, after: `"`}
	}
	// All resources are taken in once more, so none may have the name of another now.
	whole := t.accumulator()
	whole.schemas = t.schemas
	if err := whole.absorbAccumulator(got); err != nil {
		return nil, fmt.Errorf("accumulateDirectory: \"recursed merging from path '%s': %w\"", sub.loader.root, err)
	}
	return whole, nil
}

// noRoot is the error of a name behind which there is no directory to build.
type noRoot struct{ error }

func (t *target) below(path string, component bool) (*target, error) {
	l, err := t.loader.below(path)
	if err != nil {
		return nil, noRoot{err}
	}
	sub, err := t.target(l)
	if err != nil {
		return nil, fmt.Errorf("couldn't make target for path '%s': %w", l.root, err)
	}
	sub.helmNamespace = or(t.k.Namespace, t.helmNamespace)
	if sub.origin = t.origin; t.origin != nil {
		sub.origin = t.origin.join(path)
	}
	switch is := sub.k.Kind == componentKind; {
	case component && !is:
		return nil, fmt.Errorf("expected kind 'Component' for path '%s' but got '%s'", l.root, sub.k.Kind)
	case !component && is:
		return nil, fmt.Errorf("expected kind != 'Component' for path '%s': list it under components, not resources", l.root)
	}
	return sub, nil
}

// localConfig marks what is there for the build alone.
const localConfig = "config.kubernetes.io/local-config"

func (a *accumulator) dropLocal() error {
	local := false
	for _, o := range a.list {
		if err := errors.Join(checkObject(o.root), o.checkNotes()); err != nil {
			return err
		}
		local = local || o.isLocal()
	}
	if !local {
		return nil
	}
	wanted := make(map[id]bool, len(a.list))
	for _, o := range a.list {
		if !o.isLocal() {
			wanted[o.id()] = true
		}
	}
	a.list = slices.DeleteFunc(a.list, func(o *Object) bool { return !wanted[o.id()] })
	a.renamed()
	return nil
}

func (o *Object) isLocal() bool {
	v := o.root.at("metadata", "annotations", localConfig)
	return v != nil && v.value != "false"
}
