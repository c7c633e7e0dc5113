package admission

import (
	"fmt"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestDefaultTolerationSeconds(t *testing.T) {
	seconds := func(taint string, n int64) corev1.Toleration {
		return corev1.Toleration{Key: taint, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &n}
	}
	notReady, unreachable := seconds("node.kubernetes.io/not-ready", 300), seconds("node.kubernetes.io/unreachable", 300)
	all := corev1.Toleration{Operator: corev1.TolerationOpExists}
	other := corev1.Toleration{Key: "gpu", Operator: corev1.TolerationOpExists}
	schedule := corev1.Toleration{Key: notReady.Key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}
	for _, c := range []struct {
		name        string
		given, want []corev1.Toleration
	}{
		{"none", nil, []corev1.Toleration{notReady, unreachable}},
		{"another", []corev1.Toleration{other}, []corev1.Toleration{other, notReady, unreachable}},
		{"everything", []corev1.Toleration{all}, []corev1.Toleration{all}},
		{"one of one's own", []corev1.Toleration{seconds(notReady.Key, 5)}, []corev1.Toleration{seconds(notReady.Key, 5), unreachable}},
		{"of another effect", []corev1.Toleration{schedule}, []corev1.Toleration{schedule, notReady, unreachable}},
	} {
		for _, verb := range []Verb{Create, Update} {
			pod := &corev1.Pod{Spec: corev1.PodSpec{Tolerations: c.given}}
			err := NewDefaultTolerationSeconds().Admit(t.Context(), &Request{Kind: podKind, Verb: verb, Object: pod})
			if err != nil || !reflect.DeepEqual(pod.Spec.Tolerations, c.want) {
				t.Errorf("%s, %s: got %+v, %v, want %+v", c.name, verb, pod.Spec.Tolerations, err, c.want)
			}
		}
	}
	pod := &corev1.Pod{}
	if err := NewDefaultTolerationSeconds().Admit(t.Context(), &Request{Kind: podKind, Verb: Update, Subresource: "status", Object: pod}); err != nil || pod.Spec.Tolerations != nil {
		t.Errorf("a status got %+v, %v", pod.Spec.Tolerations, err)
	}
}

func TestPriority(t *testing.T) {
	never := corev1.PreemptNever
	for _, c := range []struct {
		class    string
		priority *int32
		policy   *corev1.PreemptionPolicy
		want     int32
		refusal  string
	}{
		{class: "", want: 0},
		{class: "", priority: new(int32(0)), want: 0},
		{class: "system-cluster-critical", want: 2000000000},
		{class: "system-node-critical", want: 2000001000},
		{class: "high", refusal: `pods "web" is forbidden: no PriorityClass with name high was found`},
		{class: "", priority: new(int32(5)), refusal: `pods "web" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name`},
		{class: "", policy: &never, refusal: `pods "web" is forbidden: the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission controller computed PreemptLowerPriority from the given PriorityClass name`},
	} {
		pod := &corev1.Pod{ObjectMeta: meta("shop", "web")}
		pod.Spec.PriorityClassName, pod.Spec.Priority, pod.Spec.PreemptionPolicy = c.class, c.priority, c.policy
		err := NewPriority().Admit(t.Context(), &Request{Kind: podKind, Verb: Create, Object: pod})
		wantRefusal(t, err, c.refusal)
		if err == nil && (*pod.Spec.Priority != c.want || *pod.Spec.PreemptionPolicy != corev1.PreemptLowerPriority) {
			t.Errorf("%q: got %d, %s", c.class, *pod.Spec.Priority, *pod.Spec.PreemptionPolicy)
		}
	}
}

func TestPriorityIsKept(t *testing.T) {
	old := &corev1.Pod{Spec: corev1.PodSpec{Priority: new(int32(7)), PreemptionPolicy: new(corev1.PreemptLowerPriority)}}
	pod := &corev1.Pod{}
	if err := NewPriority().Admit(t.Context(), &Request{Kind: podKind, Verb: Update, Object: pod, Old: old}); err != nil {
		t.Fatal(err)
	}
	if *pod.Spec.Priority != 7 || pod.Spec.Priority == old.Spec.Priority || *pod.Spec.PreemptionPolicy != corev1.PreemptLowerPriority {
		t.Errorf("got %+v", pod.Spec)
	}
}

func TestTaintNodesByCondition(t *testing.T) {
	const notReady = "node.kubernetes.io/not-ready:NoSchedule"
	for _, c := range []struct {
		verb  Verb
		given []corev1.Taint
		want  []string
	}{
		{Create, nil, []string{notReady}},
		{Create, []corev1.Taint{{Key: "gpu", Effect: "NoExecute"}}, []string{"gpu:NoExecute", notReady}},
		{Create, []corev1.Taint{{Key: "node.kubernetes.io/not-ready", Effect: "NoSchedule"}}, []string{notReady}},
		{Update, nil, nil},
	} {
		node := &corev1.Node{Spec: corev1.NodeSpec{Taints: c.given}}
		if err := NewTaintNodesByCondition().Admit(t.Context(), &Request{Kind: nodeKind, Verb: c.verb, Object: node}); err != nil {
			t.Error(err)
		}
		var got []string
		for _, taint := range node.Spec.Taints {
			got = append(got, fmt.Sprintf("%s:%s", taint.Key, taint.Effect))
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s of %v: got %q, want %q", c.verb, c.given, got, c.want)
		}
	}
}
