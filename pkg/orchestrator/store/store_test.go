package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type object struct {
	Value    string
	Revision int64 `json:"-"`
}

type codec struct{}

func (codec) Encode(obj any) ([]byte, error) { return json.Marshal(obj) }
func (codec) Decode(_ Key, data []byte) (any, error) {
	o := &object{}
	return o, json.Unmarshal(data, o)
}
func (codec) Stamp(obj any, revision int64)    { obj.(*object).Revision = revision }
func (codec) Index(Key, any) map[string]string { return nil }

func put(name string) Op {
	return Op{Verb: Create, Key: Key{"pods", "a", name}, Object: &object{Value: name}}
}

func mustOpen(t *testing.T, log Log, most, buffer int) *DB {
	t.Helper()
	s, err := open(log, codec{}, most, buffer)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// failing is a log whose writes can be held up and made to fail.
type failing struct {
	Log
	mu   sync.Mutex
	err  error
	gate chan struct{}
	size []int
}

func (f *failing) Append(batch []Record) error {
	if f.gate != nil {
		<-f.gate
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.size = append(f.size, len(batch))
	if f.err != nil {
		return f.err
	}
	return f.Log.Append(batch)
}

// TestFailedBatch: when a batch cannot be made durable, nothing of it was ever visible, not even in a refusal, and the
// store goes on.
func TestFailedBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("no space left on device")
		log := &failing{Log: Memory(), gate: make(chan struct{})}
		s := mustOpen(t, log, 100, 100)
		defer s.Close()
		w, err := s.Watch(t.Context(), Selection{Resource: "pods"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		before := s.Revision()
		results := make(chan error, 4)
		txn := func(ops ...Op) {
			go func() {
				_, err := s.Txn(t.Context(), ops...)
				results <- err
			}()
			synctest.Wait()
		}
		txn(put("first")) // held up in the log; the others gather behind it
		txn(put("x"))
		txn(put("x")) // refused, for a write that is not durable yet
		txn(Op{Verb: Update, Key: put("x").Key, Object: &object{Value: "2"}})
		if _, err := s.Get(t.Context(), put("first").Key); !errors.Is(err, ErrNotFound) {
			t.Errorf("a write was read before it was durable: %v", err)
		}
		log.gate <- struct{}{}
		if err := <-results; err != nil {
			t.Errorf("the first write: %v", err)
		}
		log.mu.Lock()
		log.err = full
		log.mu.Unlock()
		log.gate <- struct{}{}
		for range 3 {
			err := <-results
			var conflict *ConflictError
			if !errors.Is(err, full) || errors.As(err, &conflict) {
				t.Errorf("a write of the failed batch got %v", err)
			}
		}
		if got := s.Revision(); got != before+1 {
			t.Errorf("the revision is %d, want %d", got, before+1)
		}
		if _, err := s.Get(t.Context(), put("x").Key); !errors.Is(err, ErrNotFound) {
			t.Errorf("a failed write can be read: %v", err)
		}
		log.mu.Lock()
		log.err = nil
		log.mu.Unlock()
		txn(put("x"))
		log.gate <- struct{}{}
		if err := <-results; err != nil {
			t.Errorf("after the failure: %v", err)
		}
		var seen []string
		for len(seen) < 2 {
			for _, e := range <-w.Events() {
				seen = append(seen, fmt.Sprintf("%d %s", e.Revision-before, e.Item.Key.Name))
			}
		}
		if got := fmt.Sprint(seen); got != "[1 first 2 x]" {
			t.Errorf("the watch told %s", got)
		}
		if got := fmt.Sprint(log.size); got != "[1 2 1]" {
			t.Errorf("the log got batches of %s records", got)
		}
		close(log.gate)
	})
}

// TestWithdrawn: a write whose context ends in the queue is never made.
func TestWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &failing{Log: Memory(), gate: make(chan struct{})}
		s := mustOpen(t, log, 100, 100)
		done := make(chan error, 2)
		go func() { _, err := s.Txn(t.Context(), put("first")); done <- err }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Txn(ctx, put("second")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v", err)
		}
		close(log.gate)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if got := fmt.Sprint(log.size); got != "[1]" {
			t.Errorf("the log got batches of %s records", got)
		}
	})
}

// TestTime: five minutes are kept, and each minute brings a bookmark.
func TestTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mustOpen(t, Memory(), 1000, 100)
		defer s.Close()
		first := s.Revision()
		w, err := s.Watch(t.Context(), Selection{Resource: "services"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			if _, err := s.Txn(t.Context(), put(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if got := <-w.Events(); len(got) != 1 || got[0].Type != Bookmark || got[0].Revision != s.Revision() {
				t.Errorf("after %d minutes the watch told %+v", i+1, got)
			}
		}
		for revision, want := range map[int64]error{first + 4: ErrCompacted, first + 6: nil} {
			if _, err := s.List(t.Context(), Selection{Resource: "pods"}, ListOptions{Revision: revision}); !errors.Is(err, want) {
				t.Errorf("revision %d of %d: got error %v, want %v", revision-first, s.Revision()-first, err, want)
			}
		}
	})
}

// TestWindowIsBounded: a burst compacts what is oldest, and reads within the window stay right.
func TestWindowIsBounded(t *testing.T) {
	s := mustOpen(t, Memory(), 50, 1000)
	defer s.Close()
	for i := range 500 {
		if _, err := s.Txn(t.Context(), put(fmt.Sprintf("%03d", i))); err != nil {
			t.Fatal(err)
		}
		if n := len(s.window.changes); n > 50 {
			t.Fatalf("the window holds %d changes", n)
		}
	}
	latest := s.Revision()
	for revision := s.window.base.revision; revision <= latest; revision++ {
		p, err := s.List(t.Context(), Selection{Resource: "pods"}, ListOptions{Revision: revision})
		if want := 500 - int(latest-revision); err != nil || len(p.Items) != want {
			t.Fatalf("revision %d: got %d items, %v; want %d", revision, len(p.Items), err, want)
		}
	}
	if _, err := s.Watch(t.Context(), Selection{Resource: "pods"}, latest-100); !errors.Is(err, ErrCompacted) {
		t.Errorf("a watch from before the window: %v", err)
	}
}

// TestEncodedOnce: an item's bytes are made once for each form.
func TestEncodedOnce(t *testing.T) {
	calls := 0
	encode := func(any) ([]byte, error) { calls++; return []byte("{}"), nil }
	item := &Item{Object: &object{}}
	for range 3 {
		for _, form := range []string{"v1+json", "v1+protobuf"} {
			if b, err := item.Encoded(form, encode); err != nil || string(b) != "{}" {
				t.Errorf("got %q, %v", b, err)
			}
		}
	}
	if calls != 2 {
		t.Errorf("two forms took %d encodings", calls)
	}
}
