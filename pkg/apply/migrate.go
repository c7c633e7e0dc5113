package apply

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubeskiff/skiff/pkg/resource"
)

// annotationManager keeps the last-applied annotation of an object whose manager went over to server-side apply: the server
// goes on updating it, so that the way back stays open.
const annotationManager = "kubectl-last-applied"

const retriedLater = "This is non-fatal and will be retried next time you apply. Error: %v\n"

// migrate gives what client-side apply set to the server-side manager, so that leaving it out of the manifest removes it. It
// happens once in an object's life, after an apply that went well; a failure is only told.
func (o *Options) migrate(ctx context.Context, client *resource.Client, obj *resource.Object, apply []byte, opts resource.WriteOptions) {
	if err := o.keepAnnotation(ctx, client, obj); err != nil {
		fmt.Fprintf(o.IO.ErrOut, "Warning: failed to migrate kubectl.kubernetes.io/last-applied-configuration for Server-Side Apply. "+retriedLater, err)
		return
	}
	migrated, err := o.takeOver(ctx, client, obj)
	if err != nil {
		fmt.Fprintf(o.IO.ErrOut, "Warning: server rejected managed fields migration to Server-Side Apply. "+retriedLater, err)
	}
	if err != nil || !migrated {
		return
	}
	// Applied once more: only now does the server see that fields were left out.
	if err := client.Patch(ctx, obj, types.ApplyPatchType, apply, opts); err != nil {
		fmt.Fprintf(o.IO.ErrOut, "Warning: failed to re-apply configuration after performing Server-Side Apply migration. "+retriedLater, err)
	}
}

// keepAnnotation has the annotation managed apart from the manifest, which does not hold it and would remove it. The server keeps
// it up to date for the default manager only, so for others it is let go.
func (o *Options) keepAnnotation(ctx context.Context, client *resource.Client, obj *resource.Object) error {
	value, found := obj.GetAnnotations()[corev1.LastAppliedConfigAnnotation]
	if !found || o.FieldManager != serverSideManager || len(annotationOwners(obj, metav1.ManagedFieldsOperationApply)) > 0 {
		return nil
	}
	just := &unstructured.Unstructured{}
	just.SetGroupVersionKind(obj.GroupVersionKind())
	just.SetName(obj.GetName())
	just.SetNamespace(obj.GetNamespace())
	just.SetAnnotations(map[string]string{corev1.LastAppliedConfigAnnotation: value})
	body, err := json.Marshal(just.Object)
	if err != nil {
		return err
	}
	opts := o.writeOptions()
	opts.FieldManager, opts.Subresource = annotationManager, o.Subresource
	return client.Patch(ctx, obj, types.ApplyPatchType, body, opts)
}

// takeOver renames the managers whose updates set the annotation, and says whether there were any.
func (o *Options) takeOver(ctx context.Context, client *resource.Client, obj *resource.Object) (bool, error) {
	managers := sets.New[string]()
	for _, entry := range annotationOwners(obj, metav1.ManagedFieldsOperationUpdate) {
		managers.Insert(entry.Manager)
	}
	opts := o.writeOptions()
	opts.Subresource = o.Subresource
	for try := 1; ; try++ {
		patch, err := csaupgrade.UpgradeManagedFieldsPatch(obj, managers, o.FieldManager)
		if err != nil || patch == nil {
			return false, err
		}
		err = client.Patch(ctx, obj, types.JSONPatchType, patch, opts)
		if err == nil {
			return true, nil
		}
		if !apierrors.IsConflict(err) || try == maxConflicts {
			return false, err
		}
		if err := client.Read(ctx, obj); err != nil {
			return false, err
		}
	}
}

// annotationOwners are the entries of the last-applied annotation's managers.
func annotationOwners(obj *resource.Object, operation metav1.ManagedFieldsOperationType) []metav1.ManagedFieldsEntry {
	path := fieldpath.MakePathOrDie("metadata", "annotations", corev1.LastAppliedConfigAnnotation)
	return csaupgrade.FindFieldsOwners(obj.GetManagedFields(), operation, fieldpath.NewSet(path))
}
