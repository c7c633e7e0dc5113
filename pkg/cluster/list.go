package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/kubeskiff/skiff/pkg/cli"
)

func newList(f *cli.Factory) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the clusters of this machine", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			write, ok := listFormats[output]
			if !ok {
				return fmt.Errorf("unknown output format %q: use json, yaml or name", output)
			}
			return list(f.IO, write)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "Output format. One of: (json, yaml, name).")
	return cmd
}

// listed is a cluster as scripts see it.
type listed struct {
	Name      string `json:"name"`
	Status    string `json:"status"` // Running, Stopped
	Nodes     int    `json:"nodes"`
	Runtime   string `json:"runtime"`
	Server    string `json:"server"`
	Context   string `json:"context"`
	Directory string `json:"directory"`
}

var listFormats = map[string]func(cli.IOStreams, []listed) error{
	"":     listTable,
	"json": listJSON,
	"yaml": listYAML,
	"name": listNames,
}

func list(streams cli.IOStreams, write func(cli.IOStreams, []listed) error) error {
	root, err := DataRoot()
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(root, "clusters"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list clusters: %w", err)
	}
	all := []listed{}
	for _, e := range entries {
		dir := filepath.Join(root, "clusters", e.Name())
		c, err := readCluster(dir)
		if err != nil {
			continue // a directory without a cluster
		}
		l := listed{Name: e.Name(), Status: "Stopped", Nodes: c.Nodes, Runtime: c.Runtime, Server: fmt.Sprintf("https://127.0.0.1:%d", c.APIPort),
			Context: contextName(e.Name()), Directory: dir}
		if serverRuns(dir) {
			l.Status = "Running"
		}
		all = append(all, l)
	}
	return write(streams, all)
}

func listTable(streams cli.IOStreams, all []listed) error {
	if len(all) == 0 {
		_, err := io.WriteString(streams.ErrOut, "No clusters found. \"skiff cluster start\" makes one.\n")
		return err
	}
	w := tabwriter.NewWriter(streams.Out, 0, 8, 3, ' ', 0)
	fmt.Fprintln(w, "NAME\tSTATUS\tNODES\tRUNTIME\tAPI SERVER")
	for _, l := range all {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", l.Name, l.Status, l.Nodes, l.Runtime, l.Server)
	}
	return w.Flush()
}

func listJSON(streams cli.IOStreams, all []listed) error {
	e := json.NewEncoder(streams.Out)
	e.SetIndent("", "    ")
	return e.Encode(all)
}

func listYAML(streams cli.IOStreams, all []listed) error {
	text, err := yaml.Marshal(all)
	if err != nil {
		return fmt.Errorf("encode the clusters: %w", err)
	}
	_, err = streams.Out.Write(text)
	return err
}

func listNames(streams cli.IOStreams, all []listed) error {
	for _, l := range all {
		if _, err := fmt.Fprintln(streams.Out, l.Name); err != nil {
			return err
		}
	}
	return nil
}
