package store

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"
)

// The window of recent revisions: five minutes, as the real one compacts, but never more than this many changes.
const (
	windowAge     = 5 * time.Minute
	windowChanges = 1 << 16
)

// change is one revision: the state it left and the events that led there.
type change struct {
	snapshot
	at     time.Time
	events []Event
}

// window holds base, the oldest readable state, and every change since, one for each revision. Published changes are
// never altered, so a part of the slice may be read without the store's lock.
type window struct {
	base    snapshot
	changes []*change
	most    int
}

// at gives the state of a revision within the window.
func (w *window) at(revision int64) snapshot {
	if revision == w.base.revision {
		return w.base
	}
	return w.changes[revision-w.base.revision-1].snapshot
}

// since gives the changes after a revision within the window.
func (w *window) since(revision int64) []*change {
	from := min(revision-w.base.revision, int64(len(w.changes)))
	return w.changes[from:len(w.changes):len(w.changes)]
}

func (w *window) add(c *change) {
	if len(w.changes) >= w.most {
		w.forget(w.most/4 + 1)
	}
	w.changes = append(w.changes, c)
}

// forget drops the n oldest changes. The rest is copied, so that nothing keeps the dropped ones alive.
func (w *window) forget(n int) {
	if n > 0 {
		w.base = w.changes[n-1].snapshot
		w.changes = slices.Clone(w.changes[n:])
	}
}

// Compact forgets the revisions before the given one.
func (s *DB) Compact(ctx context.Context, revision int64) error {
	if err := s.readable(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case revision > s.latest.Load().revision:
		return fmt.Errorf("compact at revision %d: it is yet to come", revision)
	case revision <= s.window.base.revision:
		return nil
	}
	s.window.forget(int(revision - s.window.base.revision))
	return nil
}

func newTick() *time.Ticker { return time.NewTicker(time.Minute) }

// minute does what is due now and then: compaction and bookmarks.
func (s *DB) minute(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := now.Add(-windowAge)
	s.window.forget(sort.Search(len(s.window.changes), func(i int) bool { return s.window.changes[i].at.After(old) }))
	s.watchers.bookmark(s.latest.Load().revision)
}
