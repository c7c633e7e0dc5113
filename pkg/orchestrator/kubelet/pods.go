package kubelet

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// watchPods follows the pods of this node; every change goes to the pod's worker.
func (k *Kubelet) watchPods(ctx context.Context) {
	selector := fields.OneTermEqualSelector("spec.nodeName", k.config.NodeName).String()
	pods := k.config.Client.CoreV1().Pods(corev1.NamespaceAll)
	_, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: &cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
				o.FieldSelector = selector
				return pods.List(ctx, o)
			},
			WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
				o.FieldSelector = selector
				return pods.Watch(ctx, o)
			},
		},
		ObjectType: &corev1.Pod{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { k.podChanged(obj.(*corev1.Pod)) },
			UpdateFunc: func(_, obj any) { k.podChanged(obj.(*corev1.Pod)) },
			DeleteFunc: func(obj any) {
				if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
					obj = last.Obj
				}
				if pod, ok := obj.(*corev1.Pod); ok {
					k.podGone(pod)
				}
			},
		},
	})
	k.work.Go(func() { controller.RunWithContext(ctx) })
	k.work.Go(func() {
		if cache.WaitFor(ctx, "", controller.HasSyncedChecker()) {
			k.adoptOrphans(ctx)
		}
	})
}

func (k *Kubelet) podChanged(pod *corev1.Pod) {
	k.mu.Lock()
	w, ok := k.workers[pod.UID]
	if !ok {
		w = newWorker(k, pod, k.adopted[pod.UID])
		delete(k.adopted, pod.UID)
		k.workers[pod.UID] = w
		k.work.Go(func() {
			w.run(k.ctx)
			k.mu.Lock()
			defer k.mu.Unlock()
			w.ended = true
			k.forget(pod.UID, w)
		})
	}
	k.mu.Unlock()
	if ok {
		w.update(pod)
	}
}

func (k *Kubelet) podGone(pod *corev1.Pod) {
	k.mu.Lock()
	w := k.workers[pod.UID]
	if w != nil {
		w.left = true
		k.forget(pod.UID, w)
	}
	k.mu.Unlock()
	if w != nil {
		w.update(pod)
		w.post(func(v *view) { v.gone = true })
	}
}

// forget lets go of a worker once it has ended and its pod has left the API: until then a late event of the pod must not
// bring it a second worker. With k.mu held.
func (k *Kubelet) forget(uid types.UID, w *worker) {
	if w.ended && w.left {
		delete(k.workers, uid)
	}
}

// adoptOrphans ends the sandboxes of pods that left the API while no agent looked, and the files of those long gone.
func (k *Kubelet) adoptOrphans(ctx context.Context) {
	k.mu.Lock()
	orphans := k.adopted
	k.adopted = nil
	live := make(map[types.UID]bool, len(k.workers))
	for uid := range k.workers {
		live[uid] = true
	}
	k.mu.Unlock()
	for uid, sandboxes := range orphans {
		k.work.Go(func() { k.endOrphan(ctx, uid, sandboxes) })
	}
	if k.config.Weightless {
		return
	}
	entries, err := os.ReadDir(filepath.Join(k.config.Dir, "pods"))
	if err != nil {
		return
	}
	for _, e := range entries {
		if uid := types.UID(e.Name()); !live[uid] && orphans[uid] == nil {
			k.removePodFiles(uid, "")
		}
	}
}

func (k *Kubelet) endOrphan(ctx context.Context, uid types.UID, sandboxes []container.Sandbox) {
	log := k.log.With("pod", uid)
	for _, s := range sandboxes {
		log.Info("stop a pod that is no longer in the API", "namespace", s.Config.Namespace, "name", s.Config.Name)
		done := make(chan struct{}, len(s.Containers))
		for _, c := range s.Containers {
			k.work.Go(func() {
				defer func() { done <- struct{}{} }()
				if c.State == container.Exited {
					return
				}
				seconds, err := strconv.Atoi(c.Config.Labels[labelGrace])
				if err != nil {
					seconds = 30
				}
				grace := max(time.Duration(seconds)*time.Second, minimalGrace)
				if err := k.config.Runtime.StopContainer(ctx, c.ID, c.Config.StopSignal, grace); err != nil {
					log.Error("stop container", "container", c.Config.Name, "error", err)
				}
			})
		}
		for range s.Containers {
			<-done
		}
		if err := k.config.Runtime.StopSandbox(ctx, s.ID); err != nil {
			log.Error("stop sandbox", "error", err)
		}
		if err := k.config.Runtime.RemoveSandbox(ctx, s.ID); err != nil {
			log.Error("remove sandbox", "error", err)
		}
		if !k.config.Weightless {
			k.removePodFiles(uid, s.Config.LogDir)
		}
	}
}

// removePodFiles removes what the agent keeps of a pod; a log directory outside the agent's own is left alone.
func (k *Kubelet) removePodFiles(uid types.UID, logDir string) {
	if err := k.volumes.TearDown(uid); err != nil {
		k.log.Error("tear down volumes", "pod", uid, "error", err)
		return
	}
	dirs := []string{k.podDir(uid)}
	if rel, err := filepath.Rel(k.config.LogDir, logDir); err == nil && logDir != "" && filepath.IsLocal(rel) && rel != "." {
		dirs = append(dirs, logDir)
	}
	for _, dir := range dirs {
		if err := os.RemoveAll(dir); err != nil {
			k.log.Error("remove the pod's files", "pod", uid, "error", err)
		}
	}
}

func (k *Kubelet) podDir(uid types.UID) string {
	return filepath.Join(k.config.Dir, "pods", string(uid))
}

// logDir is where a pod's logs are: names first, for people.
func (k *Kubelet) logDir(pod *corev1.Pod) string {
	return filepath.Join(k.config.LogDir, pod.Namespace+"_"+pod.Name+"_"+string(pod.UID))
}

// sandboxID names the nth sandbox of a pod.
func sandboxID(uid types.UID, n int) string { return string(uid) + "-" + strconv.Itoa(n) }

func splitSandboxID(id string) (types.UID, int) {
	i := strings.LastIndex(id, "-")
	if i < 0 {
		return types.UID(id), 0
	}
	n, err := strconv.Atoi(id[i+1:])
	if err != nil {
		return types.UID(id), 0
	}
	return types.UID(id[:i]), n
}
