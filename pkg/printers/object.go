package printers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
	"sigs.k8s.io/yaml/kyaml"
)

var errNoKind = fmt.Errorf("missing apiVersion or kind; try GetObjectKind().SetGroupVersionKind() if you know the type")

func hasNoKind(obj runtime.Object) bool {
	_, event := obj.(*metav1.WatchEvent)
	return !event && obj.GetObjectKind().GroupVersionKind().Empty()
}

// printJSON indents by four, and puts events on a line each, as kubectl does.
func printJSON(obj runtime.Object, w io.Writer) error {
	if hasNoKind(obj) {
		return errNoKind
	}
	data, err := json.MarshalIndent(obj, "", "    ")
	if _, ok := obj.(*metav1.WatchEvent); ok {
		data, err = json.Marshal(obj)
	}
	if err != nil {
		return err
	}
	_, err = w.Write(append(data, '\n'))
	return err
}

// yamlPrinter separates objects by "---".
type yamlPrinter struct{ printed int }

func (p *yamlPrinter) Print(obj runtime.Object, w io.Writer) error {
	if hasNoKind(obj) {
		return errNoKind
	}
	data, err := yaml.Marshal(obj)
	if err != nil {
		return err
	}
	if p.printed++; p.printed > 1 {
		if _, err := io.WriteString(w, "---\n"); err != nil {
			return err
		}
	}
	_, err = w.Write(data)
	return err
}

type kyamlPrinter struct{}

func (p *kyamlPrinter) Print(obj runtime.Object, w io.Writer) error {
	if hasNoKind(obj) {
		return errNoKind
	}
	data, err := json.Marshal(obj)
	if err != nil {
		return err
	}
	return new(kyaml.Encoder).FromYAML(bytes.NewReader(data), w)
}

// withoutManaged leaves out managedFields unless they were asked for.
func (o *Options) withoutManaged(p Printer) Printer {
	if o.ShowManagedFields {
		return p
	}
	return Func(func(obj runtime.Object, w io.Writer) error {
		return p.Print(omitManaged(obj), w)
	})
}

func omitManaged(obj runtime.Object) runtime.Object {
	switch t := obj.(type) {
	case *unstructured.UnstructuredList:
		out := &unstructured.UnstructuredList{Object: t.Object, Items: make([]unstructured.Unstructured, len(t.Items))}
		for i := range t.Items {
			out.Items[i] = *omitManaged(&t.Items[i]).(*unstructured.Unstructured)
		}
		return out
	case *metav1.WatchEvent:
		// kubectl leaves events whole.
		return t
	case *unstructured.Unstructured:
		metadata, ok := t.Object["metadata"].(map[string]any)
		if !ok || metadata["managedFields"] == nil {
			return t
		}
		return &unstructured.Unstructured{Object: without(t.Object, "metadata", without(metadata, "managedFields", nil))}
	}
	if a, err := meta.Accessor(obj); err == nil && a.GetManagedFields() != nil {
		obj = obj.DeepCopyObject()
		a, _ = meta.Accessor(obj)
		a.SetManagedFields(nil)
	}
	return obj
}

// without copies a map with one key replaced, or left out if value is nil.
func without(m map[string]any, key string, value map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		if k != key {
			out[k] = v
		}
	}
	if value != nil {
		out[key] = value
	}
	return out
}

// namePrinter writes "kind.group/name operation".
type namePrinter struct{ operation string }

func (p namePrinter) Print(obj runtime.Object, w io.Writer) error {
	if event, ok := obj.(*metav1.WatchEvent); ok {
		obj = event.Object.Object
	}
	if list, ok := obj.(*unstructured.UnstructuredList); ok {
		for i := range list.Items {
			if err := p.Print(&list.Items[i], w); err != nil {
				return err
			}
		}
		return nil
	}
	if hasNoKind(obj) {
		return errNoKind
	}
	name := "<unknown>"
	if a, err := meta.Accessor(obj); err == nil && a.GetName() != "" {
		name = a.GetName()
	}
	gvk := obj.GetObjectKind().GroupVersionKind()
	if gvk.Kind == "" {
		return fmt.Errorf("missing kind for resource with name %v", name)
	}
	_, err := io.WriteString(w, KindName(gvk.Group, gvk.Kind, name)+suffix(p.operation)+"\n")
	return err
}

func suffix(operation string) string {
	if operation == "" {
		return ""
	}
	return " " + operation
}

// KindName is what messages call an object: "pod/x", "deployment.apps/x".
func KindName(group, kind, name string) string {
	if group == "" {
		return strings.ToLower(kind) + "/" + name
	}
	return strings.ToLower(kind) + "." + group + "/" + name
}
