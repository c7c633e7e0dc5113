package kustomize

import "fmt"

// plugins makes local what the configs of built-in plugins name. A config stands in the field or in a file.
func (z *localizer) plugins(k *Kustomization) error {
	for _, f := range []struct {
		name    string
		entries []string
	}{{"generators", k.Generators}, {"transformers", k.Transformers}, {"validators", k.Validators}} {
		for i, entry := range f.entries {
			objects, inFile, err := z.inlineOrFile(entry, parseObjects)
			if err != nil {
				return fmt.Errorf("unable to load %s entry: %w", f.name, err)
			}
			for _, o := range objects {
				if err := z.plugin(o); err != nil {
					return err
				}
			}
			out, err := Write(objects)
			if err != nil {
				return fmt.Errorf("unable to serialize localized %s entry %q: %w", f.name, entry, err)
			}
			f.entries[i] = string(out)
			if inFile {
				if f.entries[i], err = z.put(entry, out); err != nil {
					return fmt.Errorf("unable to localize %s entry: %w", f.name, err)
				}
			}
		}
	}
	return nil
}

// inlineOrFile reads objects from an entry that is either themselves or the name of their file.
func (z *localizer) inlineOrFile(entry string, parse func([]byte) ([]*Object, error)) (objects []*Object, inFile bool, err error) {
	objects, errInline := parse([]byte(entry))
	if errInline == nil {
		return objects, false, nil
	}
	data, err := z.load(entry)
	if err == nil {
		objects, err = parse(data)
	}
	if err != nil {
		return nil, false, fmt.Errorf("unable to load resource entry %q: when parsing as inline received error: %w\n"+
			"when parsing as filepath received error: %w", entry, errInline, err)
	}
	return objects, true, nil
}

// merges copies a file of strategic merge patches. An entry that is itself patches stays.
func (z *localizer) merges(entry string) (string, error) {
	_, inFile, err := z.inlineOrFile(entry, parseObjects)
	if err != nil || !inFile {
		return entry, err
	}
	return z.file(entry)
}

// plugin makes local what the config of a built-in plugin names.
func (z *localizer) plugin(o *Object) error {
	if o.APIVersion() != "builtin" {
		return nil
	}
	set := func(local func(string) (string, error), nodes ...*node) error {
		for _, n := range nodes {
			if err := n.localize(local); err != nil {
				return fmt.Errorf("plugin %s: %w", o.id(), err)
			}
		}
		return nil
	}
	switch o.Kind() {
	case "ConfigMapGenerator", "SecretGenerator":
		if err := set(z.file, o.root.get("env"), o.root.get("envs")); err != nil {
			return err
		}
		return set(z.source, o.root.get("files"))
	case "HelmChartInflationGenerator":
		if err := set(z.file, o.root.get("valuesFile"), o.root.get("additionalValuesFiles")); err != nil {
			return err
		}
		if home := o.root.get("chartHome"); home != nil {
			return set(z.chartHome, home)
		}
		_, err := z.chartHome("")
		return err
	case "PatchTransformer", "PatchJson6902Transformer":
		return set(z.file, o.root.get("path"))
	case "ReplacementTransformer":
		list := o.root.get("replacements")
		if list == nil {
			return nil
		}
		for _, r := range list.items {
			if err := set(z.file, r.get("path")); err != nil {
				return err
			}
		}
	case "PatchStrategicMergeTransformer":
		return set(z.merges, o.root.get("paths"))
	}
	return nil
}

// localize puts local paths in the place of a path, or of each in a list.
func (n *node) localize(local func(string) (string, error)) error {
	switch {
	case n == nil:
		return nil
	case n.kind == seqKind:
		for _, item := range n.items {
			if err := item.localize(local); err != nil {
				return err
			}
		}
		return nil
	case n.kind != scalarKind:
		return fmt.Errorf("line %d: expected a path or a list of paths", n.line)
	}
	path, err := local(n.value)
	if err == nil {
		*n = *newString(path)
	}
	return err
}
