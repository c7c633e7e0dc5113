package apiserver

import (
	"errors"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/admission"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// create is POST: the pipeline from the body to the store.
func (s *Server) create(q *request) error {
	w, err := q.writeOptions("")
	if err != nil {
		return err
	}
	obj := q.res.New()
	if err := q.decode(obj, q.res.GVK()); err != nil {
		return err
	}
	if q.res.answer != nil {
		answer, err := q.res.answer(q.ctx, q, obj)
		if err != nil {
			return err
		}
		return s.respond(q, http.StatusCreated, answer)
	}
	wipe(obj)
	if err := q.fitNamespace(obj); err != nil {
		return err
	}
	q.dedupOwners(obj, false)
	if q.res.Default != nil {
		q.res.Default(obj)
	}
	if obj, err = q.manageNew(obj, w.manager); err != nil {
		return err
	}
	item, err := s.insert(q, obj, w)
	if err != nil {
		return err
	}
	return s.respondItem(q, http.StatusCreated, item)
}

// maxGenerated is how often a generated name is drawn before the request fails.
const maxGenerated = 8

// insert takes a new object, decoded, defaulted and its fields managed, through the rest of the pipeline.
func (s *Server) insert(q *request, obj api.Object, w writeOptions) (*store.Item, error) {
	request := &admission.Request{
		Kind: q.res.Kind, Verb: admission.Create, Namespace: q.path.namespace, Name: obj.GetName(), Object: obj, User: q.user, DryRun: w.dryRun,
	}
	if err := admission.Admit(q.ctx, s.cfg.Admission, request); err != nil {
		return nil, err
	}
	q.dedupOwners(obj, true)
	generated := obj.GetName() == "" && obj.GetGenerateName() != ""
	fill(obj)
	if obj.GetResourceVersion() != "" {
		return nil, errors.New("resourceVersion should not be set on objects to be created")
	}
	for attempt := 1; ; attempt++ {
		try := obj
		if generated {
			if attempt < maxGenerated {
				try = obj.DeepCopyObject().(api.Object)
			}
			try.SetName(generateName(obj.GetGenerateName()))
		}
		item, err := s.insertNamed(q, try, request, w)
		switch {
		case err == nil:
			return item, nil
		case !generated || !apierrors.IsAlreadyExists(err):
			return nil, err
		case attempt == maxGenerated:
			return nil, apierrors.NewGenerateNameConflict(q.res.GroupResource(), try.GetName(), 1)
		}
	}
}

func (s *Server) insertNamed(q *request, obj api.Object, request *admission.Request, w writeOptions) (*store.Item, error) {
	if q.res.Prepare != nil {
		q.res.Prepare(obj, nil)
	}
	if errs := q.res.validateCreate(obj); len(errs) > 0 {
		return nil, apierrors.NewInvalid(q.res.GVK().GroupKind(), obj.GetName(), errs)
	}
	if q.res.Warn != nil {
		q.warn.add(q.res.Warn(obj, nil)...)
	}
	request.Object, request.Name = obj, obj.GetName()
	if err := admission.Validate(q.ctx, s.cfg.Admission, request); err != nil {
		return nil, err
	}
	return s.put(q, obj, nil, w.dryRun)
}
