// Package explain implements "skiff explain": what the fields of a type mean, as the server documents them.
package explain

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// Options are everything that explain goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)

	Target     string // pods.spec.containers
	APIVersion string
	Output     string
	Recursive  bool
	MaxDepth   int
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client}
	hint := `Use "` + f.Name + ` api-resources" for a complete list of supported resources.`
	cmd := &cobra.Command{
		Use:   "explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext|plaintext-openapiv2]",
		Short: "Get documentation for a resource",
		Long: `Show what a type and its fields are for. A field is named by its path: TYPE.field.field; lists and maps are passed through
without a mark of their own.

` + hint,
		Example: `
  # A type with its fields
  skiff explain pods

  # All fields below it
  skiff explain pods --recursive

  # One field
  skiff explain pods.spec.containers

  # In another version of the API
  skiff explain deployments --api-version=apps/v1`,
		ValidArgsFunction: cli.CompleteTypesAndNames(f, true),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return fmt.Errorf("You must specify the type of resource to explain. %s\n", hint)
			case len(args) > 1:
				return fmt.Errorf("We accept only this format: explain RESOURCE\n")
			case o.MaxDepth > 0 && !o.Recursive:
				return fmt.Errorf("--max-depth requires --recursive")
			case o.MaxDepth < 0:
				return fmt.Errorf("--max-depth must be non-negative")
			case o.Output != "plaintext" && o.Output != "plaintext-openapiv2":
				return fmt.Errorf("unrecognized format: %s", o.Output)
			}
			o.Target = args[0]
			return o.Run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.BoolVarP(&o.Recursive, "recursive", "R", false, "Show the names of all fields below.")
	fs.StringVar(&o.APIVersion, "api-version", "", "Version of the API to look in: group/version.")
	fs.StringVarP(&o.Output, "output", "o", "plaintext", "Form of the output: plaintext or plaintext-openapiv2.")
	fs.IntVar(&o.MaxDepth, "max-depth", 0, "How deep --recursive goes. 0 is all the way.")
	return cmd
}

// Run explains.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	mapper, err := client.Mapper(ctx)
	if err != nil {
		return err
	}
	m, fields, err := o.find(ctx, mapper)
	if err != nil {
		return err
	}
	gvk := m.GVK
	if o.APIVersion != "" {
		gv, err := schema.ParseGroupVersion(o.APIVersion)
		if err != nil {
			return err
		}
		gvk = gv.WithKind(gvk.Kind)
	}
	gvr := gvk.GroupVersion().WithResource(m.GVR.Resource)
	doc, err := fetch(ctx, client, gvr)
	if err != nil {
		return err
	}
	return doc.explain(o.IO.Out, gvk, fields, o)
}

// find takes apart the type and the path of fields; a group may stand after the type.
func (o *Options) find(ctx context.Context, mapper *resource.Mapper) (*resource.Mapping, []string, error) {
	parts := strings.Split(o.Target, ".")
	if m := o.withGroup(mapper, parts[0]); m != nil {
		rest := strings.TrimPrefix(strings.TrimPrefix(o.Target, m.GroupResource().String()), ".")
		if rest == "" {
			return m, nil, nil
		}
		return m, strings.Split(rest, "."), nil
	}
	m, err := mapper.ByArg(ctx, parts[0])
	if err != nil {
		return nil, nil, &meta.NoResourceMatchError{PartialResource: schema.GroupVersionResource{Resource: parts[0]}}
	}
	return m, parts[1:], nil
}

// withGroup finds a type that the target names with its group.
func (o *Options) withGroup(mapper *resource.Mapper, name string) *resource.Mapping {
	if o.APIVersion != "" {
		return nil
	}
	for m := range mapper.Preferred() {
		full := m.GroupResource().String()
		if m.GVR.Resource == name && (o.Target == full || strings.HasPrefix(o.Target, full+".")) {
			return m
		}
	}
	return nil
}

// document is an OpenAPI v3 document of one group version, undecoded but for its schemas.
type document struct {
	Components struct {
		Schemas map[string]*node `json:"schemas"`
	} `json:"components"`
}

// fetch reads the document of a group version.
func fetch(ctx context.Context, client *resource.Client, gvr schema.GroupVersionResource) (*document, error) {
	path := "/openapi/v3/apis/" + gvr.Group + "/" + gvr.Version
	if gvr.Group == "" {
		path = "/openapi/v3/api/" + gvr.Version
	}
	body, err := client.GetRaw(ctx, path)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("couldn't find resource for \"%v\"", gvr)
	}
	if err != nil {
		return nil, err
	}
	doc := &document{}
	if err := json.Unmarshal(body, doc); err != nil {
		return nil, fmt.Errorf("failed to parse openapi schema for %s: %w", path, err)
	}
	return doc, nil
}
