package get

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

const tableAccept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"

// part is one answer of the server: a page of a list, or one object.
type part struct {
	mapping *resource.Mapping
	table   *printers.Table
}

// tables draws what was found, one block for each type.
func (o *Options) tables(ctx context.Context, client *resource.Client) error {
	parts, errs, err := o.parts(ctx, client)
	if err != nil {
		return err
	}
	if o.SortBy != "" {
		parts = o.sorted(parts)
	}
	written := &counter{out: o.IO.Out}
	allNamespaced := !o.Query.AllNamespaces
	kinds := severalKinds(parts)
	for i := 0; i < len(parts); {
		m := parts[i].mapping
		allNamespaced = allNamespaced && m.Namespaced
		opts := o.Table
		opts.WithNamespace = o.Query.AllNamespaces && m.Namespaced
		opts.WithKind = opts.WithKind || kinds
		opts.Kind = m.GVK.GroupKind()
		written.separate = i > 0 && !opts.NoHeaders && written.n > 0
		draw := o.drawer(written, opts)
		for ; i < len(parts) && parts[i].mapping.GVR == m.GVR; i++ {
			draw.Add(parts[i].table, "")
		}
		if err := draw.Flush(); err != nil {
			return err
		}
	}
	if written.n == 0 && !o.Query.IgnoreNotFound && len(errs) == 0 {
		if allNamespaced {
			ns := o.Query.Namespace
			if ns == "" {
				ns = client.Namespace
			}
			fmt.Fprintf(o.IO.ErrOut, "No resources found in %s namespace.\n", ns)
		} else {
			fmt.Fprintln(o.IO.ErrOut, "No resources found")
		}
	}
	return utilerrors.NewAggregate(errs)
}

// drawer is how tables come to the screen.
type drawer interface {
	Add(t *printers.Table, event string)
	Flush() error
}

func (o *Options) drawer(w io.Writer, opts printers.TableOptions) drawer {
	if o.Pretty {
		return printers.NewPretty(w, o.IO.Out, opts)
	}
	return printers.NewTableWriter(w, opts)
}

// parts asks the server for tables. An error of one target does not keep the others from being shown.
func (o *Options) parts(ctx context.Context, client *resource.Client) (parts []part, errs []error, err error) {
	add := func(m *resource.Mapping, body []byte) error {
		t, ok, err := printers.ParseTable(body)
		if err == nil && !ok {
			t, err = plainTable(body)
		}
		if err != nil {
			return err
		}
		parts = append(parts, part{m, t})
		return nil
	}
	var extra []string
	if o.SortBy != "" {
		extra = []string{"includeObject", "Object"}
	}
	accept := tableAccept
	if !o.ServerPrint {
		accept = "application/json"
	}
	targets, err := o.targets(ctx, client, &errs)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range targets {
		if t.Name != "" {
			body, err := client.ReadRaw(ctx, t, o.Query.Subresource, accept, extra...)
			if err == nil {
				err = add(t.Mapping, body)
			}
			if err != nil && !(o.Query.IgnoreNotFound && apierrors.IsNotFound(err)) {
				errs = append(errs, err)
			}
			continue
		}
		opts := metav1.ListOptions{LabelSelector: o.Query.LabelSelector, FieldSelector: o.Query.FieldSelector, Limit: o.Query.ChunkSize}
		if o.SortBy != "" {
			opts.Limit = 0
		}
		for body, err := range client.Pages(ctx, t, opts, accept, extra...) {
			if err == nil {
				err = add(t.Mapping, body)
			}
			if err != nil {
				errs = append(errs, err)
			}
		}
	}
	return parts, errs, nil
}

// targets resolves arguments or files to what is to be read.
func (o *Options) targets(ctx context.Context, client *resource.Client, errs *[]error) ([]resource.Target, error) {
	if !o.Query.FromFiles() {
		targets, _, err := client.Targets(ctx, o.Query)
		return targets, err
	}
	q := o.Query
	q.Latest = false
	var targets []resource.Target
	for obj, err := range client.Find(ctx, q) {
		if err != nil {
			*errs = append(*errs, err)
			continue
		}
		targets = append(targets, resource.Target{Mapping: obj.Mapping, Namespace: obj.Namespace, Name: obj.Name})
	}
	return targets, nil
}

func severalKinds(parts []part) bool {
	for _, p := range parts {
		if p.mapping.GVK != parts[0].mapping.GVK {
			return true
		}
	}
	return false
}

// sorted sorts each table; tables of one object each become one first. A table that has no such field is not shown, as kubectl
// has it.
func (o *Options) sorted(parts []part) []part {
	var out []part
	for _, p := range parts {
		if n := len(out); n > 0 && out[n-1].mapping.GVR == p.mapping.GVR {
			out[n-1].table.Rows = append(out[n-1].table.Rows, p.table.Rows...)
			continue
		}
		out = append(out, p)
	}
	for _, p := range out {
		if err := printers.SortRows(p.table, o.SortBy); err != nil {
			p.table.Rows = nil
		}
	}
	return out
}

// plainTable draws objects of a server that makes no tables: their names and ages.
func plainTable(body []byte) (*printers.Table, error) {
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	if list.Items == nil {
		var probe struct {
			Items *json.RawMessage `json:"items"`
		}
		if json.Unmarshal(body, &probe); probe.Items == nil {
			list.Items = []json.RawMessage{body}
		}
	}
	return printers.MetadataTable(list.Items)
}

// counter knows whether anything was written, and puts an empty line before the next block.
type counter struct {
	out      io.Writer
	n        int
	separate bool
}

func (c *counter) Write(p []byte) (int, error) {
	if c.separate && len(p) > 0 {
		c.separate = false
		io.WriteString(c.out, "\n")
	}
	c.n += len(p)
	return c.out.Write(p)
}
