package deployment

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/dump"
)

const (
	revisionAnnotation = "deployment.kubernetes.io/revision"
	historyAnnotation  = "deployment.kubernetes.io/revision-history"
	desiredAnnotation  = "deployment.kubernetes.io/desired-replicas"
	maxAnnotation      = "deployment.kubernetes.io/max-replicas"

	// maxHistory bounds the revision history annotation, in characters.
	maxHistory = 2000
)

// templateHash is what upstream appends to names. The dump walks pointers, so that equal templates give equal hashes.
func templateHash(template *corev1.PodTemplateSpec, collisions *int32) string {
	hasher := fnv.New32a()
	fmt.Fprintf(hasher, "%v", dump.ForHash(*template))
	if collisions != nil {
		// eight bytes of which four are used, as upstream writes them
		bytes := make([]byte, 8)
		binary.LittleEndian.PutUint32(bytes, uint32(*collisions))
		hasher.Write(bytes)
	}
	return rand.SafeEncodeString(fmt.Sprint(hasher.Sum32()))
}

// newReplicaSet is the ReplicaSet of d's template, still without a size.
func newReplicaSet(d *appsv1.Deployment, revision int64) *appsv1.ReplicaSet {
	template := *d.Spec.Template.DeepCopy()
	hash := templateHash(&template, d.Status.CollisionCount)
	template.Labels = withHash(template.Labels, hash)
	selector := d.Spec.Selector.DeepCopy()
	selector.MatchLabels = withHash(selector.MatchLabels, hash)
	rs := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name:            setName(d.Name, hash),
			Namespace:       d.Namespace,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))},
			Labels:          template.Labels,
		},
		Spec: appsv1.ReplicaSetSpec{
			Replicas:        new(int32),
			MinReadySeconds: d.Spec.MinReadySeconds,
			Selector:        selector,
			Template:        template,
		},
	}
	annotate(d, rs, revision)
	setCounts(rs, d)
	return rs
}

func setName(deployment, hash string) string {
	room := validation.DNS1123SubdomainMaxLength - 1 - len(hash)
	return deployment[:min(len(deployment), room)] + "-" + hash
}

func withHash(labels map[string]string, hash string) map[string]string {
	labels = maps.Clone(labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
	return labels
}

// revisionOf is the revision of a ReplicaSet; 0 without one that can be read.
func revisionOf(rs *appsv1.ReplicaSet) int64 {
	n, err := strconv.ParseInt(rs.Annotations[revisionAnnotation], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func maxRevision(sets []*appsv1.ReplicaSet) (highest int64) {
	for _, rs := range sets {
		highest = max(highest, revisionOf(rs))
	}
	return highest
}

// lastRevision is the second highest revision: the one before the current.
func lastRevision(sets []*appsv1.ReplicaSet) int64 {
	highest, second := int64(0), int64(0)
	for _, rs := range sets {
		if v := revisionOf(rs); v >= highest {
			second, highest = highest, v
		} else if v > second {
			second = v
		}
	}
	return second
}

// annotate copies d's annotations to its new ReplicaSet (the change cause among them) and numbers it; a ReplicaSet that is
// used again keeps its former numbers as history. It reports a change.
func annotate(d *appsv1.Deployment, rs *appsv1.ReplicaSet, revision int64) bool {
	changed := false
	for k, v := range d.Annotations {
		if !ownAnnotation(k) {
			changed = setAnnotation(rs, k, v) || changed
		}
	}
	former, had := rs.Annotations[revisionAnnotation]
	if had && former != "" {
		n, err := strconv.ParseInt(former, 10, 64)
		if err != nil {
			return false
		}
		if n >= revision {
			return changed
		}
	}
	setAnnotation(rs, revisionAnnotation, strconv.FormatInt(revision, 10))
	if had {
		rs.Annotations[historyAnnotation] = history(rs.Annotations[historyAnnotation], former)
	}
	return true
}

// history appends a revision, dropping the oldest ones if the text grows too long.
func history(text, revision string) string {
	if text == "" {
		return revision
	}
	for len(text)+1+len(revision) > maxHistory {
		_, rest, more := strings.Cut(text, ",")
		if !more {
			return text
		}
		text = rest
	}
	return text + "," + revision
}

// ownAnnotation holds for annotations that stay where they are: they describe one object.
func ownAnnotation(key string) bool {
	switch key {
	case corev1.LastAppliedConfigAnnotation, revisionAnnotation, historyAnnotation, desiredAnnotation, maxAnnotation, appsv1.DeprecatedRollbackTo:
		return true
	}
	return false
}
