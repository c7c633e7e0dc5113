// Package version implements "skiff version": the versions of client, engine and server.
package version

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
	utilversion "k8s.io/apimachinery/pkg/util/version"
	apiversion "k8s.io/apimachinery/pkg/version"
	"sigs.k8s.io/yaml"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// KustomizeVersion is the version whose behaviour the engine keeps.
const KustomizeVersion = "v5.8.1"

// Options are everything that version goes by.
type Options struct {
	IO               cli.IOStreams
	Client           func() (*resource.Client, error)
	Name             string
	ClientOnly       bool
	Output           string
	WarningsAsErrors bool
}

type versions struct {
	Client    *apiversion.Info `json:"clientVersion,omitempty"`
	Kustomize string           `json:"kustomizeVersion,omitempty"`
	Server    *apiversion.Info `json:"serverVersion,omitempty"`
	Skiff     string           `json:"skiffVersion,omitempty"`
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client, Name: f.Name}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the client and server version information",
		Long:  "Show which versions of Kubernetes client, kustomize engine and server are at work.",
		Example: `
  # Client and server
  skiff version

  # Without asking a server
  skiff version --client

  # For a program to read
  skiff version -o json`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.WarningsAsErrors = f.Flags.WarningsAsErrors
			if err := o.parse(args); err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&o.ClientOnly, "client", false, "Show the client's version only; no server is asked.")
	cmd.Flags().StringVarP(&o.Output, "output", "o", "", "Form of the output: yaml or json.")
	return cmd
}

func (o *Options) parse(args []string) error {
	if len(args) != 0 && !o.ClientOnly {
		return fmt.Errorf("extra arguments: %v", args)
	}
	if o.Output != "" && o.Output != "yaml" && o.Output != "json" {
		return errors.New("--output must be 'yaml' or 'json'")
	}
	return nil
}

// Run shows the versions. Without a server the client's are shown all the same.
func (o *Options) Run(ctx context.Context) error {
	v := versions{Kustomize: KustomizeVersion, Client: &apiversion.Info{
		Major: "1", Minor: "37", GitVersion: cli.KubectlVersion, GitCommit: cli.Commit, GitTreeState: "clean",
		BuildDate: "1970-01-01T00:00:00Z", GoVersion: runtime.Version(), Compiler: runtime.Compiler, Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}}
	if o.Name == "skiff" {
		v.Skiff = cli.Version
	}
	var serverErr error
	if !o.ClientOnly {
		v.Server, serverErr = o.server(ctx)
	}
	if err := o.print(v); err != nil {
		return err
	}
	if v.Server != nil {
		if err := o.warnOfSkew(v.Server.GitVersion); err != nil {
			return err
		}
	}
	return serverErr
}

func (o *Options) server(ctx context.Context) (*apiversion.Info, error) {
	client, err := o.Client()
	if err != nil {
		return nil, err
	}
	body, err := client.GetRaw(ctx, "/version")
	if err != nil {
		return nil, err
	}
	info := &apiversion.Info{}
	if err := json.Unmarshal(body, info); err != nil {
		return nil, fmt.Errorf("unable to parse the server version: %v", err)
	}
	return info, nil
}

func (o *Options) print(v versions) error {
	switch o.Output {
	case "yaml":
		data, err := yaml.Marshal(v)
		if err != nil {
			return err
		}
		fmt.Fprintln(o.IO.Out, string(data))
	case "json":
		data, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintln(o.IO.Out, string(data))
	default:
		fmt.Fprintf(o.IO.Out, "Client Version: %s\nKustomize Version: %s\n", v.Client.GitVersion, v.Kustomize)
		if v.Server != nil {
			fmt.Fprintf(o.IO.Out, "Server Version: %s\n", v.Server.GitVersion)
		}
		if v.Skiff != "" {
			fmt.Fprintf(o.IO.Out, "Skiff Version: %s\n", v.Skiff)
		}
	}
	return nil
}

// maxSkew is how many minor versions client and server may be apart.
const maxSkew = 1

func (o *Options) warnOfSkew(server string) error {
	client, err := utilversion.ParseSemantic(cli.KubectlVersion)
	if err != nil {
		return fmt.Errorf("client version error: %w", err)
	}
	s, err := utilversion.ParseSemantic(server)
	if err != nil {
		return fmt.Errorf("server version error: %w", err)
	}
	apart := int(client.Minor()) - int(s.Minor())
	if client.Major() == s.Major() && max(apart, -apart) <= maxSkew {
		return nil
	}
	text := fmt.Sprintf("version difference between client (%d.%d) and server (%d.%d) exceeds the supported minor version skew of +/-%d",
		client.Major(), client.Minor(), s.Major(), s.Minor(), maxSkew)
	if o.WarningsAsErrors {
		return errors.New(text)
	}
	fmt.Fprintf(o.IO.ErrOut, "Warning: %s\n", text)
	return nil
}
