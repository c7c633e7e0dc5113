package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// provenance says what program this is, in kustomize's words: the version is that of the kustomize whose output ours equals,
// since that is what scripts compare; the commit is ours.
type provenance struct {
	Version   string `json:"version,omitempty" yaml:"version,omitempty"`
	GitCommit string `json:"gitCommit,omitempty" yaml:"gitCommit,omitempty"`
	BuildDate string `json:"buildDate,omitempty" yaml:"buildDate,omitempty"`
	GoOS      string `json:"goOs,omitempty" yaml:"goOs,omitempty"`
	GoArch    string `json:"goArch,omitempty" yaml:"goArch,omitempty"`
	GoVersion string `json:"goVersion,omitempty" yaml:"goVersion,omitempty"`
}

func newVersion(t tool) *cobra.Command {
	var short bool
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Prints the kustomize version",
		Long:  "Print the version of kustomize whose behaviour and output this program has.",
		Example: "  # The version alone\n  " + t.name + " version\n\n" +
			"  # With what the program was built from\n  " + t.name + " version -o yaml",
		RunE: func(*cobra.Command, []string) error {
			text, err := versionText(short, output)
			if err == nil && text != "" {
				_, err = fmt.Fprintln(t.Out, text)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&short, "short", false, "print one line")
	_ = cmd.Flags().MarkDeprecated("short", "and will be removed in the future.")
	cmd.Flags().StringVarP(&output, "output", "o", "", "The format: 'yaml' or 'json'.")
	return cmd
}

func versionText(short bool, output string) (string, error) {
	if short && output != "" {
		return "", errors.New("--short and --output are mutually exclusive")
	}
	p := provenance{kustomize.Version, shell.Commit, "unknown", runtime.GOOS, runtime.GOARCH, runtime.Version()}
	switch output {
	case "yaml":
		text, err := yaml.Marshal(p)
		return string(text), err
	case "json":
		text, err := json.MarshalIndent(p, "", "  ")
		return string(text), err
	case "":
		if short {
			return fmt.Sprintf("{%s  %s   }", p.Version, p.BuildDate), nil
		}
		return p.Version, nil
	}
	return "", nil // as kustomize: a format that it does not know prints nothing
}
