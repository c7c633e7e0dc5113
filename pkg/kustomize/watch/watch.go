// Package watch builds again whenever something that a build read has changed, and only then. It asks the system to be told
// of changes, and looks itself now and then where the system does not tell: on file systems of other machines, or when there
// are more directories than it watches. It never says what a build is or what becomes of its result.
package watch

import (
	"context"
	"iter"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long nothing may happen before a change counts as complete: editors and git write in several steps.
	quiet = 40 * time.Millisecond
	// patience is how long a change may go on before it is built anyway.
	patience = time.Second
	// interval is how often files are looked at that the system says nothing about.
	interval = 2 * time.Second
)

// Results builds once, and then once more after each change of what the build before read, until ctx ends. An error of a
// build is a result like any other.
func Results[T any](ctx context.Context, build func(*Recorder) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		e := newEvents()
		defer e.close()
		for ctx.Err() == nil {
			r := newRecorder()
			result, err := build(r)
			if ctx.Err() != nil || !yield(result, err) || !e.wait(ctx, r) {
				return
			}
		}
	}
}

// events wakes the watcher.
type events struct {
	system *fsnotify.Watcher // nil where the system has none to give
	woken  chan struct{}
}

func newEvents() *events {
	e := &events{woken: make(chan struct{}, 1)}
	var err error
	if e.system, err = fsnotify.NewWatcher(); err != nil {
		e.system = nil
		return e
	}
	go e.forward(e.system)
	return e
}

// forward takes what the system says at once, so that it never has to wait for a build, and ends when it is closed.
func (e *events) forward(system *fsnotify.Watcher) {
	said, errs := system.Events, system.Errors
	for said != nil || errs != nil {
		var ok bool
		select {
		case _, ok = <-said:
			if !ok {
				said = nil
			}
		case _, ok = <-errs:
			if !ok {
				errs = nil
			}
		}
		select {
		case e.woken <- struct{}{}:
		default:
		}
	}
}

func (e *events) close() {
	if e.system != nil {
		// Nothing is left to be done about a watcher that does not close.
		_ = e.system.Close()
	}
}

// watch has the system tell of these directories and no others. One that it refuses is looked at every interval, as all are.
func (e *events) watch(dirs map[string]bool) {
	if e.system == nil {
		return
	}
	for _, old := range e.system.WatchList() {
		if !dirs[old] {
			_ = e.system.Remove(old)
		}
	}
	for dir := range dirs {
		_ = e.system.Add(dir)
	}
}

// wait returns once something has changed and has come to rest; false when ctx ends.
func (e *events) wait(ctx context.Context, r *Recorder) bool {
	e.watch(r.directories())
	for !r.changed() {
		if !e.sleep(ctx, interval) || !e.settle(ctx) {
			return false
		}
	}
	return e.settle(ctx)
}

// settle waits until nothing happens any more.
func (e *events) settle(ctx context.Context) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		start := time.Now()
		if !e.sleep(ctx, quiet) {
			return false
		}
		if time.Since(start) >= quiet {
			break
		}
	}
	return true
}

// sleep waits for a wake-up, but no longer than d; false when ctx ends.
func (e *events) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-e.woken:
	case <-timer.C:
	}
	return true
}
