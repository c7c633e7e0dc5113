package apiserver

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/admission"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// delete is DELETE of one object: at once, or by a deletionTimestamp while finalizers or a grace period hold it.
func (s *Server) delete(q *request) error {
	opts, err := q.deleteOptions()
	if err != nil {
		return err
	}
	item, gone, err := s.erase(q, q.path.name, opts)
	if err != nil {
		return err
	}
	return s.respondDeleted(q, item, gone, opts)
}

// respondDeleted answers with the object as long as it is there, and where its kind ends gracefully; else with a Status.
func (s *Server) respondDeleted(q *request, item *store.Item, gone bool, opts *metav1.DeleteOptions) error {
	code := http.StatusOK
	if !gone && opts.OrphanDependents != nil && !*opts.OrphanDependents {
		code = http.StatusAccepted
	}
	if !gone || q.res.GracefulDelete != nil {
		return s.respondItem(q, code, item)
	}
	obj := item.Object.(api.Object)
	return s.respond(q, code, &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusSuccess,
		Details: &metav1.StatusDetails{
			Name: obj.GetName(), Group: q.res.GroupVersion.Group, Kind: q.res.Resource, UID: obj.GetUID(),
		},
	})
}

// deleteOptions come from the body or, where there is none, from the query.
func (q *request) deleteOptions() (*metav1.DeleteOptions, error) {
	opts := &metav1.DeleteOptions{}
	found, err := q.decodeMeta(opts)
	if err != nil {
		return nil, err
	}
	if !found {
		if err := metav1.Convert_url_Values_To_v1_DeleteOptions(&q.query, opts, nil); err != nil {
			return nil, badRequest(err)
		}
	}
	if errs := validation.ValidateDeleteOptions(opts); len(errs) > 0 {
		return nil, apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "DeleteOptions"}, "", errs)
	}
	if g := opts.GracePeriodSeconds; g != nil && *g < 0 {
		one := int64(1)
		opts.GracePeriodSeconds = &one
	}
	return opts, nil
}

// erase deletes one object, over again as long as others write first. gone is false while something holds it.
func (s *Server) erase(q *request, name string, opts *metav1.DeleteOptions) (item *store.Item, gone bool, err error) {
	for range maxAttempts {
		item, gone, err = s.eraseOnce(q, name, opts)
		if !errors.Is(err, errRetry) {
			return item, gone, err
		}
		if q.ctx.Err() != nil {
			return nil, false, q.ctx.Err()
		}
	}
	return nil, false, apierrors.NewConflict(q.res.GroupResource(), name, errors.New(staleText))
}

func (s *Server) eraseOnce(q *request, name string, opts *metav1.DeleteOptions) (*store.Item, bool, error) {
	current, err := s.store.Get(q.ctx, q.res.key(q.path.namespace, name))
	if err != nil {
		return nil, false, q.res.storeError(err, name)
	}
	old := current.Object.(api.Object)
	if err := q.preconditions(opts, old); err != nil {
		return nil, false, err
	}
	dryRun := len(opts.DryRun) > 0
	request := &admission.Request{
		Kind: q.res.Kind, Verb: admission.Delete, Subresource: q.path.subresource, Namespace: q.path.namespace, Name: name, Old: old, User: q.user, DryRun: dryRun,
	}
	if err := admission.Admit(q.ctx, s.cfg.Admission, request); err != nil {
		return nil, false, err
	}
	if err := admission.Validate(q.ctx, s.cfg.Admission, request); err != nil {
		return nil, false, err
	}
	obj := old.DeepCopyObject().(api.Object)
	switch fate, err := q.res.fate(obj, opts, metav1.Now().Rfc3339Copy().Time); {
	case err != nil:
		return nil, false, err
	case fate == pending:
		return current, false, nil
	case fate == held:
		item, err := s.put(q, obj, current, dryRun)
		return item, false, retriable(err)
	default:
		item, err := s.remove(q, current, obj, dryRun)
		return item, true, retriable(err)
	}
}

// preconditions refuses to delete another object than the one that is meant.
func (q *request) preconditions(opts *metav1.DeleteOptions, obj api.Object) error {
	p := opts.Preconditions
	if p == nil {
		return nil
	}
	gr := schema.GroupResource{Group: q.res.GroupVersion.Group, Resource: q.res.Kind.Kind}
	if p.UID != nil && *p.UID != obj.GetUID() {
		return apierrors.NewConflict(gr, obj.GetName(), fmt.Errorf("the UID in the precondition (%s) does not match the UID in record (%s). "+
			"The object might have been deleted and then recreated", *p.UID, obj.GetUID()))
	}
	if p.ResourceVersion != nil && *p.ResourceVersion != obj.GetResourceVersion() {
		return apierrors.NewConflict(gr, obj.GetName(), fmt.Errorf("the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%s). "+
			"The object might have been modified", *p.ResourceVersion, obj.GetResourceVersion()))
	}
	return nil
}

// fate is what a delete does to an object.
type fate int

const (
	removed fate = iota // it goes now
	held                // it stays, with a deletionTimestamp (which has been written into it)
	pending             // it is on its way out already
)

