package controller

import (
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/tools/cache"
)

// expectationsTimeout is upstream's: a key whose expectations are not met by then is reconciled all the same.
const expectationsTimeout = 5 * time.Minute

// Expectations remember what was written for a key, so that a reconciler never decides on a cache that lags behind its own
// writes and, say, creates a pod twice. A write is seen when the informer's store has reached its resource version; a deletion
// when the object is marked or gone.
type Expectations struct {
	mu    sync.Mutex
	byKey map[types.NamespacedName]*expected
}

type expected struct {
	since   time.Time
	written map[cache.Indexer]string               // the latest resource version written per informer
	deleted map[cache.Indexer]map[types.UID]string // UID to store key
}

// NewExpectations makes an empty memory, which one controller uses.
func NewExpectations() *Expectations {
	return &Expectations{byKey: map[types.NamespacedName]*expected{}}
}

// Wrote notes that obj, which is the server's answer, was created or updated for key.
func (e *Expectations) Wrote(key types.NamespacedName, informer cache.Indexer, obj metav1.Object) {
	version := obj.GetResourceVersion()
	if version == "" {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	x := e.of(key)
	if last, ok := x.written[informer]; !ok || newer(version, last) {
		x.written[informer] = version
	}
}

// Deleted notes that obj's deletion was accepted for key.
func (e *Expectations) Deleted(key types.NamespacedName, informer cache.Indexer, obj metav1.Object) {
	e.mu.Lock()
	defer e.mu.Unlock()
	x := e.of(key)
	if x.deleted[informer] == nil {
		x.deleted[informer] = map[types.UID]string{}
	}
	x.deleted[informer][obj.GetUID()] = cache.NewObjectName(obj.GetNamespace(), obj.GetName()).String()
}

// Forget drops what is known of key, whose object is gone.
func (e *Expectations) Forget(key types.NamespacedName) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.byKey, key)
}

// Ready says whether the informers show everything that was written for key.
func (e *Expectations) Ready(key types.NamespacedName) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	x, ok := e.byKey[key]
	if !ok {
		return true
	}
	if time.Since(x.since) < expectationsTimeout && !x.seen() {
		return false
	}
	delete(e.byKey, key)
	return true
}

func (e *Expectations) of(key types.NamespacedName) *expected {
	x, ok := e.byKey[key]
	if !ok {
		x = &expected{since: time.Now(), written: map[cache.Indexer]string{}, deleted: map[cache.Indexer]map[types.UID]string{}}
		e.byKey[key] = x
	}
	return x
}

func (x *expected) seen() bool {
	for informer, version := range x.written {
		if newer(version, informer.LastStoreSyncResourceVersion()) {
			return false
		}
		delete(x.written, informer)
	}
	for informer, keys := range x.deleted {
		for uid, key := range keys {
			obj, exists, err := informer.GetByKey(key)
			if err == nil && exists {
				if o := obj.(metav1.Object); o.GetUID() == uid && o.GetDeletionTimestamp() == nil {
					return false
				}
			}
			delete(keys, uid)
		}
	}
	return true
}

// newer compares two resource versions; an unreadable one counts as seen, since nothing can be awaited then.
func newer(a, than string) bool {
	if than == "" {
		return true
	}
	order, err := resourceversion.CompareResourceVersion(a, than)
	return err == nil && order > 0
}
