package apply

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

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
	o.migrate(ctx, client, obj, body, opts)
	o.warnIfDeleting(obj)
	return o.report(obj, "serverside-applied")
}
