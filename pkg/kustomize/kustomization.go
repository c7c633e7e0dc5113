package kustomize

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"strings"
)

// Kustomization is the content of a kustomization.yaml, of either kind.
type Kustomization struct {
	APIVersion string    `json:"apiVersion,omitempty"`
	Kind       string    `json:"kind,omitempty"`
	Metadata   *Metadata `json:"metadata,omitempty"`

	OpenAPI           map[string]string `json:"openapi,omitempty"`
	NamePrefix        string            `json:"namePrefix,omitempty"`
	NameSuffix        string            `json:"nameSuffix,omitempty"`
	Namespace         string            `json:"namespace,omitempty"`
	CommonLabels      map[string]string `json:"commonLabels,omitempty"`
	Labels            []Label           `json:"labels,omitempty"`
	CommonAnnotations map[string]string `json:"commonAnnotations,omitempty"`

	PatchesStrategicMerge []string      `json:"patchesStrategicMerge,omitempty"`
	PatchesJSON6902       []Patch       `json:"patchesJson6902,omitempty"`
	Patches               []Patch       `json:"patches,omitempty"`
	Images                []Image       `json:"images,omitempty"`
	ImageTags             []Image       `json:"imageTags,omitempty"`
	Replacements          []Replacement `json:"replacements,omitempty"`
	Replicas              []Replica     `json:"replicas,omitempty"`
	Vars                  []Variable    `json:"vars,omitempty"`
	SortOptions           *sortOptions  `json:"sortOptions,omitempty"`

	Resources  []string `json:"resources,omitempty"`
	Components []string `json:"components,omitempty"`
	CRDs       []string `json:"crds,omitempty"`
	Bases      []string `json:"bases,omitempty"`

	ConfigMapGenerator          []ConfigMapArgs   `json:"configMapGenerator,omitempty"`
	SecretGenerator             []SecretArgs      `json:"secretGenerator,omitempty"`
	HelmGlobals                 *HelmGlobals      `json:"helmGlobals,omitempty"`
	HelmCharts                  []HelmChart       `json:"helmCharts,omitempty"`
	HelmChartInflationGenerator []HelmChartArgs   `json:"helmChartInflationGenerator,omitempty"`
	GeneratorOptions            *GeneratorOptions `json:"generatorOptions,omitempty"`
	Configurations              []string          `json:"configurations,omitempty"`
	Generators                  []string          `json:"generators,omitempty"`
	Transformers                []string          `json:"transformers,omitempty"`
	Validators                  []string          `json:"validators,omitempty"`
	BuildMetadata               []string          `json:"buildMetadata,omitempty"`
}

// Metadata names a kustomization. A build does not look at it.
type Metadata struct {
	Name        string            `json:"name,omitempty"`
	Namespace   string            `json:"namespace,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

const componentKind = "Component"

// fileNames are what a kustomization may be called.
var fileNames = [...]string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// findKustomization reads the one kustomization file of a directory.
func findKustomization(l *loader) (path string, data []byte, err error) {
	why := ""
	for _, name := range fileNames {
		content, err := l.load(name)
		if unreadable(err) {
			return "", nil, err
		}
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				why = fmt.Sprintf("\n(%s: %v)", name, err)
			}
			continue
		}
		if path != "" {
			return "", nil, fmt.Errorf("Found multiple kustomization files under: %s\n(%s and %s: keep one)", l.root, filepath.Base(path), name)
		}
		path, data = filepath.Join(l.root, name), content
	}
	if path == "" {
		return "", nil, fmt.Errorf("unable to find one of '%s', '%s' or '%s' in directory '%s'%s", fileNames[0], fileNames[1], fileNames[2], l.root, why)
	}
	return path, data, nil
}

// warnings names the deprecated fields in use.
func (k *Kustomization) warnings() []string {
	const fix = " Run 'kustomize edit fix' to update your Kustomization automatically."
	var out []string
	warn := func(used bool, field, instead, prefix string) {
		if used {
			out = append(out, fmt.Sprintf("# Warning: '%s' is deprecated. Please use '%s' instead.%s%s", field, instead, prefix, fix))
		}
	}
	warn(k.Bases != nil, "bases", "resources", "")
	warn(k.CommonLabels != nil, "commonLabels", "labels", "")
	warn(k.ImageTags != nil, "imageTags", "images", "")
	warn(k.PatchesJSON6902 != nil, "patchesJson6902", "patches", "")
	warn(k.PatchesStrategicMerge != nil, "patchesStrategicMerge", "patches", "")
	warn(k.Vars != nil, "vars", "replacements", " [EXPERIMENTAL]")
	return out
}

// Fix moves deprecated fields to where they belong and fills in what was left out.
func (k *Kustomization) Fix() {
	k.Kind = or(k.Kind, "Kustomization")
	if k.APIVersion == "" {
		k.APIVersion = k.wantVersion()
	}
	k.Resources = append(k.Resources, k.Bases...)
	k.Bases = nil
	k.Images = append(k.Images, k.ImageTags...)
	k.ImageTags = nil
	for i := range k.ConfigMapGenerator {
		k.ConfigMapGenerator[i].fix()
	}
	for i := range k.SecretGenerator {
		k.SecretGenerator[i].fix()
	}
	k.fixHelm()
}

func (k *Kustomization) wantVersion() string {
	if k.Kind == componentKind {
		return "kustomize.config.k8s.io/v1alpha1"
	}
	return "kustomize.config.k8s.io/v1beta1"
}

func (k *Kustomization) check(dir string) error {
	if reflect.DeepEqual(*k, Kustomization{APIVersion: k.APIVersion, Kind: k.Kind}) {
		return errors.New("kustomization.yaml is empty")
	}
	var wrong []string
	if k.Kind != "Kustomization" && k.Kind != componentKind {
		wrong = append(wrong, "kind should be Kustomization or Component")
	}
	if want := k.wantVersion(); k.APIVersion != want {
		wrong = append(wrong, "apiVersion for "+k.Kind+" should be "+want)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("Failed to read kustomization file under %s:\n%s", dir, strings.Join(wrong, "\n"))
	}
	return nil
}
