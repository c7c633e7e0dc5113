package kustomize

import (
	"encoding/json"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// configure adds the field specs that a kustomization brings, in files of its own or by way of CRDs.
func (t *target) configure(a *accumulator) error {
	config, err := t.configurations()
	if err == nil {
		a.config, err = a.config.merge(config)
	}
	if err != nil {
		return fmt.Errorf("%s: configurations: %w", t.path, err)
	}
	for _, path := range t.k.CRDs {
		data, err := t.loader.load(path)
		if err != nil {
			return fmt.Errorf("%s: loading CRDs %v: %w", t.path, t.k.CRDs, err)
		}
		c, err := crdConfig(data)
		if err == nil {
			c.sort()
			a.config, err = a.config.merge(c)
		}
		if err != nil {
			return fmt.Errorf("%s: loading CRDs: %s: %w", t.path, path, err)
		}
	}
	return nil
}

// configurations gives the default specs with those of the kustomization's files.
func (t *target) configurations() (*fieldConfig, error) {
	if len(t.k.Configurations) == 0 {
		return defaultConfig(), nil
	}
	var all *fieldConfig
	for _, path := range t.k.Configurations {
		data, err := t.loader.load(path)
		if err != nil {
			return nil, err
		}
		c := &fieldConfig{}
		if err := yaml.UnmarshalStrict(data, c); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		c.sort()
		if all, err = all.merge(c); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return defaultConfig().merge(all)
}

// definition is a type of an OpenAPI document, as the crds field takes it.
type definition struct {
	Schema struct {
		Properties map[string]map[string]any `json:"properties"`
	} `json:"Schema"`
}

func crdConfig(data []byte) (*fieldConfig, error) {
	j, err := yaml.YAMLToJSON(data)
	if err != nil {
		return nil, err
	}
	var defs map[string]definition
	if err := json.Unmarshal(j, &defs); err != nil {
		return nil, fmt.Errorf("unable to parse open API definition: %w", err)
	}
	c := &fieldConfig{}
	for name, def := range defs {
		p := def.Schema.Properties
		if p["kind"] == nil || p["apiVersion"] == nil || p["metadata"] == nil {
			continue
		}
		kind := name[strings.LastIndexByte(name, '.')+1:]
		if err := c.addDefinition(gvk{Kind: kind}, defs, name, nil, map[string]bool{}); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *fieldConfig) addDefinition(g gvk, defs map[string]definition, name string, path []string, seen map[string]bool) (err error) {
	if seen[name] {
		return nil
	}
	seen[name] = true
	defer delete(seen, name)
	for field, p := range defs[name].Schema.Properties {
		at := append(path[:len(path):len(path)], field)
		spec := []fieldSpec{{gvk: g, Path: strings.Join(at, "/")}}
		for key, into := range map[string]*[]fieldSpec{"x-kubernetes-annotation": &c.CommonAnnotations,
			"x-kubernetes-label-selector": &c.CommonLabels, "x-kubernetes-identity": &c.NamePrefix} {
			if _, ok := p[key].(string); ok {
				if *into, err = mergeSpecs(*into, spec); err != nil {
					return err
				}
			}
		}
		version, isRef := p["x-kubernetes-object-ref-api-version"].(string)
		kind, hasKind := p["x-kubernetes-object-ref-kind"].(string)
		if isRef && hasKind {
			key, _ := p["x-kubernetes-object-ref-name-key"].(string)
			ref := nameReference{gvk{Version: version, Kind: kind}, []fieldSpec{{gvk: g, Path: strings.Join(append(at, or(key, "name")), "/")}}}
			if err := c.addReference(ref); err != nil {
				return err
			}
		}
		if ref, ok := p["$ref"].(string); ok {
			if err := c.addDefinition(g, defs, ref, at, seen); err != nil {
				return err
			}
		}
	}
	return nil
}
