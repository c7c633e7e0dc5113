package kustomize

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// helmGenerator is the plugin HelmChartInflationGenerator; an entry of helmCharts, with helmGlobals, is its config.
type helmGenerator struct {
	HelmGlobals
	HelmChart
	helm *Helm
	t    *target
	temp string
}

var valuesMerges = []string{"merge", "override", "replace"}

// prepare fills in what was left out and refuses what cannot work.
func (c *helmGenerator) prepare(t *target) error {
	c.t, c.helm = t, t.options.Helm
	switch {
	case c.helm == nil:
		return errors.New("must specify --enable-helm")
	case c.helm.Command == "":
		return errors.New("must specify --helm-command")
	case c.Name == "":
		return errors.New("chart name cannot be empty")
	}
	c.KubeVersion = or(c.KubeVersion, c.helm.KubeVersion)
	if len(c.APIVersions) == 0 {
		c.APIVersions = c.helm.APIVersions
	}
	c.Debug = c.Debug || c.helm.Debug
	c.ChartHome = or(c.ChartHome, "charts")
	c.ValuesFile = or(c.ValuesFile, filepath.Join(c.home(), c.Name, "values.yaml"))
	files := make([]string, len(c.AdditionalValuesFiles))
	for i, file := range c.AdditionalValuesFiles {
		if _, err := t.loader.load(file); err != nil {
			return fmt.Errorf("could not load additionalValuesFile: %w", err)
		}
		files[i] = filepath.Join(t.loader.root, file)
	}
	c.AdditionalValuesFiles = files
	if c.ValuesMerge = or(c.ValuesMerge, "override"); !slices.Contains(valuesMerges, c.ValuesMerge) {
		return fmt.Errorf("valuesMerge must be one of %v", valuesMerges)
	}
	return nil
}

// home is the directory of the chart's directory. Versions of a chart that are pulled lie side by side.
func (c *helmGenerator) home() string {
	home := c.t.loader.join(c.ChartHome)
	if c.Version != "" && c.Repo != "" {
		return filepath.Join(home, c.Name+"-"+c.Version)
	}
	return home
}

func (c *helmGenerator) generate() (list []*Object, err error) {
	dir, remove, err := c.helm.Temp()
	if err != nil {
		return nil, fmt.Errorf("unable to create tmp dir for HELM_CONFIG_HOME: %w", err)
	}
	defer func() { err = errors.Join(err, remove()) }()
	c.temp = dir
	c.ConfigHome = or(c.ConfigHome, filepath.Join(dir, "helm"))
	if err := c.checkVersion(); err != nil {
		return nil, err
	}
	if err := c.pull(); err != nil {
		return nil, err
	}
	if err := c.writeValues(); err != nil {
		return nil, err
	}
	out, err := c.run(c.template())
	if err != nil {
		return nil, err
	}
	return parseManifests(out)
}

// parseManifests reads what helm prints.
func parseManifests(out []byte) ([]*Object, error) {
	list, err := parseObjects(out)
	if err != nil {
		return nil, fmt.Errorf("could not parse what helm prints: %w", err)
	}
	for _, o := range list {
		o.root.ensureMap("metadata").ensureMap("annotations").set(helmGenerated, newString("true"))
	}
	return list, nil
}

func (c *helmGenerator) run(args []string) ([]byte, error) {
	env := []string{"HELM_CONFIG_HOME=" + c.ConfigHome, "HELM_CACHE_HOME=" + c.ConfigHome + "/.cache", "HELM_DATA_HOME=" + c.ConfigHome + "/.data"}
	stdout, stderr, err := c.helm.Run(args, env)
	if err == nil {
		return stdout, nil
	}
	err = fmt.Errorf("unable to run: '%s %s' with env=%s (is '%s' installed?): %w", c.helm.Command, strings.Join(args, " "), env, c.helm.Command, err)
	said := strings.TrimSpace(string(stderr))
	if slices.Contains(args, "--debug") {
		said = "Helm stack trace:\n" + said + "\nHelm template:\n" + string(stdout) + "\n"
	}
	if said != "" {
		err = fmt.Errorf("%s: %w", said, err)
	}
	return nil, err
}

