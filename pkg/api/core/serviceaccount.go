package core

import (
	"github.com/kubeskiff/skiff/pkg/api"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
)

// ServiceAccount is the kind v1 ServiceAccount. The server signs the tokens of its token subresource.
var ServiceAccount = api.Define(api.Spec[*corev1.ServiceAccount]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "ServiceAccount", Resource: "serviceaccounts",
	ShortNames: []string{"sa"}, Namespaced: true,
	List: &corev1.ServiceAccountList{},
	Subresources: api.Subresources{
		"token": api.View[*corev1.ServiceAccount, *authenticationv1.TokenRequest](
			authenticationv1.SchemeGroupVersion.WithKind("TokenRequest"), []string{"create"}, nil, nil),
	},
})
