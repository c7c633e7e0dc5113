package apply

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/editor"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

func newViewLastApplied(f *cli.Factory) *cobra.Command {
	var q resource.Query
	var output string
	cmd := &cobra.Command{
		Use:   "view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)",
		Short: "View the latest last-applied-configuration annotations of a resource/object",
		Long:  "Show what apply sent last for an object.",
		Example: `
  skiff apply view-last-applied deployment/web
  skiff apply view-last-applied -f ./web.yaml -o json`,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     cli.CompleteTypesAndNames(f, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "yaml" && output != "json" {
				return cli.UsageErrorf(cmd, "Unexpected -o output mode: %s, the flag 'output' must be one of yaml|json", output)
			}
			q.Args, q.Latest, q.ListAll = args, true, q.All || q.LabelSelector != ""
			return viewLastApplied(cmd.Context(), f, q, output)
		},
	}
	fs := cmd.Flags()
	q.AddFileFlags(fs, "whose last applied form to show")
	q.AddSelectorFlag(fs)
	fs.BoolVar(&q.All, "all", false, "All objects of the types in the namespace.")
	fs.StringVarP(&output, "output", "o", "yaml", "Form of the output: yaml or json.")
	return cmd
}

func viewLastApplied(ctx context.Context, f *cli.Factory, q resource.Query, output string) error {
	client, err := f.Client()
	if err != nil {
		return err
	}
	var texts []string
	for obj, err := range client.Find(ctx, q) {
		if err != nil {
			return err
		}
		text := obj.GetAnnotations()[resource.LastApplied]
		if text == "" {
			// kubectl says nothing of objects that were named.
			return missingLastApplied(obj)
		}
		texts = append(texts, text)
	}
	for i, text := range texts {
		if output == "json" {
			var b bytes.Buffer
			if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
				return err
			}
			fmt.Fprint(f.IO.Out, b.String())
			continue
		}
		data, err := yaml.JSONToYAML([]byte(text))
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(f.IO.Out, "---")
		}
		fmt.Fprint(f.IO.Out, string(data))
	}
	return nil
}

func missingLastApplied(obj *resource.Object) error {
	if obj.Source == "" {
		return nil
	}
	return fmt.Errorf("error when no last-applied-configuration annotation found on resource: %s\n %q: %v", obj.Name, obj.Source, error(nil))
}

type setLastApplied struct {
	q       resource.Query
	print   printers.Options
	create  bool
	dryRun  string
	dry     cli.DryRun
	printer printers.Printer
}

func newSetLastApplied(f *cli.Factory) *cobra.Command {
	var o setLastApplied
	cmd := &cobra.Command{
		Use:   "set-last-applied -f FILENAME",
		Short: "Set the last-applied-configuration annotation on a live object to match the contents of a file",
		Long:  "Record a manifest as what apply sent last, without changing anything else of the object.",
		Example: `
  skiff apply set-last-applied -f ./web.yaml
  skiff apply set-last-applied -f ./web.yaml --create-annotation=true`,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.dry, err = cli.ParseDryRun(o.dryRun); err != nil {
				return err
			}
			if o.printer, err = o.print.Printer(o.dry.Operation("configured")); err != nil {
				return err
			}
			return o.run(cmd.Context(), f)
		},
	}
	fs := cmd.Flags()
	o.print.AddFlags(fs)
	fs.StringSliceVarP(&o.q.Filenames, "filename", "f", nil, "File, directory or URL with the manifests to record.")
	fs.BoolVar(&o.create, "create-annotation", false, "Also for objects that lack the annotation.")
	cli.AddDryRunFlag(fs, &o.dryRun)
	return cmd
}

func (o *setLastApplied) run(ctx context.Context, f *cli.Factory) error {
	client, err := f.Client()
	if err != nil {
		return err
	}
	objects, errs := client.All(ctx, o.q)
	if len(errs) > 0 {
		return errs[0]
	}
	for _, obj := range objects {
		if err := o.one(ctx, client, f.IO, obj); err != nil {
			return err
		}
	}
	return nil
}

