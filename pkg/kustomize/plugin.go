package kustomize

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// plugin is a generator or a transformer: one that is built in with its config, a function, or an executable. prepare checks
// the config and reads the files that it names.
type plugin interface{ prepare(t *target) error }

type generator interface{ generate() ([]*Object, error) }

// literalDecoder is a plugin whose config kustomize reads with another library: keys must be written exactly as they are
// called, and all numbers are text where text is wanted.
type literalDecoder interface{ decodeLiterally(text []byte) error }

type transformer interface{ transform(m *resMap) error }

// step is a plugin at work in a kustomization.
type step struct {
	// name says which: a field of the kustomization, with the number of its entry, or the identity of a config.
	name string
	plugin
	origin *origin
	// field of the kustomization and entry in its list are where it stands; -1 is for no list.
	field string
	entry int
}

func (s step) of(field string, entry int) step {
	s.field, s.entry = field, entry
	return s
}

// splitEntry takes "patches[1]" apart.
func splitEntry(name string) (field string, entry int) {
	field, number, ok := strings.Cut(strings.TrimSuffix(name, "]"), "[")
	if i, err := strconv.Atoi(number); ok && err == nil {
		return field, i
	}
	return name, -1
}

// builtin gives an empty config of a plugin that is built in, nil for a kind that there is none of.
func builtin(kind string) plugin {
	switch kind {
	case "AnnotationsTransformer":
		return &annotationsTransformer{}
	case "ConfigMapGenerator":
		return &configMapGenerator{}
	case "HashTransformer":
		return &hashTransformer{}
	case "HelmChartInflationGenerator":
		return &helmGenerator{}
	case "IAMPolicyGenerator":
		return &iamPolicyGenerator{}
	case "ImageTagTransformer":
		return &imageTagTransformer{}
	case "LabelTransformer":
		return &labelTransformer{}
	case "NamespaceTransformer":
		return &namespaceTransformer{}
	case "PatchJson6902Transformer":
		return &patchJSON6902Transformer{}
	case "PatchStrategicMergeTransformer":
		return &patchStrategicMergeTransformer{}
	case "PatchTransformer":
		return &patchTransformer{}
	case "PrefixSuffixTransformer":
		return &prefixSuffixTransformer{}
	case "PrefixTransformer":
		return &prefixTransformer{}
	case "ReplacementTransformer":
		return &replacementTransformer{}
	case "ReplicaCountTransformer":
		return &replicaCountTransformer{}
	case "SecretGenerator":
		return &secretGenerator{}
	case "SuffixTransformer":
		return &suffixTransformer{}
	case "ValueAddTransformer":
		return &valueAddTransformer{}
	}
	return nil
}

// prepared checks the steps that the fields of a kustomization stand for.
func (t *target) prepared(steps []step) ([]step, error) {
	for i := range steps {
		if err := steps[i].prepare(t); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", t.position(steps[i].field, steps[i].entry), steps[i].name, err)
		}
	}
	return steps, nil
}

// external gives the steps of the plugins that a field names: configs, files of configs, and kustomizations that make them.
func (t *target) external(field string, entries []string) ([]step, error) {
	configs, err := t.configs(entries)
	if err != nil {
		return nil, err
	}
	steps := make([]step, len(configs))
	for i, config := range configs {
		s := step{name: config.orgID().String(), origin: config.configuredBy()}.of(field, -1)
		elsewhere := config.source != "" && config.source != t.path
		if elsewhere {
			s.name += " of " + config.source
		}
		if s.plugin, err = t.load(config); err != nil && elsewhere {
			err = fmt.Errorf("%s: %w", config.source, err)
		}
		if err != nil {
			return nil, err
		}
		steps[i] = s
	}
	return steps, nil
}

