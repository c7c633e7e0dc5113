package deployment

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestTemplateHash(t *testing.T) {
	template := func(image string) *corev1.PodTemplateSpec {
		return &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: image}}}}
	}
	if a, b := templateHash(template("a"), nil), templateHash(template("a"), nil); a != b {
		t.Errorf("equal templates hash to %s and %s", a, b)
	}
	if a, b := templateHash(template("a"), nil), templateHash(template("b"), nil); a == b {
		t.Errorf("different templates hash to %s", a)
	}
	if a, b := templateHash(template("a"), nil), templateHash(template("a"), new(int32(1))); a == b {
		t.Errorf("a collision does not change the hash %s", a)
	}
	if got := setName(strings.Repeat("x", 300), "abc"); len(got) != 253 || !strings.HasSuffix(got, "x-abc") {
		t.Errorf("a long name became %q", got)
	}
}

func TestAnnotate(t *testing.T) {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{
		"kubernetes.io/change-cause": "edit", corev1.LastAppliedConfigAnnotation: "{}", revisionAnnotation: "7",
	}}}
	rs := &appsv1.ReplicaSet{}
	if !annotate(d, rs, 1) || rs.Annotations["kubernetes.io/change-cause"] != "edit" || rs.Annotations[revisionAnnotation] != "1" || len(rs.Annotations) != 2 {
		t.Errorf("new: %v", rs.Annotations)
	}
	if annotate(d, rs, 1) {
		t.Error("nothing changed, but a change is reported")
	}
	if !annotate(d, rs, 3) || rs.Annotations[revisionAnnotation] != "3" || rs.Annotations[historyAnnotation] != "1" {
		t.Errorf("used again: %v", rs.Annotations)
	}
	annotate(d, rs, 5)
	if rs.Annotations[historyAnnotation] != "1,3" {
		t.Errorf("history %q", rs.Annotations[historyAnnotation])
	}
	if annotate(d, rs, 4) || rs.Annotations[revisionAnnotation] != "5" {
		t.Error("a revision went back")
	}
}

func TestHistoryIsBounded(t *testing.T) {
	text := ""
	for range 1000 {
		text = history(text, "12345")
	}
	if len(text) > maxHistory || !strings.HasSuffix(text, ",12345") {
		t.Errorf("the history has %d characters", len(text))
	}
}

func TestRevisions(t *testing.T) {
	with := func(revision string) *appsv1.ReplicaSet {
		return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{revisionAnnotation: revision}}}
	}
	sets := []*appsv1.ReplicaSet{with("2"), with("9"), with("x"), with("5")}
	if got := maxRevision(sets); got != 9 {
		t.Errorf("highest %d, want 9", got)
	}
	if got := lastRevision(sets); got != 5 {
		t.Errorf("last %d, want 5", got)
	}
}

func TestExpired(t *testing.T) {
	old := func(name, revision string, pods int32) *appsv1.ReplicaSet {
		rs := setOf(name, pods, pods)
		rs.Annotations = map[string]string{revisionAnnotation: revision}
		return rs
	}
	d := deploymentOf(1, "1", "0")
	d.Spec.RevisionHistoryLimit = new(int32(1))
	got := expired(d, []*appsv1.ReplicaSet{old("c", "3", 0), old("a", "1", 0), old("b", "2", 1)})
	if len(got) != 1 || got[0].Name != "a" {
		t.Errorf("got %v, want a alone: b has pods, c is within the limit", got)
	}
}
