package core

import (
	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validatePod(p, old *corev1.Pod) field.ErrorList {
	if old != nil {
		return ValidateMetaUpdate(&p.ObjectMeta, &old.ObjectMeta)
	}
	return ValidateMeta(&p.ObjectMeta, true, apivalidation.NameIsDNSSubdomain)
}
func validatePodStatus(p, old *corev1.Pod) field.ErrorList {
	return ValidateMetaUpdate(&p.ObjectMeta, &old.ObjectMeta)
}
func validatePodResize(p, old *corev1.Pod) field.ErrorList {
	return ValidateMetaUpdate(&p.ObjectMeta, &old.ObjectMeta)
}
func validateEphemeralContainers(p, old *corev1.Pod) field.ErrorList {
	return ValidateMetaUpdate(&p.ObjectMeta, &old.ObjectMeta)
}

// ValidatePodTemplate judges the pod template of a workload; old is nil on create.
func ValidatePodTemplate(t, old *corev1.PodTemplateSpec, path *field.Path) field.ErrorList {
	return nil
}
func warnPod(p, _ *corev1.Pod) []string { return nil }

// WarnPodTemplate gives the warnings about a workload's pod template.
func WarnPodTemplate(t *corev1.PodTemplateSpec, path *field.Path) []string { return nil }
func validateTaintEffect(e corev1.TaintEffect, allowEmpty bool, path *field.Path) field.ErrorList {
	if e == "" {
		if allowEmpty {
			return nil
		}
		return field.ErrorList{field.Required(path, "")}
	}
	return oneOf(e, path, corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute)
}
