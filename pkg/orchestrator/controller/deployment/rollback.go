package deployment

import (
	"context"
	"maps"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

// rollbackTo reads the request for a rollback that old clients leave in an annotation; 0 means the revision before.
func rollbackTo(d *appsv1.Deployment) *int64 {
	revision, err := strconv.ParseInt(d.Annotations[appsv1.DeprecatedRollbackTo], 10, 64)
	if err != nil {
		return nil
	}
	return &revision
}

// rollback puts the template of a former revision back, and takes the request out either way.
func (r *reconciler) rollback(ctx context.Context, s *state, revision int64) error {
	if s.new == nil {
		if err := r.createNew(ctx, s); err != nil {
			return err
		}
	}
	d := s.d.DeepCopy()
	if revision == 0 {
		revision = lastRevision(s.all())
	}
	switch rs := revisionIn(s.all(), revision); {
	case revision == 0:
		r.events.Event(d, corev1.EventTypeWarning, "DeploymentRollbackRevisionNotFound", "Unable to find last revision.")
	case rs == nil:
		r.events.Event(d, corev1.EventTypeWarning, "DeploymentRollbackRevisionNotFound", "Unable to find the revision to rollback to.")
	case sameTemplate(&d.Spec.Template, &rs.Spec.Template):
		r.events.Eventf(d, corev1.EventTypeWarning, "DeploymentRollbackTemplateUnchanged", "The rollback revision contains the same template as current deployment %q", d.Name)
	default:
		restore(d, rs)
		defer r.events.Eventf(d, corev1.EventTypeNormal, "DeploymentRollback", "Rolled back deployment %q to revision %d", d.Name, revision)
	}
	delete(d.Annotations, appsv1.DeprecatedRollbackTo)
	updated, err := r.client.AppsV1().Deployments(d.Namespace).Update(ctx, d, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	r.expect.Wrote(controller.Key(d), r.deploymentStore, updated)
	s.d.ResourceVersion = updated.ResourceVersion
	s.d.Annotations = updated.Annotations
	return nil
}

func revisionIn(sets []*appsv1.ReplicaSet, revision int64) *appsv1.ReplicaSet {
	for _, rs := range sets {
		if revision != 0 && revisionOf(rs) == revision {
			return rs
		}
	}
	return nil
}

// restore takes template and annotations of rs over: the change cause of a revision comes back with it.
func restore(d *appsv1.Deployment, rs *appsv1.ReplicaSet) {
	template := rs.Spec.Template.DeepCopy()
	template.Labels = withoutHash(template.Labels)
	d.Spec.Template = *template
	maps.DeleteFunc(d.Annotations, func(key, _ string) bool { return !ownAnnotation(key) })
	for k, v := range rs.Annotations {
		if !ownAnnotation(k) {
			d.Annotations[k] = v
		}
	}
}
