package api

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// DescribeWriter is where Describe facets write: lines with an indent of two blanks a level, whose tabs are aligned as
// `kubectl describe` aligns them. The text is complete after Flush.
type DescribeWriter struct {
	// Events says whether --show-events is on.
	Events bool
	// ChunkSize is the limit of the lists that a facet sends; 0 for no limit.
	ChunkSize int64

	out   io.Writer
	flush func() error
}

// NewDescribeWriter writes to out.
func NewDescribeWriter(out io.Writer, events bool, chunkSize int64) *DescribeWriter {
	tabs := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	return &DescribeWriter{Events: events, ChunkSize: chunkSize, out: tabs, flush: tabs.Flush}
}

// NewPlainDescribeWriter writes to out with its tabs as they are, as `rollout history --revision` prints templates.
func NewPlainDescribeWriter(out io.Writer) *DescribeWriter {
	return &DescribeWriter{out: out, flush: func() error { return nil }}
}

// Flush ends the alignment of what came before and writes it out.
func (w *DescribeWriter) Flush() error { return w.flush() }

// terminal sequences in what users stored must not reach the reader's terminal.
var escapes = strings.NewReplacer("\x1b", "^[", "\r", "\\r")

// Print writes at the given level; no line end is added.
func (w *DescribeWriter) Print(level int, format string, args ...any) {
	text := strings.Repeat("  ", level) + fmt.Sprintf(format, args...)
	// Errors stay in the tabwriter and come out of Flush.
	_, _ = escapes.WriteString(w.out, text)
}

// Field writes "name:\tvalue".
func (w *DescribeWriter) Field(level int, name string, value any) {
	w.Print(level, "%s:\t%v\n", name, value)
}

// FieldIf is Field for values that are left out when empty.
func (w *DescribeWriter) FieldIf(level int, name, value string) {
	if value != "" {
		w.Field(level, name, value)
	}
}

// List writes one line an entry, the name before the first alone; <none> for no entries. indent comes before the name.
func (w *DescribeWriter) List(indent, name string, entries []string) {
	w.Print(0, "%s%s:\t", indent, name)
	if len(entries) == 0 {
		w.Print(0, "<none>\n")
	}
	for i, e := range entries {
		if i > 0 {
			w.Print(0, "\t")
		}
		w.Print(0, "%s\n", e)
	}
}

// Labels writes labels (or a node selector), sorted.
func (w *DescribeWriter) Labels(name string, labels map[string]string) {
	var entries []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		entries = append(entries, k+"="+labels[k])
	}
	w.List("", name, entries)
}

// longest annotation that stands on its key's line, and longest line of one that does not.
const maxAnnotation = 140

// Annotations writes annotations, sorted; long ones below their keys, shortened. What apply remembers is left out.
func (w *DescribeWriter) Annotations(name string, annotations map[string]string) {
	var entries []string
	for _, k := range slices.Sorted(maps.Keys(annotations)) {
		if k == corev1.LastAppliedConfigAnnotation {
			continue
		}
		value := strings.TrimSuffix(annotations[k], "\n")
		if len(k)+len(value)+2 <= maxAnnotation && !strings.Contains(value, "\n") {
			entries = append(entries, k+": "+value)
			continue
		}
		entries = append(entries, k+":")
		for line := range strings.SplitSeq(value, "\n") {
			if len(line) > maxAnnotation-2 {
				line = line[:maxAnnotation-2] + "..."
			}
			entries = append(entries, "  "+line)
		}
	}
	w.List("", name, entries)
}

// Head writes what most kinds begin with: name, namespace, labels, annotations.
func (w *DescribeWriter) Head(obj metav1.Object) {
	w.Field(0, "Name", obj.GetName())
	w.Field(0, "Namespace", obj.GetNamespace())
	w.Labels("Labels", obj.GetLabels())
	w.Annotations("Annotations", obj.GetAnnotations())
}

// Controller writes the owner that controls obj, if there is one.
func (w *DescribeWriter) Controller(obj metav1.Object) {
	if ref := metav1.GetControllerOf(obj); ref != nil {
		w.Field(0, "Controlled By", ref.Kind+"/"+ref.Name)
	}
}

// Time is how describe writes a moment.
func Time(t metav1.Time) string { return t.Time.Format(time.RFC1123Z) }

// Since is how old t is, in words; <unknown> for no time.
func Since(t metav1.Time) string {
	if t.IsZero() {
		return "<unknown>"
	}
	return duration.HumanDuration(time.Since(t.Time))
}

// None gives s, or <none> for an empty one.
func None(s string) string {
	if s == "" {
		return "<none>"
	}
	return s
}

// DescribeText runs write and gives what it wrote.
func DescribeText(events bool, chunkSize int64, write func(*DescribeWriter) error) (string, error) {
	var buf bytes.Buffer
	w := NewDescribeWriter(&buf, events, chunkSize)
	if err := write(w); err != nil {
		return "", err
	}
	if err := w.Flush(); err != nil {
		return "", fmt.Errorf("write description: %w", err)
	}
	return buf.String(), nil
}
