package scheduler

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// world is a scheduler whose cache a test fills by hand; nothing runs.
func world(t testing.TB, nodes ...*corev1.Node) *Scheduler {
	t.Helper()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	s := New(client, informers.NewSharedInformerFactory(client, 0), Config{})
	t.Cleanup(s.broadcaster.Shutdown)
	for _, n := range nodes {
		s.nodes.setNode(n)
	}
	return s
}

func nodeOf(name string, change ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name}},
		Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("4"), corev1.ResourceMemory: resource.MustParse("8Gi"), corev1.ResourcePods: resource.MustParse("110"),
		}},
	}
	for _, f := range change {
		f(n)
	}
	return n
}

func podOf(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name), Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "web:1"}}},
	}
	for _, f := range change {
		f(p)
	}
	return p
}

func requests(cpu, memory string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{}
		if cpu != "" {
			p.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = resource.MustParse(cpu)
		}
		if memory != "" {
			p.Spec.Containers[0].Resources.Requests[corev1.ResourceMemory] = resource.MustParse(memory)
		}
	}
}

func on(node string) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Spec.NodeName = node } }
func labelled(value string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels = map[string]string{"app": value} }
}
func zone(value string) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Labels[corev1.LabelTopologyZone] = value }
}
func tainted(key string, effect corev1.TaintEffect) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Effect: effect}) }
}
func hostPortOf(port int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].Ports = []corev1.ContainerPort{{HostPort: port, Protocol: corev1.ProtocolTCP}}
	}
}
func spread(key string, skew int32, action corev1.UnsatisfiableConstraintAction) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.TopologySpreadConstraints = append(p.Spec.TopologySpreadConstraints, corev1.TopologySpreadConstraint{
			TopologyKey: key, MaxSkew: skew, WhenUnsatisfiable: action, LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
		})
	}
}
func terms(value, key string) []corev1.PodAffinityTerm {
	return []corev1.PodAffinityTerm{{TopologyKey: key, LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": value}}}}
}
func near(value, key string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: terms(value, key)}}
	}
}
func apart(value, key string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: terms(value, key)}}
	}
}

