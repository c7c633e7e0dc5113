package kustomize

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ConfigMapArgs is an entry of configMapGenerator.
type ConfigMapArgs struct {
	Namespace string            `json:"namespace,omitempty"`
	Name      string            `json:"name,omitempty"`
	Behavior  string            `json:"behavior,omitempty"`
	Literals  []string          `json:"literals,omitempty"`
	Files     []string          `json:"files,omitempty"`
	Envs      []string          `json:"envs,omitempty"`
	Env       string            `json:"env,omitempty"`
	Options   *GeneratorOptions `json:"options,omitempty"`
}

// GeneratorOptions is the content of generatorOptions, and of a generator's options.
type GeneratorOptions struct {
	Labels                map[string]string `json:"labels,omitempty"`
	Annotations           map[string]string `json:"annotations,omitempty"`
	DisableNameSuffixHash bool              `json:"disableNameSuffixHash,omitempty"`
	Immutable             bool              `json:"immutable,omitempty"`
}

func (g *ConfigMapArgs) fix() {
	if g.Env != "" {
		g.Envs = append(g.Envs, g.Env)
		g.Env = ""
	}
}

// With gives the options of one generator with those of all filled in.
func (o *GeneratorOptions) With(all *GeneratorOptions) *GeneratorOptions {
	if all == nil {
		return o
	}
	out := &GeneratorOptions{}
	if o != nil {
		*out = *o
	}
	out.Labels = fill(out.Labels, all.Labels)
	out.Annotations = fill(out.Annotations, all.Annotations)
	out.DisableNameSuffixHash = out.DisableNameSuffixHash || all.DisableNameSuffixHash
	out.Immutable = out.Immutable || all.Immutable
	return out
}

func fill(own, all map[string]string) map[string]string {
	out := maps.Clone(all)
	if out == nil {
		return own
	}
	maps.Copy(out, own)
	return out
}

// configMapGenerator is the plugin of that name; an entry of the field is its config.
type configMapGenerator struct {
	Metadata pluginMetadata `json:"metadata,omitempty"`
	ConfigMapArgs
	t *target
}

func (p *configMapGenerator) prepare(t *target) error {
	p.t = t
	p.complete(p.Metadata)
	return nil
}

// complete takes the name from the metadata of a config that has none beside its sources.
func (a *ConfigMapArgs) complete(m pluginMetadata) {
	a.Name, a.Namespace = or(a.Name, m.Name), or(a.Namespace, m.Namespace)
}

func (p *configMapGenerator) generate() ([]*Object, error) {
	o, pairs, err := p.t.generated("ConfigMap", &p.ConfigMapArgs)
	if err != nil {
		return nil, err
	}
	for _, k := range slices.Sorted(maps.Keys(pairs)) {
		v := pairs[k]
		if utf8.ValidString(v) {
			o.root.ensureMap("data").set(k, newText(v))
		} else {
			o.root.ensureMap("binaryData").set(k, newText(base64Lines(v)))
		}
	}
	o.lock(p.Options)
	return []*Object{o}, nil
}

// generated makes what config maps and secrets have in common.
func (t *target) generated(kind string, g *ConfigMapArgs) (*Object, map[string]string, error) {
	if g.Name == "" {
		return nil, nil, errors.New("a configmap must have a name")
	}
	pairs, err := t.pairs(g)
	if err != nil {
		return nil, nil, err
	}
	var options GeneratorOptions
	if g.Options != nil {
		options = *g.Options
	}
	root, err := t.schemas.head(kind)
	if err != nil {
		return nil, nil, err
	}
	meta := root.ensureMap("metadata")
	meta.add("name", newString(g.Name))
	if g.Namespace != "" {
		meta.add("namespace", newString(g.Namespace))
	}
	for _, k := range slices.Sorted(maps.Keys(options.Labels)) {
		v := newScalar(strTag, options.Labels[k])
		v.style = singleStyle
		meta.ensureMap("labels").set(k, v)
	}
	addStrings(meta, "annotations", options.Annotations)
	o := &Object{root: root, generated: true, behavior: knownBehavior(g.Behavior), needsHash: !options.DisableNameSuffixHash, source: t.path}
	o.openNotes()
	if o.open = o.needsHash && t.schemas.marked; o.open {
		o.annotate(map[string]string{needsHashSuffix: enabled, generatorBehavior: or(o.behavior, "unspecified")})
		o.plainStrings("annotations")
	}
	return o, pairs, nil
}

// head begins a generated resource. With marks, it stands where it does in the text that kustomize begins with.
func (s *schemas) head(kind string) (*node, error) {
	if !s.marked {
		root := newMap()
		root.add("apiVersion", newString("v1"))
		root.add("kind", newString(kind))
		return root, nil
	}
	root, err := part{text: "\napiVersion: v1\nkind: " + kind + "\n", marked: true}.readOdd()
	if err != nil {
		return nil, err
	}
	for _, n := range append(root.items, root) {
		n.line = 0
	}
	return root, nil
}

// lock makes a resource immutable, if the options say so.
func (o *Object) lock(options *GeneratorOptions) {
	if options != nil && options.Immutable {
		o.root.add("immutable", newScalar(boolTag, "true"))
	}
}

