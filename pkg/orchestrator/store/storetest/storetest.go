// Package storetest states what a store promises, once, and holds any log under it to that. It is for tests alone and knows
// nothing of what a log keeps its records in.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// Object is what the tests store.
type Object struct {
	Value    string `json:"value"`
	Node     string `json:"node,omitempty"`
	Revision int64  `json:"-"`
}

// Codec is a store.Codec of Objects as JSON; it indexes "node".
type Codec struct{}

// Encode leaves the revision out.
func (Codec) Encode(obj any) ([]byte, error) { return json.Marshal(obj) }

// Decode makes an Object.
func (Codec) Decode(_ store.Key, data []byte) (any, error) {
	o := &Object{}
	return o, json.Unmarshal(data, o)
}

// Stamp sets the revision.
func (Codec) Stamp(obj any, revision int64) { obj.(*Object).Revision = revision }

// Index gives the node.
func (Codec) Index(_ store.Key, obj any) map[string]string {
	return map[string]string{"node": obj.(*Object).Node}
}

// Backend gives a log over data of its own, and the same data again at each further call, once the last log is closed.
type Backend func(t *testing.T) func() store.Log

// Run holds a backend to every promise.
func Run(t *testing.T, backend Backend) {
	for _, promise := range []struct {
		name string
		test func(*testing.T, *bench)
	}{
		{"revisions count transactions", revisions},
		{"a transaction does all or nothing", atomicity},
		{"failed expectations say why", conflicts},
		{"no update is lost", noLostUpdate},
		{"pages are of one revision", pages},
		{"lists select", selections},
		{"a list waits for its revision", future},
		{"watches miss and repeat nothing", watchEveryRevision},
		{"watches select what enters and leaves", watchSelections},
		{"progress is a bookmark behind all events", progress},
		{"compaction forgets", compaction},
		{"a slow watcher ends alone", slowWatcher},
		{"a context ends its watch", endedContext},
		{"close ends everything", closing},
		{"what was written is there again", reopening},
	} {
		t.Run(promise.name, func(t *testing.T) {
			b := &bench{T: t, log: backend(t)}
			b.open()
			defer func() { b.check(b.Close()) }()
			promise.test(t, b)
		})
	}
}

// bench is a store under test.
type bench struct {
	*testing.T
	store.Store
	log func() store.Log
}

func (b *bench) open() {
	b.Helper()
	s, err := store.New(b.log(), Codec{})
	b.check(err)
	b.Store = s
}

func (b *bench) check(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) context() context.Context {
	ctx, cancel := context.WithTimeout(b.T.Context(), 30*time.Second)
	b.Cleanup(cancel)
	return ctx
}

func key(namespace, name string) store.Key {
	return store.Key{Resource: "pods", Namespace: namespace, Name: name}
}

var pods = store.Selection{Resource: "pods"}

func create(k store.Key, value, node string) store.Op {
	return store.Op{Verb: store.Create, Key: k, Object: &Object{Value: value, Node: node}}
}

func update(k store.Key, value, node string, expect int64) store.Op {
	return store.Op{Verb: store.Update, Key: k, Object: &Object{Value: value, Node: node}, Expect: expect}
}

func remove(k store.Key, expect int64) store.Op {
	return store.Op{Verb: store.Delete, Key: k, Expect: expect}
}

// txn must succeed; it gives the new revision.
func (b *bench) txn(ops ...store.Op) int64 {
	b.Helper()
	items, err := b.Txn(b.context(), ops...)
	b.check(err)
	if len(items) != len(ops) {
		b.Fatalf("got %d items of %d ops", len(items), len(ops))
	}
	for _, i := range items {
		if i != nil {
			return i.Revision
		}
	}
	return b.Revision()
}

func (b *bench) list(s store.Selection, o store.ListOptions) store.Page {
	b.Helper()
	p, err := b.List(b.context(), s, o)
	b.check(err)
	return p
}

// describe makes a page comparable: "namespace/name=value".
func describe(items []*store.Item) []string {
	out := []string{}
	for _, i := range items {
		out = append(out, fmt.Sprintf("%s/%s=%s", i.Key.Namespace, i.Key.Name, i.Object.(*Object).Value))
	}
	return out
}

func (b *bench) wantList(s store.Selection, o store.ListOptions, want ...string) store.Page {
	b.Helper()
	p := b.list(s, o)
	if got := describe(p.Items); !slices.Equal(got, want) {
		b.Errorf("list %+v: got %q, want %q", s, got, want)
	}
	return p
}

func (b *bench) watch(s store.Selection, from int64) store.Watch {
	b.Helper()
	w, err := b.Watch(b.context(), s, from)
	b.check(err)
	return w
}

// until collects a watch's events up to the bookmark that Progress brings.
func (b *bench) until(w store.Watch) []store.Event {
	b.Helper()
	w.Progress()
	var events []store.Event
	for batch := range w.Events() {
		for _, e := range batch {
			if e.Type == store.Bookmark {
				w.Stop()
				return events
			}
			events = append(events, e)
		}
	}
	b.Fatalf("the watch ended before the bookmark: %v", w.Err())
	return nil
}

// told makes events comparable: "added 3 namespace/name=value".
func told(events []store.Event) []string {
	verbs := map[store.EventType]string{store.Added: "added", store.Modified: "modified", store.Deleted: "deleted"}
	out := []string{}
	for _, e := range events {
		out = append(out, fmt.Sprintf("%s %d %s", verbs[e.Type], e.Revision, describe([]*store.Item{e.Item})[0]))
	}
	return out
}

func (b *bench) wantErr(err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Errorf("got error %v, want %v", err, want)
	}
}
