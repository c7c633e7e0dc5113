package printers

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// TableOptions say which columns of a table are shown.
type TableOptions struct {
	NoHeaders     bool
	Wide          bool
	WithNamespace bool
	WithKind      bool
	Kind          schema.GroupKind
	ShowLabels    bool
	ColumnLabels  []string
}

// Table is a kind's rows as the server drew them. Objects stay undecoded until a column needs their metadata.
type Table struct {
	APIVersion string                         `json:"apiVersion"`
	Kind       string                         `json:"kind"`
	Metadata   metav1.ListMeta                `json:"metadata"`
	Columns    []metav1.TableColumnDefinition `json:"columnDefinitions"`
	Rows       []TableRow                     `json:"rows"`
}

// TableRow is one object's cells.
type TableRow struct {
	Cells  []any     `json:"cells"`
	Object rowObject `json:"object"`
}

type rowObject []byte

func (o *rowObject) UnmarshalJSON(data []byte) error {
	*o = append((*o)[:0], data...)
	return nil
}

// Decode gives a row's object: metadata alone unless the whole was asked for.
func (r *TableRow) Decode() (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	return u, utiljson.Unmarshal(r.Object, &u.Object)
}

// ParseTable reads a server's answer; ok is false if it is no Table.
func ParseTable(body []byte) (t *Table, ok bool, err error) {
	t = &Table{}
	if err := utiljson.Unmarshal(body, t); err != nil {
		return nil, false, fmt.Errorf("read table: %w", err)
	}
	return t, t.Kind == "Table" && strings.HasPrefix(t.APIVersion, "meta.k8s.io/"), nil
}

// TableWriter draws tables below each other, with headers when the columns change.
type TableWriter struct {
	TableOptions
	tab     *TabWriter
	last    []metav1.TableColumnDefinition
	headers bool
}

// NewTableWriter draws kubectl's tables to w.
func NewTableWriter(w io.Writer, o TableOptions) *TableWriter {
	return &TableWriter{TableOptions: o, tab: NewTabWriter(w)}
}

// Flush writes what was added.
func (w *TableWriter) Flush() error { return w.tab.Flush() }

// cellFunc gives a row's cell and its length in bytes before it was shortened.
type drawnColumn struct {
	name string
	cell func(r *TableRow, m *rowMeta) string
}

// rowMeta is what label and namespace columns need.
type rowMeta struct {
	Metadata struct {
		Namespace string            `json:"namespace"`
		Labels    map[string]string `json:"labels"`
	} `json:"metadata"`
	known bool
}

// Add draws a table's rows; event, if not empty, is what a watch said of them.
func (w *TableWriter) Add(t *Table, event string) {
	noHeaders := w.NoHeaders
	if len(t.Columns) == 0 {
		t.Columns = w.last
	}
	if w.headers && reflect.DeepEqual(t.Columns, w.last) {
		noHeaders = true
	} else {
		w.last = t.Columns
	}
	if len(t.Rows) == 0 {
		return
	}
	w.headers = true
	columns := w.columns(t.Columns, event)
	if !noHeaders {
		names := make([]string, len(columns))
		for i, c := range columns {
			names[i] = strings.ToUpper(c.name)
		}
		w.tab.Row(names...)
	}
	needMeta := w.WithNamespace || w.ShowLabels || len(w.ColumnLabels) > 0
	for i := range t.Rows {
		var m rowMeta
		if r := &t.Rows[i]; needMeta && len(r.Object) > 0 && string(r.Object) != "null" {
			m.known = utiljson.Unmarshal(r.Object, &m) == nil
		}
		cells := make([]string, len(columns))
		for j, c := range columns {
			full := c.cell(&t.Rows[i], &m)
			cells[j] = shorten(full)
			if j < len(columns)-1 && len(full) > len(cells[j]) || !ascii(full) && j < len(columns)-1 {
				// kubectl counts bytes before it shortens.
				w.tab.Widen(j, len(full))
			}
		}
		w.tab.Row(cells...)
	}
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// shorten ends a cell at its first line break.
func shorten(s string) string {
	if i := strings.IndexAny(s, "\f\n\r"); i >= 0 {
		return escape(s[:i]) + "..."
	}
	return escape(s)
}

func (w *TableWriter) columns(defs []metav1.TableColumnDefinition, event string) []drawnColumn {
	var out []drawnColumn
	if event != "" {
		out = append(out, drawnColumn{"Event", func(*TableRow, *rowMeta) string { return fmt.Sprintf("%-8s", event) }})
	}
	if w.WithNamespace {
		out = append(out, drawnColumn{"Namespace", func(_ *TableRow, m *rowMeta) string { return m.Metadata.Namespace }})
	}
	named := false
	for i, d := range defs {
		prefix := ""
		if w.WithKind && !w.Kind.Empty() && !named && d.Format == "name" && d.Type == "string" {
			named = true
			prefix = strings.ToLower(w.Kind.String()) + "/"
		}
		if d.Priority != 0 && !w.Wide {
			continue
		}
		out = append(out, drawnColumn{d.Name, func(r *TableRow, _ *rowMeta) string { return prefix + r.text(i) }})
	}
	for _, label := range w.ColumnLabels {
		header := label[strings.LastIndex(label, "/")+1:]
		out = append(out, drawnColumn{header, func(_ *TableRow, m *rowMeta) string { return m.Metadata.Labels[label] }})
	}
	if w.ShowLabels {
		out = append(out, drawnColumn{"Labels", func(_ *TableRow, m *rowMeta) string {
			if !m.known {
				return ""
			}
			return labels.FormatLabels(m.Metadata.Labels)
		}})
	}
	return out
}

// text is a cell as text; one that is missing is empty.
func (r *TableRow) text(i int) string {
	if i >= len(r.Cells) || r.Cells[i] == nil {
		return ""
	}
	if s, ok := r.Cells[i].(string); ok {
		return s
	}
	return fmt.Sprint(r.Cells[i])
}
