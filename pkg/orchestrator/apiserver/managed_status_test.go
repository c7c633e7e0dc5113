package apiserver

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/api/core"
)

// randomStatus changes a status, and now and then what lies around it, as writers of the status do.
func randomStatus(r *rand.Rand, p *corev1.Pod) {
	s := &p.Status
	switch r.IntN(7) {
	case 0:
		s.Phase = []corev1.PodPhase{corev1.PodPending, corev1.PodRunning}[r.IntN(2)]
	case 1:
		s.PodIP = fmt.Sprint("10.0.0.", r.IntN(3))
		s.PodIPs = []corev1.PodIP{{IP: s.PodIP}}
	case 2:
		s.Conditions = nil
		for i := range r.IntN(3) {
			s.Conditions = append(s.Conditions, corev1.PodCondition{Type: corev1.PodConditionType(fmt.Sprint("c", i)), Status: "True", Reason: fmt.Sprint(r.IntN(2))})
		}
	case 3:
		s.ContainerStatuses = []corev1.ContainerStatus{{Name: "c", Ready: r.IntN(2) == 0, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	case 4:
		s.Message = ""
	case 5:
		p.Labels = map[string]string{"status": fmt.Sprint(r.IntN(2))}
	case 6:
		p.Finalizers = []string{fmt.Sprint("example.org/", r.IntN(2))}
	}
}

// TestManagedStatusNeverLies compares what is left out of the comparison with what the field manager says of whole objects.
func TestManagedStatusNeverLies(t *testing.T) {
	all, err := newRegistry([]*api.Kind{core.Pod})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			q := &request{res: all.ordered[0]}
			made, err := q.manage(shapePod(func(p *corev1.Pod) { core.Pod.Default(p) }), nil, "maker")
			if err != nil {
				t.Fatal(err)
			}
			made.SetUID("u")
			q.path.subresource = "status"
			m, err := q.res.manager("status")
			if err != nil {
				t.Fatal(err)
			}
			for range 20 {
				<-time.After(time.Duration(r.IntN(3)) * time.Second)
				manager := []string{"kubelet", "maker", "other"}[r.IntN(3)]
				next := made.DeepCopyObject().(*corev1.Pod)
				randomStatus(r, next)
				whole := next.DeepCopy()
				want := m.UpdateNoErrors(made, whole, manager).(api.Object).GetManagedFields()
				got, ok := q.manageStatus(m, next, made, manager)
				if !ok || !sameEntries(got, want) {
					t.Fatalf("seed %d, %s:\n got %+v\nwant %+v", seed, manager, got, want)
				}
				next.SetManagedFields(got)
				made = next
			}
		})
	}
}

func sameEntries(a, b []metav1.ManagedFieldsEntry) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := a[i], b[i]
		if !sameFields(x.FieldsV1, y.FieldsV1) || !x.Time.Equal(y.Time) {
			return false
		}
		x.FieldsV1, y.FieldsV1, x.Time, y.Time = nil, nil, nil, nil
		if !reflect.DeepEqual(x, y) {
			return false
		}
	}
	return true
}

// The first status that an agent writes of a pod: most of what the field manager is asked when many pods come up.
func BenchmarkManageStatus(b *testing.B) {
	all, err := newRegistry([]*api.Kind{core.Pod})
	if err != nil {
		b.Fatal(err)
	}
	q := &request{res: all.ordered[0]}
	made, err := q.manage(shapePod(func(p *corev1.Pod) { core.Pod.Default(p) }), nil, "maker")
	if err != nil {
		b.Fatal(err)
	}
	made.SetUID("u")
	q.path.subresource = "status"
	next := made.DeepCopyObject().(*corev1.Pod)
	next.Status = corev1.PodStatus{Phase: corev1.PodRunning, HostIP: "10.0.0.1", HostIPs: []corev1.HostIP{{IP: "10.0.0.1"}}, PodIP: "10.1.0.1", PodIPs: []corev1.PodIP{{IP: "10.1.0.1"}},
		ContainerStatuses: []corev1.ContainerStatus{{Name: "c", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}}
	for _, c := range []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled} {
		next.Status.Conditions = append(next.Status.Conditions, corev1.PodCondition{Type: c, Status: "True", LastTransitionTime: metav1.Now()})
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := q.manage(next, made, "kubelet"); err != nil {
			b.Fatal(err)
		}
	}
}
