package deployment

import (
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
)

// state is a Deployment with its ReplicaSets told apart: the one of the current template, and the others, oldest first.
type state struct {
	d   *appsv1.Deployment
	new *appsv1.ReplicaSet
	old []*appsv1.ReplicaSet
}

// newState sorts sets. Of several that fit the template the oldest is the new one.
func newState(d *appsv1.Deployment, sets []*appsv1.ReplicaSet) *state {
	sets = slices.Clone(sets)
	slices.SortFunc(sets, byCreation)
	s := &state{d: d}
	for _, rs := range sets {
		if s.new == nil && sameTemplate(&rs.Spec.Template, &d.Spec.Template) {
			s.new = rs
			continue
		}
		s.old = append(s.old, rs)
	}
	return s
}

func (s *state) all() []*appsv1.ReplicaSet {
	if s.new == nil {
		return s.old
	}
	return append(slices.Clone(s.old), s.new)
}

// put replaces a ReplicaSet by its newer version.
func (s *state) put(rs *appsv1.ReplicaSet) {
	if s.new != nil && s.new.UID == rs.UID {
		s.new = rs
		return
	}
	for i := range s.old {
		if s.old[i].UID == rs.UID {
			s.old[i] = rs
		}
	}
}

func (s *state) byName(name string) *appsv1.ReplicaSet {
	for _, rs := range s.all() {
		if rs.Name == name {
			return rs
		}
	}
	return nil
}

// sameTemplate compares without the hash label, which only ReplicaSets' templates carry.
func sameTemplate(a, b *corev1.PodTemplateSpec) bool {
	left, right := *a, *b
	left.Labels, right.Labels = withoutHash(a.Labels), withoutHash(b.Labels)
	return apiequality.Semantic.DeepEqual(&left, &right)
}

func withoutHash(labels map[string]string) map[string]string {
	if _, ok := labels[appsv1.DefaultDeploymentUniqueLabelKey]; !ok {
		return labels
	}
	rest := make(map[string]string, len(labels))
	for k, v := range labels {
		if k != appsv1.DefaultDeploymentUniqueLabelKey {
			rest[k] = v
		}
	}
	return rest
}

func byCreation(a, b *appsv1.ReplicaSet) int {
	return cmp.Or(a.CreationTimestamp.Time.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

func active(sets []*appsv1.ReplicaSet) []*appsv1.ReplicaSet {
	var found []*appsv1.ReplicaSet
	for _, rs := range sets {
		if *rs.Spec.Replicas > 0 {
			found = append(found, rs)
		}
	}
	return found
}

func sum(sets []*appsv1.ReplicaSet, count func(*appsv1.ReplicaSet) int32) (total int32) {
	for _, rs := range sets {
		total += count(rs)
	}
	return total
}

func wanted(sets []*appsv1.ReplicaSet) int32 {
	return sum(sets, func(rs *appsv1.ReplicaSet) int32 { return *rs.Spec.Replicas })
}

func actual(sets []*appsv1.ReplicaSet) int32 {
	return sum(sets, func(rs *appsv1.ReplicaSet) int32 { return rs.Status.Replicas })
}

func available(sets []*appsv1.ReplicaSet) int32 {
	return sum(sets, func(rs *appsv1.ReplicaSet) int32 { return rs.Status.AvailableReplicas })
}
