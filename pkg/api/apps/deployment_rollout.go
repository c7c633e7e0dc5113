package apps

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/api"
)

// Annotations by which deployments and their replica sets remember a rollout's history.
const (
	RevisionAnnotation        = "deployment.kubernetes.io/revision"
	RevisionHistoryAnnotation = "deployment.kubernetes.io/revision-history"
	DesiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas"
	MaxReplicasAnnotation     = "deployment.kubernetes.io/max-replicas"
	ChangeCauseAnnotation     = "kubernetes.io/change-cause"
)

var deploymentRollout = &api.Rollout{
	Status:  deploymentStatus,
	History: deploymentHistory,
	Target:  deploymentTarget,
	Undo:    deploymentUndo,
	Paused:  func(o api.Object) *bool { return &o.(*appsv1.Deployment).Spec.Paused },
}

// deploymentStatus says what a rollout still waits for.
func deploymentStatus(o api.Object, revision int64) (string, bool, error) {
	d := o.(*appsv1.Deployment)
	if revision > 0 {
		current, err := revisionOf(d)
		if err != nil {
			return "", false, fmt.Errorf("cannot get the revision of deployment %q: %w", d.Name, err)
		}
		if revision != current {
			return "", false, fmt.Errorf("desired revision (%d) is different from the running revision (%d)", revision, current)
		}
	}
	if d.Generation > d.Status.ObservedGeneration {
		return "Waiting for deployment spec update to be observed...\n", false, nil
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing && c.Reason == "ProgressDeadlineExceeded" {
			return "", false, fmt.Errorf("deployment %q exceeded its progress deadline", d.Name)
		}
	}
	s, waiting := d.Status, fmt.Sprintf("Waiting for deployment %q rollout to finish: ", d.Name)
	switch {
	case d.Spec.Replicas != nil && s.UpdatedReplicas < *d.Spec.Replicas:
		return fmt.Sprintf("%s%d out of %d new replicas have been updated...\n", waiting, s.UpdatedReplicas, *d.Spec.Replicas), false, nil
	case s.Replicas > s.UpdatedReplicas:
		return fmt.Sprintf("%s%d old replicas are pending termination...\n", waiting, s.Replicas-s.UpdatedReplicas), false, nil
	case s.AvailableReplicas < s.UpdatedReplicas:
		return fmt.Sprintf("%s%d of %d updated replicas are available...\n", waiting, s.AvailableReplicas, s.UpdatedReplicas), false, nil
	}
	return fmt.Sprintf("deployment %q successfully rolled out\n", d.Name), true, nil
}

// deploymentHistory gives one revision for each replica set, oldest first.
func deploymentHistory(ctx context.Context, c api.Reader, o api.Object) ([]api.Revision, error) {
	sets, err := replicaSetsOf(ctx, c, o.(*appsv1.Deployment), 0)
	if err != nil {
		return nil, err
	}
	var history []api.Revision
	for _, rs := range sets {
		number, err := revisionOf(rs)
		if err != nil {
			continue // no revision of ours: not part of the history
		}
		// The template is shown with its cause; the object that holds it stays as it is.
		template, cause := rs.Spec.Template.DeepCopy(), rs.Annotations[ChangeCauseAnnotation]
		if cause != "" {
			metav1.SetMetaDataAnnotation(&template.ObjectMeta, ChangeCauseAnnotation, cause)
		} else {
			cause = template.Annotations[ChangeCauseAnnotation]
		}
		history = append(history, api.Revision{Number: number, ChangeCause: cause, Template: template, Object: rs})
	}
	slices.SortStableFunc(history, func(a, b api.Revision) int { return cmp.Compare(a.Number, b.Number) })
	return history, nil
}

