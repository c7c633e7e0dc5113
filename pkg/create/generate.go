package create

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// generator is a subcommand that makes one object from flags.
type generator struct {
	use, short, long, example string
	aliases, required         []string
	// failure begins the error of a server that refused: "failed to create deployment: %v".
	failure       string
	clusterScoped bool
	flags         func(fs *pflag.FlagSet)
	make          func(name string, rest []string) (api.Object, error)
}

type generated struct {
	print            printers.Options
	dryRun, validate string
	manager          string
	saveConfig       bool
	generator        generator
	io               cli.IOStreams
	client           func() (*resource.Client, error)
	namespace        func() (string, bool, error)
	name             string
	rest             []string
	dry              cli.DryRun
	validation       string
	printer          printers.Printer
}

func (g generator) command(f *cli.Factory) *cobra.Command {
	o := &generated{generator: g, io: f.IO, client: f.Client, namespace: f.Namespace}
	cmd := &cobra.Command{
		Use: g.use, Short: g.short, Long: g.long, Example: g.example, Aliases: g.aliases, DisableFlagsInUseLine: true,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.name, err = nameArg(cmd, args); err != nil {
				return err
			}
			o.rest = args[1:]
			if err := o.parse(); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	o.print.AddFlags(fs)
	cli.AddDryRunFlag(fs, &o.dryRun)
	cli.AddValidateFlag(fs, &o.validate)
	cli.AddFieldManagerFlag(fs, &o.manager, "kubectl-create")
	fs.BoolVar(&o.saveConfig, "save-config", false, "Keep the object in an annotation, so that apply can be used later.")
	if g.flags != nil {
		g.flags(fs)
	}
	for _, name := range g.required {
		cmd.MarkFlagRequired(name)
	}
	return cmd
}

// nameArg takes the one NAME; what follows "--" is not for it.
func nameArg(cmd *cobra.Command, args []string) (string, error) {
	n := cmd.ArgsLenAtDash()
	if n == -1 {
		n = len(args)
	}
	if n != 1 {
		return "", cli.UsageErrorf(cmd, "exactly one NAME is required, got %d", n)
	}
	return args[0], nil
}

func (o *generated) parse() (err error) {
	if o.dry, err = cli.ParseDryRun(o.dryRun); err != nil {
		return err
	}
	if o.printer, err = o.print.Printer(o.dry.Operation("created")); err != nil {
		return err
	}
	o.validation, err = cli.ParseValidate(o.validate)
	return err
}

func (o *generated) run(ctx context.Context) error {
	if o.name == "" {
		return fmt.Errorf("name must be specified")
	}
	obj, err := o.generator.make(o.name, o.rest)
	if err != nil {
		return err
	}
	namespace := ""
	if !o.generator.clusterScoped {
		var explicit bool
		if namespace, explicit, err = o.namespace(); err != nil {
			return err
		}
		if explicit {
			obj.SetNamespace(namespace)
		}
	}
	if o.saveConfig {
		if err := resource.Annotate(obj); err != nil {
			return err
		}
	}
	if o.dry != cli.DryRunClient {
		client, err := o.client()
		if err != nil {
			return err
		}
		opts := resource.WriteOptions{DryRun: o.dry == cli.DryRunServer, FieldManager: o.manager, FieldValidation: o.validation}
		if err := client.CreateTyped(ctx, namespace, obj, opts); err != nil {
			if o.generator.failure == "" {
				return err
			}
			return fmt.Errorf(o.generator.failure, err)
		}
	}
	return o.printer.Print(obj, o.io.Out)
}
