package core

import (
	"fmt"
	"math"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validatePod(p, old *corev1.Pod) field.ErrorList {
	if old != nil {
		return validatePodUpdate(p, old)
	}
	errs := validateWholePod(p)
	spec := field.NewPath("spec")
	if len(p.Spec.EphemeralContainers) > 0 {
		errs = append(errs, field.Forbidden(spec.Child("ephemeralContainers"), "cannot be set on create"))
	}
	if p.Spec.NodeName != "" && len(p.Spec.SchedulingGates) > 0 {
		errs = append(errs, field.Forbidden(spec.Child("nodeName"), "cannot be set until all schedulingGates have been cleared"))
	}
	return errs
}

// validateWholePod judges a pod as it stands, new or changed. Some rules hold for pods but not for templates, which may
// be incomplete.
func validateWholePod(p *corev1.Pod) field.ErrorList {
	spec := field.NewPath("spec")
	errs := ValidateMeta(&p.ObjectMeta, true, apivalidation.NameIsDNSSubdomain)
	errs = append(errs, validatePodAnnotations(p.Annotations, &p.Spec, field.NewPath("metadata", "annotations"))...)
	errs = append(errs, validatePodSpec(&p.Spec, &p.ObjectMeta, spec)...)
	if p.Spec.ServiceAccountName == "" {
		for i, v := range p.Spec.Volumes {
			if v.Projected == nil {
				continue
			}
			for j, s := range v.Projected.Sources {
				if s.ServiceAccountToken != nil {
					errs = append(errs, field.Forbidden(spec.Child("volumes").Index(i).Child("projected", "sources").Index(j).Child("serviceAccountToken"), "must not be specified when serviceAccountName is not set"))
				}
			}
		}
	}
	for i := range p.Spec.Containers {
		errs = append(errs, validateImageSpace(p.Spec.Containers[i].Image, spec.Child("containers").Index(i))...)
	}
	for i := range p.Spec.InitContainers {
		errs = append(errs, validateImageSpace(p.Spec.InitContainers[i].Image, spec.Child("initContainers").Index(i))...)
	}
	return errs
}

// changeable is what a pod update may change, as the error says it.
var changeable = strings.Join([]string{
	"`spec.containers[*].image`", "`spec.initContainers[*].image`", "`spec.activeDeadlineSeconds`",
	"`spec.tolerations` (only additions to existing tolerations)",
	"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
}, ",")

func validatePodUpdate(p, old *corev1.Pod) field.ErrorList {
	errs := ValidateMetaUpdate(&p.ObjectMeta, &old.ObjectMeta)
	errs = append(errs, validateWholePod(p)...)
	errs = append(errs, keptAnnotations(p.Annotations, old.Annotations, field.NewPath("metadata", "annotations"))...)
	spec := field.NewPath("spec")
	for _, part := range []struct {
		name    string
		is, was []corev1.Container
	}{{"containers", p.Spec.Containers, old.Spec.Containers}, {"initContainers", p.Spec.InitContainers, old.Spec.InitContainers}} {
		if len(part.is) != len(part.was) {
			return append(errs, field.Forbidden(spec.Child(part.name), "pod updates may not add or remove containers"))
		}
		for i, c := range part.is {
			at := spec.Child(part.name).Index(i)
			errs = append(errs, required(c.Image, at.Child("image"))...)
			errs = append(errs, validateImageSpace(c.Image, at)...)
		}
	}
	deadline, stop := validateDeadlineChange(p.Spec.ActiveDeadlineSeconds, old.Spec.ActiveDeadlineSeconds, spec.Child("activeDeadlineSeconds"))
	if errs = append(errs, deadline...); stop {
		return errs
	}
	errs = append(errs, onlyAddedTolerations(p.Spec.Tolerations, old.Spec.Tolerations, spec.Child("tolerations"))...)
	errs = append(errs, onlyRemovedGates(p.Spec.SchedulingGates, old.Spec.SchedulingGates, spec.Child("schedulingGates"))...)
	if apiequality.Semantic.DeepEqual(p.Spec, old.Spec) {
		return errs
	}
	rest := withoutChangeable(&p.Spec, &old.Spec)
	if len(old.Spec.SchedulingGates) > 0 {
		errs = append(errs, narrowedWhileGated(rest, &old.Spec, spec)...)
	}
	if !apiequality.Semantic.DeepEqual(*rest, old.Spec) {
		errs = append(errs, field.Forbidden(spec, fmt.Sprintf("pod updates may not change fields other than %s\n%v", changeable, specDiff(old.Spec, *rest))))
	}
	return errs
}

// withoutChangeable is the new spec with everything undone that may change.
func withoutChangeable(s, old *corev1.PodSpec) *corev1.PodSpec {
	rest := s.DeepCopy()
	for i := range rest.Containers {
		rest.Containers[i].Image = old.Containers[i].Image
	}
	for i := range rest.InitContainers {
		rest.InitContainers[i].Image = old.InitContainers[i].Image
	}
	rest.ActiveDeadlineSeconds = old.ActiveDeadlineSeconds
	rest.SchedulingGates = old.SchedulingGates
	rest.Tolerations = old.Tolerations
	if was, is := old.TerminationGracePeriodSeconds, rest.TerminationGracePeriodSeconds; was != nil && *was < 0 && is != nil && *is == 1 {
		rest.TerminationGracePeriodSeconds = was
	}
	return rest
}

// narrowedWhileGated allows a pod that waits behind gates to be bound more narrowly to nodes, by its node selector, and
// undoes that in rest.
func narrowedWhileGated(rest, old *corev1.PodSpec, path *field.Path) (errs field.ErrorList) {
	if apiequality.Semantic.DeepEqual(rest.NodeSelector, old.NodeSelector) {
		return nil
	}
	for key, value := range old.NodeSelector {
		if got, ok := rest.NodeSelector[key]; !ok || got != value {
			errs = append(errs, field.Invalid(path.Child("nodeSelector"), rest.NodeSelector, "only additions to spec.nodeSelector are allowed (no mutations or deletions)"))
			break
		}
	}
	rest.NodeSelector = old.NodeSelector
	return errs
}

func validateDeadlineChange(is, was *int64, path *field.Path) (errs field.ErrorList, stop bool) {
	switch {
	case is == nil && was != nil:
		return field.ErrorList{field.Invalid(path, is, "must not update from a positive integer to nil value")}, false
	case is == nil:
		return nil, false
	case *is < 0 || *is > math.MaxInt32:
		return field.ErrorList{field.Invalid(path, *is, validation.InclusiveRangeError(0, math.MaxInt32))}, true
	case was != nil && *was < *is:
		return field.ErrorList{field.Invalid(path, *is, "must be less than or equal to previous value")}, true
	}
	return nil, false
}

func onlyAddedTolerations(is, was []corev1.Toleration, path *field.Path) field.ErrorList {
	for _, old := range was {
		kept := slices.ContainsFunc(is, func(t corev1.Toleration) bool {
			return t.Key == old.Key && t.Operator == old.Operator && t.Value == old.Value && t.Effect == old.Effect
		})
		if !kept {
			return field.ErrorList{field.Forbidden(path, "existing toleration can not be modified except its tolerationSeconds")}
		}
	}
	return validateTolerations(is, path)
}

func onlyRemovedGates(is, was []corev1.PodSchedulingGate, path *field.Path) (errs field.ErrorList) {
	for i, g := range is {
		if !slices.Contains(was, g) {
			errs = append(errs, field.Forbidden(path.Index(i).Child("name"), fmt.Sprintf("only deletion is allowed, but found new scheduling gate '%s'", g.Name)))
		}
	}
	return errs
}

func specDiff(old, is any) string { return diff.Diff(Internal{old}, Internal{is}) }

func validateEphemeralContainers(p, old *corev1.Pod) field.ErrorList {
	errs := ValidateMetaUpdate(&p.ObjectMeta, &old.ObjectMeta)
	errs = append(errs, validateWholePod(p)...)
	path := field.NewPath("spec", "ephemeralContainers")
	for i := range old.Spec.EphemeralContainers {
		was := &old.Spec.EphemeralContainers[i]
		at := slices.IndexFunc(p.Spec.EphemeralContainers, func(e corev1.EphemeralContainer) bool { return e.Name == was.Name })
		if at < 0 {
			errs = append(errs, field.Forbidden(path, fmt.Sprintf("existing ephemeral containers %q may not be removed\n", was.Name)))
		} else if is := &p.Spec.EphemeralContainers[at]; !apiequality.Semantic.DeepEqual(*was, *is) {
			errs = append(errs, field.Forbidden(path, fmt.Sprintf("existing ephemeral containers %q may not be changed\n%v", was.Name, specDiff(*was, *is))))
		}
	}
	return errs
}
