package config

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/tools/clientcmd/api/latest"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
)

type view struct {
	*files
	print                       printers.Options
	merge, flatten, minify, raw bool
}

func newView(c *files) *cobra.Command {
	v := &view{files: c}
	v.print.Output = "yaml"
	cmd := &cobra.Command{
		Use:   "view",
		Short: "Display merged kubeconfig settings or a specified kubeconfig file",
		Long:  "Show the kubeconfig as commands see it: all files merged, or the one of --kubeconfig. Secrets are left out unless --raw or --flatten asks for them.",
		Example: `
  skiff config view
  skiff config view --minify
  skiff config view -o jsonpath='{.users[?(@.name == "me")].user.token}' --raw`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 0 {
				return cli.UsageErrorf(cmd, "unexpected arguments: %v", args)
			}
			if v.access.IsExplicitFile() && !cmd.Flags().Changed("merge") {
				v.merge = false
			}
			return v.run()
		},
	}
	fs := cmd.Flags()
	v.print.AddFlags(fs)
	fs.BoolVar(&v.merge, "merge", true, "Merge all files.")
	fs.BoolVar(&v.flatten, "flatten", false, "Put the content of files that are named into the output, so that it stands alone.")
	fs.BoolVar(&v.minify, "minify", false, "Leave out what the current context does not use.")
	fs.BoolVar(&v.raw, "raw", false, "Show certificates, keys and tokens.")
	return cmd
}

func (v *view) run() error {
	if !v.merge && !v.access.IsExplicitFile() {
		return errors.New("if merge==false a precise file must be specified")
	}
	printer, err := v.print.Printer("")
	if err != nil {
		return err
	}
	config, err := v.config()
	if err != nil {
		return err
	}
	if v.minify {
		if v.flags.Context != "" {
			config.CurrentContext = v.flags.Context
		}
		if err := clientcmdapi.MinifyConfig(config); err != nil {
			return err
		}
	}
	switch {
	case v.flatten:
		if err := clientcmdapi.FlattenConfig(config); err != nil {
			return err
		}
	case !v.raw:
		if err := clientcmdapi.RedactSecrets(config); err != nil {
			return err
		}
		clientcmdapi.ShortenConfig(config)
	}
	obj, err := latest.Scheme.ConvertToVersion(config, latest.ExternalVersion)
	if err != nil {
		return err
	}
	return printer.Print(obj, v.io.Out)
}

func (v *view) config() (*clientcmdapi.Config, error) {
	if v.merge {
		return v.load()
	}
	config, err := clientcmd.LoadFromFile(v.access.GetExplicitFile())
	if err != nil && !os.IsNotExist(err) {
		err = fmt.Errorf("error loading config file %q: %w", v.access.GetExplicitFile(), err)
	}
	return config, err
}
