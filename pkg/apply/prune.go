package apply

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// prunable are the kinds that are pruned unless an allowlist says otherwise; those in namespaces first.
var prunable = []string{
	"core/v1/ConfigMap", "core/v1/Endpoints", "core/v1/PersistentVolumeClaim", "core/v1/Pod", "core/v1/ReplicationController",
	"core/v1/Secret", "core/v1/Service", "batch/v1/Job", "batch/v1/CronJob", "networking.k8s.io/v1/Ingress",
	"apps/v1/DaemonSet", "apps/v1/Deployment", "apps/v1/ReplicaSet", "apps/v1/StatefulSet",
	"core/v1/Namespace", "core/v1/PersistentVolume",
}

func (o *Options) prune(ctx context.Context, client *resource.Client) error {
	mappings, err := o.pruneMappings(ctx, client)
	if err != nil {
		return err
	}
	for _, namespaced := range []bool{true, false} {
		namespaces := []string{""}
		if namespaced {
			namespaces = o.namespaces
		}
		for _, ns := range namespaces {
			for _, m := range mappings {
				if m.Namespaced != namespaced {
					continue
				}
				if err := o.pruneList(ctx, client, m, ns); err != nil {
					kind := "nonNamespaced"
					if namespaced {
						kind = "namespaced"
					}
					return fmt.Errorf("error pruning %s object %v: %v", kind, m.GVK, err)
				}
			}
		}
	}
	return nil
}

func (o *Options) pruneMappings(ctx context.Context, client *resource.Client) ([]*resource.Mapping, error) {
	kinds := o.Allowlist
	if len(kinds) == 0 {
		klog.Warning("Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the --namespace flag in a future release. To preserve the current behaviour, list the resources you want to target explicitly in the --prune-allowlist flag.")
		kinds = prunable
	}
	var out []*resource.Mapping
	for _, kind := range kinds {
		part := strings.Split(kind, "/")
		if len(part) != 3 {
			return nil, fmt.Errorf("invalid GroupVersionKind format: %v, please follow <group/version/kind>", kind)
		}
		if part[0] == "core" {
			part[0] = ""
		}
		m, err := client.Mapping(ctx, schema.GroupVersionKind{Group: part[0], Version: part[1], Kind: part[2]})
		if meta.IsNoMatchError(err) && len(o.Allowlist) == 0 {
			// A server need not have every kind of our list.
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// pruneList deletes what was applied once and was not now.
func (o *Options) pruneList(ctx context.Context, client *resource.Client, m *resource.Mapping, namespace string) error {
	q := resource.Query{Args: []string{m.GroupResource().String()}, ListAll: true, Namespace: namespace, LabelSelector: o.Query.LabelSelector, ChunkSize: 500}
	for obj, err := range client.Find(ctx, q) {
		if err != nil {
			return err
		}
		if _, ok := obj.GetAnnotations()[resource.LastApplied]; !ok || o.visited[obj.GetUID()] {
			continue
		}
		if o.dry != cli.DryRunClient {
			if _, err := client.Delete(ctx, obj, o.deleteOptions()); err != nil {
				return err
			}
		}
		if err := o.say(obj.Unstructured, "pruned"); err != nil {
			return err
		}
	}
	return nil
}
