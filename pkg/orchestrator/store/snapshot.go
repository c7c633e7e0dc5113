package store

import (
	"cmp"
	"context"
	"fmt"
	"strings"
)

// snapshot is everything as of one revision.
type snapshot struct {
	index
	revision int64
}

// Get reads the latest durable state of a key.
func (s *DB) Get(ctx context.Context, key Key) (*Item, error) {
	if err := s.readable(ctx); err != nil {
		return nil, err
	}
	if item := s.latest.Load().get(key); item != nil {
		return item, nil
	}
	return nil, fmt.Errorf("get %s %s/%s: %w", key.Resource, key.Namespace, key.Name, ErrNotFound)
}

// List reads a selection as of one revision, without copying and without holding up writers.
func (s *DB) List(ctx context.Context, sel Selection, o ListOptions) (Page, error) {
	if err := s.readable(ctx); err != nil {
		return Page{}, err
	}
	snap, err := s.at(ctx, o.Revision)
	if err != nil {
		return Page{}, fmt.Errorf("list %s at revision %d: %w", sel.Resource, o.Revision, err)
	}
	return snap.list(sel, o), nil
}

func (s *DB) readable(ctx context.Context) error {
	if s.closed.Load() {
		return ErrClosed
	}
	return ctx.Err()
}

// at finds the state of a revision, and waits for one that is yet to come.
func (s *DB) at(ctx context.Context, revision int64) (snapshot, error) {
	if latest := s.latest.Load(); revision == 0 || revision == latest.revision {
		return *latest, nil
	}
	for {
		s.mu.Lock()
		switch latest := s.latest.Load(); {
		case revision < s.window.base.revision:
			s.mu.Unlock()
			return snapshot{}, ErrCompacted
		case revision <= latest.revision:
			defer s.mu.Unlock()
			return s.window.at(revision), nil
		}
		if s.advance == nil {
			s.advance = make(chan struct{})
		}
		advance := s.advance
		s.mu.Unlock()
		select {
		case <-advance:
		case <-ctx.Done():
			return snapshot{}, ctx.Err()
		case <-s.closing:
			return snapshot{}, ErrClosed
		}
	}
}

func (s *snapshot) list(sel Selection, o ListOptions) Page {
	if sel.Name != "" {
		return s.named(sel, o)
	}
	if sel.Field != "" {
		return page(s.postings, s.revision, o, func(p posting) *Item { return p.item }, func(p posting) int {
			return cmp.Or(p.place(sel.Resource, sel.Field, sel.Value), compareUnless(sel.Namespace, p.item.Key.Namespace))
		})
	}
	return page(s.items, s.revision, o, func(i *Item) *Item { return i }, func(i *Item) int {
		return cmp.Or(strings.Compare(i.Key.Resource, sel.Resource), compareUnless(sel.Namespace, i.Key.Namespace))
	})
}

// named lists objects of one name: at most one in a namespace, one in each without.
func (s *snapshot) named(sel Selection, o ListOptions) Page {
	keep := o.Keep
	o.Keep = func(i *Item) bool { return sel.matches(i) && (keep == nil || keep(i)) }
	item := s.get(Key{sel.Resource, sel.Namespace, sel.Name})
	if sel.Namespace == "" && item == nil {
		return s.list(Selection{Resource: sel.Resource}, o)
	}
	p := Page{Revision: s.revision}
	if item != nil && item.Key.Compare(o.After) > 0 && o.Keep(item) {
		p.Items = []*Item{item}
	}
	return p
}

// compareUnless compares got with want, where an empty want is equal to all.
func compareUnless(want, got string) int {
	if want == "" {
		return 0
	}
	return strings.Compare(got, want)
}

// page collects the elements of a range. place says where an element lies: before the range (-1), in it, or behind (1).
func page[E element[E]](root *node[E], revision int64, o ListOptions, itemOf func(E) *Item, place func(E) int) Page {
	p := Page{Revision: revision}
	start := func(e E) bool {
		c := place(e)
		return c > 0 || c == 0 && (o.After == Key{} || itemOf(e).Key.Compare(o.After) > 0)
	}
	total := root.rank(func(e E) bool { return place(e) > 0 }) - root.rank(start)
	if size := total; o.Keep == nil && size > 0 {
		if o.Limit > 0 {
			size = min(size, o.Limit)
		}
		p.Items = make([]*Item, 0, size)
	}
	root.from(start, func(e E) bool {
		if place(e) > 0 {
			return false
		}
		item := itemOf(e)
		if o.Keep != nil && !o.Keep(item) {
			return true
		}
		if o.Limit > 0 && len(p.Items) == o.Limit {
			p.More = true
			return false
		}
		p.Items = append(p.Items, item)
		return true
	})
	switch {
	case p.More && o.Keep != nil:
		p.Remaining = -1
	case p.More:
		p.Remaining = int64(total - len(p.Items))
	}
	return p
}

// matches says whether an item is selected.
func (s Selection) matches(i *Item) bool {
	if i.Key.Resource != s.Resource || s.Namespace != "" && i.Key.Namespace != s.Namespace || s.Name != "" && i.Key.Name != s.Name {
		return false
	}
	if s.Field == "" {
		return true
	}
	value, ok := i.fields[s.Field]
	return ok && value == s.Value
}
