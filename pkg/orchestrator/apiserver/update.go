package apiserver

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/admission"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// update is PUT: the body takes the place of the object, or of one part of it.
func (s *Server) update(q *request) error {
	w, err := q.writeOptions("")
	if err != nil {
		return err
	}
	body := q.res.New()
	if err := q.decode(body, q.res.GVK()); err != nil {
		return err
	}
	if err := errors.Join(q.fitNamespace(body), q.fitName(body)); err != nil {
		return err
	}
	q.dedupOwners(body, false)
	if q.res.Default != nil {
		q.res.Default(body)
	}
	item, created, err := s.modify(q, w, change{
		create: q.part == nil && q.res.CreateOnUpdate, uid: body.GetUID(),
		next: func(old api.Object) (api.Object, error) {
			return q.manage(body.DeepCopyObject().(api.Object), old, w.manager)
		},
	})
	if err != nil {
		return err
	}
	return s.respondItem(q, writeCode(created), item)
}

func writeCode(created bool) int {
	if created {
		return http.StatusCreated
	}
	return http.StatusOK
}

// change is a way from an object's present state to its next one.
type change struct {
	// next makes the next state, which the caller owns; old is shared, and nil where there is no object yet.
	next func(old api.Object) (api.Object, error)
	// create allows next to be asked for an object that is not there.
	create bool
	// uid, if set, is that of the object that is meant.
	uid types.UID
}

// maxAttempts bounds how often a write is tried again after another one came first.
const maxAttempts = 64

// modify carries out a change by compare and swap, over again as long as others come first.
func (s *Server) modify(q *request, w writeOptions, c change) (item *store.Item, created bool, err error) {
	for range maxAttempts {
		item, created, err = s.modifyOnce(q, w, c)
		if !errors.Is(err, errRetry) {
			return item, created, err
		}
		if q.ctx.Err() != nil {
			return nil, false, q.ctx.Err()
		}
	}
	return nil, false, apierrors.NewConflict(q.res.GroupResource(), q.path.name, errors.New(staleText))
}

// errRetry says that another write came between reading and writing.
var errRetry = errors.New("another write came first")

func (s *Server) modifyOnce(q *request, w writeOptions, c change) (*store.Item, bool, error) {
	current, err := s.store.Get(q.ctx, q.res.key(q.path.namespace, q.path.name))
	if errors.Is(err, store.ErrNotFound) && c.create {
		item, err := s.createBy(q, w, c)
		if apierrors.IsAlreadyExists(err) {
			err = errRetry
		}
		return item, true, err
	}
	if err != nil {
		return nil, false, q.res.storeError(err, q.path.name)
	}
	old := current.Object.(api.Object)
	if c.uid != "" && c.uid != old.GetUID() {
		return nil, false, apierrors.NewConflict(q.res.GroupResource(), q.path.name,
			fmt.Errorf("Precondition failed: UID in precondition: %s, UID in object meta: %s", c.uid, old.GetUID()))
	}
	obj, err := c.next(old)
	if err != nil {
		return nil, false, err
	}
	if err := errors.Join(q.fitNamespace(obj), q.fitName(obj)); err != nil {
		return nil, false, err
	}
	request := &admission.Request{
		Kind: q.res.Kind, Verb: admission.Update, Subresource: q.path.subresource, Namespace: q.path.namespace, Name: q.path.name,
		Object: obj, Old: old, User: q.user, DryRun: w.dryRun,
	}
	if err := admission.Admit(q.ctx, s.cfg.Admission, request); err != nil {
		return nil, false, err
	}
	q.dedupOwners(obj, true)
	if v := obj.GetResourceVersion(); v != "" && v != "0" && v != old.GetResourceVersion() {
		return nil, false, apierrors.NewConflict(q.res.GroupResource(), q.path.name, errors.New(staleText))
	}
	obj.SetResourceVersion(old.GetResourceVersion())
	if err := s.judge(q, obj, old); err != nil {
		return nil, false, err
	}
	if err := admission.Validate(q.ctx, s.cfg.Admission, request); err != nil {
		return nil, false, err
	}
	item, err := s.replace(q, obj, current, w.dryRun)
	return item, false, err
}

