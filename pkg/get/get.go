// Package get implements "skiff get": show objects, once or as they change.
package get

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// Options are everything that get goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)
	Query  resource.Query
	Print  printers.Options
	Table  printers.TableOptions
	// Pretty draws tables for a person.
	Pretty bool

	Raw               string
	Watch, WatchOnly  bool
	OutputWatchEvents bool
	SortBy            string
	ServerPrint       bool
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client, Pretty: f.Pretty, ServerPrint: true}
	o.Print.Columns = true
	o.Query.ListAll, o.Query.Latest = true, true
	cmd := &cobra.Command{
		Use:        "get [(-o|--output=)" + strings.Join(o.Print.Formats(), "|") + "] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]",
		Short:      "Display one or many resources",
		SuggestFor: []string{"list", "ls"},
		Long: `Show objects: a table with the most important facts of each, or the objects themselves with -o.

A TYPE alone shows all of its objects in the current namespace; names, -l and --field-selector choose among them, -A goes
through all namespaces. With -w the command goes on and shows every change.

Use "` + f.Name + ` api-resources" for a complete list of supported resources.`,
		Example: `
  # All pods of the current namespace
  skiff get pods

  # With node and address of each
  skiff get pods -o wide

  # One deployment as YAML
  skiff get deployment web -o yaml

  # Several types at once, then everything of the category "all"
  skiff get deployments,services
  skiff get all

  # What the manifests of a directory have become
  skiff get -k ./

  # One field of one object
  skiff get pod redis -o jsonpath='{.status.podIP}'

  # Columns of your own
  skiff get pods -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image

  # Newest last, and then every change
  skiff get pods --sort-by=.metadata.creationTimestamp
  skiff get pods -w`,
		ValidArgsFunction: cli.CompleteTypesAndNames(f, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.parse(cmd, args); err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	o.Print.AddFlags(fs)
	fs.BoolVar(&o.Table.NoHeaders, "no-headers", false, "Leave out the line of headers of a table.")
	fs.BoolVar(&o.Table.ShowLabels, "show-labels", false, "Show all labels as the last column.")
	fs.StringSliceVarP(&o.Table.ColumnLabels, "label-columns", "L", nil, "Labels to show as columns, by comma or one flag each.")
	fs.BoolVar(&o.Table.WithKind, "show-kind", false, "Put the type before each name.")
	fs.StringVar(&o.SortBy, "sort-by", "", "Field to sort by, as JSONPath: '{.metadata.name}' or .metadata.name. It must be a number, a text or a quantity.")
	fs.StringVar(&o.Raw, "raw", "", "Path to read from the server as it is, such as /readyz.")
	fs.BoolVarP(&o.Watch, "watch", "w", false, "Show the objects, then every change.")
	fs.BoolVar(&o.WatchOnly, "watch-only", false, "Show changes only.")
	fs.BoolVar(&o.OutputWatchEvents, "output-watch-events", false, "Show the events of a watch with their type; objects that are there already come as ADDED.")
	fs.BoolVar(&o.Query.IgnoreNotFound, "ignore-not-found", false, "Do not fail if an object that was named does not exist.")
	fs.BoolVar(&o.ServerPrint, "server-print", true, "Let the server draw the table. Without it only name and age are shown.")
	o.Query.AddFieldSelectorFlag(fs)
	o.Query.AddNamespacesFlag(fs)
	o.Query.AddFileFlags(fs, "to look up")
	o.Query.AddChunkFlag(fs)
	o.Query.AddSelectorFlag(fs)
	cli.AddSubresourceFlag(fs, &o.Query.Subresource, "Subresource to read the object through, such as status or scale.")
	cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(o.Print.Formats(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *Options) parse(cmd *cobra.Command, args []string) error {
	o.Query.Args = args
	if o.Raw != "" {
		return o.parseRaw(args)
	}
	o.Print.NoHeaders = o.Table.NoHeaders
	o.Table.Wide = o.Print.Output == "wide"
	switch watching := o.Watch || o.WatchOnly; {
	case o.Watch && o.SortBy != "":
		fmt.Fprintln(o.IO.ErrOut, "warning: --watch requested, --sort-by will be ignored for watch events received")
	case o.WatchOnly && o.SortBy != "":
		fmt.Fprintln(o.IO.ErrOut, "warning: --watch-only requested, --sort-by will be ignored")
	case !watching && len(args) == 0 && !o.Query.FromFiles():
		program := cmd.Root().Name()
		fmt.Fprintf(o.IO.ErrOut, "You must specify the type of resource to get. Use \"%s api-resources\" for a complete list of supported resources.\n\n", program)
		return cli.UsageErrorf(cmd, "Required resource not specified.\nUse \"%[1]s explain <resource>\" for a detailed description of that resource (e.g. %[1]s explain pods).", program)
	}
	if o.Table.ShowLabels && o.Print.Output != "" && !o.Table.Wide {
		return fmt.Errorf("--show-labels option cannot be used with %s printer", o.Print.Output)
	}
	if len(o.Table.ColumnLabels) > 0 && strings.HasPrefix(o.Print.Output, "custom-columns") {
		return fmt.Errorf("--label-columns option cannot be used with %s printer", o.Print.Output)
	}
	if o.OutputWatchEvents && !o.Watch && !o.WatchOnly {
		return fmt.Errorf("--output-watch-events option can only be used with --watch or --watch-only")
	}
	return nil
}

func (o *Options) parseRaw(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("arguments may not be passed when --raw is specified")
	}
	if o.Watch || o.WatchOnly || o.Query.LabelSelector != "" {
		return fmt.Errorf("--raw may not be specified with other flags that filter the server request or alter the output")
	}
	if o.Print.Output != "" {
		return fmt.Errorf("--raw and --output are mutually exclusive")
	}
	if _, err := url.ParseRequestURI(o.Raw); err != nil {
		return fmt.Errorf("--raw must be a valid URL path: %v", err)
	}
	return nil
}

// isTable tells whether a table is drawn rather than objects printed.
func (o *Options) isTable() bool {
	return !o.Print.Given() || o.Print.Output == "wide" && o.Print.Template == ""
}

// Run shows the objects.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	switch {
	case o.Raw != "":
		return o.raw(ctx, client)
	case o.Watch || o.WatchOnly:
		return o.watch(ctx, client)
	case o.isTable():
		return o.tables(ctx, client)
	}
	return o.objects(ctx, client)
}

func (o *Options) raw(ctx context.Context, client *resource.Client) error {
	body, err := client.GetRaw(ctx, o.Raw)
	if err != nil {
		return err
	}
	_, err = o.IO.Out.Write(body)
	return err
}

// distinct keeps the first of errors with the same text.
func distinct(errs []error) []error {
	var out []error
	for _, err := range errs {
		if !slices.ContainsFunc(out, func(e error) bool { return e.Error() == err.Error() }) {
			out = append(out, err)
		}
	}
	return out
}