func TestFilters(t *testing.T) {
	a, b := nodeOf("a", zone("east")), nodeOf("b", zone("west"))
	for _, test := range []struct {
		name  string
		nodes []*corev1.Node
		pods  []*corev1.Pod
		pod   *corev1.Pod
		want  []string // nodes that fit
		text  string   // if none does
	}{
		{"any", []*corev1.Node{a, b}, nil, podOf("p"), []string{"a", "b"}, ""},
		{"no nodes", nil, nil, podOf("p"), nil, "no nodes available to schedule pods"},
		{
			"too large for all", []*corev1.Node{a, b}, nil, podOf("p", requests("5", "")), nil,
			"0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
		},
		{
			"full, without victims", []*corev1.Node{a}, []*corev1.Pod{podOf("x", requests("3", "6Gi"), on("a"))}, podOf("p", requests("2", "4Gi")), nil,
			"0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
		},
		{
			"a taint and a full one", []*corev1.Node{nodeOf("t", tainted("node-role.kubernetes.io/control-plane", corev1.TaintEffectNoSchedule)), a},
			[]*corev1.Pod{podOf("x", requests("3", ""), on("a"))}, podOf("p", requests("2", "")), nil,
			"0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.",
		},
		{
			"a tolerated taint", []*corev1.Node{nodeOf("t", tainted("gpu", corev1.TaintEffectNoExecute))}, nil,
			podOf("p", func(p *corev1.Pod) {
				p.Spec.Tolerations = []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists}}
			}), []string{"t"}, "",
		},
		{"a soft taint", []*corev1.Node{nodeOf("t", tainted("gpu", corev1.TaintEffectPreferNoSchedule))}, nil, podOf("p"), []string{"t"}, ""},
		{
			"cordoned", []*corev1.Node{nodeOf("c", func(n *corev1.Node) { n.Spec.Unschedulable = true })}, nil, podOf("p"), nil,
			"0/1 nodes are available: 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
		},
		{"node selector", []*corev1.Node{a, b}, nil, podOf("p", func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{corev1.LabelTopologyZone: "west"} }), []string{"b"}, ""},
		{
			"node selector that nothing has", []*corev1.Node{a}, nil, podOf("p", func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"disk": "ssd"} }), nil,
			"0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
		},
		{"host port", []*corev1.Node{a, b}, []*corev1.Pod{podOf("x", hostPortOf(80), on("a"))}, podOf("p", hostPortOf(80)), []string{"b"}, ""},
		{
			"host port in use", []*corev1.Node{a}, []*corev1.Pod{podOf("x", hostPortOf(80), on("a"))}, podOf("p", hostPortOf(80)), nil,
			"0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
		},
		{"spread over zones", []*corev1.Node{a, b}, []*corev1.Pod{podOf("x", on("a"))}, podOf("p", spread(corev1.LabelTopologyZone, 1, corev1.DoNotSchedule)), []string{"b"}, ""},
		{"spread with room", []*corev1.Node{a, b}, []*corev1.Pod{podOf("x", on("a"))}, podOf("p", spread(corev1.LabelTopologyZone, 2, corev1.DoNotSchedule)), []string{"a", "b"}, ""},
		{
			"spread without the label", []*corev1.Node{nodeOf("n")}, nil, podOf("p", spread(corev1.LabelTopologyZone, 1, corev1.DoNotSchedule)), nil,
			"0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label). no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
		},
		{"near another", []*corev1.Node{a, b}, []*corev1.Pod{podOf("x", labelled("db"), on("b"))}, podOf("p", near("db", corev1.LabelTopologyZone)), []string{"b"}, ""},
		{
			"near what is not there", []*corev1.Node{a}, nil, podOf("p", near("db", corev1.LabelTopologyZone)), nil,
			"0/1 nodes are available: 1 node(s) didn't match pod affinity rules. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
		},
		{"near its own kind, the first", []*corev1.Node{a, b}, nil, podOf("p", near("web", corev1.LabelTopologyZone)), []string{"a", "b"}, ""},
		{"apart from another", []*corev1.Node{a, b}, []*corev1.Pod{podOf("x", on("a"))}, podOf("p", apart("web", corev1.LabelHostname)), []string{"b"}, ""},
		{
			"apart from all", []*corev1.Node{a}, []*corev1.Pod{podOf("x", on("a"))}, podOf("p", apart("web", corev1.LabelHostname)), nil,
			"0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
		},
		{
			"another wants to be apart", []*corev1.Node{a}, []*corev1.Pod{podOf("x", labelled("db"), apart("web", corev1.LabelHostname), on("a"))}, podOf("p"), nil,
			"0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
		},
		{
			"pods without number", []*corev1.Node{nodeOf("n", func(n *corev1.Node) { n.Status.Allocatable[corev1.ResourcePods] = resource.MustParse("1") })},
			[]*corev1.Pod{podOf("x", on("n"))}, podOf("p"), nil,
			"0/1 nodes are available: 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
		},
	} {
		s := world(t, test.nodes...)
		for _, p := range test.pods {
			s.nodes.setPod(p)
		}
		if len(test.nodes) == 0 {
			_, f := s.cycle(newPodInfo(test.pod))
			if f == nil || f.message() != test.text {
				t.Errorf("%s: got %v", test.name, f)
			}
			continue
		}
		feasible, f := s.findFeasible(s.newCycle(newPodInfo(test.pod), s.nodes.list))
		var got []string
		for _, n := range feasible {
			got = append(got, n.object.Name)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: fits %v, want %v", test.name, got, test.want)
		}
		if len(feasible) > 0 {
			continue
		}
		f.postFilter = explainPreemption(s.newCycle(newPodInfo(test.pod), s.nodes.list), f)
		if got := f.message(); got != test.text {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.text)
		}
	}
}

