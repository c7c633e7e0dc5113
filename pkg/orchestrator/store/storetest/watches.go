package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// watchEveryRevision: from each revision on, the list of that revision and the events after it give the latest list.
func watchEveryRevision(t *testing.T, b *bench) {
	first, random := b.Revision(), rand.New(rand.NewPCG(1, 2))
	early := b.watch(pods, first)
	for range 120 {
		var ops []store.Op
		for _, n := range random.Perm(12)[:1+random.IntN(3)] {
			k := key(string(rune('a'+n%3)), fmt.Sprint(n))
			value, node := fmt.Sprint(random.IntN(1000)), fmt.Sprint(random.IntN(2))
			_, err := b.Get(b.context(), k)
			switch {
			case err != nil:
				ops = append(ops, create(k, value, node))
			case random.IntN(3) == 0:
				ops = append(ops, remove(k, 0))
			default:
				ops = append(ops, update(k, value, node, 0))
			}
		}
		b.txn(ops...)
	}
	all := told(b.until(early))
	latest := b.list(pods, store.ListOptions{})
	for from := first; from <= latest.Revision; from++ {
		state := map[store.Key]*store.Item{}
		for _, i := range b.list(pods, store.ListOptions{Revision: from}).Items {
			state[i.Key] = i
		}
		events := b.until(b.watch(pods, from))
		if got := told(events); !slices.Equal(got, all[len(all)-len(got):]) {
			t.Fatalf("from revision %d: got %q, want the end of %q", from, got, all)
		}
		at := from
		for _, e := range events {
			if e.Revision < at || e.Revision == from {
				t.Fatalf("from revision %d: an event of revision %d came after %d", from, e.Revision, at)
			}
			at = e.Revision
			if was := state[e.Item.Key]; was != e.Previous {
				t.Fatalf("from revision %d: %v before the event, which says %v", from, was, e.Previous)
			}
			if state[e.Item.Key] = e.Item; e.Type == store.Deleted {
				delete(state, e.Item.Key)
			}
		}
		for _, i := range latest.Items {
			if state[i.Key] != i {
				t.Fatalf("from revision %d: %v is %v, want %v", from, i.Key, state[i.Key], i)
			}
		}
		if len(state) != len(latest.Items) {
			t.Fatalf("from revision %d: %d objects, want %d", from, len(state), len(latest.Items))
		}
	}
}

func watchSelections(t *testing.T, b *bench) {
	from := b.Revision()
	steps := [][]store.Op{
		{create(key("a", "x"), "1", "n1"), create(key("b", "x"), "1", "n2")},
		{update(key("a", "x"), "2", "n2", 0)},
		{update(key("a", "x"), "3", "n2", 0)},
		{create(store.Key{Resource: "nodes", Name: "n1"}, "1", "n1")},
		{remove(key("a", "x"), 0)},
	}
	want := map[store.Selection][]string{
		pods:                               {"added 1 a/x=1", "added 1 b/x=1", "modified 2 a/x=2", "modified 3 a/x=3", "deleted 5 a/x=3"},
		{Resource: "pods", Namespace: "b"}: {"added 1 b/x=1"},
		{Resource: "pods", Name: "x", Namespace: "a"}:                  {"added 1 a/x=1", "modified 2 a/x=2", "modified 3 a/x=3", "deleted 5 a/x=3"},
		{Resource: "nodes", Name: "n1"}:                                {"added 4 /n1=1"},
		{Resource: "pods", Field: "node", Value: "n1"}:                 {"added 1 a/x=1", "modified 2 a/x=2"},
		{Resource: "pods", Field: "node", Value: "n2"}:                 {"added 1 b/x=1", "modified 2 a/x=2", "modified 3 a/x=3", "deleted 5 a/x=3"},
		{Resource: "pods", Namespace: "b", Field: "node", Value: "n2"}: {"added 1 b/x=1"},
		{Resource: "services"}:                                         {},
	}
	live := map[store.Selection]store.Watch{}
	for s := range want {
		live[s] = b.watch(s, 0)
	}
	for _, ops := range steps {
		b.txn(ops...)
	}
	for s, want := range want {
		for how, w := range map[string]store.Watch{"live": live[s], "afterwards": b.watch(s, from)} {
			events := b.until(w)
			for i := range events {
				events[i].Revision -= from
			}
			if got := told(events); !slices.Equal(got, want) {
				t.Errorf("%+v, %s: got %q, want %q", s, how, got, want)
			}
		}
	}
}

func progress(t *testing.T, b *bench) {
	w := b.watch(pods, 0)
	for i := range 100 {
		b.txn(create(key("a", fmt.Sprint(i)), "1", ""))
	}
	w.Progress()
	seen := 0
	for batch := range w.Events() {
		for _, e := range batch {
			if e.Type == store.Bookmark {
				if seen != 100 || e.Revision != b.Revision() || e.Item != nil {
					t.Errorf("after %d events came the bookmark %+v", seen, e)
				}
				w.Stop()
				continue
			}
			seen++
		}
	}
	b.check(w.Err())
	w.Stop()
	w.Progress()
}

func slowWatcher(t *testing.T, b *bench) {
	slow, other := b.watch(pods, 0), b.watch(store.Selection{Resource: "nodes"}, 0)
	name := 0
	for range 5 {
		ops := make([]store.Op, 4000)
		for i := range ops {
			ops[i] = create(key("a", fmt.Sprintf("%06d", name)), "1", "")
			name++
		}
		b.txn(ops...)
	}
	for range slow.Events() {
	}
	b.wantErr(slow.Err(), store.ErrSlow)
	b.txn(create(store.Key{Resource: "nodes", Name: "n"}, "1", ""))
	if got := b.until(other); len(got) != 1 {
		t.Errorf("the other watcher got %q", told(got))
	}
}

func endedContext(t *testing.T, b *bench) {
	ctx, cancel := context.WithCancel(b.context())
	w, err := b.Watch(ctx, pods, 0)
	b.check(err)
	cancel()
	for range w.Events() {
	}
	b.check(w.Err())
	_, err = b.Txn(ctx, create(key("a", "x"), "1", ""))
	b.wantErr(err, context.Canceled)
	_, err = b.Watch(ctx, pods, 0)
	b.wantErr(err, context.Canceled)
	b.wantList(pods, store.ListOptions{})
}
