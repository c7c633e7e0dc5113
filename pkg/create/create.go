// Package create implements "skiff create": make objects from manifests, or from a few flags.
package create

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// Options are everything that create -f goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)
	Query  resource.Query
	Print  printers.Options

	Raw          string
	Edit         bool
	SaveConfig   bool
	FieldManager string

	dryRun, validate string
	windowsEndings   bool
	dry              cli.DryRun
	validation       string
	printer          printers.Printer
}

// NewCommand makes the command with its subcommands.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client}
	cmd := &cobra.Command{
		Use:   "create -f FILENAME",
		Short: "Create a resource from a file or from stdin",
		Long:  "Make the objects that manifests describe, in YAML or JSON. An object that is there already is an error; apply changes it.",
		Example: `
  # What a file describes
  skiff create -f ./redis.yaml

  # From stdin
  cat redis.yaml | skiff create -f -

  # As the server would make it, without making it
  skiff create -f ./redis.yaml --dry-run=server -o yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return cli.UsageErrorf(cmd, "Unexpected args: %v", args)
			}
			if !o.Query.FromFiles() {
				return fmt.Errorf("must specify one of -f and -k")
			}
			if err := o.parse(); err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	o.Print.AddFlags(fs)
	o.Query.AddFileFlags(fs, "to create")
	o.Query.AddSelectorFlag(fs)
	fs.BoolVar(&o.Edit, "edit", false, "Edit the objects before they are created.")
	fs.BoolVar(&o.windowsEndings, "windows-line-endings", false, "Let the file to edit have Windows' line endings.")
	fs.BoolVar(&o.SaveConfig, "save-config", false, "Keep the manifest in an annotation, so that apply can be used later.")
	fs.StringVar(&o.Raw, "raw", "", "Path to POST the file to on the server as it is.")
	cli.AddDryRunFlag(fs, &o.dryRun)
	cli.AddValidateFlag(fs, &o.validate)
	cli.AddFieldManagerFlag(fs, &o.FieldManager, "kubectl-create")
	fs.Bool("record", false, "Of no effect any more.")
	fs.MarkHidden("record")
	cmd.AddCommand(
		newNamespace(f), newSecret(f), newConfigMap(f), newServiceAccount(f), newService(f), newDeployment(f), newToken(f),
	)
	return cmd
}

func (o *Options) parse() (err error) {
	if err := o.checkRaw(); err != nil {
		return err
	}
	if o.dry, err = cli.ParseDryRun(o.dryRun); err != nil {
		return err
	}
	if o.validation, err = cli.ParseValidate(o.validate); err != nil {
		return err
	}
	o.Query.Validate = o.validation != "Ignore"
	o.printer, err = o.Print.Printer(o.dry.Operation("created"))
	return err
}

func (o *Options) checkRaw() error {
	if o.Raw == "" {
		return nil
	}
	files := o.Query.Filenames
	switch {
	case o.Edit:
		return fmt.Errorf("--raw and --edit are mutually exclusive")
	case len(files) != 1:
		return fmt.Errorf("--raw can only use a single local file or stdin")
	case strings.HasPrefix(files[0], "http://") || strings.HasPrefix(files[0], "https://"):
		return fmt.Errorf("--raw cannot read from a url")
	case o.Query.Recursive:
		return fmt.Errorf("--raw and --recursive are mutually exclusive")
	case o.Query.LabelSelector != "":
		return fmt.Errorf("--raw and --selector (-l) are mutually exclusive")
	case o.Print.Output != "":
		return fmt.Errorf("--raw and --output are mutually exclusive")
	}
	if _, err := url.ParseRequestURI(o.Raw); err != nil {
		return fmt.Errorf("--raw must be a valid URL path: %v", err)
	}
	return nil
}

// Run creates the objects. One that fails does not keep the next from being tried.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	if o.Raw != "" {
		return o.postRaw(ctx, client)
	}
	if o.Edit {
		return o.edit(ctx, client)
	}
	var errs []error
	count := 0
	for obj, err := range client.Find(ctx, o.Query) {
		if err == nil {
			if err = o.create(ctx, client, obj); err == nil {
				count++
			}
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	if count == 0 && len(errs) == 0 {
		return fmt.Errorf("no objects passed to create")
	}
	return utilerrors.NewAggregate(errs)
}

func (o *Options) create(ctx context.Context, client *resource.Client, obj *resource.Object) error {
	annotate := resource.Reannotate
	if o.SaveConfig {
		annotate = resource.Annotate
	}
	if err := annotate(obj.Unstructured); err != nil {
		return resource.WithSource("creating", obj.Source, err)
	}
	if o.dry != cli.DryRunClient {
		opts := resource.WriteOptions{DryRun: o.dry == cli.DryRunServer, FieldManager: o.FieldManager, FieldValidation: o.validation}
		if err := client.Create(ctx, obj, opts); err != nil {
			return resource.WithSource("creating", obj.Source, err)
		}
	}
	return o.printer.Print(obj.Unstructured, o.IO.Out)
}

func (o *Options) postRaw(ctx context.Context, client *resource.Client) error {
	var body []byte
	var err error
	if name := o.Query.Filenames[0]; name == "-" {
		body, err = io.ReadAll(o.IO.In)
	} else {
		body, err = os.ReadFile(name)
	}
	if err != nil {
		return err
	}
	answer, err := client.Do(ctx, resource.Request{Method: http.MethodPost, Path: o.Raw, Body: body})
	if err != nil {
		return err
	}
	_, err = o.IO.Out.Write(answer)
	return err
}
