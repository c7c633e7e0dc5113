package core

import (
	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
)

// Secret is the kind v1 Secret.
var Secret = api.Define(api.Spec[*corev1.Secret]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "Secret", Resource: "secrets",
	Namespaced: true,
	List:       &corev1.SecretList{},
})
