package apps

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/api/core"
)

// describeDeployment writes what `describe deployment` shows.
func describeDeployment(ctx context.Context, w *api.DescribeWriter, c api.Reader, d *appsv1.Deployment) error {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return err
	}
	w.Field(0, "Name", d.Name)
	w.Field(0, "Namespace", d.Namespace)
	w.Field(0, "CreationTimestamp", api.Time(d.CreationTimestamp))
	w.Labels("Labels", d.Labels)
	w.Annotations("Annotations", d.Annotations)
	w.Field(0, "Selector", selector)
	s := d.Status
	w.Print(0, "Replicas:\t%d desired | %d updated | %d total | %d available | %d unavailable\n",
		replicas(d.Spec.Replicas), s.UpdatedReplicas, s.Replicas, s.AvailableReplicas, s.UnavailableReplicas)
	w.Field(0, "StrategyType", d.Spec.Strategy.Type)
	w.Field(0, "MinReadySeconds", d.Spec.MinReadySeconds)
	if r := d.Spec.Strategy.RollingUpdate; r != nil {
		w.Print(0, "RollingUpdateStrategy:\t%s max unavailable, %s max surge\n", r.MaxUnavailable.String(), r.MaxSurge.String())
	}
	core.DescribePodTemplate(w, &d.Spec.Template)
	if len(s.Conditions) > 0 {
		conditionsHead(w)
	}
	for _, cond := range s.Conditions {
		w.Print(1, "%v \t%v\t%v\n", cond.Type, cond.Status, cond.Reason)
	}
	// Without the right to read them the deployment is described all the same.
	if sets, err := replicaSetsOf(ctx, c, d, w.ChunkSize); err == nil && len(sets) > 0 {
		newest, old := splitReplicaSets(d, sets)
		w.Field(0, "OldReplicaSets", replicaSetTexts(old))
		w.Field(0, "NewReplicaSet", replicaSetTexts(newest))
	}
	w.EventsOf(ctx, c, d, "Deployment")
	return nil
}

// splitReplicaSets parts the one that has the deployment's own template, if there is one, from the others.
func splitReplicaSets(d *appsv1.Deployment, sets []*appsv1.ReplicaSet) (newest, old []*appsv1.ReplicaSet) {
	current := currentReplicaSet(d, sets)
	for _, rs := range sets {
		if rs == current {
			newest = append(newest, rs)
		} else {
			old = append(old, rs)
		}
	}
	return newest, old
}

func replicaSetTexts(sets []*appsv1.ReplicaSet) string {
	var texts []string
	for _, rs := range sets {
		texts = append(texts, fmt.Sprintf("%s (%d/%d replicas created)", rs.Name, rs.Status.Replicas, replicas(rs.Spec.Replicas)))
	}
	return api.None(strings.Join(texts, ", "))
}
