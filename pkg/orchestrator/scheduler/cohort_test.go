package scheduler

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

func TestMatcher(t *testing.T) {
	s := world(t, nodeOf("a"))
	elsewhere := func(p *corev1.Pod) { p.Namespace = "other" }
	leaving := func(p *corev1.Pod) { now := metav1.Now(); p.DeletionTimestamp = &now }
	web := labels.SelectorFromSet(labels.Set{"app": "web"})
	count := func() int { return newMatcher("default", web).count(s.nodes.get("a")) }
	for _, p := range []*corev1.Pod{
		podOf("1", on("a")), podOf("2", on("a")), podOf("3", labelled("db"), on("a")), podOf("4", elsewhere, on("a")), podOf("5", leaving, on("a")),
	} {
		s.nodes.setPod(p)
	}
	if got := count(); got != 2 {
		t.Errorf("got %d, want the two that match and stay", got)
	}
	for _, test := range []struct {
		what string
		pod  *corev1.Pod
		want int
	}{
		{"one changed its labels", podOf("2", labelled("db"), on("a")), 1},
		{"another took them", podOf("3", on("a")), 2},
		{"nothing that counts changed", podOf("3", on("a"), func(p *corev1.Pod) { p.Status.Phase = corev1.PodRunning }), 2},
		{"one is being deleted", podOf("3", leaving, on("a")), 1},
	} {
		s.nodes.setPod(test.pod)
		if got := count(); got != test.want {
			t.Errorf("%s: got %d, want %d", test.what, got, test.want)
		}
	}
	for uid := range s.nodes.pods {
		s.nodes.removePod(uid)
	}
	if n := s.nodes.get("a"); len(n.staying) != 0 || len(s.nodes.cohorts) != 0 {
		t.Errorf("all pods are gone, but there are still %d counts and %d cohorts", len(n.staying), len(s.nodes.cohorts))
	}
}

// Labels that differ only in where one part ends and the next begins are not the same.
func TestCohortKey(t *testing.T) {
	a, b := podOf("a"), podOf("b")
	a.Labels, b.Labels = map[string]string{"a": "b1:c"}, map[string]string{"a": "b", "c": ""}
	if cohortKey(a) == cohortKey(b) {
		t.Errorf("both are %q", cohortKey(a))
	}
}

// One more of many like pods, on a hundred nodes.
func BenchmarkCycle(b *testing.B) {
	s := world(b)
	for i := range 100 {
		name := fmt.Sprint("n", i)
		s.nodes.setNode(nodeOf(name))
		for j := range 30 {
			p := podOf(fmt.Sprint(name, "-", j), on(name))
			p.UID = types.UID(p.Name)
			s.nodes.setPod(p)
		}
	}
	pod := newPodInfo(podOf("p", spread(corev1.LabelHostname, 1, corev1.ScheduleAnyway)))
	for b.Loop() {
		if _, f := s.cycle(pod); f != nil {
			b.Fatal(f.message())
		}
	}
}
