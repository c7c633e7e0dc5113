package controller

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// start runs a controller without informers until the test ends.
func start(t *testing.T, reconcile Reconcile, options ...Option) *Controller {
	ctx, cancel := context.WithCancel(context.Background())
	c := New("test", reconcile, options...)
	done := make(chan struct{})
	go func() { c.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return c
}

// pass lets the bubble's time go by, and what was due then end.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var calls []time.Duration
		c := start(t, func(context.Context, types.NamespacedName) (Result, error) {
			calls = append(calls, time.Since(began))
			if len(calls) < 4 {
				return Result{}, errors.New("not yet")
			}
			return Result{}, nil
		}, Workers(1))
		c.Enqueue(types.NamespacedName{Name: "x"})
		pass(time.Minute)
		want := []time.Duration{0, 5 * time.Millisecond, 15 * time.Millisecond, 35 * time.Millisecond}
		if len(calls) != len(want) {
			t.Fatalf("called at %v, want %v", calls, want)
		}
		for i := range want {
			if calls[i] != want[i] {
				t.Errorf("call %d at %s, want %s", i, calls[i], want[i])
			}
		}
	})
}

func TestComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		c := start(t, func(context.Context, types.NamespacedName) (Result, error) {
			calls.Add(1)
			return Result{After: time.Minute}, nil
		})
		c.Enqueue(types.NamespacedName{Name: "x"})
		pass(10*time.Minute + time.Second)
		if got := calls.Load(); got != 11 {
			t.Errorf("called %d times in ten minutes, want 11", got)
		}
	})
}

func TestPanicIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var good, bad atomic.Int32
		c := start(t, func(_ context.Context, key types.NamespacedName) (Result, error) {
			if key.Name == "good" {
				good.Add(1)
				return Result{}, nil
			}
			if bad.Add(1) == 1 {
				panic("broken")
			}
			return Result{}, nil
		}, Workers(1))
		c.Enqueue(types.NamespacedName{Name: "bad"})
		c.Enqueue(types.NamespacedName{Name: "good"})
		pass(time.Second)
		if good.Load() != 1 || bad.Load() != 2 {
			t.Errorf("good %d times, bad %d times; want 1 and 2", good.Load(), bad.Load())
		}
	})
}

func TestBeforeIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries, cleaned := 0, false
		reconciled := make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		c := New("test", func(context.Context, types.NamespacedName) (Result, error) {
			close(reconciled)
			return Result{}, nil
		}, Before(func(context.Context) (func(), error) {
			if tries++; tries < 3 {
				return nil, errors.New("not yet")
			}
			return func() { cleaned = true }, nil
		}))
		c.Enqueue(types.NamespacedName{Name: "x"})
		done := make(chan struct{})
		go func() { c.Run(ctx); close(done) }()
		<-reconciled
		cancel()
		<-done
		if tries != 3 || !cleaned {
			t.Errorf("%d tries, cleaned up: %v", tries, cleaned)
		}
	})
}

func podAt(name string, version int) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name), ResourceVersion: strconv.Itoa(version)}}
}

func TestExpectations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := types.NamespacedName{Namespace: "default", Name: "owner"}
		store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
		e := NewExpectations()
		if !e.Ready(key) {
			t.Error("nothing was written")
		}
		e.Wrote(key, store, podAt("a", 9))
		e.Wrote(key, store, podAt("b", 7)) // answers may come in any order
		steps := []struct {
			seen  *corev1.Pod
			ready bool
		}{{podAt("b", 7), false}, {podAt("other", 8), false}, {podAt("a", 9), true}}
		for _, step := range steps {
			if err := store.Add(step.seen); err != nil {
				t.Fatal(err)
			}
			if got := e.Ready(key); got != step.ready {
				t.Errorf("after version %s: ready %v, want %v", step.seen.ResourceVersion, got, step.ready)
			}
		}
		e.Deleted(key, store, podAt("a", 9))
		if e.Ready(key) {
			t.Error("the deletion was not seen yet")
		}
		marked := podAt("a", 10)
		marked.DeletionTimestamp = new(metav1.Now())
		if err := store.Update(marked); err != nil {
			t.Fatal(err)
		}
		if !e.Ready(key) {
			t.Error("the mark was seen")
		}
		e.Deleted(key, store, podAt("b", 7))
		pass(expectationsTimeout)
		if !e.Ready(key) {
			t.Error("a lost event holds the key for ever")
		}
	})
}