// deploymentTarget finds the replica set of a revision, or of the one before the latest.
func deploymentTarget(ctx context.Context, c api.Reader, o api.Object, to int64) (api.Revision, error) {
	d := o.(*appsv1.Deployment)
	sets, err := replicaSetsOf(ctx, c, d, 0)
	if err != nil {
		return api.Revision{}, fmt.Errorf("failed to retrieve replica sets from deployment %s: %w", d.Name, err)
	}
	var history []api.Revision
	for _, rs := range sets {
		if number, err := revisionOf(rs); err == nil {
			history = append(history, api.Revision{Number: number, Template: &rs.Spec.Template, Object: rs})
		}
	}
	slices.SortStableFunc(history, func(a, b api.Revision) int { return cmp.Compare(a.Number, b.Number) })
	at := len(history) - 2
	if to != 0 {
		at = slices.IndexFunc(history, func(r api.Revision) bool { return r.Number == to })
	}
	switch {
	case at >= 0:
		return history[at], nil
	case to != 0:
		return api.Revision{}, fmt.Errorf("unable to find specified revision %v in history", to)
	}
	return api.Revision{}, fmt.Errorf("no rollout history found for deployment %q", d.Name)
}

// stays lists the annotations that belong to the deployment as it is; all others are those of the revision rolled back to.
var stays = []string{
	corev1.LastAppliedConfigAnnotation, RevisionAnnotation, RevisionHistoryAnnotation,
	DesiredReplicasAnnotation, MaxReplicasAnnotation, appsv1.DeprecatedRollbackTo,
}

// deploymentUndo gives the patch that puts the target's template and annotations back.
func deploymentUndo(o api.Object, target api.Revision, to int64) (api.Patch, string, error) {
	d, rs := o.(*appsv1.Deployment), target.Object.(*appsv1.ReplicaSet)
	if d.Spec.Paused {
		return api.Patch{}, "", errors.New("you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again")
	}
	if sameTemplate(&rs.Spec.Template, &d.Spec.Template) {
		return api.Patch{}, fmt.Sprintf("skipped rollback (current template already matches revision %d)", to), nil
	}
	template := rs.Spec.Template.DeepCopy()
	delete(template.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	annotations := map[string]string{}
	for key, value := range rs.Annotations {
		if !slices.Contains(stays, key) {
			annotations[key] = value
		}
	}
	for _, key := range stays {
		if value, ok := d.Annotations[key]; ok {
			annotations[key] = value
		}
	}
	data, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/spec/template", "value": template},
		{"op": "replace", "path": "/metadata/annotations", "value": annotations},
	})
	if err != nil {
		return api.Patch{}, "", fmt.Errorf("failed restoring revision %d: %w", to, err)
	}
	return api.Patch{Type: types.JSONPatchType, Data: data}, "", nil
}

// replicaSetsOf lists the replica sets that d controls, oldest first.
func replicaSetsOf(ctx context.Context, c api.Reader, d *appsv1.Deployment, limit int64) ([]*appsv1.ReplicaSet, error) {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return nil, err
	}
	var sets []*appsv1.ReplicaSet
	opts := metav1.ListOptions{LabelSelector: selector.String(), Limit: limit}
	err = api.Pages(ctx, c, d.Namespace, opts, func(page *appsv1.ReplicaSetList) {
		for i := range page.Items {
			if metav1.IsControlledBy(&page.Items[i], d) {
				sets = append(sets, &page.Items[i])
			}
		}
	})
	slices.SortFunc(sets, func(a, b *appsv1.ReplicaSet) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return sets, err
}

// currentReplicaSet is the oldest one with the deployment's own template; nil if there is none yet.
func currentReplicaSet(d *appsv1.Deployment, sets []*appsv1.ReplicaSet) *appsv1.ReplicaSet {
	for _, rs := range sets {
		if sameTemplate(&rs.Spec.Template, &d.Spec.Template) {
			return rs
		}
	}
	return nil
}

// sameTemplate compares templates but for the label that tells replica sets apart.
func sameTemplate(a, b *corev1.PodTemplateSpec) bool {
	a, b = a.DeepCopy(), b.DeepCopy()
	delete(a.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	delete(b.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return apiequality.Semantic.DeepEqual(a, b)
}

// revisionOf reads the revision annotation; 0 where there is none.
func revisionOf(o metav1.Object) (int64, error) {
	text, ok := o.GetAnnotations()[RevisionAnnotation]
	if !ok {
		return 0, nil
	}
	return strconv.ParseInt(text, 10, 64)
}
