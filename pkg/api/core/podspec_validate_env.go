package core

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// What the downward API tells, to the environment and to volumes.
var (
	envFields = sets.New("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
		"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs")
	volumeFields = sets.New("metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid")
	// Fields that convert, but that one of the two does not offer, are told apart from those that no one knows.
	knownFields    = envFields.Union(volumeFields).Union(sets.New("spec.restartPolicy", "spec.schedulerName", "status.phase", "spec.host"))
	resourceFields = sets.New("limits.cpu", "limits.memory", "limits.ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage")
)

func validateEnv(vars []corev1.EnvVar, path *field.Path) (errs field.ErrorList) {
	for i := range vars {
		v, at := &vars[i], path.Index(i)
		if v.Name == "" {
			errs = append(errs, field.Required(at.Child("name"), ""))
		} else {
			errs = append(errs, invalid(at.Child("name"), v.Name, validation.IsRelaxedEnvVarName(v.Name), "")...)
		}
		if v.ValueFrom != nil {
			errs = append(errs, validateValueFrom(v, at.Child("valueFrom"))...)
		}
	}
	return errs
}

func validateValueFrom(v *corev1.EnvVar, path *field.Path) (errs field.ErrorList) {
	from, sources := v.ValueFrom, 0
	if from.FieldRef != nil {
		sources++
		errs = append(errs, validateFieldRef(from.FieldRef, envFields, path.Child("fieldRef"))...)
	}
	if from.ResourceFieldRef != nil {
		sources++
		errs = append(errs, validateResourceRef(from.ResourceFieldRef, false, path.Child("resourceFieldRef"))...)
	}
	if r := from.ConfigMapKeyRef; r != nil {
		sources++
		errs = append(errs, validateKeyRef(r.Name, r.Key, path.Child("configMapKeyRef"))...)
	}
	if r := from.SecretKeyRef; r != nil {
		sources++
		errs = append(errs, validateKeyRef(r.Name, r.Key, path.Child("secretKeyRef"))...)
	}
	if from.FileKeyRef != nil {
		sources++
	}
	switch {
	case sources == 0:
		errs = append(errs, field.Invalid(path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"))
	case v.Value != "":
		errs = append(errs, field.Invalid(path, "", "may not be specified when `value` is not empty"))
	case sources > 1:
		errs = append(errs, field.Invalid(path, "", "may not have more than one field specified at a time"))
	}
	return errs
}

func validateKeyRef(name, key string, path *field.Path) (errs field.ErrorList) {
	errs = invalid(path.Child("name"), name, apivalidation.NameIsDNSSubdomain(name, false), "")
	if key == "" {
		return append(errs, field.Required(path.Child("key"), ""))
	}
	return append(errs, invalid(path.Child("key"), key, validation.IsConfigMapKey(key), "")...)
}

func validateFieldRef(f *corev1.ObjectFieldSelector, allowed sets.Set[string], path *field.Path) field.ErrorList {
	if f.APIVersion == "" {
		return field.ErrorList{field.Required(path.Child("apiVersion"), "")}
	}
	at := path.Child("fieldPath")
	if f.FieldPath == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	if f.APIVersion != "v1" {
		return field.ErrorList{field.Invalid(at, f.FieldPath, "error converting fieldPath: unsupported pod version: "+f.APIVersion)}
	}
	name, key, subscripted := subscript(f.FieldPath)
	switch {
	case subscripted && name == "metadata.annotations":
		return ValidateQualified(strings.ToLower(key), path)
	case subscripted && name == "metadata.labels":
		return ValidateQualified(key, path)
	case subscripted:
		return field.ErrorList{field.Invalid(at, f.FieldPath, "error converting fieldPath: field label does not support subscript: "+f.FieldPath)}
	case !knownFields.Has(f.FieldPath):
		return field.ErrorList{field.Invalid(at, f.FieldPath, "error converting fieldPath: field label not supported: "+f.FieldPath)}
	case !allowed.Has(f.FieldPath):
		return field.ErrorList{field.NotSupported(at, f.FieldPath, sets.List(allowed))}
	}
	return nil
}

// subscript splits metadata.labels['key'].
func subscript(path string) (name, key string, ok bool) {
	rest, ok := strings.CutSuffix(path, "']")
	if !ok {
		return path, "", false
	}
	name, key, ok = strings.Cut(rest, "['")
	return name, key, ok && name != ""
}

func validateResourceRef(r *corev1.ResourceFieldSelector, volume bool, path *field.Path) (errs field.ErrorList) {
	switch {
	case volume && r.ContainerName == "":
		errs = append(errs, field.Required(path.Child("containerName"), ""))
	case r.Resource == "":
		errs = append(errs, field.Required(path.Child("resource"), ""))
	case !resourceFields.Has(r.Resource) && !strings.HasPrefix(r.Resource, "limits.hugepages-") && !strings.HasPrefix(r.Resource, "requests.hugepages-"):
		errs = append(errs, field.NotSupported(path.Child("resource"), r.Resource, sets.List(resourceFields)))
	}
	return append(errs, validateDivisor(r, path)...)
}

// validateDivisor allows the units that each resource is told in.
func validateDivisor(r *corev1.ResourceFieldSelector, path *field.Path) field.ErrorList {
	if r.Divisor.IsZero() {
		return nil
	}
	units, what := sets.New("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"), ""
	_, name, _ := strings.Cut(r.Resource, ".")
	switch {
	case name == "cpu":
		units, what = sets.New("1m", "1"), "only divisor's values 1m and 1 are supported with the cpu resource"
	case name == "memory":
		what = "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource"
	case name == "ephemeral-storage":
		what = "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the local ephemeral storage resource"
	case strings.HasPrefix(name, "hugepages-"):
		what = "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the hugepages resource"
	default:
		return nil
	}
	if units.Has(r.Divisor.String()) {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("divisor"), r.Resource, what)}
}

func validateEnvFrom(list []corev1.EnvFromSource, path *field.Path) (errs field.ErrorList) {
	for i, e := range list {
		at := path.Index(i)
		if e.Prefix != "" {
			errs = append(errs, invalid(at.Child("prefix"), e.Prefix, validation.IsRelaxedEnvVarName(e.Prefix), "")...)
		}
		if e.ConfigMapRef != nil {
			errs = append(errs, validateEnvSource(e.ConfigMapRef.Name, at.Child("configMapRef", "name"))...)
		}
		if e.SecretRef != nil {
			errs = append(errs, validateEnvSource(e.SecretRef.Name, at.Child("secretRef", "name"))...)
		}
		switch {
		case e.ConfigMapRef == nil && e.SecretRef == nil:
			errs = append(errs, field.Invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"))
		case e.ConfigMapRef != nil && e.SecretRef != nil:
			errs = append(errs, field.Invalid(path, "", "may not have more than one field specified at a time"))
		}
	}
	return errs
}

func validateEnvSource(name string, path *field.Path) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	return invalid(path, name, apivalidation.NameIsDNSSubdomain(name, true), "")
}