func (o *setLastApplied) one(ctx context.Context, client *resource.Client, io cli.IOStreams, obj *resource.Object) error {
	live := obj.Copy()
	if err := client.Read(ctx, live); err != nil {
		if apierrors.IsNotFound(err) {
			return err
		}
		return resource.WithSource(fmt.Sprintf("retrieving current configuration of:\n%s\nfrom server for:", describe(obj)), obj.Source, err)
	}
	if live.GetAnnotations()[resource.LastApplied] == "" && !o.create {
		return fmt.Errorf("no last-applied-configuration annotation found on resource: %s, to create the annotation, run the command with --create-annotation", obj.Name)
	}
	if err := resource.Annotate(obj.Unstructured); err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{
		resource.LastApplied: obj.GetAnnotations()[resource.LastApplied],
	}}})
	if err != nil {
		return err
	}
	if o.dry != cli.DryRunClient {
		if err := client.Patch(ctx, live, types.MergePatchType, patch, resource.WriteOptions{DryRun: o.dry == cli.DryRunServer}); err != nil {
			return err
		}
	}
	return o.printer.Print(live.Unstructured, io.Out)
}

func newEditLastApplied(f *cli.Factory) *cobra.Command {
	var q resource.Query
	var print printers.Options
	var manager, validate string
	var windows bool
	cmd := &cobra.Command{
		Use:   "edit-last-applied (RESOURCE/NAME | -f FILENAME)",
		Short: "Edit latest last-applied-configuration annotations of a resource/object",
		Long:  "Change in an editor what is recorded as applied last.",
		Example: `
  skiff apply edit-last-applied deployment/web
  KUBE_EDITOR=nano skiff apply edit-last-applied -f ./web.yaml`,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     cli.CompleteTypesAndNames(f, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			q.Args, q.Latest = args, true
			printer, err := print.Printer("edited")
			if err != nil {
				return err
			}
			return editLastApplied(cmd.Context(), f, q, printer, editor.Options{In: f.IO.In, Out: f.IO.Out, ErrOut: f.IO.ErrOut, WindowsLineEndings: windows}, manager)
		},
	}
	fs := cmd.Flags()
	print.AddFlags(fs)
	q.AddFileFlags(fs, "whose last applied form to edit")
	cli.AddFieldManagerFlag(fs, &manager, clientSideManager)
	cli.AddValidateFlag(fs, &validate)
	fs.BoolVar(&windows, "windows-line-endings", false, "Let the file to edit have Windows' line endings.")
	fs.Bool("record", false, "Of no effect any more.")
	fs.MarkHidden("record")
	return cmd
}

func editLastApplied(ctx context.Context, f *cli.Factory, q resource.Query, printer printers.Printer, e editor.Options, manager string) error {
	client, err := f.Client()
	if err != nil {
		return err
	}
	for obj, err := range client.Find(ctx, q) {
		if err != nil {
			return err
		}
		text := obj.GetAnnotations()[resource.LastApplied]
		if text == "" {
			return fmt.Errorf("no last-applied-configuration annotation found on resource: %s", obj.Name)
		}
		manifest, err := yaml.JSONToYAML([]byte(text))
		if err != nil {
			return err
		}
		edited, err := editor.Edit(ctx, e, manifest)
		if err != nil {
			return err
		}
		if edited == nil {
			fmt.Fprintln(f.IO.ErrOut, "Edit cancelled, no changes made.")
			continue
		}
		encoded, err := yaml.YAMLToJSON(edited)
		if err != nil {
			return err
		}
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{resource.LastApplied: string(encoded) + "\n"}}})
		if err != nil {
			return err
		}
		if err := client.Patch(ctx, obj, types.MergePatchType, patch, resource.WriteOptions{FieldManager: manager}); err != nil {
			return err
		}
		if err := printer.Print(obj.Unstructured, f.IO.Out); err != nil {
			return err
		}
	}
	return nil
}
