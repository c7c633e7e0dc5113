package kustomize

import "fmt"

// generators lists what the fields of a kustomization make, in order. Each entry is the config of a plugin.
func (t *target) generators() []step {
	k := t.k
	var list []step
	for i, args := range k.ConfigMapGenerator {
		args.Options = args.Options.With(k.GeneratorOptions)
		list = append(list, t.step("configMapGenerator '"+args.Name+"'", "ConfigMapGenerator", &configMapGenerator{ConfigMapArgs: args}).of("configMapGenerator", i))
	}
	for i, args := range k.SecretGenerator {
		args.Options = args.Options.With(k.GeneratorOptions)
		list = append(list, t.step("secretGenerator '"+args.Name+"'", "SecretGenerator", &secretGenerator{SecretArgs: args}).of("secretGenerator", i))
	}
	for i, chart := range k.HelmCharts {
		chart.Namespace = or(chart.Namespace, or(k.Namespace, t.helmNamespace))
		p := &helmGenerator{HelmChart: chart}
		if k.HelmGlobals != nil {
			p.HelmGlobals = *k.HelmGlobals
		}
		list = append(list, t.step("helmCharts '"+chart.Name+"'", "HelmChartInflationGenerator", p).of("helmCharts", i))
	}
	return list
}

// transformers lists what the fields of a kustomization do to its resources, in order. Each entry is the config of a plugin.
func (t *target) transformers(c *fieldConfig) ([]step, error) {
	k := t.k
	var list []step
	add := func(used bool, name, kind string, p plugin) {
		if used {
			field, i := splitEntry(name)
			list = append(list, t.step(name, kind, p).of(field, i))
		}
	}
	entry := func(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }

	add(len(k.PatchesStrategicMerge) > 0, "patchesStrategicMerge", "PatchStrategicMergeTransformer",
		&patchStrategicMergeTransformer{Paths: k.PatchesStrategicMerge})
	for i, p := range k.Patches {
		add(true, entry("patches", i), "PatchTransformer", &patchTransformer{Path: p.Path, Patch: p.Patch, Target: p.Target, Options: p.Options})
	}
	add(k.Namespace != "", "namespace", "NamespaceTransformer",
		&namespaceTransformer{Metadata: pluginMetadata{Namespace: k.Namespace}, FieldSpecs: c.Namespace})
	add(k.NamePrefix != "", "namePrefix", "PrefixTransformer", &prefixTransformer{k.NamePrefix, c.NamePrefix})
	add(k.NameSuffix != "", "nameSuffix", "SuffixTransformer", &suffixTransformer{k.NameSuffix, c.NameSuffix})
	for i := range k.Labels {
		p, err := k.Labels[i].transformer(c)
		if err != nil {
			return nil, fmt.Errorf("%s: labels[%d]: %w", t.position("labels", i), i, err)
		}
		add(true, entry("labels", i), "LabelTransformer", p)
	}
	add(len(k.Labels)+len(k.CommonLabels) > 0, "commonLabels", "LabelTransformer", &labelTransformer{k.CommonLabels, c.CommonLabels})
	add(len(k.CommonAnnotations) > 0, "commonAnnotations", "AnnotationsTransformer",
		&annotationsTransformer{k.CommonAnnotations, c.CommonAnnotations})
	for i, p := range k.PatchesJSON6902 {
		add(true, entry("patchesJson6902", i), "PatchJson6902Transformer", &patchJSON6902Transformer{Target: p.Target, Path: p.Path, JSONOp: p.Patch})
	}
	for i, r := range k.Replicas {
		add(true, entry("replicas", i), "ReplicaCountTransformer", &replicaCountTransformer{r, c.Replicas})
	}
	for i, image := range k.Images {
		add(true, entry("images", i), "ImageTagTransformer", &imageTagTransformer{ImageTag: image, FieldSpecs: c.Images})
	}
	add(len(k.Replacements) > 0, "replacements", "ReplacementTransformer", &replacementTransformer{list: k.Replacements})
	return list, nil
}

func (t *target) step(name, kind string, p plugin) step {
	return step{name: name, plugin: p, origin: t.fieldOrigin(kind)}
}
