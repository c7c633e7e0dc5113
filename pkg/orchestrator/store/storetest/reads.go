package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

func pages(t *testing.T, b *bench) {
	b.txn(create(store.Key{Resource: "services", Namespace: "a", Name: "not-a-pod"}, "1", "n"))
	for _, s := range []store.Selection{pods, {Resource: "pods", Namespace: "a"}, {Resource: "pods", Field: "node", Value: "n"}} {
		want := b.tenPods()
		var got []string
		for o := (store.ListOptions{Limit: 3}); ; {
			p := b.list(s, o)
			got = append(got, describe(p.Items)...)
			if rest := int64(len(want) - len(got)); p.Remaining != rest || p.More != (rest > 0) {
				t.Errorf("after %d items: got %d remaining, more %v, want %d", len(got), p.Remaining, p.More, rest)
			}
			if !p.More {
				break
			}
			o.Revision, o.After = p.Revision, p.Items[len(p.Items)-1].Key
			// The world moves on between two pages.
			b.txn(create(key("a", fmt.Sprintf("pod-%d-between", len(got))), "2", "n"), remove(key("a", fmt.Sprintf("pod-%d", len(got))), 0))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: got %q, want %q", s, got, want)
		}
	}
}

// tenPods leaves exactly pod-0 to pod-9.
func (b *bench) tenPods() (want []string) {
	for _, item := range b.list(pods, store.ListOptions{}).Items {
		b.txn(remove(item.Key, 0))
	}
	for i := range 10 {
		name := fmt.Sprintf("pod-%d", i)
		b.txn(create(key("a", name), "1", "n"))
		want = append(want, "a/"+name+"=1")
	}
	return want
}

func selections(t *testing.T, b *bench) {
	b.txn(create(key("a", "x"), "1", "n1"), create(key("a", "y"), "1", "n2"), create(key("b", "x"), "1", "n1"),
		create(store.Key{Resource: "nodes", Name: "n1"}, "1", ""), create(store.Key{Resource: "pods.metrics", Namespace: "a", Name: "x"}, "1", "n1"))
	b.wantList(pods, store.ListOptions{}, "a/x=1", "a/y=1", "b/x=1")
	b.wantList(store.Selection{Resource: "pods", Namespace: "a"}, store.ListOptions{}, "a/x=1", "a/y=1")
	b.wantList(store.Selection{Resource: "pods", Namespace: "a", Name: "x"}, store.ListOptions{}, "a/x=1")
	b.wantList(store.Selection{Resource: "pods", Name: "x"}, store.ListOptions{}, "a/x=1", "b/x=1")
	b.wantList(store.Selection{Resource: "nodes", Name: "n1"}, store.ListOptions{}, "/n1=1")
	b.wantList(store.Selection{Resource: "pods", Field: "node", Value: "n1"}, store.ListOptions{}, "a/x=1", "b/x=1")
	b.wantList(store.Selection{Resource: "pods", Namespace: "b", Field: "node", Value: "n1"}, store.ListOptions{}, "b/x=1")
	b.wantList(store.Selection{Resource: "pods", Field: "node", Value: "n3"}, store.ListOptions{})
	b.wantList(store.Selection{Resource: "po"}, store.ListOptions{})

	keep := func(i *store.Item) bool { return i.Key.Name == "x" }
	p := b.wantList(pods, store.ListOptions{Limit: 1, Keep: keep}, "a/x=1")
	if !p.More || p.Remaining != -1 {
		t.Errorf("a filtered page says more %v, remaining %d", p.More, p.Remaining)
	}
	if p := b.wantList(pods, store.ListOptions{Limit: 1, Keep: keep, After: key("a", "x")}, "b/x=1"); p.More {
		t.Error("the last filtered page says that there is more")
	}

	b.txn(update(key("a", "x"), "2", "n2", 0))
	b.wantList(store.Selection{Resource: "pods", Field: "node", Value: "n1"}, store.ListOptions{}, "b/x=1")
	b.wantList(store.Selection{Resource: "pods", Field: "node", Value: "n2"}, store.ListOptions{}, "a/x=2", "a/y=1")
}

func future(t *testing.T, b *bench) {
	at := b.txn(create(key("a", "x"), "1", "")) + 2
	type answer struct {
		page store.Page
		err  error
	}
	answers := make(chan answer)
	go func() {
		p, err := b.List(b.context(), pods, store.ListOptions{Revision: at})
		answers <- answer{p, err}
	}()
	b.txn(create(key("a", "y"), "1", ""))
	b.txn(create(key("a", "z"), "1", ""))
	b.txn(create(key("a", "zz"), "1", ""))
	got := <-answers
	b.check(got.err)
	if len(got.page.Items) != 3 || got.page.Revision != at {
		t.Errorf("got %q at revision %d", describe(got.page.Items), got.page.Revision)
	}
	ctx, cancel := context.WithCancel(b.context())
	cancel()
	_, err := b.List(ctx, pods, store.ListOptions{Revision: at + 100})
	b.wantErr(err, context.Canceled)
}

func compaction(t *testing.T, b *bench) {
	first := b.txn(create(key("a", "x"), "1", ""))
	for i := range 5 {
		b.txn(update(key("a", "x"), fmt.Sprint(i+2), "", 0))
	}
	w := b.watch(pods, first)
	b.check(b.Compact(b.context(), first+3))
	_, err := b.List(b.context(), pods, store.ListOptions{Revision: first + 2})
	b.wantErr(err, store.ErrCompacted)
	_, err = b.Watch(b.context(), pods, first+2)
	b.wantErr(err, store.ErrCompacted)
	b.wantList(pods, store.ListOptions{Revision: first + 3}, "a/x=4")
	if got := told(b.until(b.watch(pods, first+3))); len(got) != 2 {
		t.Errorf("from the compacted revision on, got %q", got)
	}
	if got := told(b.until(w)); len(got) != 5 {
		t.Errorf("a watch that began before the compaction got %q", got)
	}
	b.check(b.Compact(b.context(), first))
	if err := b.Compact(b.context(), b.Revision()+1); err == nil {
		t.Error("compacted at a revision of the future")
	}
	b.check(b.Compact(b.context(), b.Revision()))
	b.wantList(pods, store.ListOptions{}, "a/x=6")
}
