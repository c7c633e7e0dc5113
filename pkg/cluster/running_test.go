package cluster

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestContradicted(t *testing.T) {
	c := &clusterFile{Nodes: 2, Runtime: "oci", OCIRuntime: "/usr/sbin/runc", APIPort: 6443, Egress: true, NodeMonitorGracePeriod: "40s"}
	for _, test := range []struct{ flags, want []string }{
		{nil, nil},
		{[]string{"--nodes=2", "--runtime=oci", "--api-port=6443", "--no-egress=false", "--node-monitor-grace-period=40s"}, nil},
		{[]string{"--api-port=0", "--oci-runtime=runc"}, nil},
		{[]string{"--oci-runtime=/usr/sbin/runc"}, nil},
		{[]string{"--nodes=3", "--runtime=oci", "--no-egress=true"}, []string{"--nodes=3", "--no-egress=true"}},
		{[]string{"--oci-runtime="}, []string{"--oci-runtime="}},
		{[]string{"--oci-runtime=/opt/runc"}, []string{"--oci-runtime=/opt/runc"}},
	} {
		if got := c.contradicted(test.flags); !slices.Equal(got, test.want) {
			t.Errorf("%q: got %q, want %q", test.flags, got, test.want)
		}
	}
}

func TestLacking(t *testing.T) {
	node := func(name string, status corev1.ConditionStatus) corev1.Node {
		return corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name},
			Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status}}}}
	}
	found := []corev1.Node{node("x-1", corev1.ConditionTrue), node("x-2", corev1.ConditionFalse), node("x-9", corev1.ConditionFalse)}
	if err := lacking("x", 1, found); err != nil {
		t.Errorf("the first: %v", err)
	}
	for _, nodes := range []int{2, 3} {
		if err := lacking("x", nodes, found); err == nil || err.Error() != "node x-2 is not ready" {
			t.Errorf("the first %d: %v", nodes, err)
		}
	}
}
