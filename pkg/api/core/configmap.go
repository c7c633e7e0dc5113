package core

import (
	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
)

// ConfigMap is the kind v1 ConfigMap.
var ConfigMap = api.Define(api.Spec[*corev1.ConfigMap]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "ConfigMap", Resource: "configmaps",
	ShortNames: []string{"cm"}, Namespaced: true,
	List: &corev1.ConfigMapList{},
})
