package apps

import (
	"encoding/json"
	"fmt"

	"github.com/kubeskiff/skiff/pkg/api/core"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

func validateReplicaSet(r, old *appsv1.ReplicaSet) (errs field.ErrorList) {
	var was *corev1.PodTemplateSpec
	if old == nil {
		errs = core.ValidateMeta(&r.ObjectMeta, true, apivalidation.NameIsDNSSubdomain)
	} else {
		was = &old.Spec.Template
		errs = core.ValidateMetaUpdate(&r.ObjectMeta, &old.ObjectMeta)
	}
	s, path := &r.Spec, field.NewPath("spec")
	errs = append(errs, core.ValidateNonNegative(ptr.Deref(s.Replicas, 0), path.Child("replicas"))...)
	errs = append(errs, core.ValidateNonNegative(s.MinReadySeconds, path.Child("minReadySeconds"))...)
	errs = append(errs, validateTemplate(s.Selector, &s.Template, was, path)...)
	if old != nil {
		errs = append(errs, apivalidation.ValidateImmutableField(s.Selector, old.Spec.Selector, path.Child("selector"))...)
	}
	return errs
}

func oldTemplate(old *appsv1.Deployment) *corev1.PodTemplateSpec {
	if old == nil {
		return nil
	}
	return &old.Spec.Template
}

// validateTemplate judges a selector and the template whose pods it must select.
func validateTemplate(s *metav1.LabelSelector, t, old *corev1.PodTemplateSpec, path *field.Path) (errs field.ErrorList) {
	at := path.Child("selector")
	if s == nil {
		errs = append(errs, field.Required(at, ""))
	} else {
		errs = append(errs, metavalidation.ValidateLabelSelector(s, metavalidation.LabelSelectorValidationOptions{}, at)...)
		if len(s.MatchLabels)+len(s.MatchExpressions) == 0 {
			errs = append(errs, field.Invalid(at, s, "empty selector is invalid for deployment"))
		}
	}
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return append(errs, field.Invalid(at, s, "invalid label selector"))
	}
	template := path.Child("template")
	if !selector.Empty() && !selector.Matches(labels.Set(t.Labels)) {
		errs = append(errs, field.Invalid(template.Child("metadata", "labels"), t.Labels, "`selector` does not match template `labels`"))
	}
	errs = append(errs, core.ValidatePodTemplate(t, old, template)...)
	if policy := t.Spec.RestartPolicy; policy != corev1.RestartPolicyAlways {
		errs = append(errs, field.NotSupported(template.Child("spec", "restartPolicy"), policy, []corev1.RestartPolicy{corev1.RestartPolicyAlways}))
	}
	if t.Spec.ActiveDeadlineSeconds != nil {
		errs = append(errs, field.Forbidden(template.Child("spec", "activeDeadlineSeconds"), "activeDeadlineSeconds in ReplicaSet is not Supported"))
	}
	return errs
}

type count struct {
	name string
	n    int32
}

func validateCounts(path *field.Path, counts []count) (errs field.ErrorList) {
	for _, c := range counts {
		errs = append(errs, core.ValidateNonNegative(c.n, path.Child(c.name))...)
	}
	return errs
}

// validateParts checks that the parts of a count are not greater than the whole.
func validateParts(path *field.Path, replicas, ready, available int32, other count) (errs field.ErrorList) {
	for _, c := range []count{other, {"readyReplicas", ready}, {"availableReplicas", available}} {
		if c.n > replicas {
			errs = append(errs, field.Invalid(path.Child(c.name), c.n, "cannot be greater than status.replicas"))
		}
	}
	if available > ready {
		errs = append(errs, field.Invalid(path.Child("availableReplicas"), available, "cannot be greater than readyReplicas"))
	}
	return errs
}

func validateReplicaSetStatus(r, old *appsv1.ReplicaSet) field.ErrorList {
	errs := core.ValidateMetaUpdate(&r.ObjectMeta, &old.ObjectMeta)
	s, path := &r.Status, field.NewPath("status")
	errs = append(errs, validateCounts(path, []count{
		{"replicas", s.Replicas}, {"fullyLabeledReplicas", s.FullyLabeledReplicas}, {"readyReplicas", s.ReadyReplicas},
		{"availableReplicas", s.AvailableReplicas}, {"terminatingReplicas", ptr.Deref(s.TerminatingReplicas, 0)},
	})...)
	errs = append(errs, core.ValidateNonNegative(s.ObservedGeneration, path.Child("observedGeneration"))...)
	return append(errs, validateParts(path, s.Replicas, s.ReadyReplicas, s.AvailableReplicas, count{"fullyLabeledReplicas", s.FullyLabeledReplicas})...)
}

func validateControllerRevision(r, old *appsv1.ControllerRevision) (errs field.ErrorList) {
	if old != nil {
		errs = append(errs, core.ValidateMetaUpdate(&r.ObjectMeta, &old.ObjectMeta)...)
	}
	errs = append(errs, core.ValidateMeta(&r.ObjectMeta, true, apivalidation.NameIsDNSSubdomain)...)
	errs = append(errs, core.ValidateNonNegative(r.Revision, field.NewPath("revision"))...)
	path := field.NewPath("data")
	if old != nil {
		return append(errs, apivalidation.ValidateImmutableField(r.Data, old.Data, path)...)
	}
	var v any
	if r.Data.Raw == nil {
		return append(errs, field.Required(path, "data is mandatory"))
	}
	if err := json.Unmarshal(r.Data.Raw, &v); err != nil {
		return append(errs, field.Invalid(path, "<value omitted>", fmt.Sprintf("error parsing data: %v", err)))
	}
	if v == nil {
		return append(errs, field.Required(path, "data is mandatory"))
	}
	if _, ok := v.(map[string]any); !ok {
		errs = append(errs, field.Required(path, "data must be a valid JSON object"))
	}
	return errs
}
