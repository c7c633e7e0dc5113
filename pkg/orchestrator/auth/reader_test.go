package auth

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/api"
)

// stored is a Reader over "resource/namespace/name".
type stored map[string]api.Object

func (s stored) Get(_ context.Context, resource schema.GroupResource, namespace, name string) (api.Object, error) {
	if o, ok := s[resource.String()+"/"+namespace+"/"+name]; ok {
		return o, nil
	}
	return nil, apierrors.NewNotFound(resource, name)
}

func (s stored) List(_ context.Context, resource schema.GroupResource, namespace, field, value string) ([]api.Object, error) {
	var out []api.Object
	for key, o := range s {
		pod, ok := o.(*corev1.Pod)
		if strings.HasPrefix(key, resource.String()+"/"+namespace+"/") && ok && field == "spec.nodeName" && pod.Spec.NodeName == value {
			out = append(out, o)
		}
	}
	return out, nil
}

func meta(namespace, name, uid string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(uid)}
}
