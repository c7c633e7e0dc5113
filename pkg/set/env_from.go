package set

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// imported makes variables of the keys of --from.
func (o *env) imported(ctx context.Context, client *resource.Client) ([]corev1.EnvVar, error) {
	objects, errs := client.All(ctx, resource.Query{Args: []string{o.from}, Latest: true})
	if len(errs) > 0 {
		return nil, errs[0]
	}
	var out []corev1.EnvVar
	for _, obj := range objects {
		typed, _, err := obj.Typed()
		if err != nil {
			return nil, err
		}
		local := corev1.LocalObjectReference{Name: obj.Name}
		switch from := typed.(type) {
		case *corev1.Secret:
			for _, key := range slices.Sorted(maps.Keys(from.Data)) {
				out = o.add(out, key, corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: local, Key: key}})
			}
		case *corev1.ConfigMap:
			for _, key := range slices.Sorted(maps.Keys(from.Data)) {
				out = o.add(out, key, corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: local, Key: key}})
			}
		default:
			return nil, errors.New("unsupported resource specified in --from")
		}
	}
	return out, nil
}

var notInEnvName = regexp.MustCompile("[^a-zA-Z0-9_]")

func (o *env) add(out []corev1.EnvVar, key string, from corev1.EnvVarSource) []corev1.EnvVar {
	if len(o.keys) > 0 && !slices.Contains(o.keys, key) {
		return out
	}
	name := strings.ToUpper(notInEnvName.ReplaceAllString(key, "_"))
	if name != key {
		fmt.Fprintf(o.io.ErrOut, "Warning: key %s transferred to %s\n", key, name)
	}
	return append(out, corev1.EnvVar{Name: name, ValueFrom: &from})
}

// show lists a container's variables.
func (o *env) show(ctx context.Context, client *resource.Client, obj api.Object, c *corev1.Container) {
	var failed []string
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			fmt.Fprintf(o.io.Out, "%s=%s\n", e.Name, e.Value)
			continue
		}
		if o.resolve {
			value, err := referenced(ctx, client, obj, e.ValueFrom)
			if err == nil {
				fmt.Fprintf(o.io.Out, "%s=%s\n", e.Name, value)
				continue
			}
			failed = append(failed, fmt.Sprintf("error retrieving reference for %s: %v", e.Name, err))
		}
		fmt.Fprintf(o.io.Out, "# %s from %s\n", e.Name, reference(e.ValueFrom))
	}
	slices.Sort(failed)
	for _, line := range failed {
		fmt.Fprintln(o.io.ErrOut, line)
	}
}

// reference says in words where a value comes from.
func reference(from *corev1.EnvVarSource) string {
	switch {
	case from.ConfigMapKeyRef != nil:
		return fmt.Sprintf("configmap %s, key %s", from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key)
	case from.SecretKeyRef != nil:
		return fmt.Sprintf("secret %s, key %s", from.SecretKeyRef.Name, from.SecretKeyRef.Key)
	case from.FieldRef != nil:
		return "field path " + from.FieldRef.FieldPath
	case from.ResourceFieldRef != nil:
		name := from.ResourceFieldRef.Resource
		if c := from.ResourceFieldRef.ContainerName; c != "" {
			name = c + "/" + name
		}
		return "resource field " + name
	}
	return "invalid valueFrom"
}

// referenced reads a value from the config map or secret that holds it. What only a running pod has is not known here.
func referenced(ctx context.Context, client *resource.Client, obj api.Object, from *corev1.EnvVarSource) (string, error) {
	namespace := obj.GetNamespace()
	if namespace == "" {
		namespace = client.Namespace
	}
	switch {
	case from.SecretKeyRef != nil:
		var s corev1.Secret
		if err := client.Get(ctx, namespace, from.SecretKeyRef.Name, &s); err != nil {
			return "", err
		}
		if data, ok := s.Data[from.SecretKeyRef.Key]; ok {
			return string(data), nil
		}
		return "", fmt.Errorf("key %s not found in secret %s", from.SecretKeyRef.Key, s.Name)
	case from.ConfigMapKeyRef != nil:
		var m corev1.ConfigMap
		if err := client.Get(ctx, namespace, from.ConfigMapKeyRef.Name, &m); err != nil {
			return "", err
		}
		if data, ok := m.Data[from.ConfigMapKeyRef.Key]; ok {
			return data, nil
		}
		return "", fmt.Errorf("key %s not found in config map %s", from.ConfigMapKeyRef.Key, m.Name)
	case from.FieldRef != nil:
		switch from.FieldRef.FieldPath {
		case "metadata.name":
			return obj.GetName(), nil
		case "metadata.namespace":
			return obj.GetNamespace(), nil
		case "metadata.uid":
			return string(obj.GetUID()), nil
		}
		return "", fmt.Errorf("unsupported fieldPath: %v", from.FieldRef.FieldPath)
	}
	return "", errors.New("the value is known to a running container only")
}
