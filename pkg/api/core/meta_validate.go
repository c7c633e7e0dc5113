package core

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Checks of metadata and of plain values, which all groups share.

// ValidateMeta judges the metadata of a new object, its name by the rule given.
func ValidateMeta(m *metav1.ObjectMeta, namespaced bool, name apivalidation.ValidateNameFunc) field.ErrorList {
	path := field.NewPath("metadata")
	errs := apivalidation.ValidateObjectMeta(m, namespaced, name, path)
	for i, f := range m.Finalizers {
		errs = append(errs, validateKubeFinalizer(f, path.Child("finalizers").Index(i))...)
	}
	return errs
}

// ValidateMetaUpdate judges what an update does to metadata.
func ValidateMetaUpdate(m, old *metav1.ObjectMeta) field.ErrorList {
	path := field.NewPath("metadata")
	errs := apivalidation.ValidateObjectMetaUpdate(m, old, path)
	for i, f := range m.Finalizers {
		errs = append(errs, validateKubeFinalizer(f, path.Child("finalizers").Index(i))...)
	}
	return errs
}

// Names without a slash are the standard finalizers.
var standardFinalizers = sets.New(string(corev1.FinalizerKubernetes), metav1.FinalizerOrphanDependents, metav1.FinalizerDeleteDependents)

func validateKubeFinalizer(name string, path *field.Path) field.ErrorList {
	if strings.Contains(name, "/") || standardFinalizers.Has(name) {
		return nil
	}
	return field.ErrorList{field.Invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified")}
}

func validateFinalizer(name string, path *field.Path) field.ErrorList {
	return append(apivalidation.ValidateFinalizerName(name, path), validateKubeFinalizer(name, path)...)
}

// ValidateNonNegative judges a count.
func ValidateNonNegative[T int32 | int64](n T, path *field.Path) field.ErrorList {
	return apivalidation.ValidateNonnegativeField(int64(n), path)
}

// ValidateLabelName judges a name inside an object, such as a port's.
func ValidateLabelName(name string, path *field.Path) (errs field.ErrorList) {
	return invalid(path, name, validation.IsDNS1123Label(name), "format=k8s-short-name")
}

// ValidateQualified judges a name that may have a prefix, such as an application protocol.
func ValidateQualified(name string, path *field.Path) field.ErrorList {
	return invalid(path, name, validation.IsQualifiedName(name), "")
}

// ValidateNodeName is the rule for names of nodes.
func ValidateNodeName(name string, path *field.Path) field.ErrorList {
	return invalid(path, name, apivalidation.NameIsDNSSubdomain(name, false), "")
}

// ValidateProtocol judges the protocol of a port.
func ValidateProtocol(p corev1.Protocol, path *field.Path) field.ErrorList {
	switch p {
	case "":
		return field.ErrorList{field.Required(path, "")}
	case corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP:
		return nil
	}
	return field.ErrorList{field.NotSupported(path, p, []corev1.Protocol{corev1.ProtocolSCTP, corev1.ProtocolTCP, corev1.ProtocolUDP})}
}

func validatePort(port int32, path *field.Path) field.ErrorList {
	return invalid(path, port, validation.IsValidPortNum(int(port)), "")
}

// invalid makes one error of each message.
func invalid(path *field.Path, value any, messages []string, origin string) (errs field.ErrorList) {
	for _, m := range messages {
		errs = append(errs, field.Invalid(path, value, m).WithOrigin(origin))
	}
	return errs
}

// someOf is oneOf for values that must be there.
func someOf[T ~string](value T, path *field.Path, list ...T) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	return oneOf(value, path, list...)
}

// oneOf refuses values that are not in the list.
func oneOf[T ~string](value T, path *field.Path, list ...T) field.ErrorList {
	for _, v := range list {
		if v == value {
			return nil
		}
	}
	return field.ErrorList{field.NotSupported(path, value, list)}
}
