package core

import (
	"maps"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

func validateConfigMap(c, old *corev1.ConfigMap) (errs field.ErrorList) {
	if old != nil {
		errs = append(errs, ValidateMetaUpdate(&c.ObjectMeta, &old.ObjectMeta)...)
		if ptr.Deref(old.Immutable, false) {
			errs = append(errs, keptImmutable(c.Immutable)...)
			errs = append(errs, keptData(c.Data, old.Data, "data")...)
			errs = append(errs, keptData(c.BinaryData, old.BinaryData, "binaryData")...)
		}
	}
	errs = append(errs, ValidateMeta(&c.ObjectMeta, true, apivalidation.NameIsDNSSubdomain)...)
	size := 0
	for _, key := range slices.Sorted(maps.Keys(c.Data)) {
		path := field.NewPath("data").Key(key)
		errs = append(errs, invalid(path, key, validation.IsConfigMapKey(key), "")...)
		if _, twice := c.BinaryData[key]; twice {
			errs = append(errs, field.Invalid(path, key, "duplicate of key present in binaryData"))
		}
		size += len(c.Data[key])
	}
	binary, binarySize := validateKeys(c.BinaryData, field.NewPath("binaryData"))
	if size+binarySize > corev1.MaxSecretSize {
		binary = append(binary, field.TooLong(field.NewPath(""), "", corev1.MaxSecretSize))
	}
	return append(errs, binary...)
}

// validateKeys judges the keys of data, and gives its size.
func validateKeys(data map[string][]byte, path *field.Path) (errs field.ErrorList, size int) {
	for _, key := range slices.Sorted(maps.Keys(data)) {
		errs = append(errs, invalid(path.Key(key), key, validation.IsConfigMapKey(key), "")...)
		size += len(data[key])
	}
	return errs, size
}

const immutable = "field is immutable when `immutable` is set"

func keptImmutable(flag *bool) field.ErrorList {
	if ptr.Deref(flag, false) {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath("immutable"), immutable)}
}

func keptData[M ~map[string]V, V any](data, old M, name string) field.ErrorList {
	if len(data) == 0 && len(old) == 0 || reflect.DeepEqual(data, old) {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath(name), immutable)}
}
