package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	jsonpatch "github.com/evanphx/json-patch"
	"k8s.io/apimachinery/pkg/types"
)

// Pairs are the changes that label and annotate make: KEY=VALUE and KEY-.
type Pairs struct {
	Set    map[string]string
	Remove []string
}

// SplitPairs parts arguments into what names objects and what changes them.
func SplitPairs(args []string, noun string) (names, pairs []string, err error) {
	for _, a := range args {
		isPair := strings.Index(a, "=") > 0 || strings.HasSuffix(a, "-") && a != "-"
		switch {
		case isPair:
			pairs = append(pairs, a)
		case len(pairs) > 0:
			return nil, nil, fmt.Errorf("all resources must be specified before %s changes: %s", noun, a)
		default:
			names = append(names, a)
		}
	}
	return names, pairs, nil
}

// Edit changes a map of labels or annotations and tells which keys became different.
func (p Pairs) Edit(m map[string]string) (out map[string]string, set, removed []string) {
	out = map[string]string{}
	for k, v := range m {
		out[k] = v
	}
	for k, v := range p.Set {
		if old, ok := out[k]; !ok || old != v {
			set = append(set, k)
		}
		out[k] = v
	}
	for _, k := range p.Remove {
		if _, ok := out[k]; ok {
			removed = append(removed, k)
			delete(out, k)
		}
	}
	return out, set, removed
}

// PatchMetadata changes an object by edit and sends the difference as a merge patch, of this resourceVersion alone if one is given.
func (c *Client) PatchMetadata(ctx context.Context, o *Object, resourceVersion string, opts WriteOptions, edit func(*Object) error) error {
	if resourceVersion != "" {
		o.SetResourceVersion("")
	}
	before, err := json.Marshal(o.Unstructured)
	if err != nil {
		return err
	}
	if err := edit(o); err != nil {
		return err
	}
	if resourceVersion != "" {
		o.SetResourceVersion(resourceVersion)
	}
	after, err := json.Marshal(o.Unstructured)
	if err != nil {
		return err
	}
	patch, err := jsonpatch.CreateMergePatch(before, after)
	if err != nil {
		return err
	}
	return c.Patch(ctx, o, types.MergePatchType, patch, opts)
}
