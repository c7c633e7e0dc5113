package apiserver

import (
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kubeskiff/skiff/pkg/api"
)

// wipe takes off what a client may not say about a new object.
func wipe(obj api.Object) {
	obj.SetCreationTimestamp(metav1.Time{})
	obj.SetUID("")
	obj.SetDeletionTimestamp(nil)
	obj.SetDeletionGracePeriodSeconds(nil)
	obj.SetSelfLink("")
}

// fill gives a new object what the system says about it.
func fill(obj api.Object) {
	// Whole seconds, as they will be read back from the log.
	obj.SetCreationTimestamp(metav1.Now().Rfc3339Copy())
	obj.SetUID(uuid.NewUUID())
}

// fitNamespace gives the object the namespace of the path; another one is a mistake.
func (q *request) fitNamespace(obj api.Object) error {
	want := ""
	if q.res.Namespaced {
		want = q.path.namespace
	}
	switch obj.GetNamespace() {
	case want:
	case "":
		obj.SetNamespace(want)
	default:
		if want != "" {
			return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
		}
		obj.SetNamespace("")
	}
	return nil
}

// fitName asks that the object has the name of the path.
func (q *request) fitName(obj api.Object) error {
	if obj.GetName() == "" {
		obj.SetName(q.path.name)
	}
	if obj.GetName() != q.path.name {
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", obj.GetName(), q.path.name))
	}
	return nil
}

// Names that are made: the base is cut so that base and suffix fit in a label.
const (
	suffixLength = 5
	maxBase      = 63 - suffixLength
)

func generateName(base string) string {
	if len(base) > maxBase {
		base = base[:maxBase]
	}
	return base + rand.String(suffixLength)
}

// carry keeps what an update cannot change.
func carry(obj, old api.Object) {
	obj.SetGeneration(old.GetGeneration())
}

// carryMore keeps the rest of it, after Prepare.
func carryMore(obj, old api.Object) {
	if obj.GetUID() == "" {
		obj.SetUID(old.GetUID())
	}
	if t := old.GetCreationTimestamp(); !t.IsZero() {
		obj.SetCreationTimestamp(t)
	}
	if t := old.GetDeletionTimestamp(); t != nil {
		obj.SetDeletionTimestamp(t)
	}
	if g := old.GetDeletionGracePeriodSeconds(); g != nil && obj.GetDeletionGracePeriodSeconds() == nil {
		obj.SetDeletionGracePeriodSeconds(g)
	}
}

var metadataPath = field.NewPath("metadata")

// pathSegment is the weakest rule for names: what a URL can hold. Kinds have stricter ones.
func pathSegment(name string, prefix bool) []string {
	if prefix {
		return content.IsPathSegmentPrefix(name)
	}
	return content.IsPathSegmentName(name)
}

// validateCreate runs the kind's rules and, where those are content, the rules for all metadata.
func (r *resource) validateCreate(obj api.Object) field.ErrorList {
	var errs field.ErrorList
	if r.Validate != nil {
		errs = r.Validate(obj, nil)
	}
	if len(errs) == 0 {
		errs = validation.ValidateObjectMetaAccessor(obj, r.Namespaced, pathSegment, metadataPath)
	}
	return errs
}

// validateUpdate runs the rules for all metadata and the given rules of the kind or of its part.
func (r *resource) validateUpdate(obj, old api.Object, rules func(obj, old api.Object) field.ErrorList) field.ErrorList {
	errs := validation.ValidateObjectMetaAccessor(obj, r.Namespaced, pathSegment, metadataPath)
	errs = append(errs, validation.ValidateObjectMetaAccessorUpdate(obj, old, metadataPath)...)
	if rules != nil {
		errs = append(errs, rules(obj, old)...)
	}
	return errs
}

// dedupOwners drops owner references that are there twice, and says so.
func (q *request) dedupOwners(obj api.Object, admitted bool) {
	refs := obj.GetOwnerReferences()
	if len(refs) < 2 {
		return
	}
	var kept []metav1.OwnerReference
	var twice []string
	seen := map[metav1.OwnerReference]bool{}
	for _, ref := range refs {
		plain := ref
		plain.Controller, plain.BlockOwnerDeletion = nil, nil
		key := plain
		if ref.Controller != nil && *ref.Controller {
			key.Kind += "\x00controller"
		}
		if ref.BlockOwnerDeletion != nil && *ref.BlockOwnerDeletion {
			key.Kind += "\x00block"
		}
		if seen[key] {
			twice = append(twice, string(ref.UID))
			continue
		}
		seen[key] = true
		kept = append(kept, ref)
	}
	if len(twice) == 0 {
		return
	}
	when := ""
	if admitted {
		when = " after mutating admission happens"
	}
	q.warn.add(fmt.Sprintf(".metadata.ownerReferences contains duplicate entries%s; API server dedups owner references in 1.20+, "+
		"and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: %s", when, strings.Join(twice, ", ")))
	obj.SetOwnerReferences(kept)
}
