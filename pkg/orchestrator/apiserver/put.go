package apiserver

import (
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// put allocates what must be unique and writes obj in place of current, which is nil on create. A dry run does all of it
// but the writing.
func (s *Server) put(q *request, obj api.Object, current *store.Item, dryRun bool) (*store.Item, error) {
	var old api.Object
	if current != nil {
		old = current.Object.(api.Object)
	}
	key := q.res.key(obj.GetNamespace(), obj.GetName())
	if q.res.Allocate == nil {
		return s.commit(q, key, obj, current, dryRun)
	}
	tx := s.allocator.begin()
	defer tx.end()
	if errs := q.res.Allocate(obj, old, tx); len(errs) > 0 {
		return nil, apierrors.NewInvalid(q.res.GVK().GroupKind(), obj.GetName(), errs)
	}
	item, err := s.commit(q, key, obj, current, dryRun)
	if err == nil && !dryRun {
		tx.keep()
	}
	return item, err
}

func (s *Server) commit(q *request, key store.Key, obj api.Object, current *store.Item, dryRun bool) (*store.Item, error) {
	if dryRun {
		if current == nil {
			if _, err := s.store.Get(q.ctx, key); err == nil {
				return nil, apierrors.NewAlreadyExists(q.res.GroupResource(), key.Name)
			}
		}
		return &store.Item{Key: key, Object: obj}, nil
	}
	op := store.Op{Verb: store.Create, Key: key, Object: obj}
	if current != nil {
		op.Verb, op.Expect = store.Update, current.Revision
	}
	items, err := s.store.Txn(q.ctx, op)
	if err != nil {
		return nil, q.res.storeError(err, key.Name)
	}
	return items[0], nil
}

// remove deletes current and releases what it held; final is the state that watchers are told.
func (s *Server) remove(q *request, current *store.Item, final api.Object, dryRun bool) (*store.Item, error) {
	if dryRun {
		return &store.Item{Key: current.Key, Object: final}, nil
	}
	if q.res.Allocate != nil {
		tx := s.allocator.begin()
		defer tx.end()
		q.res.Allocate(nil, current.Object.(api.Object), tx)
		item, err := s.removeNow(q, current, final)
		if err == nil {
			tx.keep()
		}
		return item, err
	}
	return s.removeNow(q, current, final)
}

func (s *Server) removeNow(q *request, current *store.Item, final api.Object) (*store.Item, error) {
	op := store.Op{Verb: store.Delete, Key: current.Key, Expect: current.Revision}
	if final != nil {
		op.Final = final
	}
	items, err := s.store.Txn(q.ctx, op)
	if err != nil {
		return nil, q.res.storeError(err, current.Key.Name)
	}
	return items[0], nil
}