// judge prepares and validates the next state by the rules of the kind, or of the part that is written.
func (s *Server) judge(q *request, obj, old api.Object) error {
	carry(obj, old)
	prepare, rules := q.res.Prepare, q.res.Validate
	switch {
	case q.part == nil:
	case q.part.New == nil:
		prepare, rules = q.part.Prepare, q.part.Validate
	case q.path.verb == "create":
		// A binding or an eviction has judged by itself what it may change.
		prepare, rules = nil, nil
	}
	if prepare != nil {
		prepare(obj, old)
	}
	carryMore(obj, old)
	if errs := q.res.validateUpdate(obj, old, rules); len(errs) > 0 {
		return apierrors.NewInvalid(q.res.GVK().GroupKind(), obj.GetName(), errs)
	}
	if q.part == nil && q.res.Warn != nil {
		q.warn.add(q.res.Warn(obj, old)...)
	}
	return nil
}

// replace writes obj over current; a write that changes nothing is none, and one that takes the last finalizer off a
// deleted object removes it.
func (s *Server) replace(q *request, obj api.Object, current *store.Item, dryRun bool) (*store.Item, error) {
	old := current.Object.(api.Object)
	if ends(q.res.Kind, obj, old) {
		obj.SetResourceVersion(old.GetResourceVersion())
		item, err := s.remove(q, current, obj, dryRun)
		return item, retriable(err)
	}
	same, err := unchanged(obj, current)
	if err != nil {
		return nil, err
	}
	if same {
		return current, nil
	}
	item, err := s.put(q, obj, current, dryRun)
	return item, retriable(err)
}

func retriable(err error) error {
	if apierrors.IsConflict(err) {
		return errRetry
	}
	return err
}

// ends says whether a deleted object goes with this write: nothing keeps it any longer.
func ends(kind *api.Kind, obj, old api.Object) bool {
	if old.GetDeletionTimestamp() == nil || len(obj.GetFinalizers()) > 0 {
		return false
	}
	if g := obj.GetDeletionGracePeriodSeconds(); g != nil && *g > 0 {
		return false
	}
	held := len(old.GetFinalizers()) > 0
	if kind.Hold != nil {
		if kind.Hold(obj) {
			return false
		}
		held = held || kind.Hold(old.DeepCopyObject().(api.Object))
	}
	return held
}

// unchanged says whether obj is current but for the times of its managed fields. It gives obj current's resource version.
func unchanged(obj api.Object, current *store.Item) (bool, error) {
	old := current.Object.(api.Object)
	obj.SetResourceVersion(old.GetResourceVersion())
	fields := obj.GetManagedFields()
	if !keepTimes(obj, old) {
		return false, nil
	}
	name, encode := formProto, encodeProto
	if _, ok := obj.(protoMessage); !ok {
		name, encode = formJSON, encodeJSON
	}
	before, err := current.Encoded(name, encode)
	if err != nil {
		return false, err
	}
	now, err := encode(obj)
	if err != nil {
		return false, err
	}
	if !bytes.Equal(before, now) {
		obj.SetManagedFields(fields)
		return false, nil
	}
	return true, nil
}

// createBy makes an object that a PUT or an apply names and that is not there. Its writer must be allowed to create.
func (s *Server) createBy(q *request, w writeOptions, c change) (*store.Item, error) {
	a := q.attributes()
	a.Verb = "create"
	if err := s.authorize(q, a); err != nil {
		return nil, err
	}
	obj, err := c.next(nil)
	if err != nil {
		return nil, err
	}
	if uid := obj.GetUID(); uid != "" {
		return nil, apierrors.NewConflict(q.res.GroupResource(), q.path.name,
			fmt.Errorf("uid mismatch: the provided object specified uid %s, and no existing object was found", uid))
	}
	if err := errors.Join(q.fitNamespace(obj), q.fitName(obj)); err != nil {
		return nil, err
	}
	wipe(obj)
	if obj.GetResourceVersion() == "0" {
		obj.SetResourceVersion("")
	}
	return s.insert(q, obj, w)
}
