// Package apiresources implements "skiff api-resources" and "skiff api-versions": what the server offers.
package apiresources

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// Options are everything that api-resources goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)

	APIGroup          string
	Namespaced        bool
	Verbs, Categories []string
	SortBy, Output    string
	NoHeaders, Cached bool

	groupGiven, namespacedGiven bool
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client}
	cmd := &cobra.Command{
		Use:   "api-resources",
		Short: "Print the supported API resources on the server",
		Long:  "List the resources that the server offers, with their short names, versions and kinds.",
		Example: `
  # All of them
  skiff api-resources

  # With verbs and categories
  skiff api-resources -o wide

  # Those that live in namespaces and can be listed
  skiff api-resources --namespaced=true --verbs=list

  # Those of one group
  skiff api-resources --api-group=apps`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.groupGiven, o.namespacedGiven = cmd.Flags().Changed("api-group"), cmd.Flags().Changed("namespaced")
			if len(args) > 0 {
				return cli.UsageErrorf(cmd, "unexpected arguments: %v", args)
			}
			return o.Run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.APIGroup, "api-group", "", "Only resources of this group.")
	fs.BoolVar(&o.Namespaced, "namespaced", true, "Only resources that live in namespaces, or with =false only those that do not.")
	fs.StringSliceVar(&o.Verbs, "verbs", nil, "Only resources with all of these verbs.")
	fs.StringSliceVar(&o.Categories, "categories", nil, "Only resources in all of these categories.")
	fs.StringVar(&o.SortBy, "sort-by", "", "Sort by name or kind; by group otherwise.")
	fs.BoolVar(&o.NoHeaders, "no-headers", false, "Leave out the line of headers.")
	fs.BoolVar(&o.Cached, "cached", false, "Take what was learnt earlier, if there is something.")
	fs.StringVarP(&o.Output, "output", "o", "", "Form of the output, one of: json, yaml, kyaml, name, wide.")
	fs.Bool("show-managed-fields", false, "Of no effect here.")
	return cmd
}

// Run lists the resources.
func (o *Options) Run(ctx context.Context) error {
	if !slices.Contains([]string{"", "name", "kind"}, o.SortBy) {
		return fmt.Errorf("--sort-by accepts only name or kind")
	}
	if !slices.Contains([]string{"", "json", "yaml", "kyaml", "name", "wide"}, o.Output) {
		return fmt.Errorf("unable to match a printer suitable for the output format %q, allowed formats are: json,kyaml,name,wide,yaml", o.Output)
	}
	client, err := o.Client()
	if err != nil {
		return err
	}
	mapper, err := o.mapper(ctx, client)
	if err != nil {
		return err
	}
	var found []*resource.Mapping
	for m := range mapper.Preferred() {
		if o.wanted(m) {
			found = append(found, m)
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return o.less(found[i], found[j]) })
	errs := []error{o.print(found)}
	if stale := staleGroups(mapper); stale != "" {
		errs = append(errs, fmt.Errorf("unable to retrieve the complete list of server APIs: %s", stale))
	}
	return utilerrors.NewAggregate(errs)
}

func (o *Options) mapper(ctx context.Context, client *resource.Client) (*resource.Mapper, error) {
	if o.Cached {
		return client.Mapper(ctx)
	}
	return client.Refresh(ctx)
}

func staleGroups(m *resource.Mapper) string {
	var out []string
	for _, g := range m.Groups {
		for _, v := range g.Versions {
			if v.Stale {
				out = append(out, g.Name+"/"+v.Version+": stale GroupVersion discovery: "+g.Name+"/"+v.Version)
			}
		}
	}
	return strings.Join(out, ", ")
}

func (o *Options) wanted(m *resource.Mapping) bool {
	has := func(all, want []string) bool {
		return !slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(all, w) })
	}
	return len(m.Verbs) > 0 && (!o.groupGiven || m.GVR.Group == o.APIGroup) && (!o.namespacedGiven || m.Namespaced == o.Namespaced) &&
		has(m.Verbs, o.Verbs) && has(m.Categories, o.Categories)
}

func (o *Options) less(a, b *resource.Mapping) bool {
	x, y := a.GVR.Group, b.GVR.Group
	switch o.SortBy {
	case "name":
		x, y = a.GVR.Resource, b.GVR.Resource
	case "kind":
		x, y = a.GVK.Kind, b.GVK.Kind
	}
	if x != y {
		return x < y
	}
	return a.GVR.Resource < b.GVR.Resource
}

func (o *Options) print(found []*resource.Mapping) error {
	switch o.Output {
	case "name":
		for _, m := range found {
			fmt.Fprintln(o.IO.Out, m.GroupResource().String())
		}
		return nil
	case "json", "yaml", "kyaml":
		return o.printList(found)
	}
	wide := o.Output == "wide"
	w := printers.NewTabWriter(o.IO.Out)
	if !o.NoHeaders {
		headers := []string{"NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"}
		if wide {
			headers = append(headers, "VERBS", "CATEGORIES")
		}
		w.Row(headers...)
	}
	for _, m := range found {
		row := []string{m.GVR.Resource, strings.Join(m.ShortNames, ","), m.GVR.GroupVersion().String(), fmt.Sprint(m.Namespaced), m.GVK.Kind}
		if wide {
			row = append(row, strings.Join(m.Verbs, ","), strings.Join(m.Categories, ","))
		}
		w.Row(row...)
	}
	return w.Flush()
}

func (o *Options) printList(found []*resource.Mapping) error {
	list := &metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}}
	for _, m := range found {
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name: m.GVR.Resource, SingularName: m.Singular, Namespaced: m.Namespaced, Group: m.GVR.Group, Version: m.GVR.Version,
			Kind: m.GVK.Kind, Verbs: m.Verbs, ShortNames: m.ShortNames, Categories: m.Categories,
		})
	}
	printer, err := (&printers.Options{Output: o.Output, ShowManagedFields: true}).Printer("")
	if err != nil {
		return err
	}
	return printer.Print(list, o.IO.Out)
}

// NewVersionsCommand makes "api-versions".
func NewVersionsCommand(f *cli.Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "api-versions",
		Short: `Print the supported API versions on the server, in the form of "group/version"`,
		Long:  "List the API versions that the server offers, one group/version a line.",
		Example: `
  skiff api-versions`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return cli.UsageErrorf(cmd, "unexpected arguments: %v", args)
			}
			client, err := f.Client()
			if err != nil {
				return err
			}
			mapper, err := client.Refresh(cmd.Context())
			if err != nil {
				return fmt.Errorf("couldn't get available api versions from server: %v", err)
			}
			var out []string
			for _, g := range mapper.Groups {
				for _, v := range g.Versions {
					out = append(out, strings.TrimPrefix(g.Name+"/"+v.Version, "/"))
				}
			}
			sort.Strings(out)
			for _, v := range out {
				fmt.Fprintln(f.IO.Out, v)
			}
			return nil
		},
	}
}
