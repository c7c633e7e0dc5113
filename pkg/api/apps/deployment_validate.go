package apps

import (
	"strconv"
	"strings"

	"github.com/kubeskiff/skiff/pkg/api/core"

	appsv1 "k8s.io/api/apps/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

func validateDeployment(d, old *appsv1.Deployment) (errs field.ErrorList) {
	if old == nil {
		errs = core.ValidateMeta(&d.ObjectMeta, true, apivalidation.NameIsDNSSubdomain)
	} else {
		errs = core.ValidateMetaUpdate(&d.ObjectMeta, &old.ObjectMeta)
	}
	s, path := &d.Spec, field.NewPath("spec")
	errs = append(errs, core.ValidateNonNegative(ptr.Deref(s.Replicas, 0), path.Child("replicas"))...)
	errs = append(errs, validateTemplate(s.Selector, &s.Template, oldTemplate(old), path)...)
	errs = append(errs, validateStrategy(&s.Strategy, path.Child("strategy"))...)
	errs = append(errs, core.ValidateNonNegative(s.MinReadySeconds, path.Child("minReadySeconds"))...)
	if s.RevisionHistoryLimit != nil {
		errs = append(errs, core.ValidateNonNegative(*s.RevisionHistoryLimit, path.Child("revisionHistoryLimit"))...)
	}
	if p := s.ProgressDeadlineSeconds; p != nil {
		at := path.Child("progressDeadlineSeconds")
		errs = append(errs, core.ValidateNonNegative(*p, at)...)
		if *p <= s.MinReadySeconds {
			errs = append(errs, field.Invalid(at, *p, "must be greater than minReadySeconds"))
		}
	}
	if old != nil {
		errs = append(errs, apivalidation.ValidateImmutableField(s.Selector, old.Spec.Selector, path.Child("selector"))...)
	}
	return errs
}

func validateStrategy(s *appsv1.DeploymentStrategy, path *field.Path) field.ErrorList {
	rolling := path.Child("rollingUpdate")
	switch s.Type {
	case appsv1.RecreateDeploymentStrategyType:
		if s.RollingUpdate != nil {
			return field.ErrorList{field.Forbidden(rolling, "may not be specified when strategy `type` is 'Recreate'")}
		}
		return nil
	case appsv1.RollingUpdateDeploymentStrategyType:
		if s.RollingUpdate == nil {
			return field.ErrorList{field.Required(rolling, "this should be defaulted and never be nil")}
		}
		return validateRolling(s.RollingUpdate, rolling)
	}
	return field.ErrorList{field.NotSupported(path, core.Internal{Value: s},
		[]appsv1.DeploymentStrategyType{appsv1.RecreateDeploymentStrategyType, appsv1.RollingUpdateDeploymentStrategyType})}
}

func validateRolling(r *appsv1.RollingUpdateDeployment, path *field.Path) field.ErrorList {
	unavailable, surge := ptr.Deref(r.MaxUnavailable, intstr.IntOrString{}), ptr.Deref(r.MaxSurge, intstr.IntOrString{})
	at := path.Child("maxUnavailable")
	errs := validateCountOrPercent(unavailable, at)
	errs = append(errs, validateCountOrPercent(surge, path.Child("maxSurge"))...)
	u, percent := countOrPercent(unavailable)
	if n, _ := countOrPercent(surge); u == 0 && n == 0 {
		errs = append(errs, field.Invalid(at, unavailable, "may not be 0 when `maxSurge` is 0"))
	}
	if percent && u > 100 {
		errs = append(errs, field.Invalid(at, unavailable, "must not be greater than 100%"))
	}
	return errs
}

func validateCountOrPercent(v intstr.IntOrString, path *field.Path) (errs field.ErrorList) {
	if v.Type == intstr.Int {
		return core.ValidateNonNegative(v.IntVal, path)
	}
	for _, msg := range validation.IsValidPercent(v.StrVal) {
		errs = append(errs, field.Invalid(path, v, msg))
	}
	return errs
}

func countOrPercent(v intstr.IntOrString) (n int, percent bool) {
	if v.Type == intstr.String && len(validation.IsValidPercent(v.StrVal)) == 0 {
		n, _ = strconv.Atoi(strings.TrimSuffix(v.StrVal, "%"))
		return n, true
	}
	return v.IntValue(), false
}

func validateDeploymentStatus(d, old *appsv1.Deployment) field.ErrorList {
	errs := core.ValidateMetaUpdate(&d.ObjectMeta, &old.ObjectMeta)
	s, path := &d.Status, field.NewPath("status")
	errs = append(errs, core.ValidateNonNegative(s.ObservedGeneration, path.Child("observedGeneration"))...)
	errs = append(errs, validateCounts(path, []count{
		{"replicas", s.Replicas}, {"updatedReplicas", s.UpdatedReplicas}, {"readyReplicas", s.ReadyReplicas},
		{"availableReplicas", s.AvailableReplicas}, {"unavailableReplicas", s.UnavailableReplicas},
		{"terminatingReplicas", ptr.Deref(s.TerminatingReplicas, 0)}, {"collisionCount", ptr.Deref(s.CollisionCount, 0)},
	})...)
	errs = append(errs, validateParts(path, s.Replicas, s.ReadyReplicas, s.AvailableReplicas, count{"updatedReplicas", s.UpdatedReplicas})...)
	if n, was := ptr.Deref(s.CollisionCount, 0), old.Status.CollisionCount; was != nil && n < *was {
		errs = append(errs, field.Invalid(path.Child("collisionCount"), n, "cannot be decremented"))
	}
	return errs
}
