package printers

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/jsonpath"
)

var relaxedPath = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\{\.?([^{}]+)\}$|^\.?([^{}]+)$`) })

// RelaxedPath makes a JSONPath of metadata.name, .metadata.name or {metadata.name}.
func RelaxedPath(expr string) (string, error) {
	if expr == "" {
		return "", nil
	}
	m := relaxedPath().FindStringSubmatch(expr)
	if m == nil {
		return "", fmt.Errorf("unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'")
	}
	return "{." + m[1] + m[2] + "}", nil
}

// column is one column of custom-columns.
type column struct {
	header string
	spec   string
	path   *jsonpath.JSONPath
}

type columnsPrinter struct {
	columns   []column
	noHeaders bool
	lastType  reflect.Type
}

const templateShape = "Expected format is one line of space separated headers, one line of space separated column specs."

func (o *Options) customColumns(format, value string) (Printer, error) {
	if value == "" {
		return nil, fmt.Errorf("custom-columns format specified but no custom columns given")
	}
	var columns []column
	var err error
	noHeaders := o.NoHeaders
	if format == "custom-columns-file" {
		noHeaders = false
		columns, err = columnsFromFile(value)
	} else {
		columns, err = parseColumns(value)
	}
	if err != nil {
		return nil, err
	}
	return &columnsPrinter{columns: columns, noHeaders: noHeaders}, nil
}

// parseColumns reads HEADER:path,HEADER:path.
func parseColumns(spec string) ([]column, error) {
	var out []column
	for _, part := range strings.Split(spec, ",") {
		header, path, ok := strings.Cut(part, ":")
		if !ok {
			return nil, fmt.Errorf("unexpected custom-columns spec: %s, expected <header>:<json-path-expr>", part)
		}
		path, err := RelaxedPath(path)
		if err != nil {
			return nil, err
		}
		out = append(out, column{header: header, spec: path})
	}
	return out, nil
}

func columnsFromFile(name string) ([]column, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("error reading template %s, %v\n", name, err)
	}
	defer f.Close()
	return parseColumnsTemplate(f)
}

// parseColumnsTemplate reads a line of headers and a line of paths.
func parseColumnsTemplate(r io.Reader) ([]column, error) {
	scanner := bufio.NewScanner(r)
	if !scanner.Scan() {
		return nil, fmt.Errorf("invalid template, missing header line. %s", templateShape)
	}
	headers := strings.Fields(scanner.Text())
	if !scanner.Scan() {
		return nil, fmt.Errorf("invalid template, missing spec line. %s", templateShape)
	}
	specs := strings.Fields(scanner.Text())
	if len(headers) != len(specs) {
		return nil, fmt.Errorf("number of headers (%d) and field specifications (%d) don't match", len(headers), len(specs))
	}
	var out []column
	for i := range headers {
		path, err := RelaxedPath(specs[i])
		if err != nil {
			return nil, err
		}
		out = append(out, column{header: headers[i], spec: path})
	}
	return out, nil
}

func (p *columnsPrinter) Print(obj runtime.Object, w io.Writer) error {
	for i := range p.columns {
		if c := &p.columns[i]; c.path == nil {
			c.path = jsonpath.New(fmt.Sprintf("column%d", i)).AllowMissingKeys(true)
			if err := c.path.Parse(c.spec); err != nil {
				return err
			}
		}
	}
	tab := NewTabWriter(w)
	if t := reflect.TypeOf(obj); !p.noHeaders && t != p.lastType {
		p.lastType = t
		headers := make([]string, len(p.columns))
		for i, c := range p.columns {
			headers[i] = c.header
		}
		tab.Row(headers...)
	}
	objs := []runtime.Object{obj}
	if list, ok := obj.(*unstructured.UnstructuredList); ok {
		objs = objs[:0]
		for i := range list.Items {
			objs = append(objs, &list.Items[i])
		}
	}
	for _, o := range objs {
		cells, err := p.cells(o)
		if err != nil {
			return err
		}
		tab.Row(cells...)
	}
	return tab.Flush()
}

func (p *columnsPrinter) cells(obj runtime.Object) ([]string, error) {
	var content any
	if event, ok := obj.(*metav1.WatchEvent); ok {
		inner, err := plain(event.Object.Object)
		if err != nil {
			return nil, err
		}
		content = map[string]any{"type": event.Type, "object": inner}
	} else {
		var err error
		if content, err = plain(obj); err != nil {
			return nil, err
		}
	}
	out := make([]string, len(p.columns))
	for i, c := range p.columns {
		results, err := c.path.FindResults(content)
		if err != nil {
			return nil, err
		}
		var values []string
		if len(results) == 0 || len(results[0]) == 0 {
			values = append(values, "<none>")
		}
		for _, result := range results {
			for _, v := range result {
				values = append(values, escape(fmt.Sprint(v.Interface())))
			}
		}
		out[i] = strings.Join(values, ",")
	}
	return out, nil
}