func (c *helmGenerator) checkVersion() error {
	out, err := c.run([]string{"version", "--short"})
	if err != nil {
		return err
	}
	v := strings.TrimPrefix(regexp.MustCompile(`v?\d+(\.\d+)+`).FindString(string(out)), "v")
	if v == "" {
		return fmt.Errorf("cannot find version string in %s", out)
	}
	if major, _, _ := strings.Cut(v, "."); major != "3" && major != "4" {
		return fmt.Errorf("this plugin requires helm V3 or V4 but got v%s", v)
	}
	return nil
}

// pull fetches a chart that is not there yet.
func (c *helmGenerator) pull() error {
	path := filepath.Join(c.home(), c.Name)
	if _, dir, err := c.t.loader.fs.Resolve(path); err == nil && dir {
		return nil
	}
	if c.Repo == "" {
		return fmt.Errorf("no repo specified for pull, no chart found at '%s'", path)
	}
	args := []string{"pull", "--untar", "--untardir", c.home()}
	if strings.HasPrefix(c.Repo, "oci://") {
		args = append(args, strings.TrimSuffix(c.Repo, "/")+"/"+c.Name)
	} else {
		args = append(args, "--repo", c.Repo, c.Name)
	}
	if c.Version != "" {
		args = append(args, "--version", c.Version)
	}
	if c.Devel {
		args = append(args, "--devel")
	}
	_, err := c.run(args)
	return err
}

// writeValues makes the values file that helm reads: the chart's own or the one named, with the inline values worked in.
func (c *helmGenerator) writeValues() error {
	data, err := c.values()
	if err != nil {
		return err
	}
	c.ValuesFile = filepath.Join(c.temp, c.Name+"-kustomize-values.yaml")
	if err := c.helm.Write(c.ValuesFile, data); err != nil {
		return fmt.Errorf("failed to write values file: %w", err)
	}
	return nil
}

func (c *helmGenerator) values() ([]byte, error) {
	if len(c.ValuesInline) > 0 && c.ValuesMerge == "replace" {
		return yaml.Marshal(c.ValuesInline)
	}
	data, err := c.t.loader.load(c.ValuesFile)
	if err != nil || len(c.ValuesInline) == 0 {
		return data, err
	}
	file, err := readValues(data)
	if err != nil {
		return nil, fmt.Errorf("could not parse values file %s: %w", c.ValuesFile, err)
	}
	if data, err = yaml.Marshal(c.ValuesInline); err != nil {
		return nil, err
	}
	inline, err := readValues(data)
	if err != nil {
		return nil, fmt.Errorf("could not parse values inline: %w", err)
	}
	into, from := file, inline
	if c.ValuesMerge == "merge" {
		into, from = inline, file
	}
	merged, err := c.t.schemas.strategicMerge(into, from)
	if err != nil {
		return nil, fmt.Errorf("could not merge values: %w", err)
	}
	return writeYAML(nil, merged)
}

func readValues(data []byte) (*node, error) {
	docs, err := readDocuments(data)
	if err != nil || len(docs) == 0 {
		return nil, err
	}
	return docs[0], nil
}

// template lists the arguments that render the chart.
func (c *helmGenerator) template() []string {
	args := []string{"template", or(c.ReleaseName, "--generate-name"), filepath.Join(c.home(), c.Name)}
	for _, option := range [...][2]string{{"--namespace", c.Namespace}, {"--name-template", c.NameTemplate}, {"-f", c.ValuesFile}} {
		if option[1] != "" {
			args = append(args, option[:]...)
		}
	}
	for _, file := range c.AdditionalValuesFiles {
		args = append(args, "-f", file)
	}
	for _, version := range c.APIVersions {
		args = append(args, "--api-versions", version)
	}
	if c.KubeVersion != "" {
		args = append(args, "--kube-version", c.KubeVersion)
	}
	for _, flag := range []struct {
		on   bool
		name string
	}{{c.IncludeCRDs, "--include-crds"}, {c.SkipTests, "--skip-tests"}, {c.SkipHooks, "--no-hooks"}, {c.Debug, "--debug"}, {c.Devel, "--devel"}} {
		if flag.on {
			args = append(args, flag.name)
		}
	}
	return args
}
