package get

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// objects prints what was found: one object as itself, anything else as one v1 List.
func (o *Options) objects(ctx context.Context, client *resource.Client) error {
	printer, err := o.Print.Printer("")
	if err != nil {
		return err
	}
	single, err := client.OneNamed(o.Query)
	if err != nil {
		return err
	}
	q := o.Query
	if !q.FromFiles() {
		// Mistakes in the arguments end the command before it prints an empty list.
		if _, _, err := client.Targets(ctx, q); err != nil {
			return err
		}
	}
	if o.SortBy != "" {
		q.ChunkSize = 0
	}
	list := &unstructured.UnstructuredList{Object: map[string]any{
		"apiVersion": "v1", "kind": "List", "metadata": map[string]any{"resourceVersion": ""},
	}}
	var errs []error
	for obj, err := range client.Find(ctx, q) {
		if err != nil {
			if single {
				return err
			}
			errs = append(errs, err)
			continue
		}
		list.Items = append(list.Items, *obj.Unstructured)
	}
	switch {
	case len(list.Items) == 0 && q.IgnoreNotFound:
		return utilerrors.NewAggregate(distinct(errs))
	case single && len(list.Items) == 1:
		err = printer.Print(&list.Items[0], o.IO.Out)
	default:
		if o.SortBy != "" {
			if err := printers.SortObjects(list.Items, o.SortBy); err != nil {
				return err
			}
		}
		err = printer.Print(list, o.IO.Out)
	}
	if err != nil {
		errs = append(errs, err)
	}
	return utilerrors.NewAggregate(distinct(errs))
}
