package apps

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/api/core"
)

// describeReplicaSet writes what `describe replicaset` shows.
func describeReplicaSet(ctx context.Context, w *api.DescribeWriter, c api.Reader, rs *appsv1.ReplicaSet) error {
	w.Field(0, "Name", rs.Name)
	w.Field(0, "Namespace", rs.Namespace)
	w.Field(0, "Selector", metav1.FormatLabelSelector(rs.Spec.Selector))
	w.Labels("Labels", rs.Labels)
	w.Annotations("Annotations", rs.Annotations)
	w.Controller(rs)
	w.Print(0, "Replicas:\t%d current / %d desired\n", rs.Status.Replicas, replicas(rs.Spec.Replicas))
	phases, err := countPods(ctx, w, c, rs)
	if err != nil {
		w.Print(0, "Pods Status:\terror in fetching pods: %s\n", err)
	} else {
		w.Print(0, "Pods Status:\t%d Running / %d Waiting / %d Succeeded / %d Failed\n",
			phases[corev1.PodRunning], phases[corev1.PodPending], phases[corev1.PodSucceeded], phases[corev1.PodFailed])
	}
	core.DescribePodTemplate(w, &rs.Spec.Template)
	if len(rs.Status.Conditions) > 0 {
		conditionsHead(w)
	}
	for _, cond := range rs.Status.Conditions {
		w.Print(1, "%v \t%v\t%v\n", cond.Type, cond.Status, cond.Reason)
	}
	w.EventsOf(ctx, c, rs, "ReplicaSet")
	return nil
}

func conditionsHead(w *api.DescribeWriter) {
	w.Print(0, "Conditions:\n  Type\tStatus\tReason\n")
	w.Print(1, "----\t------\t------\n")
}

// countPods counts the pods that rs controls, by phase.
func countPods(ctx context.Context, w *api.DescribeWriter, c api.Reader, rs *appsv1.ReplicaSet) (map[corev1.PodPhase]int, error) {
	selector, err := metav1.LabelSelectorAsSelector(rs.Spec.Selector)
	if err != nil {
		return nil, err
	}
	count := make(map[corev1.PodPhase]int)
	opts := metav1.ListOptions{LabelSelector: selector.String(), Limit: w.ChunkSize}
	err = api.Pages(ctx, c, rs.Namespace, opts, func(page *corev1.PodList) {
		for i := range page.Items {
			if ref := metav1.GetControllerOf(&page.Items[i]); ref != nil && ref.UID == rs.UID {
				count[page.Items[i].Status.Phase]++
			}
		}
	})
	return count, err
}

func replicas(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}
