package store

import (
	"context"
	"fmt"
)

// watchBuffer is how many events may wait for a watcher before it is given up as slow; watchChunk is how many are handed
// over at once while it catches up.
const (
	watchBuffer = 1 << 13
	watchChunk  = 512
)

// watcher is one Watch. Its pump alone sends on out; all else is guarded by the store's lock.
type watcher struct {
	store     *DB
	selection Selection
	from      int64 // events up to here are not for it
	out       chan []Event
	wake      chan struct{}
	stop      chan struct{}
	stopped   bool
	pending   []Event
	err       error
}

// watchers finds those whom an event concerns without asking all of them: each is filed under the narrowest part of
// its selection.
type watchers struct {
	filed map[Selection]map[*watcher]struct{}
	// fields counts the watchers by field of a resource, so that events look up only fields that somebody asked for.
	fields map[[2]string]int
	buffer int
}

// filing gives the narrowest part of a selection that one event can name.
func (s Selection) filing() Selection {
	switch {
	case s.Field != "":
		return Selection{Resource: s.Resource, Field: s.Field, Value: s.Value}
	case s.Name != "":
		return Selection{Resource: s.Resource, Name: s.Name}
	}
	return s
}

func (w *watchers) add(x *watcher) {
	at := x.selection.filing()
	if w.filed[at] == nil {
		w.filed[at] = make(map[*watcher]struct{}, 1)
	}
	w.filed[at][x] = struct{}{}
	if at.Field != "" {
		w.fields[[2]string{at.Resource, at.Field}]++
	}
}

func (w *watchers) remove(x *watcher) {
	at := x.selection.filing()
	if _, ok := w.filed[at][x]; !ok {
		return
	}
	if delete(w.filed[at], x); len(w.filed[at]) == 0 {
		delete(w.filed, at)
	}
	if field := [2]string{at.Resource, at.Field}; at.Field != "" {
		if w.fields[field]--; w.fields[field] == 0 {
			delete(w.fields, field)
		}
	}
}

// tell hands an event to all whom it concerns, because of what the object is or was.
func (w *watchers) tell(e Event) {
	key := e.Item.Key
	w.offer(Selection{Resource: key.Resource}, e)
	w.offer(Selection{Resource: key.Resource, Name: key.Name}, e)
	if key.Namespace != "" {
		w.offer(Selection{Resource: key.Resource, Namespace: key.Namespace}, e)
	}
	if len(w.fields) == 0 {
		return
	}
	w.tellByField(e, e.Item, nil)
	if e.Previous != nil {
		w.tellByField(e, e.Previous, e.Item)
	}
}

// tellByField offers e by the fields of item, but for the values that told has as well.
func (w *watchers) tellByField(e Event, item, told *Item) {
	for field, value := range item.fields {
		if w.fields[[2]string{item.Key.Resource, field}] == 0 {
			continue
		}
		if told != nil {
			if v, ok := told.fields[field]; ok && v == value {
				continue
			}
		}
		w.offer(Selection{Resource: item.Key.Resource, Field: field, Value: value}, e)
	}
}

func (w *watchers) offer(at Selection, e Event) {
	for x := range w.filed[at] {
		if x.wants(e) {
			w.push(x, e)
		}
	}
}

func (w *watchers) push(x *watcher, e Event) {
	if n := len(x.pending); n > 0 && e.Type == Bookmark && x.pending[n-1].Type == Bookmark {
		x.pending[n-1] = e
		return
	}
	if len(x.pending) >= w.buffer {
		x.end(ErrSlow)
		return
	}
	x.pending = append(x.pending, e)
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// bookmark tells everybody how far the store is.
func (w *watchers) bookmark(revision int64) {
	for _, set := range w.filed {
		for x := range set {
			if revision >= x.from {
				w.push(x, Event{Type: Bookmark, Revision: revision})
			}
		}
	}
}

// end stops a watcher; the first reason stays. The store's lock is held.
func (x *watcher) end(reason error) {
	if x.stopped {
		return
	}
	x.stopped, x.err, x.pending = true, reason, nil
	x.store.watchers.remove(x)
	close(x.stop)
}

// wants says whether an event is selected, for what the object is or for what it was.
func (x *watcher) wants(e Event) bool {
	return e.Revision > x.from && (x.selection.matches(e.Item) || e.Previous != nil && x.selection.matches(e.Previous))
}

// Watch joins the window of recent changes to what is yet to come.
func (s *DB) Watch(ctx context.Context, sel Selection, from int64) (Watch, error) {
	if err := s.readable(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return nil, ErrClosed
	}
	latest := s.latest.Load().revision
	if from == 0 {
		from = latest
	}
	if from < s.window.base.revision {
		return nil, fmt.Errorf("watch %s from revision %d: %w", sel.Resource, from, ErrCompacted)
	}
	x := &watcher{store: s, selection: sel, from: from, out: make(chan []Event), wake: make(chan struct{}, 1), stop: make(chan struct{})}
	s.watchers.add(x)
	missed := s.window.since(from)
	s.pumps.Go(func() { x.pump(ctx, missed) })
	return x, nil
}

// pump sends what was missed and then what comes, in batches as large as the reader is slow.
func (x *watcher) pump(ctx context.Context, missed []*change) {
	defer close(x.out)
	defer x.Stop()
	if !x.catchUp(ctx, missed) {
		return
	}
	missed = nil
	for {
		select {
		case <-x.wake:
			if events := x.take(); len(events) > 0 && !x.send(ctx, events) {
				return
			}
		case <-ctx.Done():
			return
		case <-x.stop:
			return
		}
	}
}

func (x *watcher) catchUp(ctx context.Context, missed []*change) bool {
	var chunk []Event
	for _, c := range missed {
		for _, e := range c.events {
			if x.wants(e) {
				chunk = append(chunk, e)
			}
		}
		if len(chunk) >= watchChunk {
			if !x.send(ctx, chunk) {
				return false
			}
			chunk = nil
		}
	}
	return len(chunk) == 0 || x.send(ctx, chunk)
}

func (x *watcher) take() []Event {
	x.store.mu.Lock()
	defer x.store.mu.Unlock()
	events := x.pending
	x.pending = nil
	return events
}

func (x *watcher) send(ctx context.Context, events []Event) bool {
	select {
	case x.out <- events:
		return true
	case <-ctx.Done():
	case <-x.stop:
	}
	return false
}

// Events gives batches of events in revision order.
func (x *watcher) Events() <-chan []Event { return x.out }

// Err says why the watch ended.
func (x *watcher) Err() error {
	x.store.mu.Lock()
	defer x.store.mu.Unlock()
	return x.err
}

// Stop ends the watch.
func (x *watcher) Stop() {
	x.store.mu.Lock()
	defer x.store.mu.Unlock()
	x.end(nil)
}

// Progress asks for a bookmark behind all events so far.
func (x *watcher) Progress() {
	x.store.mu.Lock()
	defer x.store.mu.Unlock()
	if revision := x.store.latest.Load().revision; !x.stopped && revision >= x.from {
		x.store.watchers.push(x, Event{Type: Bookmark, Revision: revision})
	}
}
