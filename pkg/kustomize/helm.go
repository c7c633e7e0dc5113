package kustomize

// Helm is what a build needs to render charts.
type Helm struct {
	// Command is how helm is called, for messages.
	Command string
	// Run calls helm with these variables added to its environment.
	Run func(args, env []string) (stdout, stderr []byte, err error)
	// Temp makes a directory for one chart, Write a file in it.
	Temp  func() (dir string, remove func() error, err error)
	Write func(path string, data []byte) error
	// APIVersions, KubeVersion and Debug are for charts that do not say themselves.
	APIVersions []string
	KubeVersion string
	Debug       bool
}

// HelmGlobals is what all charts of a kustomization share.
type HelmGlobals struct {
	ChartHome  string `json:"chartHome,omitempty"`
	ConfigHome string `json:"configHome,omitempty"`
}

// HelmChart is a chart to render.
type HelmChart struct {
	Name                  string         `json:"name,omitempty"`
	Version               string         `json:"version,omitempty"`
	Repo                  string         `json:"repo,omitempty"`
	ReleaseName           string         `json:"releaseName,omitempty"`
	Namespace             string         `json:"namespace,omitempty"`
	AdditionalValuesFiles []string       `json:"additionalValuesFiles,omitempty"`
	ValuesFile            string         `json:"valuesFile,omitempty"`
	ValuesInline          map[string]any `json:"valuesInline,omitempty"`
	ValuesMerge           string         `json:"valuesMerge,omitempty"`
	IncludeCRDs           bool           `json:"includeCRDs,omitempty"`
	SkipHooks             bool           `json:"skipHooks,omitempty"`
	APIVersions           []string       `json:"apiVersions,omitempty"`
	KubeVersion           string         `json:"kubeVersion,omitempty"`
	NameTemplate          string         `json:"nameTemplate,omitempty"`
	SkipTests             bool           `json:"skipTests,omitempty"`
	Debug                 bool           `json:"debug,omitempty"`
	Devel                 bool           `json:"devel,omitempty"`
}

// HelmChartArgs is a chart as the deprecated field helmChartInflationGenerator has it.
type HelmChartArgs struct {
	ChartName        string         `json:"chartName,omitempty"`
	ChartVersion     string         `json:"chartVersion,omitempty"`
	ChartRepoURL     string         `json:"chartRepoUrl,omitempty"`
	ChartHome        string         `json:"chartHome,omitempty"`
	ChartRepoName    string         `json:"chartRepoName,omitempty"`
	HelmBin          string         `json:"helmBin,omitempty"`
	HelmHome         string         `json:"helmHome,omitempty"`
	Values           string         `json:"values,omitempty"`
	ValuesLocal      map[string]any `json:"valuesLocal,omitempty"`
	ValuesMerge      string         `json:"valuesMerge,omitempty"`
	ReleaseName      string         `json:"releaseName,omitempty"`
	ReleaseNamespace string         `json:"releaseNamespace,omitempty"`
	ExtraArgs        []string       `json:"extraArgs,omitempty"`
}

// fixHelm moves the charts of the deprecated field to where they belong.
func (k *Kustomization) fixHelm() {
	var globals HelmGlobals
	for _, old := range k.HelmChartInflationGenerator {
		k.HelmCharts = append(k.HelmCharts, HelmChart{Name: old.ChartName, Version: old.ChartVersion, Repo: old.ChartRepoURL,
			ValuesFile: old.Values, ValuesInline: old.ValuesLocal, ValuesMerge: old.ValuesMerge, ReleaseName: old.ReleaseName})
		globals.ConfigHome = or(old.HelmHome, globals.ConfigHome)
		globals.ChartHome = or(old.ChartHome, globals.ChartHome)
	}
	if k.HelmGlobals == nil && globals != (HelmGlobals{}) {
		k.HelmGlobals = &globals
	}
	k.HelmChartInflationGenerator = nil
}
