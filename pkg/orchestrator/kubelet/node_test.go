package kubelet

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

func TestNode(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		n, err := b.Client().CoreV1().Nodes().Get(b.Context(), "node-1", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if n.Labels[corev1.LabelHostname] != "node-1" || n.Labels[corev1.LabelOSStable] != "linux" || n.Labels[corev1.LabelArchStable] == "" || n.Spec.PodCIDR != "10.244.0.0/24" {
			t.Errorf("labels %v, pod range %q", n.Labels, n.Spec.PodCIDR)
		}
		info := n.Status.NodeInfo
		if info.KubeletVersion != "v1.37.2+skiff" || info.ContainerRuntimeVersion != "hollow://0.1.0" || info.KernelVersion == "" || info.OSImage == "" {
			t.Errorf("info %+v", info)
		}
		for _, name := range []corev1.ResourceName{"cpu", "memory", "pods", "ephemeral-storage"} {
			if q := n.Status.Allocatable[name]; q.IsZero() {
				t.Errorf("no %s is allocatable", name)
			}
		}
		var conditions []string
		for _, c := range n.Status.Conditions {
			conditions = append(conditions, string(c.Type)+"="+string(c.Status)+" "+c.Reason)
		}
		if got := strings.Join(conditions, ", "); got != "MemoryPressure=False KubeletHasSufficientMemory, DiskPressure=False KubeletHasNoDiskPressure, PIDPressure=False KubeletHasSufficientPID, Ready=True KubeletReady" {
			t.Errorf("conditions %s", got)
		}
		if a := n.Status.Addresses; len(a) != 2 || a[0].Address != "192.168.0.2" || a[1].Type != corev1.NodeHostName {
			t.Errorf("addresses %v", a)
		}
		b.Pass(6 * time.Minute)
		later, err := b.Client().CoreV1().Nodes().Get(b.Context(), "node-1", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		before, after := n.Status.Conditions[3], later.Status.Conditions[3]
		if !after.LastHeartbeatTime.After(before.LastHeartbeatTime.Time) || !after.LastTransitionTime.Equal(&before.LastTransitionTime) {
			t.Errorf("ready: %v, then %v", before, after)
		}
		lease, err := b.Client().CoordinationV1().Leases("kube-node-lease").Get(b.Context(), "node-1", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if age := time.Since(lease.Spec.RenewTime.Time); age > 10*time.Second || *lease.Spec.LeaseDurationSeconds != 40 || *lease.Spec.HolderIdentity != "node-1" {
			t.Errorf("lease %s old: %+v", age, lease.Spec)
		}
	})
}

// What an agent before said of the node is no sign that this one has joined: it may have been gone for long, or said so itself.
func TestJoined(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		<-b.k.Joined()
		b.stop()
		n, err := b.Client().CoreV1().Nodes().Get(b.Context(), "node-1", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		n.Status.Conditions[3].Status = corev1.ConditionUnknown
		if n, err = b.Client().CoreV1().Nodes().UpdateStatus(b.Context(), n, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		b.start()
		<-b.k.Joined()
		now, err := b.Client().CoreV1().Nodes().Get(b.Context(), "node-1", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if c := now.Status.Conditions[3]; c.Type != corev1.NodeReady || c.Status != corev1.ConditionTrue || now.UID != n.UID {
			t.Errorf("joined: node %s (was %s), condition %+v", now.UID, n.UID, c)
		}
	})
}

func TestGarbage(t *testing.T) {
	images := []container.Image{{ID: "a", Size: 10}, {ID: "b", RepoTags: []string{"used:1"}, Size: 100}, {ID: "c", Size: 50}}
	got := garbage(images, map[string]bool{"used:1": true}, 40)
	if len(got) != 1 || got[0].ID != "c" {
		t.Errorf("got %v", got)
	}
	if got := garbage(images, nil, 1000); len(got) != 3 {
		t.Errorf("got %v", got)
	}
}
