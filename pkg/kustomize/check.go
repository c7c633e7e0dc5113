package kustomize

import "errors"

// BuildMetadataOptions are what buildMetadata may list.
var BuildMetadataOptions = [...]string{"originAnnotations", "transformerAnnotations", "managedByLabel"}

// CheckGenerator tells whether a generator's sources can be read and used, from the directory of its kustomization.
func CheckGenerator(fsys FileSystem, dir string, g *ConfigMapArgs, o Options) error {
	b := &builder{fs: fsys, options: o, schemas: &schemas{}}
	l, err := b.newLoader(dir)
	if err != nil {
		return err
	}
	t := target{builder: b, loader: l, k: &Kustomization{}}
	_, _, err = t.generated("ConfigMap", g)
	return err
}

// CheckRoot tells whether the kustomization of a directory may name path as another one.
func CheckRoot(fsys FileSystem, dir, path string, o Options) error {
	b := &builder{fs: fsys, options: o, schemas: &schemas{}}
	l, err := b.newLoader(dir)
	if err == nil {
		_, err = l.below(path)
	}
	return errors.Join(err, b.close())
}

// IsManifest tells whether data is nothing but Kubernetes objects.
func IsManifest(data []byte) bool {
	_, err := parseObjects(data)
	return err == nil
}

// Builtins are the kinds of generators and transformers that need no program.
var Builtins = [...]string{
	"AnnotationsTransformer", "ConfigMapGenerator", "HashTransformer", "HelmChartInflationGenerator", "IAMPolicyGenerator", "ImageTagTransformer",
	"LabelTransformer", "NamespaceTransformer", "PatchJson6902Transformer", "PatchStrategicMergeTransformer", "PatchTransformer", "PrefixSuffixTransformer",
	"PrefixTransformer", "ReplacementTransformer", "ReplicaCountTransformer", "SecretGenerator", "SuffixTransformer", "ValueAddTransformer",
}
