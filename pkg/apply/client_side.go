package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// maxConflicts is how often a patch is made anew because the object changed meanwhile.
const maxConflicts = 5

// clientSide weighs what was applied last, what is there and what is wanted, and sends the difference.
func (o *Options) clientSide(ctx context.Context, client *resource.Client, obj *resource.Object) error {
	modified, err := resource.Modified(obj.Unstructured)
	if err != nil {
		return resource.WithSource(fmt.Sprintf("retrieving modified configuration from:\n%s\nfor:", describe(obj)), obj.Source, err)
	}
	live := obj.Copy()
	if err := client.Read(ctx, live); apierrors.IsNotFound(err) {
		return o.createMissing(ctx, client, obj)
	} else if err != nil {
		return resource.WithSource(fmt.Sprintf("retrieving current configuration of:\n%s\nfrom server for:", describe(obj)), obj.Source, err)
	}
	o.visited[live.GetUID()] = true
	if _, ok := live.GetAnnotations()[resource.LastApplied]; !ok {
		fmt.Fprintf(o.IO.ErrOut, "Warning: resource %s is missing the %s annotation which is required by %[3]s apply. %[3]s apply should only be used on resources created declaratively by either %[3]s create --save-config or %[3]s apply. The missing annotation will be patched automatically.\n",
			live.ResourceName(), resource.LastApplied, o.Name)
	}
	patch, err := o.patch(ctx, client, live, modified)
	if err != nil {
		return resource.WithSource(fmt.Sprintf("applying patch:\n%s\nto:\n%v\nfor:", patch, describe(obj)), obj.Source, err)
	}
	o.warnIfDeleting(live)
	operation := "configured"
	if string(patch) == "{}" {
		operation = "unchanged"
	}
	return o.report(live, operation)
}

// describe names an object in errors.
func describe(obj *resource.Object) string {
	return fmt.Sprintf("Resource: %q, GroupVersionKind: %q\nName: %q, Namespace: %q", obj.Mapping.GVR.String(), obj.Mapping.GVK.String(), obj.Name, obj.Namespace)
}

func (o *Options) createMissing(ctx context.Context, client *resource.Client, obj *resource.Object) error {
	if err := resource.Annotate(obj.Unstructured); err != nil {
		return resource.WithSource("creating", obj.Source, err)
	}
	dropNulls(obj.Unstructured.Object)
	if o.dry != cli.DryRunClient {
		if err := client.Create(ctx, obj, o.writeOptions()); err != nil {
			return resource.WithSource("creating", obj.Source, err)
		}
	}
	return o.report(obj, "created")
}

// dropNulls removes fields that a manifest sets to null: on creation there is nothing to unset.
func dropNulls(v any) {
	switch t := v.(type) {
	case map[string]any:
		for key, value := range t {
			if value == nil {
				delete(t, key)
			} else {
				dropNulls(value)
			}
		}
	case []any:
		for _, value := range t {
			dropNulls(value)
		}
	}
}

// patch brings live to what modified wants, and gives the patch that did it.
func (o *Options) patch(ctx context.Context, client *resource.Client, live *resource.Object, modified []byte) ([]byte, error) {
	patch, err := o.patchOnce(ctx, client, live, modified)
	for i := 0; i < maxConflicts && apierrors.IsConflict(err); i++ {
		if i > 0 {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return patch, ctx.Err()
			}
		}
		if err := client.Read(ctx, live); err != nil {
			return patch, err
		}
		patch, err = o.patchOnce(ctx, client, live, modified)
	}
	if err == nil {
		return patch, nil
	}
	if o.Force && (apierrors.IsConflict(err) || apierrors.IsInvalid(err)) {
		return modified, o.replace(ctx, client, live, modified)
	}
	return patch, resource.WithSource("patching", live.Source, err)
}

func (o *Options) patchOnce(ctx context.Context, client *resource.Client, live *resource.Object, modified []byte) ([]byte, error) {
	current, err := json.Marshal(live.Unstructured)
	if err != nil {
		return nil, err
	}
	var original []byte
	if text := live.GetAnnotations()[resource.LastApplied]; text != "" {
		original = []byte(text)
	}
	patch, typ, err := resource.ThreeWay(live.Mapping.GVK, original, modified, current, o.Overwrite)
	if err != nil || string(patch) == "{}" {
		return patch, err
	}
	if o.dry == cli.DryRunClient {
		patched, err := resource.PatchLocally(live.Mapping.GVK, current, patch, typ)
		if err != nil {
			return patch, fmt.Errorf("applying patch locally: %w", err)
		}
		return patch, live.Set(patched)
	}
	return patch, client.Patch(ctx, live, typ, patch, o.writeOptions())
}

// replace deletes an object that cannot be changed and makes it anew; if that fails, as it was.
func (o *Options) replace(ctx context.Context, client *resource.Client, live *resource.Object, modified []byte) error {
	before := live.Copy()
	if _, err := client.Delete(ctx, live, o.deleteOptions()); err != nil {
		return err
	}
	wait := ctx
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	if err := client.WaitDeleted(wait, live, live.GetUID()); err != nil {
		return err
	}
	if err := live.Set(modified); err != nil {
		return err
	}
	err := client.Create(ctx, live, o.writeOptions())
	if err == nil {
		return nil
	}
	before.SetResourceVersion("")
	if restoreErr := client.Create(ctx, before, o.writeOptions()); restoreErr != nil {
		return fmt.Errorf("An error occurred force-replacing the existing object with the newly provided one:\n\n%v.\n\nAdditionally, an error occurred attempting to restore the original object:\n\n%v", err, restoreErr)
	}
	return err
}

func (o *Options) deleteOptions() *metav1.DeleteOptions {
	opts := &metav1.DeleteOptions{PropagationPolicy: &o.policy}
	if o.GracePeriod >= 0 {
		opts.GracePeriodSeconds = new(int64(o.GracePeriod))
	}
	if o.dry == cli.DryRunServer {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	return opts
}
