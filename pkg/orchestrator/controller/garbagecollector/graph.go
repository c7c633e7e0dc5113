package garbagecollector

import (
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// object is what the graph keeps of an object. It is never changed, only replaced.
type object struct {
	uid       types.UID
	resource  schema.GroupVersionResource
	namespace string
	name      string
	owners    []metav1.OwnerReference
	deleted   bool // marked for deletion
	// foreground and orphan tell the finalizers of those two ways of deletion.
	foreground, orphan bool
}

// awaits holds for an owner that goes only after its dependents.
func (o *object) awaits() bool { return o.deleted && o.foreground }

func newObject(resource schema.GroupVersionResource, m metav1.Object) *object {
	finalizers := m.GetFinalizers()
	return &object{
		uid: m.GetUID(), resource: resource, namespace: m.GetNamespace(), name: m.GetName(),
		owners: m.GetOwnerReferences(), deleted: m.GetDeletionTimestamp() != nil,
		foreground: slices.Contains(finalizers, metav1.FinalizerDeleteDependents),
		orphan:     slices.Contains(finalizers, metav1.FinalizerOrphanDependents),
	}
}

// graph knows who owns whom. Owners need not be known: an edge leads to a UID.
type graph struct {
	mu         sync.RWMutex
	objects    map[types.UID]*object
	dependents map[types.UID]map[types.UID]bool
}

func newGraph() *graph {
	return &graph{objects: map[types.UID]*object{}, dependents: map[types.UID]map[types.UID]bool{}}
}

// set takes an object up and gives those that must be looked at now: the object itself, where its deletion awaits something;
// owners that awaited an edge that is gone or no longer blocks. orphaned says that an owner of it is not known.
func (g *graph) set(o *object) (wake []types.UID, orphaned bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	old := g.objects[o.uid]
	if old != nil {
		for _, ref := range old.owners {
			if !slices.ContainsFunc(o.owners, func(r metav1.OwnerReference) bool { return r.UID == ref.UID && blocks(r) == blocks(ref) }) {
				wake = append(wake, ref.UID)
			}
			g.unlink(ref.UID, o.uid)
		}
	}
	g.objects[o.uid] = o
	for _, ref := range o.owners {
		if g.dependents[ref.UID] == nil {
			g.dependents[ref.UID] = map[types.UID]bool{}
		}
		g.dependents[ref.UID][o.uid] = true
		owner := g.objects[ref.UID]
		orphaned = orphaned || owner == nil
		if owner != nil && owner.awaits() {
			wake = append(wake, o.uid, ref.UID)
		}
	}
	if o.deleted && (o.foreground || o.orphan) {
		wake = append(wake, o.uid)
	}
	return wake, orphaned
}

// remove forgets an object and gives its dependents, and the owners that may have awaited its end.
func (g *graph) remove(uid types.UID) (wake []types.UID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o := g.objects[uid]
	if o == nil {
		return nil
	}
	delete(g.objects, uid)
	for _, ref := range o.owners {
		g.unlink(ref.UID, uid)
		if owner := g.objects[ref.UID]; owner != nil && owner.awaits() {
			wake = append(wake, ref.UID)
		}
	}
	for dependent := range g.dependents[uid] {
		wake = append(wake, dependent)
	}
	return wake
}

func (g *graph) unlink(owner, dependent types.UID) {
	delete(g.dependents[owner], dependent)
	if len(g.dependents[owner]) == 0 {
		delete(g.dependents, owner)
	}
}

func (g *graph) get(uid types.UID) *object {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.objects[uid]
}

// kept says whether all owners are there and none awaits the end of its dependents: then there is nothing to decide.
func (g *graph) kept(o *object) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for _, ref := range o.owners {
		if owner := g.objects[ref.UID]; owner == nil || owner.awaits() || owner.namespace != "" && owner.namespace != o.namespace {
			return false
		}
	}
	return true
}

func (g *graph) dependentsOf(uid types.UID) []*object {
	g.mu.RLock()
	defer g.mu.RUnlock()
	var found []*object
	for dependent := range g.dependents[uid] {
		if o := g.objects[dependent]; o != nil {
			found = append(found, o)
		}
	}
	return found
}

func blocks(r metav1.OwnerReference) bool {
	return r.BlockOwnerDeletion != nil && *r.BlockOwnerDeletion
}

// blocking gives those dependents that the owner must not go before.
func blocking(owner types.UID, dependents []*object) []*object {
	var found []*object
	for _, d := range dependents {
		if slices.ContainsFunc(d.owners, func(r metav1.OwnerReference) bool { return r.UID == owner && blocks(r) }) {
			found = append(found, d)
		}
	}
	return found
}
