package store

import (
	"context"
	"fmt"
	"sync/atomic"
)

// Bounds of one batch: so many transactions or bytes become durable with one sync of the log.
const (
	batchTxns  = 256
	batchBytes = 8 << 20
)

// txn is a transaction on its way through the committer.
type txn struct {
	ops    []op
	bytes  int
	state  atomic.Int32 // queued, then taken by the committer or withdrawn by the caller
	done   chan struct{}
	result []*Item // valid once done is closed, as is err
	err    error
	change *change // what to publish; nil for a transaction that writes nothing
}

const (
	queued int32 = iota
	taken
	withdrawn
)

// op is an Op with what can be prepared before its turn, in its caller's goroutine.
type op struct {
	Op
	data   []byte
	fields map[string]string
}

// Txn queues the ops for the next batch and waits until that is durable. A transaction whose context ends while it is
// queued is withdrawn; one that is being written is waited for, so that its outcome is always known.
func (s *DB) Txn(ctx context.Context, ops ...Op) ([]*Item, error) {
	if err := s.readable(ctx); err != nil {
		return nil, err
	}
	t, err := s.prepare(ops)
	if err != nil {
		return nil, err
	}
	select {
	case s.queue <- t:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.closing:
		return nil, ErrClosed
	}
	select {
	case <-t.done:
		return t.result, t.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-s.stopped:
		err = ErrClosed
	}
	if t.state.CompareAndSwap(queued, withdrawn) {
		return nil, err
	}
	<-t.done
	return t.result, t.err
}

func (s *DB) prepare(ops []Op) (*txn, error) {
	t := &txn{ops: make([]op, len(ops)), done: make(chan struct{})}
	var written map[Key]bool
	if len(ops) > 1 {
		written = make(map[Key]bool, len(ops))
	}
	for i, o := range ops {
		t.ops[i].Op = o
		if o.Verb < Create || o.Verb > Check {
			return nil, fmt.Errorf("transaction: op %d has no verb", i)
		}
		if o.Verb != Check && written != nil {
			if written[o.Key] {
				return nil, fmt.Errorf("transaction: %s %s/%s is written twice", o.Key.Resource, o.Key.Namespace, o.Key.Name)
			}
			written[o.Key] = true
		}
		if o.Verb == Create || o.Verb == Update {
			data, err := s.codec.Encode(o.Object)
			if err != nil {
				return nil, fmt.Errorf("encode %s %s/%s: %w", o.Key.Resource, o.Key.Namespace, o.Key.Name, err)
			}
			if data == nil { // to a log, nil means removed
				data = []byte{}
			}
			t.ops[i].data, t.ops[i].fields = data, s.codec.Index(o.Key, o.Object)
			t.bytes += len(data)
		}
	}
	return t, nil
}

// commit runs in a goroutine of its own until the store closes: it takes what is queued, judges each transaction
// against the state that the ones before it leave, makes all of them durable at once, and publishes them in order.
func (s *DB) commit() {
	defer close(s.stopped)
	tick := newTick()
	defer tick.Stop()
	for {
		select {
		case t := <-s.queue:
			s.write(s.gather(t))
		case now := <-tick.C:
			s.minute(now)
		case <-s.closing:
			for {
				select {
				case t := <-s.queue:
					s.write(s.gather(t))
				default:
					return
				}
			}
		}
	}
}

// gather takes first and whatever else waits, up to the bounds of a batch.
func (s *DB) gather(first *txn) []*txn {
	batch, bytes := []*txn{first}, first.bytes
	for len(batch) < batchTxns && bytes < batchBytes {
		select {
		case t := <-s.queue:
			batch, bytes = append(batch, t), bytes+t.bytes
		default:
			return batch
		}
	}
	return batch
}

func (s *DB) write(batch []*txn) {
	state, live := *s.latest.Load(), batch[:0]
	var records []Record
	for _, t := range batch {
		if !t.state.CompareAndSwap(queued, taken) {
			continue
		}
		live = append(live, t)
		if next, ok := s.apply(t, state); ok {
			state = next
			records = append(records, t.records(state.revision)...)
		}
	}
	var err error
	if len(records) > 0 {
		if err = s.log.Append(records); err != nil {
			err = fmt.Errorf("write to the store: %w", err)
		} else {
			s.publish(live)
		}
	}
	for _, t := range live {
		// A refusal may rest on a write of the same batch, which nobody may learn of unless it lasts.
		if err != nil {
			t.result, t.err = nil, err
		}
		close(t.done)
	}
}

// apply judges t against state and, if all expectations hold, gives the state after it. It sets t's result.
func (s *DB) apply(t *txn, state snapshot) (snapshot, bool) {
	next, revision := state, state.revision+1
	var events []Event
	result := make([]*Item, len(t.ops))
	for i, o := range t.ops {
		old := next.get(o.Key)
		if err := o.conflict(i, old); err != nil {
			t.err = err
			return state, false
		}
		if o.Verb == Check {
			continue
		}
		item, err := s.item(o, old, revision)
		if err != nil {
			t.err = err
			return state, false
		}
		result[i] = item
		e := Event{Type: Modified, Revision: revision, Item: item, Previous: old}
		switch {
		case o.Verb == Delete:
			e.Type, next.index = Deleted, next.without(old)
		case old == nil:
			e.Type, next.index = Added, next.with(item, nil)
		default:
			next.index = next.with(item, old)
		}
		events = append(events, e)
	}
	t.result = result
	if len(events) == 0 {
		return state, false
	}
	next.revision = revision
	t.change = &change{snapshot: next, events: events}
	return next, true
}

// conflict says how op number i fails on what is stored.
func (o *op) conflict(i int, old *Item) error {
	err := &ConflictError{Op: i, Key: o.Key, Current: old}
	absent := o.Verb == Create || o.Verb == Check && o.Expect == 0
	switch {
	case absent && old != nil:
		err.Reason = ErrExists
	case absent:
		return nil
	case old == nil:
		err.Reason = ErrNotFound
	case o.Expect == 0 || o.Expect == old.Revision:
		return nil
	}
	return err
}

// item makes what a write leaves behind: the new state, or the last one of a deleted object.
func (s *DB) item(o op, old *Item, revision int64) (*Item, error) {
	item := &Item{Key: o.Key, Revision: revision, Created: revision, Object: o.Object, fields: o.fields}
	if old != nil {
		item.Created = old.Created
	}
	if o.Verb == Delete {
		item.fields = old.fields
		if item.Object = o.Final; o.Final == nil {
			last, err := s.copy(old)
			if err != nil {
				return nil, err
			}
			item.Object = last
		}
	}
	s.codec.Stamp(item.Object, revision)
	return item, nil
}

// copy gives an object of its own with old's state, to be stamped with another revision.
func (s *DB) copy(old *Item) (any, error) {
	if c, ok := s.codec.(interface{ Copy(obj any) any }); ok {
		return c.Copy(old.Object), nil
	}
	data, err := s.codec.Encode(old.Object)
	if err != nil {
		return nil, fmt.Errorf("encode %s %s/%s: %w", old.Key.Resource, old.Key.Namespace, old.Key.Name, err)
	}
	return s.codec.Decode(old.Key, data)
}

// records are what the log keeps of t.
func (t *txn) records(revision int64) []Record {
	out := make([]Record, 0, len(t.ops))
	for i, o := range t.ops {
		if o.Verb != Check {
			out = append(out, Record{Key: o.Key, Revision: revision, Created: t.result[i].Created, Data: o.data})
		}
	}
	return out
}
