package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"syscall"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	namespace = metav1.NamespaceDefault
	// written holds what a writer put into an object.
	written = "crash.test/value"
	image   = "busybox:1.36"
)

// object is what the writers look at in a server's answer.
type object = metav1.Object

// writer is one client that creates, changes and deletes objects of its own, one request after the other.
type writer struct {
	name   string
	kind   string
	names  int // how many objects it plays with
	random *rand.Rand
	log    *journal
	next   int // value
	create func(ctx context.Context, name, value string) (object, error)
	update func(ctx context.Context, name, value string) (object, error)
	delete func(ctx context.Context, name string) error
	states map[string]int // of its objects, as it believes
	pace   int            // milliseconds between writes
}

func newWriters(client kubernetes.Interface, dir string, seed uint64) ([]*writer, error) {
	all := []*writer{configMaps(client), configMaps(client), pods(client), deployments(client)}
	for i, w := range all {
		var err error
		w.name, w.states, w.random = fmt.Sprintf("w%d", i), map[string]int{}, rand.New(rand.NewPCG(seed, uint64(i+1)))
		if w.log, err = newJournal(dir, w.name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// write has all writers write until the function that it returns is called, which waits for their last answers.
func (t *trial) write(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	var group sync.WaitGroup
	for _, w := range t.writers {
		group.Go(func() {
			for ctx.Err() == nil {
				select {
				case <-done:
					return
				default:
					w.step(ctx)
				}
			}
		})
	}
	return sync.OnceFunc(func() {
		close(done)
		group.Wait()
	})
}

// step makes one request and logs it.
func (w *writer) step(ctx context.Context) {
	e := entry{Kind: w.kind, Name: w.name + "-" + strconv.Itoa(w.random.IntN(w.names))}
	var obj object
	var request func() error
	w.next++
	value := strconv.Itoa(w.next)
	state := w.states[e.Name]
	switch {
	case state == dying || state == there && w.random.IntN(4) == 0:
		request = func() error { return w.delete(ctx, e.Name) }
	case state == there:
		e.Value = value
		request = func() (err error) { obj, err = w.update(ctx, e.Name, value); return err }
	default:
		e.Value = value
		request = func() (err error) { obj, err = w.create(ctx, e.Name, value); return err }
	}
	if err := w.log.write(e); err != nil {
		panic(err) // a test without its log proves nothing
	}
	err := request()
	w.states[e.Name] = after(state, e, err)
	e.Outcome = outcome(err)
	if err != nil {
		e.Error, e.Code = err.Error(), codeIn(err)
	} else if e.Value != "" {
		e.UID, e.ResourceVersion = obj.GetUID(), obj.GetResourceVersion()
	}
	if err := w.log.write(e); err != nil {
		panic(err)
	}
	pause(ctx, pacing(w.pace, err))
}

// What a writer believes of an object; refusals teach it better.
const (
	absent = iota
	there
	dying // asked to be deleted, and not gone yet: only deleted again
)

// after is what it believes after a request.
func after(state int, e entry, err error) int {
	switch {
	case apierrors.IsNotFound(err):
		return absent
	case apierrors.IsAlreadyExists(err) && e.Kind == "Pod":
		return dying
	case apierrors.IsAlreadyExists(err):
		return there
	case outcome(err) == refused:
		return state
	case e.Value == "" && (err != nil || e.Kind == "Pod"):
		return dying
	case e.Value == "":
		return absent
	case err == nil:
		return there
	}
	return state
}

// codeIn is the HTTP status of a refusal, 0 for none.
func codeIn(err error) int32 {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return status.Status().Code
	}
	return 0
}

// outcome says what an answer means for the object.
func outcome(err error) string {
	code := codeIn(err)
	switch {
	case err == nil:
		return acknowledged
	case code >= 400 && code < 500, errors.Is(err, syscall.ECONNREFUSED):
		return refused
	}
	return unsure
}

func configMaps(client kubernetes.Interface) *writer {
	c := client.CoreV1().ConfigMaps(namespace)
	made := func(name, value string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: meta(name, value), Data: map[string]string{"value": value}}
	}
	return &writer{
		kind: "ConfigMap", names: 40, pace: 2,
		create: func(ctx context.Context, name, value string) (object, error) {
			return c.Create(ctx, made(name, value), metav1.CreateOptions{})
		},
		update: func(ctx context.Context, name, value string) (object, error) {
			return c.Update(ctx, made(name, value), metav1.UpdateOptions{})
		},
		delete: func(ctx context.Context, name string) error { return c.Delete(ctx, name, metav1.DeleteOptions{}) },
	}
}

// pods are of two sorts, by their names: those that run for ever, and those that end after a moment with a code of their own.
func pods(client kubernetes.Interface) *writer {
	c := client.CoreV1().Pods(namespace)
	patch := patcher(c.Patch)
	return &writer{
		kind: "Pod", names: 6, pace: 150,
		create: func(ctx context.Context, name, value string) (object, error) {
			pod := &corev1.Pod{ObjectMeta: meta(name, value), Spec: sleeper()}
			if last := name[len(name)-1]; last%2 == 1 {
				pod.Spec.RestartPolicy = corev1.RestartPolicyNever
				pod.Spec.Containers[0].Command = []string{"sh", "-c", fmt.Sprintf("sleep 1; exit %d", codeOf(name))}
			}
			return c.Create(ctx, pod, metav1.CreateOptions{})
		},
		update: func(ctx context.Context, name, value string) (object, error) { return patch(ctx, name, value) },
		delete: func(ctx context.Context, name string) error { return c.Delete(ctx, name, metav1.DeleteOptions{}) },
	}
}

// codeOf is the exit code of a pod that ends by itself.
func codeOf(name string) int32 { return 10 + int32(name[len(name)-1]-'0') }

func deployments(client kubernetes.Interface) *writer {
	c := client.AppsV1().Deployments(namespace)
	patch := patcher(c.Patch)
	return &writer{
		kind: "Deployment", names: 2, pace: 300,
		create: func(ctx context.Context, name, value string) (object, error) {
			labels := map[string]string{"app": name}
			return c.Create(ctx, &appsv1.Deployment{ObjectMeta: meta(name, value), Spec: appsv1.DeploymentSpec{
				Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels},
				Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: sleeper()},
			}}, metav1.CreateOptions{})
		},
		update: func(ctx context.Context, name, value string) (object, error) { return patch(ctx, name, value) },
		delete: func(ctx context.Context, name string) error {
			return c.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)})
		},
	}
}

func meta(name, value string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Annotations: map[string]string{written: value}}
}

// sleeper is a pod that runs for ever and ends at once when it is told to.
func sleeper() corev1.PodSpec {
	return corev1.PodSpec{
		TerminationGracePeriodSeconds: new(int64(2)),
		Containers:                    []corev1.Container{{Name: "c", Image: image, Command: []string{"sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.2; done"}}},
	}
}
