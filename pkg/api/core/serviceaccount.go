package core

import (
	"fmt"

	"github.com/kubeskiff/skiff/pkg/api"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ServiceAccount is the kind v1 ServiceAccount. The server signs the tokens of its token subresource.
var ServiceAccount = api.Define(api.Spec[*corev1.ServiceAccount]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "ServiceAccount", Resource: "serviceaccounts",
	ShortNames: []string{"sa"}, Namespaced: true,
	List: &corev1.ServiceAccountList{},
	Prepare: func(a, _ *corev1.ServiceAccount) {
		for i := range a.Secrets {
			a.Secrets[i] = corev1.ObjectReference{Name: a.Secrets[i].Name}
		}
	},
	Validate: validateServiceAccount,
	Warn:     warnServiceAccount,
	Subresources: api.Subresources{
		"token": api.View[*corev1.ServiceAccount, *authenticationv1.TokenRequest](
			authenticationv1.SchemeGroupVersion.WithKind("TokenRequest"), []string{"create"}, nil, nil),
	},
	Describe: describeServiceAccount,
	Columns: &api.Table[*corev1.ServiceAccount]{
		Definitions: []metav1.TableColumnDefinition{api.NameColumn(), api.AgeColumn()},
		Cells: func(a *corev1.ServiceAccount) []any {
			return []any{a.Name, api.Age(a.CreationTimestamp.Time)}
		},
	},
})

const enforceMountable = "kubernetes.io/enforce-mountable-secrets"

func warnServiceAccount(a, old *corev1.ServiceAccount) []string {
	if _, ok := a.Annotations[enforceMountable]; !ok {
		return nil
	}
	if old != nil {
		if _, ok := old.Annotations[enforceMountable]; ok {
			return nil
		}
	}
	return []string{fmt.Sprintf("metadata.annotations[%s]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets", enforceMountable)}
}

func validateServiceAccount(a, old *corev1.ServiceAccount) field.ErrorList {
	var errs field.ErrorList
	if old != nil {
		errs = ValidateMetaUpdate(&a.ObjectMeta, &old.ObjectMeta)
	}
	return append(errs, ValidateMeta(&a.ObjectMeta, true, apivalidation.ValidateServiceAccountName)...)
}