func TestClaimed(t *testing.T) {
	owner := &corev1.ReplicationController{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "owner", UID: "owner"}}
	pod := func(name, app, controller string) *corev1.Pod {
		p := podAt(name, 1)
		p.Labels = map[string]string{"app": app}
		if controller != "" {
			p.OwnerReferences = []metav1.OwnerReference{{UID: types.UID(controller), Controller: new(true)}}
		}
		return p
	}
	var patched []string
	asked := 0
	claim := Claim{
		Owner: owner, Selector: labels.SelectorFromSet(labels.Set{"app": "web"}),
		Fresh: func(context.Context) (metav1.Object, error) { asked++; return owner, nil },
		Patch: func(_ context.Context, name string, patch []byte) error { patched = append(patched, name); return nil },
	}
	leaving := pod("leaving", "web", "")
	leaving.DeletionTimestamp = new(metav1.Now())
	pods := []*corev1.Pod{
		pod("mine", "web", "owner"), pod("released", "db", "owner"), pod("adopted", "web", ""), pod("adopted-too", "web", ""),
		pod("unrelated", "db", ""), pod("another's", "web", "other"), leaving,
	}
	got, err := Claimed(context.Background(), claim, pods)
	if err != nil || len(got) != 3 || got[0].Name != "mine" || got[1].Name != "adopted" || got[2].Name != "adopted-too" {
		t.Errorf("claimed %d pods, %v", len(got), err)
	}
	if len(patched) != 3 || patched[0] != "released" || asked != 1 {
		t.Errorf("patched %v, asked the server %d times", patched, asked)
	}
	// the cached owner was replaced meanwhile
	claim.Fresh = func(context.Context) (metav1.Object, error) {
		return &corev1.ReplicationController{ObjectMeta: metav1.ObjectMeta{UID: "new"}}, nil
	}
	if got, err := Claimed(context.Background(), claim, pods[2:3]); err == nil || len(got) != 0 {
		t.Errorf("an owner that is gone adopted %d pods", len(got))
	}
}

func TestTargetPort(t *testing.T) {
	p := &corev1.Pod{Spec: corev1.PodSpec{
		Containers: []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}}}},
		InitContainers: []corev1.Container{
			{Ports: []corev1.ContainerPort{{Name: "setup", ContainerPort: 1, Protocol: corev1.ProtocolTCP}}},
			{RestartPolicy: new(corev1.ContainerRestartPolicyAlways), Ports: []corev1.ContainerPort{{Name: "proxy", ContainerPort: 9090, Protocol: corev1.ProtocolTCP}}},
		},
	}}
	for name, want := range map[string]int32{"http": 8080, "proxy": 9090, "setup": 0, "none": 0} {
		port := &corev1.ServicePort{Protocol: corev1.ProtocolTCP}
		port.TargetPort.Type, port.TargetPort.StrVal = 1, name
		if got, ok := TargetPort(p, port); got != want || ok != (want != 0) {
			t.Errorf("%s: got %d %v, want %d", name, got, ok, want)
		}
	}
}

func TestAvailableIn(t *testing.T) {
	now := time.Unix(1000, 0)
	p := podAt("p", 1)
	if _, ok := AvailableIn(p, 10, now); ok {
		t.Error("a pod without conditions is not ready")
	}
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(now.Add(-4 * time.Second))}}
	for seconds, want := range map[int32]time.Duration{0: 0, 3: 0, 10: 6 * time.Second} {
		if got, ok := AvailableIn(p, seconds, now); got != want || !ok {
			t.Errorf("%d s: got %s %v, want %s", seconds, got, ok, want)
		}
	}
}
