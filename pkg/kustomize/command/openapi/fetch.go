package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
)

// advice ends the error of a fetch that failed.
const advice = `
Error fetching schema from cluster.
Please make sure kubectl is installed, its context is set correctly, and your cluster is up.
Installation and setup instructions: https://kubernetes.io/docs/tasks/tools/install-kubectl/`

func newFetch(streams shell.IOStreams, name string) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "fetch", Short: "Print the schemas of the cluster that kubectl speaks to", Example: "  " + name + " openapi fetch > schema.json",
		RunE: func(*cobra.Command, []string) error {
			text, err := fetch(format)
			if err == nil {
				_, err = fmt.Fprintln(streams.Out, text)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&format, "format", "json", "how to write it: 'json' or 'yaml'")
	return cmd
}

// fetch asks kubectl, as kustomize does, so that whatever kubectl the user has set up decides on the cluster.
func fetch(format string) (string, error) {
	if format != "json" && format != "yaml" {
		return "", errors.New("format must be either 'json' or 'yaml'")
	}
	var out, failed bytes.Buffer
	kubectl := exec.Command("kubectl", "get", "--raw", "/openapi/v2")
	kubectl.Stdout, kubectl.Stderr = &out, &failed
	switch err := kubectl.Run(); {
	case err != nil:
		return "", fmt.Errorf("%w\n%s%s", err, failed.String(), advice)
	case out.Len() == 0:
		return "", fmt.Errorf("%s%s", failed.String(), advice)
	}
	var schema map[string]any
	if err := json.Unmarshal(out.Bytes(), &schema); err != nil {
		return "", fmt.Errorf("read the schemas of the cluster: %w", err)
	}
	text, err := json.MarshalIndent(schema, "", "  ")
	if err == nil && format == "yaml" {
		text, err = yaml.JSONToYAML(text)
	}
	return string(text), err
}