func TestScores(t *testing.T) {
	a, b := nodeOf("a", zone("east")), nodeOf("b", zone("west"))
	for _, test := range []struct {
		name  string
		nodes []*corev1.Node
		pods  []*corev1.Pod
		pod   *corev1.Pod
		want  string
	}{
		{"the emptier one", []*corev1.Node{a, b}, []*corev1.Pod{podOf("x", labelled("db"), requests("2", "4Gi"), on("a"))}, podOf("p", requests("1", "1Gi")), "b"},
		{"without a soft taint", []*corev1.Node{nodeOf("a", tainted("slow", corev1.TaintEffectPreferNoSchedule)), b}, nil, podOf("p"), "b"},
		{"the image is there", []*corev1.Node{a, nodeOf("b", func(n *corev1.Node) {
			n.Status.Images = []corev1.ContainerImage{{Names: []string{"web:1"}, SizeBytes: 900 << 20}}
		})}, nil, podOf("p"), "b"},
		{"soft spread", []*corev1.Node{a, b}, []*corev1.Pod{podOf("x", on("a"))}, podOf("p", spread(corev1.LabelHostname, 1, corev1.ScheduleAnyway)), "b"},
		{"likes to be near", []*corev1.Node{a, b}, []*corev1.Pod{podOf("x", labelled("db"), on("b"))}, podOf("p", func(p *corev1.Pod) {
			p.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{
				{Weight: 100, PodAffinityTerm: terms("db", corev1.LabelTopologyZone)[0]},
			}}}
		}), "b"},
		{"prefers a label", []*corev1.Node{a, b}, nil, podOf("p", func(p *corev1.Pod) {
			p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{
				{Weight: 10, Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{"west"}}}}},
			}}}
		}), "b"},
	} {
		s := world(t, test.nodes...)
		for _, p := range test.pods {
			s.nodes.setPod(p)
		}
		if got, f := s.cycle(newPodInfo(test.pod)); f != nil || got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

func TestArithmetic(t *testing.T) {
	if got := leastAllocated([]amount{{4, 10}, {2, 10}}); got != 70 {
		t.Errorf("least allocated: got %d, want 70", got)
	}
	if got := balance([]amount{{4, 10}, {2, 10}}); got != 90 {
		t.Errorf("balance: got %d, want 90", got)
	}
	for nodes, want := range map[int]int{50: 50, 100: 100, 150: 100, 1000: 420, 5000: 500, 10000: 500} {
		if got := numToFind(nodes, 0); got != want {
			t.Errorf("of %d nodes %d are looked for, want %d", nodes, got, want)
		}
	}
	scores := []int64{2, 4, ignoredRating}
	fewestFirst(scores)
	if !slices.Equal(scores, []int64{100, 50, 0}) {
		t.Errorf("fewest first: %v", scores)
	}
	scores = []int64{-5, 5, 0}
	stretch(scores)
	if !slices.Equal(scores, []int64{0, 100, 50}) {
		t.Errorf("stretched: %v", scores)
	}
	scores = []int64{0, 1, 4}
	reversed(scores)
	if !slices.Equal(scores, []int64{100, 75, 0}) {
		t.Errorf("reversed: %v", scores)
	}
}

func TestCacheAddsUp(t *testing.T) {
	s := world(t, nodeOf("a"))
	n := s.nodes.get("a")
	p := podOf("p", requests("1", "1Gi"), hostPortOf(80), apart("web", "x"))
	s.nodes.assume(newPodInfo(p), "a")
	if n.requested.cpu != 1000 || len(n.pods) != 1 || n.withTerms != 1 || len(n.ports) != 1 {
		t.Errorf("assumed: %+v", n)
	}
	bound := p.DeepCopy()
	bound.Spec.NodeName = "a"
	s.nodes.setPod(bound)
	s.nodes.forget(p) // too late: it came true
	if n.requested.cpu != 1000 || len(n.pods) != 1 {
		t.Errorf("bound: %+v", n.requested)
	}
	s.nodes.removePod(p.UID)
	if n.requested.cpu != 0 || n.nonZero.memory != 0 || len(n.pods) != 0 || n.withTerms != 0 || len(n.ports) != 0 {
		t.Errorf("removed: %+v", n)
	}
	s.nodes.setPod(podOf("early", on("later")))
	s.nodes.setNode(nodeOf("later"))
	if got := len(s.nodes.get("later").pods); got != 1 || len(s.nodes.list) != 2 {
		t.Errorf("a pod that came before its node: %d pods, %d nodes", got, len(s.nodes.list))
	}
	s.nodes.removeNode("later")
	s.nodes.removePod("early")
	if _, ok := s.nodes.byName["later"]; ok || len(s.nodes.list) != 1 {
		t.Error("a node that is gone is still known")
	}
}