func addStrings(n *node, field string, entries map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(entries)) {
		n.ensureMap(field).set(k, newText(entries[k]))
	}
}

// pairs reads the sources of a generator: env files, literals, files.
func (t *target) pairs(g *ConfigMapArgs) (map[string]string, error) {
	pairs := map[string]string{}
	add := func(k, v string) error {
		if _, ok := pairs[k]; ok {
			return fmt.Errorf("configmap %s illegally repeats the key `%s`", g.Name, k)
		}
		pairs[k] = v
		return nil
	}
	for _, file := range g.Envs {
		data, err := t.loader.load(file)
		if err == nil {
			err = envPairs(data, add)
		}
		if err != nil {
			return nil, fmt.Errorf("loading KV pairs: env source files: %v: %s: %w", g.Envs, file, err)
		}
	}
	for _, literal := range g.Literals {
		k, v, ok := strings.Cut(literal, "=")
		if !ok || k == "" {
			return nil, fmt.Errorf("loading KV pairs: literal sources %v: invalid literal source %s, expected key=value", g.Literals, literal)
		}
		if err := add(k, unquote(v)); err != nil {
			return nil, err
		}
	}
	for _, source := range g.Files {
		k, file, err := fileSource(source)
		if err == nil {
			var data []byte
			if data, err = t.loader.load(file); err == nil {
				err = add(k, string(data))
			}
		}
		if err != nil {
			return nil, fmt.Errorf("loading KV pairs: file sources: %v: %w", g.Files, err)
		}
	}
	return pairs, nil
}

func fileSource(source string) (key, file string, err error) {
	switch key, file, _ = strings.Cut(source, "="); strings.Count(source, "=") {
	case 0:
		return path.Base(source), source, nil
	case 1:
		if key == "" {
			return "", "", fmt.Errorf("missing key name for file path %q in source %q", file, source)
		}
		if file == "" {
			return "", "", fmt.Errorf("missing file path for key name %q in source %q", key, source)
		}
		return key, file, nil
	default:
		return "", "", fmt.Errorf("source %q key name or file path contains '='", source)
	}
}

func unquote(s string) string {
	if len(s) >= 2 && s[0] == s[len(s)-1] && (s[0] == '"' || s[0] == '\'') {
		return s[1 : len(s)-1]
	}
	return s
}

func envPairs(data []byte, add func(k, v string) error) error {
	data = bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
		if !utf8.ValidString(text) {
			return fmt.Errorf("line %d has invalid utf8 bytes", line)
		}
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
		if text == "" || text[0] == '#' {
			continue
		}
		k, v, _ := strings.Cut(text, "=")
		if k == "" {
			continue
		}
		if err := add(k, v); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
	return nil
}

// base64Lines encodes in lines of 70, if one is not enough.
func base64Lines(s string) string {
	const width = 70
	enc := base64.StdEncoding.EncodeToString([]byte(s))
	if len(enc)/width == 0 {
		return enc
	}
	var b strings.Builder
	for len(enc) > 0 {
		n := min(width, len(enc))
		b.WriteString(enc[:n])
		b.WriteByte('\n')
		enc = enc[n:]
	}
	return b.String()
}

// takeMetadata puts the name and the metadata of what a generator replaces under its own.
func (o *Object) takeMetadata(old *Object) {
	if !o.open || !old.open {
		o.closeNotes()
		old.closeNotes()
	}
	meta := o.root.ensureMap("metadata")
	for _, field := range []string{"labels", "annotations"} {
		was := old.stringMap(field)
		merged := maps.Clone(was)
		maps.Copy(merged, o.stringMap(field))
		maps.DeleteFunc(merged, func(key, _ string) bool { return o.open && isPast(key) })
		if o.open {
			// Of the past it is the old one's that counts.
			maps.DeleteFunc(was, func(key, _ string) bool { return !isPast(key) })
			maps.Copy(merged, was)
		}
		meta.remove(field)
		addStrings(meta, field, merged)
	}
	o.openNotes()
	o.setName(old.Name())
	o.setNamespace(old.Namespace())
	o.past, o.prefixes, o.suffixes, o.varNames = old.past, old.prefixes, old.suffixes, old.varNames
	o.behavior, o.generated = old.behavior, old.generated
	o.transformations = old.transformations
	o.needsHash = o.needsHash && old.needsHash
}

func (o *Object) mergeData(old *Object, field string) {
	merged := map[string]string{}
	for _, from := range []*node{old.root.get(field), o.root.get(field)} {
		if from == nil || from.kind != mapKind {
			continue
		}
		for i, k := range from.keys {
			if merged[k] = from.items[i].value; from.items[i].isNull() {
				merged[k] = ""
			}
		}
	}
	o.root.remove(field)
	for _, k := range slices.Sorted(maps.Keys(merged)) {
		v := merged[k]
		if utf8.ValidString(v) {
			o.root.ensureMap(field).set(k, newText(v))
		} else {
			o.root.ensureMap("binaryData").set(k, newText(base64Lines(v)))
		}
	}
}
