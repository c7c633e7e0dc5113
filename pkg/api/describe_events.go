package api

import (
	"context"
	"fmt"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
)

// EventsAbout selects the events of one object; an empty kind or uid selects any.
func EventsAbout(name, namespace, kind, uid string) fields.Selector {
	set := fields.Set{"involvedObject.name": name, "involvedObject.namespace": namespace}
	if kind != "" {
		set["involvedObject.kind"] = kind
	}
	if uid != "" {
		set["involvedObject.uid"] = uid
	}
	return set.AsSelector()
}

// EventsOf writes the events about obj of the given kind, the last lines of most descriptions; nothing where events
// are off or cannot be read. An empty kind selects events of any kind.
func (w *DescribeWriter) EventsOf(ctx context.Context, c Reader, obj metav1.Object, kind string) {
	if !w.Events {
		return
	}
	events, err := w.FindEvents(ctx, c, EventsAbout(obj.GetName(), obj.GetNamespace(), kind, string(obj.GetUID())), obj.GetNamespace())
	if err == nil {
		w.WriteEvents(events)
	}
}

// FindEvents lists the selected events of a namespace (all, if empty).
func (w *DescribeWriter) FindEvents(ctx context.Context, c Reader, s fields.Selector, namespace string) ([]corev1.Event, error) {
	var events []corev1.Event
	err := Pages(ctx, c, namespace, metav1.ListOptions{FieldSelector: s.String(), Limit: w.ChunkSize}, func(page *corev1.EventList) {
		events = append(events, page.Items...)
	})
	return events, err
}

// Pages reads a list chunk by chunk.
func Pages[L any, PL interface {
	*L
	runtime.Object
	metav1.ListInterface
}](ctx context.Context, c Reader, namespace string, opts metav1.ListOptions, each func(page PL)) error {
	for {
		page := PL(new(L))
		if err := c.List(ctx, namespace, opts, page); err != nil {
			return err
		}
		each(page)
		if page.GetContinue() == "" {
			return nil
		}
		opts.Continue = page.GetContinue()
	}
}

// WriteEvents writes events as a table, oldest first.
func (w *DescribeWriter) WriteEvents(events []corev1.Event) {
	if len(events) == 0 {
		w.Field(0, "Events", "<none>")
		return
	}
	_ = w.Flush() // the table's columns stand for themselves; an error comes out of the last Flush again
	// Not stable, as the real one's: equal times come in the same order then.
	sort.Slice(events, func(i, j int) bool { return events[i].LastTimestamp.Time.Before(events[j].LastTimestamp.Time) })
	w.Print(0, "Events:\n  Type\tReason\tAge\tFrom\tMessage\n")
	w.Print(1, "----\t------\t----\t----\t-------\n")
	for i := range events {
		e := &events[i]
		message := strings.TrimSpace(e.Message)
		if path := e.InvolvedObject.FieldPath; path != "" {
			message = path + ": " + message
		}
		source := e.Source.Component
		if source == "" {
			source = e.ReportingController
		}
		w.Print(1, "%v\t%v\t%s\t%v\t%v\n", e.Type, e.Reason, eventAge(e), source, message)
	}
}

// eventAge says when an event came, and for a series when it came last, how often and since when.
func eventAge(e *corev1.Event) string {
	first := Since(metav1.Time(e.EventTime))
	if e.EventTime.IsZero() {
		first = Since(e.FirstTimestamp)
	}
	switch {
	case e.Series != nil:
		return fmt.Sprintf("%s (x%d over %s)", Since(metav1.Time(e.Series.LastObservedTime)), e.Series.Count, first)
	case e.Count > 1:
		return fmt.Sprintf("%s (x%d over %s)", Since(e.LastTimestamp), e.Count, first)
	}
	return first
}
