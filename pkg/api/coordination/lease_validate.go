package coordination

import (
	"github.com/kubeskiff/skiff/pkg/api/core"

	coordinationv1 "k8s.io/api/coordination/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateLease(l, old *coordinationv1.Lease) (errs field.ErrorList) {
	if old == nil {
		errs = core.ValidateMeta(&l.ObjectMeta, true, apivalidation.NameIsDNSSubdomain)
	} else {
		errs = core.ValidateMetaUpdate(&l.ObjectMeta, &old.ObjectMeta)
	}
	path := field.NewPath("spec")
	if d := l.Spec.LeaseDurationSeconds; d != nil && *d <= 0 {
		errs = append(errs, field.Invalid(path.Child("leaseDurationSeconds"), *d, "must be greater than 0"))
	}
	if t := l.Spec.LeaseTransitions; t != nil && *t < 0 {
		errs = append(errs, field.Invalid(path.Child("leaseTransitions"), *t, "must be greater than or equal to 0"))
	}
	return errs
}
