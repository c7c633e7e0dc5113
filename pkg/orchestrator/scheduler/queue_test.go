package scheduler

import (
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func ranked(p int32) func(*corev1.Pod) { return func(pod *corev1.Pod) { pod.Spec.Priority = &p } }

func mustPop(t *testing.T, q *queue, want string) *queued {
	t.Helper()
	item, ok := q.pop()
	if !ok || item.pod.Name != want {
		t.Fatalf("got %v, want %s", item, want)
	}
	return item
}

func TestQueueOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		defer q.close()
		q.add(podOf("first"), true)
		<-time.After(time.Second)
		q.add(podOf("second"), true)
		q.add(podOf("important", ranked(10)), true)
		q.add(podOf("gone"), true)
		q.remove("gone")
		for _, want := range []string{"important", "first", "second"} {
			q.done(mustPop(t, q, want))
		}
	})
}

func TestQueueRestsUntilAnEventHelps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		defer q.close()
		q.add(podOf("p"), true)
		q.requeue(mustPop(t, q, "p"), nodeAdded, false)
		start := time.Now()
		time.AfterFunc(20*time.Second, func() { q.wake(podDeleted) })
		time.AfterFunc(40*time.Second, func() { q.wake(nodeAdded) })
		mustPop(t, q, "p")
		if took := time.Since(start); took != 40*time.Second {
			t.Errorf("woken after %s, want 40s: the deletion of a pod does not help", took)
		}
	})
}

func TestQueueTriesAgainInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		defer q.close()
		q.add(podOf("p"), true)
		q.requeue(mustPop(t, q, "p"), nodeAdded, false)
		start := time.Now()
		mustPop(t, q, "p")
		if took := time.Since(start); took != 5*time.Minute {
			t.Errorf("tried again after %s, want 5m", took)
		}
	})
}

func TestQueueBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		defer q.close()
		q.add(podOf("p"), true)
		for _, want := range []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 10 * time.Second, 10 * time.Second} {
			start := time.Now()
			item := mustPop(t, q, "p")
			if took := time.Since(start); took != want {
				t.Errorf("attempt %d after %s, want %s", item.attempts, took, want)
			}
			q.requeue(item, anyEvent, true)
		}
	})
}

// An event that happens while a pod is being tried must not be lost.
func TestQueueEventInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		defer q.close()
		q.add(podOf("p"), true)
		item := mustPop(t, q, "p")
		q.wake(nodeAdded)
		q.requeue(item, nodeAdded, false)
		start := time.Now()
		mustPop(t, q, "p") // nothing else is to do, so that the back-off is not waited for
		if took := time.Since(start); took != 0 {
			t.Errorf("tried again after %s, want at once", took)
		}
	})
}

func TestQueueForgetsInFlight(t *testing.T) {
	q := newQueue()
	q.add(podOf("p"), true)
	item := mustPop(t, q, "p")
	q.remove("p")
	if q.requeue(item, anyEvent, true) {
		t.Error("a pod that has gone was taken back")
	}
	q.close()
	if _, ok := q.pop(); ok {
		t.Error("a closed queue gave a pod")
	}
}
