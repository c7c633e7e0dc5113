package printers

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/template"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/jsonpath"
)

func (o *Options) jsonPath(format, value string) (Printer, error) {
	text, err := templateText(format, value, format == "jsonpath-file")
	if err != nil {
		return nil, err
	}
	path := jsonpath.New("out")
	if err := path.Parse(text); err != nil {
		return nil, fmt.Errorf("error parsing jsonpath %s, %v", text, err)
	}
	path.AllowMissingKeys(o.AllowMissingKeys)
	path.EnableJSONOutput(format == "jsonpath-as-json")
	return Func(func(obj runtime.Object, w io.Writer) error {
		content, err := plain(obj)
		if err != nil {
			return err
		}
		if err := path.Execute(w, content); err != nil {
			return fmt.Errorf("error executing jsonpath %q: Error executing template: %v. Printing more information for debugging the template:\n\ttemplate was:\n\t\t%v\n\tobject given to jsonpath engine was:\n\t\t%#v\n\n\n",
				text, err, text, content)
		}
		return nil
	}), nil
}

// plain is an object as maps, integers kept where it came so.
func plain(obj runtime.Object) (any, error) {
	if u, ok := obj.(runtime.Unstructured); ok {
		return u.UnstructuredContent(), nil
	}
	data, err := json.Marshal(obj)
	if err != nil {
		return nil, err
	}
	content := map[string]any{}
	return content, json.Unmarshal(data, &content)
}

func (o *Options) goTemplate(format, value string) (Printer, error) {
	text, err := templateText(format, value, strings.HasSuffix(format, "file"))
	if err != nil {
		return nil, err
	}
	t, err := template.New("output").Funcs(template.FuncMap{"exists": exists, "base64decode": base64decode}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("error parsing template %s, %v", text, err)
	}
	if o.AllowMissingKeys {
		t.Option("missingkey=default")
	} else {
		t.Option("missingkey=error")
	}
	return Func(func(obj runtime.Object, w io.Writer) error { return executeTemplate(t, text, obj, w) }), nil
}

func executeTemplate(t *template.Template, text string, obj runtime.Object, w io.Writer) error {
	data, err := json.Marshal(obj)
	if err != nil {
		return err
	}
	content := map[string]any{}
	if err := json.Unmarshal(data, &content); err != nil {
		return err
	}
	err = func() (err error) {
		defer func() {
			if x := recover(); x != nil {
				err = fmt.Errorf("caught panic: %+v", x)
			}
		}()
		return t.Execute(w, content)
	}()
	if err != nil {
		fmt.Fprintf(w, "Error executing template: %v. Printing more information for debugging the template:\n", err)
		fmt.Fprintf(w, "\ttemplate was:\n\t\t%v\n\traw data was:\n\t\t%v\n\tobject given to template engine was:\n\t\t%+v\n\n", text, string(data), content)
		return fmt.Errorf("error executing template %q: %v", text, err)
	}
	return nil
}

func base64decode(v string) (string, error) {
	data, err := base64.StdEncoding.DecodeString(v)
	if err != nil {
		return "", fmt.Errorf("base64 decode failed: %v", err)
	}
	return string(data), nil
}

// exists tells whether a template could index item by indices.
func exists(item any, indices ...any) bool {
	v := reflect.ValueOf(item)
	for _, i := range indices {
		var ok bool
		if v, ok = element(v, reflect.ValueOf(i)); !ok {
			return false
		}
	}
	v = behind(v)
	return v.IsValid() && !isNil(v)
}

func element(v, index reflect.Value) (reflect.Value, bool) {
	switch v = behind(v); v.Kind() {
	case reflect.Array, reflect.Slice, reflect.String:
		if !index.IsValid() || !index.CanInt() && !index.CanUint() {
			return v, false
		}
		n := int64(0)
		if index.CanInt() {
			n = index.Int()
		} else {
			n = int64(index.Uint())
		}
		if n < 0 || n >= int64(v.Len()) {
			return v, false
		}
		return v.Index(int(n)), true
	case reflect.Map:
		if !index.IsValid() {
			index = reflect.Zero(v.Type().Key())
		}
		if !index.Type().AssignableTo(v.Type().Key()) {
			return v, false
		}
		if x := v.MapIndex(index); x.IsValid() {
			return x, true
		}
		return reflect.Zero(v.Type().Elem()), true
	}
	return v, false
}

// behind follows pointers and interfaces.
func behind(v reflect.Value) reflect.Value {
	for (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && !v.IsNil() {
		v = v.Elem()
	}
	return v
}

func isNil(v reflect.Value) bool {
	return (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil()
}
