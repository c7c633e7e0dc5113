package kubelet

import (
	"context"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"github.com/kubeskiff/skiff/pkg/orchestrator/volume"
)

// objectKey names a config map or a secret.
type objectKey struct {
	secret          bool
	namespace, name string
}

// objects keeps the config maps and secrets that pods refer to: read once, then watched for as long as a pod refers to
// them. An agent may read only these, so there is one watch for each.
type objects struct {
	client  kubernetes.Interface
	changed func(objectKey)
	ctx     context.Context
	work    *sync.WaitGroup

	mu   sync.Mutex
	refs map[objectKey]*object
}

type object struct {
	users  map[*worker]struct{}
	cancel context.CancelFunc
	first  chan struct{} // closed when the first read has answered
	once   sync.Once
	mu     sync.Mutex
	obj    runtime.Object
	err    error
}

func newObjects(client kubernetes.Interface, changed func(objectKey)) *objects {
	return &objects{client: client, changed: changed, refs: map[objectKey]*object{}}
}

func (o *objects) start(ctx context.Context, work *sync.WaitGroup) { o.ctx, o.work = ctx, work }

// reference begins to keep the objects that a worker's pod refers to.
func (o *objects) reference(w *worker, keys []objectKey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, key := range keys {
		it, ok := o.refs[key]
		if !ok {
			ctx, cancel := context.WithCancel(o.ctx)
			it = &object{users: map[*worker]struct{}{}, cancel: cancel, first: make(chan struct{})}
			o.refs[key] = it
			o.work.Go(func() { o.follow(ctx, key, it) })
		}
		it.users[w] = struct{}{}
	}
}

// release lets go of all that a worker referred to.
func (o *objects) release(w *worker) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, key := range w.refs {
		it := o.refs[key]
		if it == nil {
			continue
		}
		delete(it.users, w)
		if len(it.users) == 0 {
			it.cancel()
			delete(o.refs, key)
		}
	}
}

// users gives the workers whose pods refer to an object.
func (o *objects) users(key objectKey) []*worker {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []*worker
	if it := o.refs[key]; it != nil {
		for w := range it.users {
			out = append(out, w)
		}
	}
	return out
}

// get gives an object as it was seen last; one that nobody refers to is read.
func (o *objects) get(ctx context.Context, key objectKey) (runtime.Object, error) {
	o.mu.Lock()
	it := o.refs[key]
	o.mu.Unlock()
	if it == nil {
		obj, _, err := o.read(ctx, key)
		return obj, err
	}
	select {
	case <-it.first:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	it.mu.Lock()
	defer it.mu.Unlock()
	return it.obj, it.err
}

// read asks the API. An object that is not there is named in the singular, as the real agent does.
func (o *objects) read(ctx context.Context, key objectKey) (runtime.Object, string, error) {
	if key.secret {
		s, err := o.client.CoreV1().Secrets(key.namespace).Get(ctx, key.name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil, "", apierrors.NewNotFound(schema.GroupResource{Resource: "secret"}, key.name)
		} else if err != nil {
			return nil, "", err
		}
		return s, s.ResourceVersion, nil
	}
	c, err := o.client.CoreV1().ConfigMaps(key.namespace).Get(ctx, key.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, "", apierrors.NewNotFound(schema.GroupResource{Resource: "configmap"}, key.name)
	} else if err != nil {
		return nil, "", err
	}
	return c, c.ResourceVersion, nil
}

// follow reads and watches one object until nobody refers to it.
func (o *objects) follow(ctx context.Context, key objectKey, it *object) {
	defer it.once.Do(func() { it.set(nil, context.Canceled); close(it.first) })
	for delay := 100 * time.Millisecond; ; delay = min(2*delay, 10*time.Second) {
		began := time.Now()
		obj, version, err := o.read(ctx, key)
		if ctx.Err() != nil {
			return
		}
		if it.set(obj, err) {
			o.changed(key)
		}
		it.once.Do(func() { close(it.first) })
		if err == nil || apierrors.IsNotFound(err) {
			o.watch(ctx, key, it, version)
		}
		if time.Since(began) > time.Minute {
			delay = 100 * time.Millisecond
		}
		if !sleep(ctx, delay) {
			return
		}
	}
}

// watch takes in changes until the watch ends; immutable objects cannot change, but they can go.
func (o *objects) watch(ctx context.Context, key objectKey, it *object, version string) {
	options := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", key.name).String(), ResourceVersion: version}
	var w watch.Interface
	var err error
	if key.secret {
		w, err = o.client.CoreV1().Secrets(key.namespace).Watch(ctx, options)
	} else {
		w, err = o.client.CoreV1().ConfigMaps(key.namespace).Watch(ctx, options)
	}
	if err != nil {
		return
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-w.ResultChan():
			if !ok {
				return
			}
			switch e.Type {
			case watch.Added, watch.Modified:
				err = nil
			case watch.Deleted:
				resource := "configmap"
				if key.secret {
					resource = "secret"
				}
				e.Object, err = nil, apierrors.NewNotFound(schema.GroupResource{Resource: resource}, key.name)
			default:
				if e.Type == watch.Error {
					return
				}
				continue
			}
			if it.set(e.Object, err) {
				o.changed(key)
			}
		}
	}
}

