package core

import (
	"strings"

	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Event is the kind v1 Event.
var Event = api.Define(api.Spec[*corev1.Event]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "Event", Resource: "events",
	ShortNames: []string{"ev"}, Namespaced: true,
	List:           &corev1.EventList{},
	CreateOnUpdate: true,
	Validate:       validateEvent,
	Fields: map[string]func(*corev1.Event) string{
		"involvedObject.kind":            func(e *corev1.Event) string { return e.InvolvedObject.Kind },
		"involvedObject.namespace":       func(e *corev1.Event) string { return e.InvolvedObject.Namespace },
		"involvedObject.name":            func(e *corev1.Event) string { return e.InvolvedObject.Name },
		"involvedObject.uid":             func(e *corev1.Event) string { return string(e.InvolvedObject.UID) },
		"involvedObject.apiVersion":      func(e *corev1.Event) string { return e.InvolvedObject.APIVersion },
		"involvedObject.resourceVersion": func(e *corev1.Event) string { return e.InvolvedObject.ResourceVersion },
		"involvedObject.fieldPath":       func(e *corev1.Event) string { return e.InvolvedObject.FieldPath },
		"reason":                         func(e *corev1.Event) string { return e.Reason },
		"reportingComponent":             func(e *corev1.Event) string { return e.ReportingController },
		"source":                         func(e *corev1.Event) string { return first(e.Source.Component, e.ReportingController) },
		"type":                           func(e *corev1.Event) string { return e.Type },
	},
	Columns: eventColumns,
})

var eventColumns = &api.Table[*corev1.Event]{
	Definitions: []metav1.TableColumnDefinition{
		api.Column("Last Seen", "string", corev1.Event{}.SwaggerDoc()["lastTimestamp"]),
		api.Column("Type", "string", corev1.Event{}.SwaggerDoc()["type"]),
		api.Column("Reason", "string", corev1.Event{}.SwaggerDoc()["reason"]),
		api.Column("Object", "string", corev1.Event{}.SwaggerDoc()["involvedObject"]),
		api.WideColumn("Subobject", corev1.ObjectReference{}.SwaggerDoc()["fieldPath"]),
		api.WideColumn("Source", corev1.Event{}.SwaggerDoc()["source"]),
		api.Column("Message", "string", corev1.Event{}.SwaggerDoc()["message"]),
		api.WideColumn("First Seen", corev1.Event{}.SwaggerDoc()["firstTimestamp"]),
		api.WideColumn("Count", corev1.Event{}.SwaggerDoc()["count"]),
		{Name: "Name", Type: "string", Format: "name", Priority: 1, Description: metav1.ObjectMeta{}.SwaggerDoc()["name"]},
	},
	Cells: func(e *corev1.Event) []any {
		firstSeen, lastSeen, count := eventTimes(e)
		object := strings.ToLower(e.InvolvedObject.Kind)
		if e.InvolvedObject.Name != "" {
			object += "/" + e.InvolvedObject.Name
		}
		return []any{
			lastSeen, e.Type, e.Reason, object, e.InvolvedObject.FieldPath, eventSource(e),
			strings.TrimSpace(e.Message), firstSeen, int64(count), e.Name,
		}
	},
}

// eventTimes reads both ways of telling how often something happened: times and a count, or a series.
func eventTimes(e *corev1.Event) (firstSeen, lastSeen string, count int32) {
	firstSeen = api.Age(e.FirstTimestamp.Time)
	if e.FirstTimestamp.IsZero() {
		firstSeen = api.Age(e.EventTime.Time)
	}
	lastSeen = api.Age(e.LastTimestamp.Time)
	if e.LastTimestamp.IsZero() {
		lastSeen = firstSeen
	}
	switch {
	case e.Series != nil:
		return firstSeen, api.Age(e.Series.LastObservedTime.Time), e.Series.Count
	case e.Count == 0:
		return firstSeen, lastSeen, 1
	}
	return firstSeen, lastSeen, e.Count
}

func eventSource(e *corev1.Event) string {
	component, instance := first(e.Source.Component, e.ReportingController), first(e.Source.Host, e.ReportingInstance)
	if instance == "" {
		return component
	}
	return component + ", " + instance
}

// first gives the first string that is not empty.
func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
