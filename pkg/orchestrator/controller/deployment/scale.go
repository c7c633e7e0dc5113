package deployment

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
)

// scalingEvent says whether spec.replicas changed since the ReplicaSets were last sized.
func scalingEvent(d *appsv1.Deployment, sets []*appsv1.ReplicaSet) bool {
	for _, rs := range active(sets) {
		if desired, ok := count(rs, desiredAnnotation); ok && desired != *d.Spec.Replicas {
			return true
		}
	}
	return false
}

// planScale sizes the ReplicaSets of a Deployment that is scaled or paused, without moving a rollout on: one active
// ReplicaSet takes the whole size; several, in the middle of a rollout, share the change in proportion. Counts are written even
// where the size fits by chance: left as they were they would look like another scaling, and the rollout would never go on.
func planScale(d *appsv1.Deployment, newSet *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) []scaling {
	all := old
	if newSet != nil {
		all = append(slices.Clone(old), newSet)
	}
	live := active(all)
	switch {
	case len(all) == 0:
		return nil
	case len(live) == 0 && newSet != nil:
		return []scaling{{newSet.Name, *d.Spec.Replicas, true}}
	case len(live) == 0:
		return []scaling{{old[len(old)-1].Name, *d.Spec.Replicas, true}}
	case len(live) == 1:
		return []scaling{{live[0].Name, *d.Spec.Replicas, true}}
	case saturated(d, newSet):
		return planDown(old)
	case rolling(d):
		return planProportional(d, live)
	}
	var plan []scaling
	for _, rs := range live {
		plan = append(plan, scaling{rs.Name, *rs.Spec.Replicas, true})
	}
	return plan
}

// planProportional spreads what may be added (or must go) over the active ReplicaSets, from the largest on; the largest also
// takes what rounding left over. 10 → 15 with surge 3, sizes 8 and 5: 18 - 13 = 5 to add; 8·18/13 = 11, 5·18/13 = 7.
func planProportional(d *appsv1.Deployment, live []*appsv1.ReplicaSet) []scaling {
	surge, _ := limits(d)
	allowed := int32(0)
	if *d.Spec.Replicas > 0 {
		allowed = *d.Spec.Replicas + surge
	}
	toAdd := allowed - wanted(live)
	sets := slices.Clone(live)
	slices.SortStableFunc(sets, func(a, b *appsv1.ReplicaSet) int {
		older := byCreation(a, b)
		if toAdd > 0 {
			older = -older
		}
		return cmp.Or(cmp.Compare(*b.Spec.Replicas, *a.Spec.Replicas), older)
	})
	plan, added := make([]scaling, len(sets)), int32(0)
	for i, rs := range sets {
		share := proportion(d, rs, surge, toAdd, added)
		added += share
		plan[i] = scaling{name: rs.Name, to: *rs.Spec.Replicas + share, annotate: true}
	}
	if toAdd != 0 {
		plan[0].to = max(0, plan[0].to+toAdd-added)
	}
	return plan
}

func proportion(d *appsv1.Deployment, rs *appsv1.ReplicaSet, surge, toAdd, added int32) int32 {
	if toAdd == 0 || toAdd == added {
		return 0
	}
	part := fraction(d, rs, surge)
	if toAdd > 0 {
		return min(part, toAdd-added)
	}
	return max(part, toAdd-added)
}

// fraction is how much rs would grow if it kept its part of the whole.
func fraction(d *appsv1.Deployment, rs *appsv1.ReplicaSet, surge int32) int32 {
	size := *rs.Spec.Replicas
	if *d.Spec.Replicas == 0 {
		return -size
	}
	before, ok := count(rs, maxAnnotation)
	if !ok || before == 0 {
		if before = d.Status.Replicas; before == 0 {
			return 0
		}
	}
	return int32(math.Round(float64(size*(*d.Spec.Replicas+surge))/float64(before))) - size
}

// saturated holds when the new ReplicaSet is, and knows that it should be, the whole Deployment, and all of it is available.
func saturated(d *appsv1.Deployment, rs *appsv1.ReplicaSet) bool {
	if rs == nil {
		return false
	}
	desired, ok := count(rs, desiredAnnotation)
	return ok && desired == *d.Spec.Replicas && *rs.Spec.Replicas == *d.Spec.Replicas && rs.Status.AvailableReplicas == *d.Spec.Replicas
}

// count reads a replica count from an annotation.
func count(rs *appsv1.ReplicaSet, annotation string) (int32, bool) {
	n, err := strconv.ParseUint(rs.Annotations[annotation], 10, 31)
	return int32(n), err == nil
}

// setCounts writes the counts that later scaling is judged by; it reports a change.
func setCounts(rs *appsv1.ReplicaSet, d *appsv1.Deployment) bool {
	surge, _ := limits(d)
	changed := setAnnotation(rs, desiredAnnotation, strconv.Itoa(int(*d.Spec.Replicas)))
	return setAnnotation(rs, maxAnnotation, strconv.Itoa(int(*d.Spec.Replicas+surge))) || changed
}

func setAnnotation(rs *appsv1.ReplicaSet, key, value string) bool {
	if old, ok := rs.Annotations[key]; ok && old == value {
		return false
	}
	if rs.Annotations == nil {
		rs.Annotations = map[string]string{}
	}
	rs.Annotations[key] = value
	return true
}
