package garbagecollector

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// tries bounds how often a write that met another writer is repeated at once.
const tries = 5

// change reads an object's metadata, has it changed, and writes it back if nobody else did meanwhile. edit gives the fields
// to write, nil for nothing to do.
func (g *collector) change(ctx context.Context, o *object, edit func(live *metav1.PartialObjectMetadata) map[string]any) error {
	client := g.resourceOf(o)
	for try := 1; ; try++ {
		live, err := client.Get(ctx, o.name, metav1.GetOptions{})
		if err != nil || live.UID != o.uid {
			return err
		}
		fields := edit(live)
		if fields == nil {
			return nil
		}
		fields["uid"], fields["resourceVersion"] = live.UID, live.ResourceVersion
		patch, err := json.Marshal(map[string]any{"metadata": fields})
		if err != nil {
			return fmt.Errorf("patch %s %s/%s: %w", o.resource.Resource, o.namespace, o.name, err)
		}
		_, err = client.Patch(ctx, o.name, types.MergePatchType, patch, metav1.PatchOptions{})
		if !apierrors.IsConflict(err) || try == tries {
			return err
		}
	}
}

func (g *collector) removeFinalizer(ctx context.Context, o *object, finalizer string) error {
	return g.change(ctx, o, func(live *metav1.PartialObjectMetadata) map[string]any {
		rest := slices.DeleteFunc(slices.Clone(live.Finalizers), func(f string) bool { return f == finalizer })
		if len(rest) == len(live.Finalizers) {
			return nil
		}
		return map[string]any{"finalizers": rest}
	})
}

func (g *collector) dropOwners(ctx context.Context, o *object, owners []types.UID) error {
	return g.change(ctx, o, func(live *metav1.PartialObjectMetadata) map[string]any {
		rest := slices.DeleteFunc(slices.Clone(live.OwnerReferences), func(r metav1.OwnerReference) bool { return slices.Contains(owners, r.UID) })
		if len(rest) == len(live.OwnerReferences) {
			return nil
		}
		return map[string]any{"ownerReferences": rest}
	})
}

// unblock makes o hold back none of its owners.
func (g *collector) unblock(ctx context.Context, live *metav1.PartialObjectMetadata, o *object) error {
	if !slices.ContainsFunc(live.OwnerReferences, blocks) {
		return nil
	}
	return g.change(ctx, o, func(live *metav1.PartialObjectMetadata) map[string]any {
		refs := slices.Clone(live.OwnerReferences)
		for i := range refs {
			refs[i].BlockOwnerDeletion = nil
		}
		return map[string]any{"ownerReferences": refs}
	})
}
