package apps

import (
	"fmt"
	"strings"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/api/core"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// What Deployments and ReplicaSets have in common.

// warnWorkload warns of what pods will make of a workload's name, and of its template.
func warnWorkload(m *metav1.ObjectMeta, t *corev1.PodTemplateSpec, create, changed bool) (warnings []string) {
	if create {
		if msgs := validation.IsDNS1123Label(m.Name); len(msgs) > 0 {
			warnings = append(warnings, fmt.Sprintf("metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: %v", msgs))
		}
	}
	if changed {
		warnings = append(warnings, core.WarnPodTemplate(t, field.NewPath("spec", "template"))...)
	}
	return warnings
}

// containerCells lists names and images for the wide columns.
func containerCells(containers []corev1.Container) (names, images string) {
	var n, i []string
	for _, c := range containers {
		n, i = append(n, c.Name), append(i, c.Image)
	}
	return strings.Join(n, ","), strings.Join(i, ",")
}

// orNew sets *p to a pointer to value if it is nil.
func orNew[T any](p **T, value T) {
	if *p == nil {
		*p = ptr.To(value)
	}
}

// exposeWorkload gives what a service in front of a workload selects and listens on. A service knows labels alone, no expressions.
func exposeWorkload(kind string, selector *metav1.LabelSelector, template *corev1.PodTemplateSpec) (api.Exposure, error) {
	e := api.Exposure{Ports: core.ExposedPorts(&template.Spec)}
	switch {
	case selector == nil || len(selector.MatchLabels) == 0:
		return e, fmt.Errorf("invalid %s: no selectors, therefore cannot be exposed", kind)
	case len(selector.MatchExpressions) > 0:
		return e, fmt.Errorf("couldn't convert expressions - \"%+v\" to map-based selector format", selector.MatchExpressions)
	}
	e.Selector = selector.MatchLabels
	return e, nil
}
