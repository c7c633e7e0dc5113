package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

func revisions(t *testing.T, b *bench) {
	first := b.Revision()
	if first < 1 {
		t.Errorf("an empty store is at revision %d, want at least 1", first)
	}
	if got := b.txn(create(key("a", "x"), "1", ""), create(key("a", "y"), "1", "")); got != first+1 {
		t.Errorf("the first transaction got revision %d, want %d", got, first+1)
	}
	if _, err := b.Txn(b.context(), create(key("a", "x"), "2", "")); err == nil {
		t.Error("a second create succeeded")
	}
	b.txn(store.Op{Verb: store.Check, Key: key("a", "x"), Expect: first + 1})
	if got := b.txn(update(key("a", "x"), "2", "", 0)); got != first+2 {
		t.Errorf("after a failure and a check, got revision %d, want %d", got, first+2)
	}
	item, err := b.Get(b.context(), key("a", "x"))
	b.check(err)
	if o := item.Object.(*Object); item.Revision != first+2 || item.Created != first+1 || o.Revision != first+2 || o.Value != "2" {
		t.Errorf("got %+v of %+v", item, o)
	}
	last, err := b.Txn(b.context(), remove(key("a", "x"), 0))
	b.check(err)
	if o := last[0].Object.(*Object); last[0].Revision != first+3 || o.Revision != first+3 || o.Value != "2" {
		t.Errorf("a delete's last state is %+v of %+v", last[0], o)
	}
	if o := item.Object.(*Object); o.Revision != first+2 {
		t.Errorf("a delete stamped the object that readers share: %+v", o)
	}
}

func atomicity(t *testing.T, b *bench) {
	b.txn(create(key("a", "x"), "1", ""))
	before := b.Revision()
	_, err := b.Txn(b.context(), update(key("a", "x"), "2", "", 0), create(key("a", "y"), "2", ""), remove(key("a", "missing"), 0))
	var conflict *store.ConflictError
	if !errors.As(err, &conflict) || conflict.Op != 2 || !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got error %v, want a conflict of op 2", err)
	}
	if b.Revision() != before {
		t.Errorf("a refused transaction moved the revision to %d", b.Revision())
	}
	b.wantList(pods, store.ListOptions{}, "a/x=1")
	if _, err := b.Txn(b.context(), update(key("a", "x"), "2", "", 0), remove(key("a", "x"), 0)); err == nil {
		t.Error("one key was written twice in a transaction")
	}
	b.txn(update(key("a", "x"), "3", "", 0), create(key("a", "y"), "3", ""), create(key("b", "z"), "3", ""))
	b.wantList(pods, store.ListOptions{}, "a/x=3", "a/y=3", "b/z=3")
}

func conflicts(t *testing.T, b *bench) {
	at := b.txn(create(key("a", "x"), "1", ""))
	check := func(k store.Key, expect int64) store.Op { return store.Op{Verb: store.Check, Key: k, Expect: expect} }
	for _, c := range []struct {
		name   string
		op     store.Op
		ok     bool
		reason error
	}{
		{"create what exists", create(key("a", "x"), "2", ""), false, store.ErrExists},
		{"update what is missing", update(key("a", "y"), "2", "", 0), false, store.ErrNotFound},
		{"update another revision", update(key("a", "x"), "2", "", at+7), false, nil},
		{"delete what is missing", remove(key("a", "y"), 0), false, store.ErrNotFound},
		{"delete another revision", remove(key("a", "x"), at+7), false, nil},
		{"check that what exists is absent", check(key("a", "x"), 0), false, store.ErrExists},
		{"check what is missing", check(key("a", "y"), at), false, store.ErrNotFound},
		{"check another revision", check(key("a", "x"), at+7), false, nil},
		{"check that what is missing is absent", check(key("a", "y"), 0), true, nil},
		{"check the revision", check(key("a", "x"), at), true, nil},
		{"update the revision", update(key("a", "x"), "2", "", at), true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := b.Txn(b.context(), c.op)
			var conflict *store.ConflictError
			switch {
			case c.ok && err != nil:
				t.Errorf("got error %v", err)
			case c.ok:
			case !errors.As(err, &conflict) || conflict.Reason != c.reason:
				t.Errorf("got error %v, want a conflict for %v", err, c.reason)
			case (conflict.Current == nil) != errors.Is(c.reason, store.ErrNotFound):
				t.Errorf("the conflict shows %+v", conflict.Current)
			}
		})
	}
}

// noLostUpdate: increments by compare and swap from many writers all count, though batches mix them.
func noLostUpdate(t *testing.T, b *bench) {
	const writers, each = 8, 20
	k, ctx := key("a", "counter"), b.context()
	b.txn(create(k, "0", ""))
	increment := func() error {
		for {
			item, err := b.Get(ctx, k)
			if err != nil {
				return err
			}
			n, err := strconv.Atoi(item.Object.(*Object).Value)
			if err != nil {
				return err
			}
			_, err = b.Txn(ctx, update(k, strconv.Itoa(n+1), "", item.Revision))
			var conflict *store.ConflictError
			if !errors.As(err, &conflict) {
				return err
			}
		}
	}
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				if err := increment(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.wantList(pods, store.ListOptions{}, fmt.Sprintf("a/counter=%d", writers*each))
}

func reopening(t *testing.T, b *bench) {
	for i := range 50 {
		b.txn(create(key("a", fmt.Sprintf("pod-%02d", i)), "1", "n1"))
	}
	for i := range 20 {
		b.txn(update(key("a", fmt.Sprintf("pod-%02d", i)), "2", "n2", 0))
	}
	for i := range 45 {
		b.txn(remove(key("a", fmt.Sprintf("pod-%02d", i+5)), 0))
	}
	want, at := b.list(pods, store.ListOptions{}), b.Revision()
	b.check(b.Close())
	b.open()
	if b.Revision() != at {
		t.Errorf("reopened at revision %d, want %d", b.Revision(), at)
	}
	got := b.wantList(pods, store.ListOptions{}, describe(want.Items)...)
	for i, item := range got.Items {
		if w := want.Items[i]; item.Revision != w.Revision || item.Created != w.Created || item.Object.(*Object).Revision != w.Revision {
			t.Errorf("%s: got revisions %d, %d, want %d, %d", item.Key.Name, item.Revision, item.Created, w.Revision, w.Created)
		}
	}
	b.wantList(store.Selection{Resource: "pods", Field: "node", Value: "n2"}, store.ListOptions{}, describe(want.Items)...)
	_, err := b.Watch(b.context(), pods, at-1)
	b.wantErr(err, store.ErrCompacted)
	if events := b.until(b.watch(pods, at)); len(events) != 0 {
		t.Errorf("a reopened store told of %v", told(events))
	}
	if got := b.txn(create(key("a", "new"), "1", "")); got != at+1 {
		t.Errorf("the first write after reopening got revision %d, want %d", got, at+1)
	}
}

func closing(t *testing.T, b *bench) {
	b.txn(create(key("a", "x"), "1", ""))
	w := b.watch(pods, 0)
	b.check(b.Close())
	for range w.Events() {
	}
	b.wantErr(w.Err(), store.ErrClosed)
	_, err := b.Txn(b.context(), create(key("a", "y"), "1", ""))
	b.wantErr(err, store.ErrClosed)
	_, err = b.List(b.context(), pods, store.ListOptions{})
	b.wantErr(err, store.ErrClosed)
	_, err = b.Watch(b.context(), pods, 0)
	b.wantErr(err, store.ErrClosed)
	b.check(b.Close())
	b.open()
	b.wantList(pods, store.ListOptions{}, "a/x=1")
}
