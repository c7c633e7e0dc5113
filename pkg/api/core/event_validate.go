package core

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Limits of the fields of new-style events.
const (
	maxEventInstance = 128
	maxEventAction   = 128
	maxEventReason   = 128
	maxEventNote     = 1024
)

// validateEvent judges old-style events loosely, as v1 always has, and new-style ones (which have an event time) more
// closely. Updates are judged as creates are.
func validateEvent(e, _ *corev1.Event) (errs field.ErrorList) {
	path, about := field.NewPath("involvedObject", "namespace"), e.InvolvedObject.Namespace
	wrong := field.Invalid(path, about, "does not match event.namespace")
	if e.EventTime.IsZero() {
		home := about == "" && (e.Namespace == metav1.NamespaceNone || e.Namespace == metav1.NamespaceDefault)
		if !home && about != e.Namespace || about == "" && !home {
			errs = append(errs, wrong)
		}
		return errs
	}
	if about == "" && e.Namespace != metav1.NamespaceDefault && e.Namespace != metav1.NamespaceSystem {
		errs = append(errs, wrong)
	}
	require := func(value, name string, limit int) {
		if value == "" {
			errs = append(errs, field.Required(field.NewPath(name), ""))
		}
		if len(value) > limit {
			errs = append(errs, field.Invalid(field.NewPath(name), "", fmt.Sprintf("can have at most %v characters", limit)))
		}
	}
	component := field.NewPath("reportingComponent")
	if e.ReportingController == "" {
		errs = append(errs, field.Required(component, ""))
	}
	errs = append(errs, ValidateQualified(e.ReportingController, component)...)
	require(e.ReportingInstance, "reportingInstance", maxEventInstance)
	require(e.Action, "action", maxEventAction)
	require(e.Reason, "reason", maxEventReason)
	if len(e.Message) > maxEventNote {
		errs = append(errs, field.Invalid(field.NewPath("message"), "", fmt.Sprintf("can have at most %v characters", maxEventNote)))
	}
	return errs
}
