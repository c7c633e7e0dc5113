package apply

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"

	"github.com/kubeskiff/skiff/pkg/resource"
)

const conflictHelp = `%v
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the ` + "`--force-conflicts`" + ` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`

// serverSide sends the manifest as it is; the server merges.
func (o *Options) serverSide(ctx context.Context, client *resource.Client, obj *resource.Object) error {
	body, err := json.Marshal(obj.Unstructured.Object)
	if err != nil {
		return resource.WithSource("serverside-apply", obj.Source, err)
	}
	opts := o.writeOptions()
	opts.Force = &o.ForceConflicts
	opts.Subresource = o.Subresource
	if err := client.Patch(ctx, obj, types.ApplyPatchType, body, opts); err != nil {
		if apierrors.IsConflict(err) {
			return fmt.Errorf(conflictHelp, err)
		}
		return err
	}
	if err := o.takeOver(ctx, client, obj, body, opts); err != nil {
		fmt.Fprintf(o.IO.ErrOut, "Warning: failed to migrate managed fields of %s for server-side apply: %v\n", obj.ResourceName(), err)
	}
	o.warnIfDeleting(obj)
	return o.report(obj, "serverside-applied")
}

// takeOver gives the fields that client-side apply set to this manager, so that leaving them out removes them.
func (o *Options) takeOver(ctx context.Context, client *resource.Client, obj *resource.Object, body []byte, opts resource.WriteOptions) error {
	if o.dry != "none" {
		return nil
	}
	for try := 0; ; try++ {
		patch, err := csaupgrade.UpgradeManagedFieldsPatch(obj, sets.New(clientSideManager, "before-first-apply"), o.FieldManager)
		if err != nil || len(patch) == 0 {
			return err
		}
		err = client.Patch(ctx, obj, types.JSONPatchType, patch, resource.WriteOptions{FieldManager: o.FieldManager})
		if apierrors.IsConflict(err) && try < maxConflicts {
			if err := client.Read(ctx, obj); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		return client.Patch(ctx, obj, types.ApplyPatchType, body, opts)
	}
}