func (t *target) configs(entries []string) ([]*Object, error) {
	a := &accumulator{}
	var paths []string
	for _, entry := range entries {
		list, err := parseObjects([]byte(entry))
		if err != nil {
			paths = append(paths, entry)
			continue
		}
		for _, o := range list {
			o.source = t.path
			o.origin = t.origin.join(filepath.Base(t.path))
		}
		if err := a.appendAll(list); err != nil {
			return nil, err
		}
	}
	for _, path := range paths {
		if err := t.resource(a, path); err != nil {
			return nil, err
		}
	}
	return a.list, nil
}

// ErrExternalPlugins is why a build fails that has plugins which are not built in, but may not run them.
var ErrExternalPlugins = errors.New("external plugins disabled")

// load makes a plugin of its config.
func (t *target) load(config *Object) (plugin, error) {
	if g := config.gvk(); g.Group == "" && g.Version == "builtin" {
		return t.loadBuiltin(config)
	}
	if t.options.Plugins == nil || t.options.Runner == nil {
		return nil, fmt.Errorf("%w; unable to load external plugin '%s': allow it with --enable-alpha-plugins", ErrExternalPlugins, config.orgID().Kind)
	}
	spec, err := functionOf(config)
	if err != nil {
		return nil, err
	}
	var p plugin = &execPlugin{config: config}
	if spec != nil {
		p = &function{spec: *spec, config: config}
	}
	return p, p.prepare(t)
}

func (t *target) loadBuiltin(config *Object) (plugin, error) {
	p := builtin(config.Kind())
	if p == nil {
		return nil, fmt.Errorf("unable to load builtin %s", config.gvk())
	}
	text, err := writeYAML(nil, config.root)
	switch d, ok := p.(literalDecoder); {
	case err != nil:
	case ok:
		err = d.decodeLiterally(text)
	default:
		err = yaml.Unmarshal(text, p)
	}
	if err == nil {
		err = p.prepare(t)
	}
	if err != nil {
		return nil, fmt.Errorf("plugin %s fails configuration: %w", config.orgID(), err)
	}
	return p, nil
}

// generate runs the generators of a kustomization.
func (t *target) generate(a *accumulator) error {
	steps, err := t.prepared(t.generators())
	if err != nil {
		return err
	}
	more, err := t.external("generators", t.k.Generators)
	if err != nil {
		return fmt.Errorf("%s: loading generator plugins: failed to load generator: %w", t.path, err)
	}
	for _, s := range append(steps, more...) {
		g, ok := s.plugin.(generator)
		if !ok {
			return fmt.Errorf("%s: loading generator plugins: failed to load generator: plugin %s not a generator", t.path, s.name)
		}
		list, err := g.generate()
		if err != nil {
			return t.failed(s, err)
		}
		for _, o := range list {
			if o.origin == nil && s.origin != nil {
				o.openNotes()
				o.origin = s.origin
				if err := o.rewriteNotes(); err != nil {
					return err
				}
			}
			if err := a.absorb(o); err != nil {
				return t.failed(s, err)
			}
		}
		a.done(s.field, s.entry, s.name)
	}
	return nil
}

// transform runs the transformers of a kustomization.
func (t *target) transform(a *accumulator) error {
	steps, err := t.transformers(a.fieldConfig())
	if err == nil {
		steps, err = t.prepared(steps)
	}
	if err != nil {
		return err
	}
	more, err := t.external("transformers", t.k.Transformers)
	if err != nil {
		return fmt.Errorf("%s: transformers: %w", t.path, err)
	}
	for _, s := range append(steps, more...) {
		if err := s.transform(&a.resMap); err != nil {
			return t.failed(s, err)
		}
		if err := a.attribute(s.origin); err != nil {
			return err
		}
		a.dropEmpty()
		a.done(s.field, s.entry, s.name)
	}
	return nil
}

func (s *step) transform(m *resMap) error {
	p, ok := s.plugin.(transformer)
	if !ok {
		return fmt.Errorf("plugin %s not a transformer", s.name)
	}
	return p.transform(m)
}

// failed says which step of which kustomization went wrong.
func (t *target) failed(s step, err error) error {
	if errors.Is(err, errRootDirectory) {
		return err
	}
	return fmt.Errorf("%s: %s: %w", t.position(s.field, s.entry), s.name, err)
}
