package kustomize

import (
	"errors"
	"fmt"
)

// Options change how a build works.
type Options struct {
	// Unrestricted lets a kustomization read files outside its own directory.
	Unrestricted bool
	// Order is "legacy" (the default, by kind), or "none" to leave resources as they come. A sortOptions field wins.
	Order string
	// Warn receives a line for every deprecated field in use, among others. nil drops them.
	Warn func(line string)
	// Get fetches a resource named by an http or https URL. nil refuses all of them.
	Get func(url string) ([]byte, error)
	// ManagedBy adds the label app.kubernetes.io/managed-by.
	ManagedBy bool
}

// Build renders a directory. Objects come in their final order.
func Build(fsys FileSystem, dir string, o Options) ([]*Object, error) {
	l, err := newLoader(fsys, dir, o.Unrestricted)
	if err != nil {
		return nil, err
	}
	b := &builder{options: o}
	t, err := b.target(l)
	if err != nil {
		return nil, err
	}
	b.metadata = t.k.BuildMetadata
	if len(b.metadata) > 0 {
		t.origin = &origin{}
	}
	acc, err := t.accumulate(&accumulator{})
	if err != nil {
		return nil, err
	}
	// Names are final only once all kustomizations have had their say; so hashes and references come last.
	for _, step := range []func() error{
		func() error { return acc.addHashes() },
		func() error { return acc.fixReferences() },
		func() error { return acc.resolveVars(b.warn) },
		func() error { return acc.dropLocal() },
		func() error { return acc.sort(t.k.SortOptions, o.Order, b.warn) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return b.finish(acc)
}

// Write prints objects as kustomize does.
func Write(objects []*Object) ([]byte, error) {
	var out []byte
	var err error
	for i, o := range objects {
		if i > 0 {
			out = append(out, "---\n"...)
		}
		if out, err = writeYAML(out, o.root); err != nil {
			return nil, fmt.Errorf("write %s: %w", o.id(), err)
		}
	}
	return out, nil
}

// builder is what one build shares.
type builder struct {
	options  Options
	metadata []string
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
	origin *origin
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
	k.fix()
	if err := k.check(l.root); err != nil {
		return nil, err
	}
	if err := k.refuse(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &target{builder: b, loader: l, k: k, path: path}, nil
}

// accumulator is the resources so far, with the rules that the end of the build needs.
type accumulator struct {
	resMap
	config *fieldConfig
	vars   []Variable
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
	for _, path := range t.k.Resources {
		if err := t.resource(a, path); err != nil {
			return nil, fmt.Errorf("accumulating resources: %w", err)
		}
	}
	if err := t.configure(a); err != nil {
		return nil, err
	}
	if err := t.generate(a); err != nil {
		return nil, err
	}
	for _, path := range t.k.Components {
		var err error
		if a, err = t.component(a, path); err != nil {
			return nil, fmt.Errorf("accumulating components: %w", err)
		}
	}
	for _, transform := range t.transformers(a) {
		if err := transform(&a.resMap); err != nil {
			return nil, fmt.Errorf("%s: %w", t.path, err)
		}
		a.dropEmpty()
	}
	if err := a.mergeVars(t.k.Vars); err != nil {
		return nil, fmt.Errorf("%s: merging vars: %w", t.path, err)
	}
	return a, nil
}

// resource adds a file or another kustomization.
func (t *target) resource(a *accumulator, path string) error {
	if path != "" && !isURL(path) {
		full := t.loader.join(path)
		abs, dir, err := t.loader.fs.Resolve(full)
		if err != nil {
			return fmt.Errorf("%s: accumulating resources from '%s': %w (name a file, or a directory with a kustomization.yaml)", t.path, path, err)
		}
		if !dir {
			return t.file(a, path, full, abs)
		}
	}
	if isHTTP(path) && t.options.Get != nil {
		data, err := t.options.Get(path)
		if err != nil {
			return fmt.Errorf("%s: accumulating resources from '%s': %w", t.path, path, err)
		}
		// What is no manifest is the page of a repository.
		if list, err := parseObjects(data); err == nil {
			return t.add(a, path, path, list)
		}
	}
	sub, err := t.below(path, false)
	if err != nil {
		return err
	}
	got, err := sub.accumulate(&accumulator{})
	if err != nil {
		return fmt.Errorf("recursed accumulation of path '%s': %w", sub.loader.root, err)
	}
	if err := a.absorbAccumulator(got); err != nil {
		return fmt.Errorf("%s: recursed merging from path '%s': %w", t.path, sub.loader.root, err)
	}
	return nil
}

func (t *target) file(a *accumulator, path, full, abs string) error {
	wrap := func(err error) error {
		return fmt.Errorf("%s: accumulating resources from '%s': %w", t.path, path, err)
	}
	data, err := t.loader.read(full, abs, false)
	if err != nil {
		return wrap(err)
	}
	list, err := parseObjects(data)
	if err != nil {
		return wrap(fmt.Errorf("%w in File: %s", err, path))
	}
	return t.add(a, path, abs, list)
}

// add takes in what a file or a URL holds.
func (t *target) add(a *accumulator, path, source string, list []*Object) error {
	for _, o := range list {
		o.source = source
		o.origin = t.origin.join(path)
	}
	if err := a.appendAll(list); err != nil {
		return fmt.Errorf("%s: accumulating resources from '%s': merging resources from '%s': %w", t.path, path, path, err)
	}
	return nil
}

func parseObjects(data []byte) ([]*Object, error) {
	docs, err := readDocuments(data)
	if err != nil {
		return nil, err
	}
	return objectsOf(docs)
}

func (t *target) component(a *accumulator, path string) (*accumulator, error) {
	sub, err := t.below(path, true)
	if err != nil {
		return nil, err
	}
	got, err := sub.accumulate(a)
	if err != nil {
		return nil, fmt.Errorf("recursed accumulation of path '%s': %w", sub.loader.root, err)
	}
	return got, nil
}

func (t *target) below(path string, component bool) (*target, error) {
	l, err := t.loader.below(path)
	if err != nil {
		return nil, fmt.Errorf("%s: '%s': %w", t.path, path, err)
	}
	sub, err := t.target(l)
	if err != nil {
		return nil, fmt.Errorf("%s: couldn't make target for path '%s': %w", t.path, l.root, err)
	}
	if sub.origin = t.origin; t.origin != nil {
		sub.origin = t.origin.join(path)
	}
	switch is := sub.k.Kind == componentKind; {
	case component && !is:
		return nil, fmt.Errorf("%s: expected kind 'Component' for path '%s' but got '%s'", t.path, l.root, sub.k.Kind)
	case !component && is:
		return nil, fmt.Errorf("%s: expected kind != 'Component' for path '%s': list it under components, not resources", t.path, l.root)
	}
	return sub, nil
}

// transformers lists what a kustomization does to its resources, in order.
func (t *target) transformers(a *accumulator) []func(*resMap) error {
	config := a.config
	if config == nil {
		config = defaultConfig()
	}
	k := t.k
	return []func(*resMap) error{
		func(m *resMap) error { return t.patchesStrategicMerge(m) },
		func(m *resMap) error { return t.patches(m) },
		func(m *resMap) error { return setNamespace(m, k.Namespace, config.Namespace) },
		func(m *resMap) error { return addPrefix(m, k.NamePrefix, config.NamePrefix) },
		func(m *resMap) error { return addSuffix(m, k.NameSuffix, config.NameSuffix) },
		func(m *resMap) error { return addLabels(m, k, config) },
		func(m *resMap) error { return addAnnotations(m, k.CommonAnnotations, config.CommonAnnotations) },
		func(m *resMap) error { return t.patchesJSON6902(m) },
		func(m *resMap) error { return setReplicas(m, k.Replicas, config.Replicas) },
		func(m *resMap) error { return setImages(m, k.Images, config.Images) },
		func(m *resMap) error { return t.replace(m) },
	}
}

// localConfig marks what is there for the build alone.
const localConfig = "config.kubernetes.io/local-config"

func (a *accumulator) dropLocal() error {
	kept := a.list[:0]
	for _, o := range a.list {
		v := o.root.at("metadata", "annotations", localConfig)
		if v == nil || v.value == "false" {
			kept = append(kept, o)
		}
	}
	a.list = kept
	a.renamed()
	return nil
}

// refuse says clearly which fields this engine does not carry out yet.
func (k *Kustomization) refuse() error {
	for field, used := range map[string]bool{
		"helmCharts": len(k.HelmCharts) > 0, "helmChartInflationGenerator": len(k.HelmChartInflationGenerator) > 0,
		"generators": len(k.Generators) > 0, "transformers": len(k.Transformers) > 0, "validators": len(k.Validators) > 0,
	} {
		if used {
			return fmt.Errorf("field '%s' is not supported yet", field)
		}
	}
	if k.OpenAPI["path"] != "" {
		return errors.New("field 'openapi.path' is not supported yet")
	}
	if v := k.OpenAPI["version"]; v != "" && v != "v1.21.2" {
		return fmt.Errorf("the specified OpenAPI version is not built in: '%s' (there is v1.21.2)", v)
	}
	return k.checkMetadata()
}
