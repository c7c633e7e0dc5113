// Package store keeps the cluster's objects: one index in memory holds the latest objects, their encoded bytes and the
// window of recent events, over a thin durable log (memory, bolt, etcd). It promises one global revision; transactions over
// several keys; lists at a revision; watches without gap or repeat; and that nobody, not even the writer, sees a
// revision before it is durable. It knows nothing of kinds, HTTP or users: objects are opaque to it but for what a Codec says.
package store

import (
	"context"
	"errors"
	"fmt"
)

// Key names an object. Keys order by resource, namespace, name.
type Key struct {
	Resource  string // "pods", "deployments.apps"
	Namespace string // empty for cluster-wide objects
	Name      string
}

// Item is one object at one revision. Items are shared by all readers: nothing in one may be changed.
type Item struct {
	Key      Key
	Revision int64             // of the write that made this item
	Created  int64             // revision of the object's creation
	Object   any               // decoded, with its resource version set
	fields   map[string]string // of Codec.Index
	encoded  encodings
}

// Codec turns objects into the bytes of the log and back. Encode leaves the resource version out; Stamp sets it; Decode keeps
// nothing of data, and Index does not depend on the resource version. A codec
// that also has a method Copy(obj any) any saves deletes without a Final from an Encode and a Decode.
type Codec interface {
	Encode(obj any) ([]byte, error)
	Decode(key Key, data []byte) (any, error)
	Stamp(obj any, revision int64)
	// Index gives the values by which lists and watches may select, "spec.nodeName" → "node-1" and so on; may be nil.
	Index(key Key, obj any) map[string]string
}

// Verb says what an Op does.
type Verb uint8

// The verbs of an Op.
const (
	Create Verb = iota + 1
	Update
	Delete
	// Check writes nothing: the transaction fails unless the key is at revision Expect (0: unless it is absent).
	Check
)

// Op is one write of a transaction.
type Op struct {
	Verb   Verb
	Key    Key
	Object any   // the store owns it from here on
	Expect int64 // Update, Delete: the revision that the key must be at, 0 for any
	// Final is for Delete: the last state, which watchers are told; nil means the stored one.
	Final any
}

// Selection says which objects a list or a watch is about.
type Selection struct {
	Resource  string
	Namespace string // empty: all
	Name      string // empty: all
	// Field and Value select by one of Codec.Index's values (indexed, so that a node's watch does not see every pod).
	Field, Value string
}

// ListOptions bounds a list. Revision 0 means the latest.
type ListOptions struct {
	Revision int64
	After    Key // continue behind this key; zero: from the start
	Limit    int // 0: no limit
	// Keep drops items before they count against Limit (label and field selectors); nil keeps all.
	Keep func(*Item) bool
}

// Page is a part of a list, all of one revision.
type Page struct {
	Items     []*Item
	Revision  int64
	More      bool
	Remaining int64 // items behind this page; -1 when not known (a Keep was given)
}

// EventType is Added, Modified, Deleted or Bookmark.
type EventType uint8

// The types of an Event.
const (
	Added EventType = iota + 1
	Modified
	Deleted
	Bookmark
)

// Event is one change. Item of a Deleted event is the last state, stamped with the revision of the deletion. Previous is the
// state before a modification or deletion, so that a watcher with a selector can tell a thing entering from one leaving.
type Event struct {
	Type     EventType
	Revision int64
	Item     *Item
	Previous *Item
}

// Watch delivers events in revision order until its context ends, it falls too far behind (ErrSlow), or the store closes.
type Watch interface {
	// Events is closed at the end; Err then says why (nil after the context ended).
	Events() <-chan []Event
	Err() error
	Stop()
	// Progress asks for a bookmark behind all events so far.
	Progress()
}

// Store is what the API server writes to.
type Store interface {
	// Get fails with ErrNotFound.
	Get(ctx context.Context, key Key) (*Item, error)
	// List gives items in key order. A revision that is compacted fails with ErrCompacted, one of the future waits for it
	// until ctx ends.
	List(ctx context.Context, s Selection, o ListOptions) (Page, error)
	// Txn does all of ops or none, at one new revision, and returns once it is durable: one item per op, nil for Check,
	// the last state for Delete. A failed expectation is a *ConflictError.
	Txn(ctx context.Context, ops ...Op) ([]*Item, error)
	// Watch delivers every event after revision from: 0 means from now on. A compacted from fails with ErrCompacted.
	// Bookmarks come as events of type Bookmark with only a revision, about once a minute and when asked by Progress.
	Watch(ctx context.Context, s Selection, from int64) (Watch, error)
	// Revision is the latest durable revision.
	Revision() int64
	// Compact forgets what is older than revision.
	Compact(ctx context.Context, revision int64) error
	// Close waits for writes under way, ends watches and releases the data directory.
	Close() error
}

// Errors that callers branch on.
var (
	ErrNotFound  = errors.New("not found")
	ErrExists    = errors.New("already exists")
	ErrCompacted = errors.New("the revision has been compacted")
	ErrSlow      = errors.New("the watcher fell too far behind")
	ErrClosed    = errors.New("the store is closed")
)

// ConflictError says which op of a transaction did not find what it expected. It unwraps to ErrNotFound or ErrExists where
// that is the reason; otherwise the key is at another revision.
type ConflictError struct {
	Op      int
	Key     Key
	Current *Item // nil where there is none
	Reason  error // ErrNotFound, ErrExists or nil
}

func (e *ConflictError) Error() string {
	if e.Reason != nil {
		return fmt.Sprintf("%s %s/%s: %v", e.Key.Resource, e.Key.Namespace, e.Key.Name, e.Reason)
	}
	return fmt.Sprintf("%s %s/%s is at another revision", e.Key.Resource, e.Key.Namespace, e.Key.Name)
}

func (e *ConflictError) Unwrap() error { return e.Reason }