// set keeps a newer state and says whether it differs from one that was known.
func (it *object) set(obj runtime.Object, err error) bool {
	it.mu.Lock()
	defer it.mu.Unlock()
	known := it.obj != nil || it.err != nil
	same := version(it.obj) == version(obj) && (it.err == nil) == (err == nil)
	it.obj, it.err = obj, err
	return known && !same
}

func version(obj runtime.Object) string {
	switch o := obj.(type) {
	case *corev1.ConfigMap:
		return o.ResourceVersion
	case *corev1.Secret:
		return o.ResourceVersion
	}
	return ""
}

// objectChanged wakes the pods that refer to an object: their volumes change, and what waited for it may start.
func (k *Kubelet) objectChanged(key objectKey) {
	for _, w := range k.objects.users(key) {
		w.post(func(v *view) {
			now := time.Now()
			w.refresh = now
			v.prepareAt = time.Time{}
			for _, h := range v.containers {
				if h.held != nil && h.held.config {
					h.held.retry = now
				}
			}
		})
	}
}

// ConfigMap implements volume.Sources.
func (k *Kubelet) ConfigMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error) {
	obj, err := k.objects.get(ctx, objectKey{namespace: namespace, name: name})
	if err != nil {
		return nil, err
	}
	return obj.(*corev1.ConfigMap), nil
}

// Secret implements volume.Sources.
func (k *Kubelet) Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	obj, err := k.objects.get(ctx, objectKey{secret: true, namespace: namespace, name: name})
	if err != nil {
		return nil, err
	}
	return obj.(*corev1.Secret), nil
}

// Allocatable implements volume.Sources.
func (k *Kubelet) Allocatable() corev1.ResourceList { return k.machine.capacity }

// Token implements volume.Sources.
func (k *Kubelet) Token(ctx context.Context, pod *corev1.Pod, p *corev1.ServiceAccountTokenProjection) (string, time.Time, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: p.ExpirationSeconds,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
	}}
	if p.Audience != "" {
		request.Spec.Audiences = []string{p.Audience}
	}
	name := pod.Spec.ServiceAccountName
	if name == "" {
		name = "default"
	}
	got, err := k.config.Client.CoreV1().ServiceAccounts(pod.Namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
	if err != nil {
		return "", time.Time{}, err
	}
	return got.Status.Token, got.Status.ExpirationTimestamp.Time, nil
}

// reference keeps all that the pod refers to for as long as its worker lives.
func (w *worker) reference(pod *corev1.Pod) {
	if w.k.config.Weightless || w.refs != nil {
		return
	}
	w.refs = references(pod)
	w.k.objects.reference(w, w.refs)
}

// references lists the config maps and secrets that a pod's volumes and environment name.
func references(pod *corev1.Pod) []objectKey {
	seen := map[objectKey]bool{}
	out := []objectKey{}
	add := func(secret bool, name string) {
		key := objectKey{secret: secret, namespace: pod.Namespace, name: name}
		if name != "" && !seen[key] {
			seen[key] = true
			out = append(out, key)
		}
	}
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		switch {
		case v.ConfigMap != nil:
			add(false, v.ConfigMap.Name)
		case v.Secret != nil:
			add(true, v.Secret.SecretName)
		case v.Projected != nil:
			for _, s := range v.Projected.Sources {
				if s.ConfigMap != nil {
					add(false, s.ConfigMap.Name)
				}
				if s.Secret != nil {
					add(true, s.Secret.Name)
				}
			}
		}
	}
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			environmentReferences(&list[i], add)
		}
	}
	return out
}

func environmentReferences(c *corev1.Container, add func(secret bool, name string)) {
	for _, f := range c.EnvFrom {
		if f.ConfigMapRef != nil {
			add(false, f.ConfigMapRef.Name)
		}
		if f.SecretRef != nil {
			add(true, f.SecretRef.Name)
		}
	}
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			continue
		}
		if r := e.ValueFrom.ConfigMapKeyRef; r != nil {
			add(false, r.Name)
		}
		if r := e.ValueFrom.SecretKeyRef; r != nil {
			add(true, r.Name)
		}
	}
}

// keepVolumes brings the volumes of a running pod up to date when an object has changed or a token grows old.
func (w *worker) keepVolumes(ctx context.Context, pod *corev1.Pod, now time.Time) {
	v := &w.view
	if w.k.config.Weightless || v.sandbox == nil || !v.sandbox.Ready || v.finishing || w.updating {
		return
	}
	w.reference(pod) // for a pod that was taken up from an earlier agent
	meta := metaOf(pod)
	due := !w.refresh.IsZero() && !now.Before(w.refresh)
	if !due && (w.meta == meta || w.meta == "") {
		w.meta = meta
		return
	}
	w.meta, w.updating = meta, true
	w.refresh = time.Time{}
	w.ops.Go(func() {
		refresh, err := w.setUpVolumes(ctx, pod)
		if err != nil {
			refresh = time.Now().Add(10 * time.Second)
		}
		w.post(func(*view) {
			w.updating = false
			if w.refresh.IsZero() || !refresh.IsZero() && refresh.Before(w.refresh) {
				w.refresh = refresh
			}
		})
	})
}

// metaOf is what a downwardAPI volume may show of a pod that can change.
func metaOf(pod *corev1.Pod) string {
	labels, _ := volume.Field(pod, "metadata.labels")
	annotations, _ := volume.Field(pod, "metadata.annotations")
	return labels + "\n\n" + annotations
}