// fate decides, and writes into obj, which the caller owns, what is to be stored.
func (r *resource) fate(obj api.Object, opts *metav1.DeleteOptions, now time.Time) (fate, error) {
	graceful, waiting := r.grace(obj, opts, now)
	if waiting {
		return pending, nil
	}
	obj.SetFinalizers(collectionFinalizers(obj.GetFinalizers(), opts))
	if r.Hold != nil && r.Hold(obj) {
		if obj.GetDeletionTimestamp() != nil {
			return pending, nil
		}
		t := metav1.NewTime(now)
		obj.SetDeletionTimestamp(&t)
		return held, nil
	}
	switch {
	case graceful:
		return held, nil
	case len(obj.GetFinalizers()) == 0:
		return removed, nil
	}
	markDeleted(obj, now)
	return held, nil
}

// grace applies the kind's grace period: graceful says that obj was given a deletionTimestamp to wait for, waiting that
// it has one that this request does not shorten.
func (r *resource) grace(obj api.Object, opts *metav1.DeleteOptions, now time.Time) (graceful, waiting bool) {
	if r.GracefulDelete == nil {
		return false, false
	}
	if at := obj.GetDeletionTimestamp(); at != nil {
		left := obj.GetDeletionGracePeriodSeconds()
		switch {
		case left == nil || *left == 0:
			return false, false
		case opts.GracePeriodSeconds == nil || *opts.GracePeriodSeconds >= *left:
			return false, true
		}
		return shorten(obj, *opts.GracePeriodSeconds, now), false
	}
	seconds := r.GracefulDelete(obj, opts)
	if seconds <= 0 {
		return false, false
	}
	at := metav1.NewTime(now.Add(time.Duration(seconds) * time.Second))
	obj.SetDeletionTimestamp(&at)
	obj.SetDeletionGracePeriodSeconds(&seconds)
	if g := obj.GetGeneration(); g > 0 {
		obj.SetGeneration(g + 1)
	}
	return true, false
}

// shorten moves the end of a grace period nearer, never into the past. Zero means now.
func shorten(obj api.Object, seconds int64, now time.Time) (graceful bool) {
	period := time.Duration(*obj.GetDeletionGracePeriodSeconds()-seconds) * time.Second
	at := metav1.NewTime(obj.GetDeletionTimestamp().Add(-period))
	if at.Time.Before(now) {
		at = metav1.NewTime(now)
		if seconds != 0 {
			seconds = 1
		}
	}
	obj.SetDeletionTimestamp(&at)
	obj.SetDeletionGracePeriodSeconds(&seconds)
	return seconds > 0
}

func markDeleted(obj api.Object, now time.Time) {
	if obj.GetDeletionTimestamp() == nil && obj.GetGeneration() > 0 {
		obj.SetGeneration(obj.GetGeneration() + 1)
	}
	if at := obj.GetDeletionTimestamp(); at == nil || at.After(now) {
		t := metav1.NewTime(now)
		obj.SetDeletionTimestamp(&t)
	}
	zero := int64(0)
	obj.SetDeletionGracePeriodSeconds(&zero)
}

// collectionFinalizers puts in what the garbage collector is to do with the dependents, as the options say.
func collectionFinalizers(have []string, opts *metav1.DeleteOptions) []string {
	orphan, foreground := slices.Contains(have, metav1.FinalizerOrphanDependents), slices.Contains(have, metav1.FinalizerDeleteDependents)
	switch {
	case opts.OrphanDependents != nil:
		orphan, foreground = *opts.OrphanDependents, false
	case opts.PropagationPolicy != nil:
		orphan = *opts.PropagationPolicy == metav1.DeletePropagationOrphan
		foreground = *opts.PropagationPolicy == metav1.DeletePropagationForeground
	case orphan:
		foreground = false
	}
	out := slices.DeleteFunc(slices.Clone(have), func(f string) bool {
		return f == metav1.FinalizerOrphanDependents || f == metav1.FinalizerDeleteDependents
	})
	if orphan {
		out = append(out, metav1.FinalizerOrphanDependents)
	}
	if foreground {
		out = append(out, metav1.FinalizerDeleteDependents)
	}
	return out
}

// deleteCollection is DELETE of all that selectors select.
func (s *Server) deleteCollection(q *request) error {
	// The body carries the options; the query those of the list, and those that both may have.
	opts, err := q.deleteOptions()
	if err != nil {
		return err
	}
	listed, err := q.listOptions()
	if err != nil {
		return err
	}
	sel, err := q.selector(listed)
	if err != nil {
		return err
	}
	page, err := s.page(q, sel, listed)
	if err != nil {
		return err
	}
	namespace := q.path.namespace
	deleted := make([]*store.Item, 0, len(page.Items))
	for _, item := range page.Items {
		q.path.namespace = item.Key.Namespace
		out, _, err := s.erase(q, item.Key.Name, opts)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		deleted = append(deleted, out)
	}
	q.path.namespace = namespace
	return s.respondList(q, deleted, metav1.ListMeta{ResourceVersion: fmt.Sprint(page.Revision)})
}
