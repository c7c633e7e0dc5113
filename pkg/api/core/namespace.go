package core

import (
	"slices"

	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Namespace is the kind v1 Namespace. One that is deleted stays, in phase Terminating, until the finalizers of its spec
// are gone.
var Namespace = api.Define(api.Spec[*corev1.Namespace]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "Namespace", Resource: "namespaces",
	ShortNames: []string{"ns"},
	Verbs:      []string{"create", "delete", "get", "list", "patch", "update", "watch"},
	List:       &corev1.NamespaceList{},
	Default:    defaultNamespace,
	Prepare:    prepareNamespace,
	Validate:   validateNamespace,
	Hold:       holdNamespace,
	Fields: map[string]func(*corev1.Namespace) string{
		"status.phase": func(n *corev1.Namespace) string { return string(n.Status.Phase) },
	},
	Subresources: api.Subresources{
		"status":   api.Part(func(n, old *corev1.Namespace) { n.Spec = old.Spec }, validateNamespaceStatus),
		"finalize": {Verbs: []string{"update"}, Prepare: finalize.Prepare, Validate: finalize.Validate},
	},
	Describe: describeNamespace,
	Columns: &api.Table[*corev1.Namespace]{
		Definitions: []metav1.TableColumnDefinition{
			api.NameColumn(), api.Column("Status", "string", "The status of the namespace"), api.AgeColumn(),
		},
		Cells: func(n *corev1.Namespace) []any {
			return []any{n.Name, string(n.Status.Phase), api.Age(n.CreationTimestamp.Time)}
		},
	},
})

var finalize = api.Part(func(n, old *corev1.Namespace) { n.Status = old.Status }, validateNamespaceFinalize)

func defaultNamespace(n *corev1.Namespace) {
	labelNamespace(n)
	orElse(&n.Status.Phase, corev1.NamespaceActive)
}

// labelNamespace writes the name as a label, for selectors. A name that is to be generated is not known yet.
func labelNamespace(n *corev1.Namespace) {
	if n.Name == "" {
		return
	}
	if n.Labels == nil {
		n.Labels = map[string]string{}
	}
	n.Labels[corev1.LabelMetadataName] = n.Name
}

func prepareNamespace(n, old *corev1.Namespace) {
	labelNamespace(n)
	if old != nil {
		n.Spec.Finalizers, n.Status = old.Spec.Finalizers, old.Status
		return
	}
	n.Status = corev1.NamespaceStatus{Phase: corev1.NamespaceActive}
	if !slices.Contains(n.Spec.Finalizers, corev1.FinalizerKubernetes) {
		n.Spec.Finalizers = append(n.Spec.Finalizers, corev1.FinalizerKubernetes)
	}
}

func validateNamespace(n, old *corev1.Namespace) field.ErrorList {
	errs := ValidateMeta(&n.ObjectMeta, false, apivalidation.ValidateNamespaceName)
	for i := range n.Spec.Finalizers {
		errs = append(errs, validateFinalizer(string(n.Spec.Finalizers[i]), field.NewPath("spec", "finalizers"))...)
	}
	if old != nil {
		errs = append(errs, ValidateMetaUpdate(&n.ObjectMeta, &old.ObjectMeta)...)
	}
	return errs
}

// holdNamespace keeps a deleted namespace until its contents are gone.
func holdNamespace(n *corev1.Namespace) bool {
	if len(n.Spec.Finalizers) == 0 {
		return false
	}
	n.Status.Phase = corev1.NamespaceTerminating
	return true
}

func validateNamespaceStatus(n, old *corev1.Namespace) field.ErrorList {
	errs := ValidateMetaUpdate(&n.ObjectMeta, &old.ObjectMeta)
	phase, path := n.Status.Phase, field.NewPath("status", "Phase")
	if n.DeletionTimestamp.IsZero() {
		if phase != corev1.NamespaceActive {
			errs = append(errs, field.Invalid(path, phase, "may only be 'Active' if `deletionTimestamp` is empty"))
		}
	} else if phase != corev1.NamespaceTerminating {
		errs = append(errs, field.Invalid(path, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty"))
	}
	return errs
}

func validateNamespaceFinalize(n, old *corev1.Namespace) field.ErrorList {
	errs := ValidateMetaUpdate(&n.ObjectMeta, &old.ObjectMeta)
	for i := range n.Spec.Finalizers {
		errs = append(errs, validateFinalizer(string(n.Spec.Finalizers[i]), field.NewPath("spec", "finalizers").Index(i))...)
	}
	return errs
}
