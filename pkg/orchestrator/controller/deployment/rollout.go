package deployment

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// scaling is one change of a ReplicaSet's size. With annotate it is written even if only the annotations differ.
type scaling struct {
	name     string
	to       int32
	annotate bool
}

// fenceposts resolves maxSurge (rounded up) and maxUnavailable (rounded down) together: both zero would never move, so that
// one pod may then be unavailable. 2 desired, 1 % unavailable, 0 surge: old -1, new +1, old -1, new +1.
func fenceposts(maxSurge, maxUnavailable *intstr.IntOrString, desired int32) (surge, unavailable int32, err error) {
	zero := intstr.FromInt32(0)
	s, err := intstr.GetScaledValueFromIntOrPercent(intstr.ValueOrDefault(maxSurge, zero), int(desired), true)
	if err != nil {
		return 0, 0, fmt.Errorf("resolve maxSurge: %w", err)
	}
	u, err := intstr.GetScaledValueFromIntOrPercent(intstr.ValueOrDefault(maxUnavailable, zero), int(desired), false)
	if err != nil {
		return 0, 0, fmt.Errorf("resolve maxUnavailable: %w", err)
	}
	if s == 0 && u == 0 {
		u = 1
	}
	return int32(s), int32(u), nil
}

func rolling(d *appsv1.Deployment) bool {
	return d.Spec.Strategy.Type == appsv1.RollingUpdateDeploymentStrategyType
}

// limits gives the surge and the unavailability that d allows. Values that validation refuses count as none.
func limits(d *appsv1.Deployment) (surge, unavailable int32) {
	if !rolling(d) || d.Spec.Strategy.RollingUpdate == nil {
		return 0, 0
	}
	surge, unavailable, err := fenceposts(d.Spec.Strategy.RollingUpdate.MaxSurge, d.Spec.Strategy.RollingUpdate.MaxUnavailable, *d.Spec.Replicas)
	if err != nil {
		return 0, 0
	}
	return surge, min(unavailable, *d.Spec.Replicas)
}

// newSize is the size that the new ReplicaSet may have now. 10 desired, surge 3, 8 old pods: 13 - 8 = 5.
func newSize(d *appsv1.Deployment, newSet int32, total int32) int32 {
	desired := *d.Spec.Replicas
	if !rolling(d) {
		return desired
	}
	surge := intstr.FromInt32(0)
	if u := d.Spec.Strategy.RollingUpdate; u != nil && u.MaxSurge != nil {
		surge = *u.MaxSurge
	}
	extra, err := intstr.GetScaledValueFromIntOrPercent(&surge, int(desired), true)
	if err != nil {
		return newSet
	}
	room := desired + int32(extra) - total
	if room <= 0 {
		return newSet
	}
	return newSet + min(room, desired-newSet)
}

// planRolling is the next step of a rolling update: the new ReplicaSet up if it may, else old ones down.
func planRolling(d *appsv1.Deployment, newSet *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) []scaling {
	desired, size := *d.Spec.Replicas, *newSet.Spec.Replicas
	if size != desired {
		to := desired // down to desired if larger
		if size < desired {
			to = newSize(d, size, wanted(old)+size)
		}
		if to != size {
			return planTo(newSet, to)
		}
	}
	return planOldDown(d, newSet, active(old))
}

// planOldDown takes pods from the old ReplicaSets, unhealthy ones first, since they add nothing to availability. Worked
// numbers: 10 desired, 2 may be unavailable, surge 3; old 8, new 5 that crash: 13 - 8 - 5 = 0, so none goes. After undo the
// crashing 5 are old, and one of the good 8 is unavailable: 13 - 8 - 1 = 4 of them go.
func planOldDown(d *appsv1.Deployment, newSet *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) []scaling {
	if len(old) == 0 {
		return nil
	}
	_, unavailable := limits(d)
	minAvailable := *d.Spec.Replicas - unavailable
	newUnavailable := *newSet.Spec.Replicas - newSet.Status.AvailableReplicas
	budget := wanted(old) + *newSet.Spec.Replicas - minAvailable - newUnavailable
	if budget <= 0 {
		return nil
	}
	var plan []scaling
	sizes := make([]int32, len(old))
	for i, rs := range old {
		sizes[i] = *rs.Spec.Replicas
		if unhealthy := min(budget, sizes[i]-rs.Status.AvailableReplicas); unhealthy > 0 {
			budget -= unhealthy
			sizes[i] -= unhealthy
			plan = append(plan, scaling{name: rs.Name, to: sizes[i]})
		}
	}
	spare := available(old) + newSet.Status.AvailableReplicas - minAvailable
	for i, rs := range old {
		if less := min(spare, sizes[i]); less > 0 {
			spare -= less
			sizes[i] -= less
			plan = append(plan, scaling{name: rs.Name, to: sizes[i]})
		}
	}
	return plan
}

// planDown takes every ReplicaSet to zero.
func planDown(sets []*appsv1.ReplicaSet) []scaling {
	var plan []scaling
	for _, rs := range active(sets) {
		plan = append(plan, scaling{name: rs.Name})
	}
	return plan
}

func planTo(rs *appsv1.ReplicaSet, size int32) []scaling {
	if *rs.Spec.Replicas == size {
		return nil
	}
	return []scaling{{name: rs.Name, to: size}}
}
