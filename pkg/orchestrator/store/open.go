package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// DB is the Store over a Log.
type DB struct {
	log   Log
	codec Codec

	latest  atomic.Pointer[snapshot] // the latest durable state; set under mu, read without
	queue   chan *txn
	closing chan struct{} // closed by Close
	stopped chan struct{} // closed when the committer has ended
	closed  atomic.Bool
	pumps   sync.WaitGroup

	mu       sync.Mutex // guards what follows
	window   window
	watchers watchers
	advance  chan struct{} // closed at the next revision; nil while nobody waits
}

// New loads what the log holds and opens the store, which owns the log from here on.
func New(log Log, codec Codec) (Store, error) { return open(log, codec, windowChanges, watchBuffer) }

func open(log Log, codec Codec, most, buffer int) (*DB, error) {
	first, err := load(log, codec)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load the store: %w", err), log.Close())
	}
	s := &DB{
		log: log, codec: codec,
		queue: make(chan *txn, batchTxns), closing: make(chan struct{}), stopped: make(chan struct{}),
		window:   window{base: first, most: most},
		watchers: watchers{filed: map[Selection]map[*watcher]struct{}{}, fields: map[[2]string]int{}, buffer: buffer},
	}
	s.latest.Store(&first)
	go s.commit()
	return s, nil
}

func load(log Log, codec Codec) (snapshot, error) {
	var items []*Item
	revision, err := log.Load(func(r Record) error {
		obj, err := codec.Decode(r.Key, r.Data)
		if err != nil {
			return fmt.Errorf("decode %s %s/%s: %w", r.Key.Resource, r.Key.Namespace, r.Key.Name, err)
		}
		codec.Stamp(obj, r.Revision)
		items = append(items, &Item{Key: r.Key, Revision: r.Revision, Created: r.Created, Object: obj, fields: codec.Index(r.Key, obj)})
		return nil
	})
	return snapshot{index: indexOf(items), revision: max(revision, 1)}, err
}

// Revision is the latest durable revision. An empty store begins at 1, since 0 means "any" to those who ask.
func (s *DB) Revision() int64 { return s.latest.Load().revision }

// publish shows the transactions of a durable batch to everybody.
func (s *DB) publish(batch []*txn) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range batch {
		if t.change == nil {
			continue
		}
		t.change.at = now
		s.window.add(t.change)
		for _, e := range t.change.events {
			s.watchers.tell(e)
		}
		s.latest.Store(&t.change.snapshot)
	}
	if s.advance != nil {
		close(s.advance)
		s.advance = nil
	}
}

// Close refuses new writes, waits for those under way, ends all watches with ErrClosed, and releases the log.
func (s *DB) Close() error {
	s.mu.Lock()
	if s.closed.Swap(true) {
		s.mu.Unlock()
		<-s.stopped
		return nil
	}
	s.mu.Unlock()
	close(s.closing)
	<-s.stopped
	s.mu.Lock()
	for _, set := range s.watchers.filed {
		for x := range set {
			x.end(ErrClosed)
		}
	}
	s.mu.Unlock()
	s.pumps.Wait()
	return s.log.Close()
}
